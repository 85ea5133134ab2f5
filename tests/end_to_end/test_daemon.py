"""The daemon itself, as a process, against a mail server and one that speaks Twilio's interface."""

import signal
from collections.abc import Iterator
from email import message_from_bytes, policy
from pathlib import Path

import pytest

from tests.end_to_end.clinic import Clinic, leaving
from tests.fakes.smtp_server import SmtpServer
from tests.fakes.twilio_server import TwilioServer, hang
from tests.waiting import PATIENCE

DAY_0 = ["no-exercise", "no-heat-or-sun", "no-shower", "anti-inflammatories", "ice"]


@pytest.fixture
def clinic(tmp_path: Path, servers: tuple[TwilioServer, SmtpServer]) -> Iterator[Clinic]:
    clinic = leaving(tmp_path, *servers)
    yield clinic
    clinic.close()


@pytest.fixture
def approved(clinic: Clinic) -> Clinic:
    """As `clinic`; a doctor has signed the default protocol."""
    clinic.says("protocol", "approve", "mesotherapy", "--by", "Dr. Example")
    return clinic


def sent(clinic: Clinic) -> list[str]:
    return [each["milestone"] for each in clinic.reminders("--state", "sent")]


def test_a_text_and_a_mail_arrive_within_seconds_of_the_entry_once_each(
    approved: Clinic, servers: tuple[TwilioServer, SmtpServer]
) -> None:
    twilio, smtp = servers
    daemon = approved.runs()
    daemon.logs("ready")
    approved.enrol("Vera", channels="sms")
    daemon.logs("sent: 1", seconds=3)
    approved.enrol("Paco", channels="email", language="es")
    daemon.logs("sent: 1", times=2, seconds=3)
    assert daemon.stop() == 0

    (text,) = twilio.messages
    assert text["to"] == "+34600000001"
    assert text["body"].startswith("Hello Vera,")
    assert "shower" in text["body"]
    assert "Alba Skin Clinic" in text["body"]
    (mail,) = smtp.mails
    letter = message_from_bytes(mail.content, policy=policy.default)
    assert (mail.to, letter["To"].addresses[0].addr_spec) == ("paco@example.org",) * 2
    assert letter["Auto-Submitted"] == "auto-generated"
    assert letter["Message-ID"].startswith("<msg-")
    body = letter.get_body(("plain",))
    assert body is not None
    assert "Paco" in body.get_content()
    assert "duches" in body.get_content()
    assert sorted(sent(approved)) == sorted(DAY_0 * 2)
    assert {each["provider_id"] for each in approved.reminders("--patient", "pat-1")} == {
        None,
        text["sid"],
    }


def test_the_log_holds_nobodys_name_number_mailbox_or_words(
    approved: Clinic, servers: tuple[TwilioServer, SmtpServer]
) -> None:
    twilio, smtp = servers
    smtp.script("RCPT", "550 5.1.1 no such mailbox veronika@example.org")
    daemon = approved.runs()
    approved.enrol("Veronika", channels="email,sms")
    daemon.logs("sent: 1")
    assert daemon.stop() == 0
    assert "rem-1" in daemon.log
    assert len(twilio.messages) == 1, "in place of the mail"
    for private in ("Veronika", "veronika", "600000001", "shower"):
        assert private not in daemon.log


