"""The daemon as a process, and a Twilio that takes its time to answer but calls back."""

import signal
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.end_to_end.clinic import Clinic, leaving
from tests.fakes.smtp_server import SmtpServer
from tests.fakes.twilio_calls import ask, call, status
from tests.fakes.twilio_server import TwilioServer, hang, reset
from tests.waiting import until
from tests.web.line import PUBLIC, free_port

DAY_0 = {"no-exercise", "no-heat-or-sun", "no-shower", "anti-inflammatories", "ice"}


class Caller:
    """Twilio, which reaches the daemon by way of a proxy that only changes the port."""

    def __init__(self, server: TwilioServer) -> None:
        self.server, self.port = server, free_port()

    def asked_to_call(self) -> str:
        """The address that came with the latest message."""
        return self.server.sends[-1].form["StatusCallback"]

    def the_message(self) -> str:
        """The id of the only message, once it has taken it."""
        until(lambda: self.server.messages, "the message")
        (message,) = self.server.messages
        return str(message["sid"])

    def tells(self, word: str, **more: str) -> int:
        form = status(self.the_message(), word, **more)
        return call(self.asked_to_call(), form, self.port).status


@pytest.fixture
def twilio(servers: tuple[TwilioServer, SmtpServer]) -> Caller:
    return Caller(servers[0])


@pytest.fixture
def clinic(
    tmp_path: Path, servers: tuple[TwilioServer, SmtpServer], twilio: Caller
) -> Iterator[Clinic]:
    """It can be called, and a doctor has signed the default protocol."""
    clinic = leaving(tmp_path, *servers)
    with clinic.config.open("a") as config:
        config.write(f'\n[web]\nlisten = "127.0.0.1:{twilio.port}"\npublic_url = "{PUBLIC}/"\n')
    clinic.says("protocol", "approve", "mesotherapy", "--by", "Dr. Example")
    yield clinic
    clinic.close()


def receipts(clinic: Clinic) -> set[tuple[str, str | None]]:
    """State and receipt of what was told on the first day."""
    found = clinic.reminders()
    return {(each["state"], each["receipt"]) for each in found if each["milestone"] in DAY_0}


def test_a_lost_answer_is_settled_by_the_callback_within_a_beat(
    clinic: Clinic, twilio: Caller
) -> None:
    twilio.server.script(reset(accept=True))
    daemon = clinic.runs()
    daemon.logs("ready")
    clinic.enrol("Vera")
    daemon.logs("no whole answer came")
    url = urlsplit(twilio.asked_to_call())
    assert f"{url.scheme}://{url.netloc}{url.path}" == f"{PUBLIC}/hooks/twilio/status"
    assert twilio.tells("sent") == 204
    daemon.logs("it was accepted")
    assert receipts(clinic) == {("sent", "sent")}
    assert twilio.tells("delivered") == 204
    until(lambda: receipts(clinic) == {("sent", "delivered")}, "the receipt")
    assert daemon.stop() == 0
    assert len(twilio.server.messages) == 1
    sid = twilio.the_message()
    assert f"told of {sid}: delivered" in clinic.says("reminder", "explain", "rem-1")
    (message,) = clinic.data("patient", "export", "pat-1")["messages"]
    assert [(each["receipt"], each["provider_id"]) for each in message["told"]] == [
        ("sent", sid),
        ("delivered", sid),
    ]
    for private in ("Vera", "600000001", "a-token-for-tests", "Traceback"):
        assert private not in daemon.log


def test_a_callback_that_comes_before_the_answer_waits_for_it(
    clinic: Clinic, twilio: Caller
) -> None:
    twilio.server.script(hang(accept=True))
    daemon = clinic.runs()
    daemon.logs("ready")
    clinic.enrol("Vera")
    twilio.the_message()
    assert twilio.tells("delivered") == 204
    assert receipts(clinic) == {("sending", None)}
    twilio.server.stop_hanging()
    daemon.logs("it was accepted")
    assert receipts(clinic) == {("sent", "delivered")}
    assert daemon.stop() == 0


def test_a_number_at_which_nobody_is_gets_its_words_by_mail(
    clinic: Clinic, twilio: Caller, servers: tuple[TwilioServer, SmtpServer]
) -> None:
    _, smtp = servers
    daemon = clinic.runs()
    daemon.logs("ready")
    clinic.enrol("Vera", channels="sms,email")
    daemon.logs("sent: 1")
    assert twilio.tells("undelivered", ErrorCode="30005") == 204
    daemon.logs("sent: 1", times=2)
    (mail,) = smtp.mails
    assert mail.to == "vera@example.org"
    assert daemon.stop() == 0


def test_what_was_acknowledged_survives_a_kill_and_is_applied_by_the_next_daemon(
    clinic: Clinic, twilio: Caller
) -> None:
    twilio.server.script(hang(accept=True))
    daemon = clinic.runs()
    daemon.logs("ready")
    clinic.enrol("Vera")
    twilio.the_message()
    assert twilio.tells("sent") == 204
    daemon.signal(signal.SIGKILL)
    daemon.ends()
    twilio.server.stop_hanging()
    successor = clinic.runs()
    successor.logs("ready")
    assert receipts(clinic) == {("sent", "sent")}
    assert successor.stop() == 0
    assert len(twilio.server.messages) == 1


def test_a_reload_keeps_it_reachable_and_a_second_daemon_finds_the_port_taken(
    clinic: Clinic, twilio: Caller, tmp_path: Path
) -> None:
    daemon = clinic.runs()
    daemon.logs("ready")
    daemon.signal(signal.SIGHUP)
    daemon.logs("reloaded")
    assert ask("GET", "/healthz", twilio.port).body == b"ok"
    other = tmp_path / "other.toml"
    other.write_text(clinic.config.read_text().replace("reminderd.db", "other.db"))
    done = clinic.types("--config", str(other), "run")
    assert done.returncode == 75, done.stderr
    assert "another process listens at" in done.stderr
    assert "Traceback" not in done.stderr
    assert daemon.stop() == 0


def test_without_a_public_address_the_provider_is_not_asked_to_call(
    clinic: Clinic, twilio: Caller
) -> None:
    text = clinic.config.read_text()
    clinic.config.write_text(text.replace("public_url", "# public_url"))
    daemon = clinic.runs()
    daemon.logs("ready")
    clinic.enrol("Vera")
    daemon.logs("sent: 1")
    assert "StatusCallback" not in twilio.server.sends[-1].form
    forged = call(f"{PUBLIC}/hooks/twilio/status", status("SM" + "0" * 32), twilio.port)
    assert forged.status == 403
    assert daemon.stop() == 0


def test_hooks_without_the_token_by_which_they_are_signed_are_a_mistake(
    clinic: Clinic, twilio: Caller
) -> None:
    section = "[transports.twilio]"
    key = 'api_key_sid = "SK' + "1" * 32 + '"\napi_key_secret = "key-secret"'
    lines = clinic.config.read_text().replace(section, f"{section}\n{key}").splitlines()
    clinic.config.write_text("\n".join(each for each in lines if "auth_token" not in each))
    done = clinic.types("run")
    assert done.returncode == 78, done.stderr
    assert "transports.twilio.auth_token" in done.stderr
    assert clinic.types("check").returncode == 1
