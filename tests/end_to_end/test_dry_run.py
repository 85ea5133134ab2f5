"""A dry run: the same code, and nothing leaves the machine, and nothing is changed."""

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.end_to_end.clinic import Clinic, environment, footprint, leaving
from tests.fakes.smtp_server import SmtpServer
from tests.fakes.twilio_server import TwilioServer

Servers = tuple[TwilioServer, SmtpServer]

GUARD = """
import socket

def refuse(*_, **__):
    raise SystemExit("a connection was opened")

socket.socket.connect = socket.socket.connect_ex = refuse
socket.create_connection = socket.getaddrinfo = refuse
"""


def no_network() -> tuple[str, ...]:
    """What to put before a command to run it without any network, where that can be had."""
    try:
        subprocess.run(["unshare", "-n", "true"], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        return ()
    return ("unshare", "-n")


@pytest.fixture
def clinic(tmp_path: Path, servers: Servers) -> Iterator[Clinic]:
    """Two who were just treated, and a signed protocol; the daemon has not been there yet."""
    clinic = leaving(tmp_path, *servers)
    clinic.says("protocol", "approve", "mesotherapy", "--by", "Dr. Example")
    clinic.enrol("Vera", channels="sms")
    clinic.enrol("Paco", channels="email")
    yield clinic
    clinic.close()


@pytest.fixture
def guarded(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """An environment in which every process dies of its first connection."""
    folder = tmp_path_factory.mktemp("guard")
    (folder / "sitecustomize.py").write_text(GUARD)
    return environment(PYTHONPATH=str(folder))


def test_it_tells_what_is_due_opens_no_connection_and_changes_nothing(
    clinic: Clinic, servers: Servers, guarded: dict[str, str]
) -> None:
    twilio, smtp = servers
    before = footprint(clinic.folder)
    command = [*no_network(), *clinic.command("run", "--dry-run", "--once", "--json")]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=60, env=guarded, cwd=clinic.folder
    )
    assert done.returncode == 0, done.stderr
    told = sorted(map(json.loads, done.stdout.splitlines()), key=lambda each: each["patient"])
    assert [(each["patient"], each["channel"], each["to"]) for each in told] == [
        ("pat-1", "sms", "+34600000001"),
        ("pat-2", "email", "paco@example.org"),
    ]
    assert [each["segments"] is None for each in told] == [False, True]
    assert footprint(clinic.folder) == before
    assert (twilio.requests, smtp.connections) == ([], 0)


def test_it_goes_on_notices_who_comes_and_tells_nothing_twice(
    clinic: Clinic, servers: Servers
) -> None:
    twilio, smtp = servers
    dry = clinic.runs("--dry-run", "--json")
    assert {each["patient"] for each in dry.told(2)} == {"pat-1", "pat-2"}
    clinic.enrol("Rosa")
    assert [each["patient"] for each in dry.told(3)][2] == "pat-3"
    assert dry.stop() == 0
    told = [each for line in dry.lines for each in line["reminders"]]
    assert (len(dry.lines), len(told)) == (3, len(set(told)))
    assert (twilio.requests, smtp.connections) == ([], 0)
    assert {each["state"] for each in clinic.reminders()} <= {"scheduled", "skipped"}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_ended_by_a_signal_it_leaves_every_file_as_it_was(
    clinic: Clinic, number: signal.Signals
) -> None:
    before = footprint(clinic.folder)
    dry = clinic.runs("--dry-run", "--json")
    dry.told(2)
    dry.signal(number)
    assert dry.ends() == 0
    assert footprint(clinic.folder) == before


def test_it_works_beside_a_daemon(clinic: Clinic, servers: Servers) -> None:
    twilio, _ = servers
    daemon = clinic.runs()
    daemon.logs("sent: 1", times=2)  # a text and a mail
    dry = clinic.runs("--dry-run", "--json")
    dry.logs("dry run")
    clinic.enrol("Rosa")
    daemon.logs("sent: 1", times=3)
    assert dry.stop() == 0
    assert daemon.stop() == 0
    assert len(twilio.messages) == 2


def test_without_a_database_it_makes_none(tmp_path: Path) -> None:
    clinic = Clinic(tmp_path)
    clinic.database.unlink()
    done = clinic.types("run", "--dry-run", "--once")
    assert done.returncode == 78
    assert "reminderd init" in done.stderr
    assert not clinic.database.exists()


def test_copies_are_gone_afterwards_and_nobody_else_could_read_them(
    clinic: Clinic, tmp_path_factory: pytest.TempPathFactory
) -> None:
    scratch = tmp_path_factory.mktemp("scratch")
    done = clinic.types("run", "--dry-run", "--once", env=environment(TMPDIR=str(scratch)))
    assert done.returncode == 0, done.stderr
    assert os.listdir(scratch) == []