def test_a_watchdog_that_would_bite_between_two_beats_is_told(
    approved: Clinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WATCHDOG_USEC", "20000000")
    daemon = approved.runs()
    daemon.logs("WatchdogSec")
    assert daemon.stop() == 0


def test_an_unsigned_protocol_waits_and_leaves_once_it_is_signed(
    clinic: Clinic, servers: tuple[TwilioServer, SmtpServer]
) -> None:
    twilio, _ = servers
    daemon = clinic.runs()
    daemon.logs("ready")
    clinic.enrol()
    held = {clinic.states()[milestone] for milestone in DAY_0}
    assert held == {"held/unapproved"}
    assert clinic.types("run", "--once").returncode == 75
    assert twilio.sends == []
    clinic.says("protocol", "approve", "mesotherapy", "--by", "Dr. Example")
    daemon.logs("sent: 1", seconds=3)
    assert daemon.stop() == 0
    assert len(twilio.messages) == 1


@pytest.mark.parametrize("words", [(), ("--once",)], ids=["daemon", "once"])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_finishes_what_is_under_way_and_puts_back_the_rest(
    approved: Clinic,
    servers: tuple[TwilioServer, SmtpServer],
    number: signal.Signals,
    words: tuple[str, ...],
) -> None:
    twilio, _ = servers
    section, text = "[transports.twilio]", approved.config.read_text()
    approved.config.write_text(text.replace(section, f"{section}\nconcurrency = 1"))
    twilio.script(hang(accept=True))
    for name in ("Vera", "Paco", "Rosa"):
        approved.enrol(name)
    daemon = approved.runs(*words)
    assert twilio.hanging.wait(PATIENCE)
    daemon.signal(number)
    daemon.logs("stopping")
    twilio.released.set()
    assert daemon.ends() == 0
    assert "stopped" in daemon.log
    assert len(twilio.sends) == 1
    day_0 = [each for each in approved.reminders() if each["milestone"] in DAY_0]
    assert {(each["patient"], each["state"]) for each in day_0} == {
        ("pat-1", "sending"),  # in doubt: looked into half a minute later
        ("pat-2", "scheduled"),
        ("pat-3", "scheduled"),
    }


def test_there_is_one_daemon_for_a_database_by_whichever_path(
    approved: Clinic, tmp_path: Path
) -> None:
    daemon = approved.runs()
    daemon.logs("ready")
    link = tmp_path / "link.db"
    link.symlink_to(approved.database)
    other = tmp_path / "other.toml"
    text = approved.config.read_text()
    other.write_text(text.replace("sqlite:///reminderd.db", f"sqlite:///{link}"))
    for words in (["run"], ["run", "--once"]):
        for config in (approved.config, other):
            done = approved.types("--config", str(config), *words)
            assert done.returncode == 75, done.stderr
            assert "already" in done.stderr
            assert "Traceback" not in done.stderr
    assert daemon.stop() == 0


def test_once_sends_what_is_due_and_ends(
    approved: Clinic, servers: tuple[TwilioServer, SmtpServer]
) -> None:
    twilio, smtp = servers
    approved.enrol("Vera", channels="sms")
    approved.enrol("Paco", channels="email")
    approved.sends()
    assert (len(twilio.messages), len(smtp.mails)) == (1, 1)
    approved.sends()
    assert (len(twilio.messages), len(smtp.mails)) == (1, 1)


def test_what_was_told_by_the_clinics_wrong_clocks_is_to_be_corrected(approved: Clinic) -> None:
    approved.enrol()
    approved.sends()
    assert approved.data("status")["staff"] == []
    text = approved.config.read_text()
    approved.config.write_text(text.replace("Europe/Madrid", "Asia/Tokyo"))
    approved.sends()
    (waiting,) = approved.data("status")["staff"][:1]
    assert (waiting["what"], waiting["id"]) == ("correction", "pat-1")
    assert "told by the clocks of another zone" in waiting["why"]


def test_once_says_when_a_provider_could_not_be_reached(
    approved: Clinic, servers: tuple[TwilioServer, SmtpServer]
) -> None:
    _, smtp = servers
    smtp.stop()
    approved.enrol("Paco", channels="email")
    done = approved.types("run", "--once")
    assert done.returncode == 75, done.stderr
    assert approved.states()["no-shower"] == "scheduled"


def test_a_text_channel_that_hangs_does_not_hold_up_the_mail(
    approved: Clinic, servers: tuple[TwilioServer, SmtpServer]
) -> None:
    twilio, smtp = servers
    twilio.script(hang())
    daemon = approved.runs()
    daemon.logs("ready")
    approved.enrol("Vera", channels="sms")
    assert twilio.hanging.wait(PATIENCE)
    approved.enrol("Paco", channels="email")
    daemon.logs("sent: 1", seconds=3)
    assert len(smtp.mails) == 1
    twilio.released.set()
    assert daemon.stop() == 0


# Reloading --------------------------------------------------------------------------------------

BROKEN = "{% block line %}{{ nobody.knows }}{% endblock %}\n"


def own_template(clinic: Clinic, text: str) -> Path:
    own = clinic.folder / "templates" / "en" / "no-shower.j2"
    own.parent.mkdir(parents=True, exist_ok=True)
    own.write_text(text)
    return own


def test_a_broken_template_is_not_taken_up_and_the_log_says_where(
    approved: Clinic, servers: tuple[TwilioServer, SmtpServer]
) -> None:
    twilio, _ = servers
    daemon = approved.runs()
    daemon.logs("ready")
    own = own_template(approved, BROKEN)
    daemon.signal(signal.SIGHUP)
    daemon.logs("not reloaded")
    assert f"{own}:1" in daemon.log
    own.unlink()
    approved.enrol()
    daemon.logs("sent: 1")
    assert "Hello Vera" in twilio.messages[0]["body"]
    assert daemon.stop() == 0


def test_a_broken_protocol_is_not_taken_up_either(approved: Clinic) -> None:
    daemon = approved.runs()
    daemon.logs("ready")
    own = approved.folder / "protocols" / "mine.toml"
    own.parent.mkdir(exist_ok=True)
    own.write_text('key = "mine"\ntitle = "Mine"\nrevision = 0\n')
    daemon.signal(signal.SIGHUP)
    daemon.logs("not reloaded")
    assert f"{own}:3: revision" in daemon.log
    assert daemon.stop() == 0


def test_new_words_are_used_after_a_reload_and_a_new_signature(
    approved: Clinic, servers: tuple[TwilioServer, SmtpServer]
) -> None:
    twilio, _ = servers
    daemon = approved.runs()
    daemon.logs("ready")
    packaged = Path(__file__).parents[2] / "templates" / "en" / "_bundle.j2"
    own = own_template(approved, "").with_name("_bundle.j2")
    own.with_name("no-shower.j2").unlink()
    own.write_text(packaged.read_text().replace("Hello", "Good day"))
    daemon.signal(signal.SIGHUP)
    daemon.logs("reloaded protocols")
    approved.says("protocol", "approve", "mesotherapy", "--by", "Dr. Example")
    approved.enrol()
    daemon.logs("sent: 1")
    assert twilio.messages[0]["body"].startswith("Good day Vera")
    assert daemon.stop() == 0
