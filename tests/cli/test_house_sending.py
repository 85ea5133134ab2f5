"""`run` and `simulate`: the daemon itself, once, on a copy, or with nothing leaving."""

import hashlib
import logging
from datetime import timedelta
from email import message_from_bytes, policy
from pathlib import Path

import pytest

from reminderd.cli.log import log_to_stderr
from reminderd.clock import SystemClock, VirtualClock
from reminderd.engines.embedded.lock import only_daemon
from tests.cli.desk import Clinic

KEYS = ["at", "patient", "channel", "to", "subject", "text", "segments", "reminders"]


def content(database: Path) -> str:
    return hashlib.sha256(database.read_bytes()).hexdigest()


def enrols_now(clinic: Clinic, **more: str) -> None:
    """`run --once` goes by the machine's clock, so the treatment is at its present minute."""
    clinic.clock = VirtualClock(SystemClock().now())
    clinic.enrols(f"{clinic.clock.now():%Y-%m-%dT%H:%M}Z", **more)


def test_run_once_sends_what_is_due_and_ends(clinic: Clinic) -> None:
    enrols_now(clinic)
    assert clinic.says("run", "--once") == ""
    (message,) = clinic.outbox
    assert "shower" in message.read_text()
    assert clinic.says("run", "--once") == ""
    assert clinic.outbox == [message]


def test_a_mail_has_a_subject(clinic: Clinic) -> None:
    enrols_now(clinic, channels="email")
    clinic.says("run", "--once")
    (message,) = clinic.outbox
    assert message_from_bytes(message.read_bytes(), policy=policy.default)["Subject"]


def test_a_dry_run_prints_what_is_due_and_changes_nothing(clinic: Clinic) -> None:
    clinic.enrols()
    clinic.clock.move(timedelta(hours=1))
    database = clinic.config.with_name("reminderd.db")
    before = content(database)
    (message,) = clinic.lines("run", "--dry-run", "--once")
    assert list(message) == KEYS
    assert message["to"] == "+34600000001"
    assert (content(database), clinic.outbox) == (before, [])


def test_a_dry_run_works_beside_the_daemon(clinic: Clinic) -> None:
    clinic.enrols()
    with only_daemon(clinic.config.with_name("reminderd.db")):
        assert "shower" in clinic.says("run", "--dry-run", "--once")
        assert clinic.types("run", "--once").exit_code == 75


def test_the_daemon_prints_no_data(clinic: Clinic) -> None:
    assert clinic.types("run", "--once", "--json").exit_code == 2


def test_simulate_is_three_weeks_in_one_line_a_message(clinic: Clinic) -> None:
    clinic.enrols()
    database = clinic.config.with_name("reminderd.db")
    before = content(database)
    messages = clinic.lines("simulate", "--until", "2026-04-18T00:00")
    assert list(messages[0]) == KEYS
    assert [each["at"] for each in messages[:5]] == [
        "2026-03-28T10:00:00+01:00",  # now: the treatment was half an hour ago
        "2026-03-29T08:00:00+02:00",  # all clear: 22:30 is quiet, and the clocks have changed
        "2026-03-29T10:00:00+02:00",
        "2026-03-30T08:00:00+02:00",
        "2026-03-30T10:00:00+02:00",
    ]
    assert messages[0]["patient"] == "pat-1"
    assert all(each["reminders"][0].startswith("rem-") for each in messages)
    assert (content(database), clinic.outbox) == (before, [])


def test_simulate_starts_where_it_is_told(clinic: Clinic) -> None:
    clinic.enrols()
    span = ("simulate", "--from", "2026-04-05T00:00", "--until", "2026-04-06T00:00")
    assert [each["at"] for each in clinic.lines(*span)] == ["2026-04-05T10:00:00+02:00"]
    assert "Sunday 5 April 2026" in clinic.says(*span)


def test_simulate_takes_booked_sessions_as_done(clinic: Clinic) -> None:
    clinic.enrols("2026-04-10T12:00")
    (first, *_) = clinic.lines("simulate", "--until", "2026-04-11T00:00")
    assert first["at"] == "2026-04-10T12:00:00+02:00"


def test_a_message_on_another_day_where_the_patient_lives_says_so(clinic: Clinic) -> None:
    clinic.enrols("2026-03-28T09:30", timezone="Pacific/Auckland")
    said = clinic.says("simulate", "--from", "2026-03-28", "--until", "2026-03-29")
    (day,) = (line for line in said.splitlines() if "2026" in line)
    assert day == "Saturday 28 March 2026"
    assert "08:00  Ana · sms to +34600000001 · 1 segment · in Pacific/Auckland, Sunday" in said


def test_a_range_may_be_told_in_days(clinic: Clinic) -> None:
    clinic.enrols()
    in_days = ("simulate", "--from", "2026-04-05", "--until", "2026-04-06")
    assert clinic.lines(*in_days) == clinic.lines(
        "simulate", "--from", "2026-04-05T00:00", "--until", "2026-04-06T00:00"
    )


def test_simulate_must_end_after_it_starts(clinic: Clinic) -> None:
    assert clinic.types("simulate", "--until", "2026-03-28T00:00").exit_code == 2
    assert clinic.types("simulate", "--until", "28/03/2026").exit_code == 2


def test_the_log_holds_nobodys_address_even_in_a_traceback(
    capsys: pytest.CaptureFixture[str],
) -> None:
    log_to_stderr()
    try:
        raise ValueError("no route to +34 600 000 001")
    except ValueError:
        logging.getLogger("reminderd.lanes").exception("ana@example.org failed")
    logging.getLogger("twilio.http_client").info("To: +34600000001")
    said = capsys.readouterr().err
    assert "<mailbox> failed" in said
    assert "no route to <number>" in said
    assert "000 001" not in said
    assert "0000001" not in said
