"""A red flag's life: from the reply to the second contact and to whoever takes it on, on a virtual
clock with a real mail server; and the same in a daemon of its own."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from reminderd.incoming import Replies
from reminderd.interfaces import Reply
from reminderd.words import Aftermath
from tests.core.alarming import DOCTOR, FRONT, Duty, on_duty
from tests.end_to_end.clinic import Clinic, leaving
from tests.fakes.smtp_server import SmtpServer
from tests.fakes.twilio_server import TwilioServer
from tests.waiting import until

VERA, WORDS = "+34600000001", "My lip is swelling"
PRIVATE = ("Vera", "Verano", "lip is")


def writes(duty: Duty, text: str) -> None:
    desk = duty.desk
    with desk.outbox.transaction():
        sid = f"SM{len(desk.outbox.replies())}"
        desk.outbox.keep_reply("console", Reply(sid, VERA, "+34910000000", text), desk.now)
    Replies(desk.outbox, desk.house.decide).apply(None, desk.now)


def test_from_the_reply_to_the_second_contact_and_to_whoever_takes_it_on(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", logger="reminderd")
    with SmtpServer() as server, on_duty(tmp_path, server) as duty:
        duty.desk.patient("Vera")
        incidents = duty.desk.house.incidents
        # 10:00: she writes; the desk is told within one look.
        writes(duty, "I have a fever")
        assert duty.look(seconds=5) == [FRONT]
        assert str(duty.mail()["Subject"]) == "Alba Skin Clinic: red flag, inc-1"
        # 10:05: somebody takes it on. 10:08: it is worse, and has to be taken on again.
        assert duty.look(minutes=5) == []
        incidents.acknowledge("inc-1", "Bo Tarn", duty.desk.now)
        assert duty.look(minutes=3) == []
        writes(duty, WORDS)
        assert duty.look(seconds=5) == [FRONT]
        assert str(duty.mail()["Subject"]) == "Alba Skin Clinic: EMERGENCY, red flag, inc-1"
        # 15 minutes later nobody has: everybody is told, once.
        assert duty.look(minutes=14) == []
        assert duty.look(minutes=1) == [FRONT, DOCTOR]
        assert "nobody has taken on inc-1" in str(duty.mail()["Subject"])
        assert "- Call: +34600000001\r\n- Patient: pat-1" in duty.text()
        # The doctor does; nobody is told any more, also once it is closed.
        incidents.acknowledge("inc-1", "Dr. Alba", duty.desk.now)
        assert duty.look(hours=1) == []
        incidents.close("inc-1", "Seen.", Aftermath.RESUME, "Dr. Alba", duty.desk.now)
        assert duty.look(hours=1) == []
        told = duty.desk.outbox.alerts("incident/1/")
        assert [each.recipient for each in told] == [FRONT, FRONT, FRONT, DOCTOR]
        assert all(each.sent_at is not None for each in told)
        sent = [each.content.decode() for each in server.mails]
    ours = "\n".join(each.getMessage() for each in caplog.records if each.name != "mail.log")
    for private in PRIVATE:
        assert not any(private in each for each in [*sent, ours])
    assert VERA not in ours


@pytest.fixture
def site(
    tmp_path: Path, servers: tuple[TwilioServer, SmtpServer]
) -> Iterator[tuple[Clinic, TwilioServer, SmtpServer]]:
    """Vera is a patient, and at the clinic two are to be told."""
    servers[0].now = lambda: datetime.now(UTC)
    clinic = leaving(tmp_path, *servers)
    with clinic.config.open("a") as config:
        to, second = json.dumps([FRONT]), json.dumps([DOCTOR])
        config.write(f"\n[alerts]\nto = {to}\nsecond = {second}\n")
    clinic.enrol("Vera")
    yield (clinic, *servers)
    clinic.close()


def test_the_daemon_tells_it_within_seconds_and_its_log_says_nothing_private(
    site: tuple[Clinic, TwilioServer, SmtpServer],
) -> None:
    clinic, twilio, smtp = site
    twilio.hears(WORDS, VERA)
    daemon = clinic.runs()
    until(lambda: [each.to for each in smtp.mails] == [FRONT], "that the desk is told")
    daemon.logs("alert-1 is told: incident/1/")
    (told,) = clinic.data("incident", "show", "inc-1")["told"]
    assert told["recipient"] == FRONT
    assert told["told_at"] is not None
    assert daemon.stop() == 0
    for private in (*PRIVATE, VERA, FRONT, "Traceback"):
        assert private not in daemon.log


def test_a_single_run_tells_it_too(site: tuple[Clinic, TwilioServer, SmtpServer]) -> None:
    clinic, twilio, smtp = site
    twilio.hears(WORDS, VERA)
    clinic.says("run", "--once")
    assert [each.to for each in smtp.mails] == [FRONT]
    clinic.says("run", "--once")
    assert len(smtp.mails) == 1


def test_a_dry_run_tells_nobody(site: tuple[Clinic, TwilioServer, SmtpServer]) -> None:
    clinic, twilio, smtp = site
    twilio.hears(WORDS, VERA)
    clinic.says("run", "--once", "--dry-run")
    assert smtp.mails == []
