"""The daemon as a process, and patients who write: by call, and by being asked for."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.end_to_end.clinic import Clinic, leaving
from tests.fakes.smtp_server import SmtpServer
from tests.fakes.twilio_calls import ask, call, inbound
from tests.fakes.twilio_server import TwilioServer
from tests.waiting import until
from tests.web.line import HOOKS, PUBLIC, SID, free_port

VERA = "+34600000001"


@pytest.fixture
def site(
    tmp_path: Path, servers: tuple[TwilioServer, SmtpServer]
) -> Iterator[tuple[Clinic, TwilioServer]]:
    """Vera was told what not to do today, and the daemon is down again."""
    server = servers[0]
    server.now = lambda: datetime.now(UTC)
    clinic = leaving(tmp_path, *servers)
    clinic.says("protocol", "approve", "mesotherapy", "--by", "Dr. Example")
    clinic.enrol("Vera")
    clinic.sends()
    yield clinic, server
    clinic.close()


def waiting(clinic: Clinic) -> list[tuple[str, str]]:
    return [(each["id"], each["text"]) for each in clinic.data("inbox", "list")["replies"]]


def test_without_an_address_of_ours_what_was_said_while_we_were_down_is_heard_at_the_start(
    site: tuple[Clinic, TwilioServer],
) -> None:
    clinic, server = site
    server.becomes("delivered")
    server.hears("Please stop", VERA)
    daemon = clinic.runs()
    daemon.logs("rep-1 from pat-1: for the staff")
    assert daemon.stop() == 0
    assert waiting(clinic) == [("rep-1", "Please stop")]
    found = {each["receipt"] for each in clinic.reminders() if each["state"] == "sent"}
    assert found == {"delivered"}
    for private in ("Please", "600000001", "Vera", "Traceback"):
        assert private not in daemon.log


def test_a_single_run_hears_it_before_it_sends(site: tuple[Clinic, TwilioServer]) -> None:
    clinic, server = site
    server.hears("Please stop", VERA)
    clinic.sends()
    assert waiting(clinic) == [("rep-1", "Please stop")]


def test_a_stop_is_obeyed_within_a_beat_and_nobody_has_to_read_it(
    site: tuple[Clinic, TwilioServer],
) -> None:
    clinic, server = site
    server.hears("STOP", VERA)
    daemon = clinic.runs()
    daemon.logs("rep-1 from pat-1: stop")
    assert daemon.stop() == 0
    (vera,) = clinic.data("patient", "list")["patients"]
    assert vera["consent"]["sms"]["state"] == "withdrawn"
    assert clinic.data("inbox", "list")["replies"] == []


def test_what_was_called_in_and_is_listed_too_counts_once(
    site: tuple[Clinic, TwilioServer],
) -> None:
    clinic, server = site
    port = free_port()
    with clinic.config.open("a") as config:
        config.write(f'\n[web]\nlisten = "127.0.0.1:{port}"\npublic_url = "{PUBLIC}"\n')
    missed = server.hears("missed", VERA)
    daemon = clinic.runs()
    daemon.logs("rep-1 from pat-1: for the staff")
    for sid, text in ((missed, "missed"), (SID, "called in")):
        answer = call(f"{HOOKS}/inbound", inbound(sid, text, sender=VERA), port)
        assert (answer.status, answer.body) == (200, b"<Response/>")
    daemon.logs("rep-2 from pat-1: for the staff")
    assert waiting(clinic) == [("rep-2", "called in"), ("rep-1", "missed")]
    until(lambda: ask("GET", "/readyz", port).body == b"ready\n", "that it is ready")
    assert b"reminderd_beat_age_seconds" in ask("GET", "/metrics", port).body
    assert daemon.stop() == 0


def test_a_red_flag_is_answered_within_seconds_once_and_the_log_keeps_it_to_itself(
    site: tuple[Clinic, TwilioServer],
) -> None:
    clinic, server = site
    server.hears("I cannot breathe", VERA)
    daemon = clinic.runs()
    daemon.logs("ans-1: sent")
    server.hears("my lips are swelling", VERA)
    assert daemon.stop() == 0
    clinic.says("run", "--once")
    (told,) = [each for each in server.messages if "112" in str(each["body"])]
    assert told["to"] == VERA
    answer = clinic.data("inbox", "show", "rep-1")["automatic_answer"]
    assert (answer["state"], answer["provider_id"]) == ("sent", told["sid"])
    assert clinic.data("inbox", "show", "rep-2")["automatic_answer"] is None
    for private in ("breathe", "safety", "emergency", "600000001", "Vera", "Traceback"):
        assert private not in daemon.log
