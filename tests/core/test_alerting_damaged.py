"""What can no longer be opened in an encrypted database keeps nothing else from being told."""

from base64 import b64encode
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from reminderd.model import Severity
from tests.core.alarming import DOCTOR, FRONT, NUMBER, Duty, on_duty
from tests.fakes.smtp_server import SmtpServer

KEY = b64encode(bytes(range(32))).decode()
INCIDENT = "UPDATE incidents SET number = 's1:cut' WHERE id = 1"
PATIENT = "UPDATE patients SET phone = 's1:cut' WHERE id = 1"
REPLY = "UPDATE replies SET sender = 's1:cut' WHERE id = 1"
ALERT = "UPDATE alerts SET recipient = 's1:cut' WHERE id = 1"


@pytest.fixture(scope="module")
def server() -> Iterator[SmtpServer]:
    with SmtpServer() as running:
        yield running


@pytest.fixture
def duty(tmp_path: Path, server: SmtpServer) -> Iterator[Duty]:
    """Vera has written of an emergency."""
    server.forget()
    with on_duty(tmp_path, server, key=KEY) as made:
        made.desk.patient("Vera", ref="A-17")
        made.red_flag(Severity.EMERGENCY, 1)
        yield made


def damage(duty: Duty, *changes: str) -> None:
    with duty.desk.outbox.transaction():
        for each in changes:
            duty.desk.outbox.connection.execute(each)


@pytest.mark.parametrize("change", [INCIDENT, PATIENT, REPLY])
def test_a_red_flag_is_told_all_the_same_and_so_is_the_next(duty: Duty, change: str) -> None:
    duty.red_flag()
    damage(duty, change)
    assert duty.look() == [FRONT, FRONT]
    told = [str(duty.mail(at)["Subject"]) for at in (-2, -1)]
    assert [each[-5:] for each in told] == ["inc-1", "inc-2"]
    assert duty.look(minutes=15) == [FRONT, DOCTOR] * 2


def test_what_is_left_of_it_is_told(duty: Duty) -> None:
    damage(duty, INCIDENT, PATIENT)
    duty.look()
    assert "EMERGENCY" in str(duty.mail()["Subject"])
    assert "- Patient: pat-1\n" in duty.text().replace("\r", "")
    assert "- Call:" not in duty.text()


def test_whoever_cannot_be_named_any_more_keeps_nobody_else_waiting(
    duty: Duty, server: SmtpServer
) -> None:
    server.script("RCPT", "450 4.2.1 later")
    assert duty.look() == []
    damage(duty, ALERT)
    duty.desk.clock.move(timedelta(seconds=31))
    duty.red_flag()
    assert duty.look() == [FRONT]
    assert str(duty.mail()["Subject"]).endswith("inc-2")
    assert duty.look(minutes=15) == [FRONT, DOCTOR] * 2


def test_the_next_red_flag_from_that_number_opens_an_incident_of_its_own(duty: Duty) -> None:
    damage(duty, INCIDENT)
    duty.writes_again(Severity.URGENT)
    assert duty.look() == [FRONT, FRONT]
    found = duty.desk.outbox.incident(2)
    assert found is not None
    assert (found.number, found.severity) == (NUMBER, Severity.URGENT)
    (kept,) = duty.desk.outbox.query("SELECT number FROM incidents WHERE id = 1")
    assert kept == ("s1:cut",)
