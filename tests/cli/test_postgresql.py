"""One setting is another, `database.url`, and every command says and does the same."""

import json
import re
import socket
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from reminderd.clock import SystemClock
from reminderd.engines.distributed.outbox import DistributedOutbox
from tests.cli.front_desk import CARE, NOW, VERA, FrontDesk
from tests.postgres import Cluster

AT = "2026-03-27T09:30"
DAY = (
    ("enrol", *VERA, *CARE, "--at", AT),
    ("patient", "add", "--given-name", "Paco", "--phone", "+34 612 345 679", "--consent", "sms"),
    ("session", "add", "pat-2", *CARE, "--at", "2026-04-02T12:00"),
    ("session", "cancel", "ses-2"),
    ("patient", "pause", "pat-2"),
    ("patient", "consent", "pat-1", "--channels", "email", "--withdraw", "--source", "by phone"),
    ("session", "done", "ses-1"),
)
QUESTIONS = (
    ("patient", "list"), ("patient", "show", "pat-1"), ("today",), ("status",), ("audit",),
    ("reminder", "list", "--patient", "pat-1"), ("session", "show", "ses-1"), ("report",),
    ("plan", "mesotherapy", "--at", AT), ("inbox", "list"), ("incident", "list"),
    ("patient", "export", "pat-1"), ("reminder", "explain", "rem-1"), ("protocol", "list"),
)  # fmt: skip
KEY = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="


def on_server(folder: Path, url: str) -> FrontDesk:
    """The clinic of all tests, whose database is on a server."""
    folder.mkdir()
    desk = FrontDesk(folder)
    desk.database.unlink()
    configured(desk, "sqlite:///reminderd.db", url)
    return desk


def configured(desk: FrontDesk, old: str, new: str) -> None:
    """Have the administrator write something else into the configuration."""
    text = desk.config.read_text(encoding="utf-8")
    desk.config.write_text(text.replace(old, new), encoding="utf-8")


@pytest.fixture
def desk(tmp_path: Path, postgresql: str) -> FrontDesk:
    return on_server(tmp_path / "server", postgresql)


@pytest.fixture
def sibling(tmp_path: Path) -> FrontDesk:
    """The same clinic with a file for its database."""
    folder = tmp_path / "file"
    folder.mkdir()
    return FrontDesk(folder)


def told(desk: FrontDesk, *command: str) -> Any:
    """What the command said, whatever it found; where the database is, is not compared."""
    done = desk.run(*command, "--json")
    assert done.exit_code in (0, 1), done.output
    text = done.stdout.replace(str(desk.config.parent), "FOLDER")
    shown = re.sub(r"care_\d+ on this machine", "FOLDER/reminderd.db", text)
    return json.loads(shown)


def levels(desk: FrontDesk) -> set[str]:
    return {each["level"] for each in told(desk, "db", "check")["findings"]}


def subjects(desk: FrontDesk) -> dict[str, str]:
    """What `doctor` finds, by what it is about."""
    return {each["subject"]: each["message"] for each in told(desk, "doctor")["findings"]}


# The desk ----------------------------------------------------------------------------------


def test_a_day_at_the_desk_is_the_same_on_both(desk: FrontDesk, sibling: FrontDesk) -> None:
    for command in DAY:
        assert desk.do(*command) == sibling.do(*command)
    for question in QUESTIONS:
        assert told(desk, *question) == told(sibling, *question), question
    assert desk.do("patient", "list") == sibling.do("patient", "list")
    assert levels(desk) == {"fine"}


def test_through_pgbouncer_it_is_the_same(
    tmp_path: Path, postgresql: str, pgbouncer: Callable[[str], str]
) -> None:
    desk = on_server(tmp_path / "server", pgbouncer(postgresql))
    for command in DAY:
        desk.do(*command)
    for question in QUESTIONS:
        assert told(desk, *question)
    desk.do("simulate", "--until", "2026-04-12")
    desk.do("db", "migrate")
    assert levels(desk) == {"fine"}


def test_old_words_are_cleared_on_both(desk: FrontDesk, sibling: FrontDesk) -> None:
    later = NOW + timedelta(days=400)
    for each in (desk, sibling):
        each.do(*DAY[0])
        each.send()
        each.do("session", "cancel", "ses-1")
        said = each.json("db", "prune", "--older-than", "365d", "--yes", now=later)
        assert (said["messages"], said["file_is_clean"]) == (1, True)
        (message,) = each.json("patient", "export", "pat-1")["messages"]
        assert message["text"] is None


def test_what_lies_ahead_is_the_same_on_both(desk: FrontDesk, sibling: FrontDesk) -> None:
    for each in (desk, sibling):
        each.do(*DAY[0])
    ahead = ("simulate", "--until", "2026-04-12", "--json")
    assert desk.do(*ahead) == sibling.do(*ahead) != ""
    assert "pat-1" in desk.do("run", "--dry-run", "--once", "--json")
    assert told(desk, "today") == told(sibling, "today")


# Sending -----------------------------------------------------------------------------------


def test_what_is_due_leaves_once(desk: FrontDesk) -> None:
    configured(desk, "21:00-08:00", "00:00-00:00")
    now = SystemClock().now()
    desk.do("enrol", *VERA, *CARE, "--at", f"{now - timedelta(hours=1):%Y-%m-%dT%H:%MZ}", now=now)
    for _ in range(2):
        assert desk.run("run", "--once").exit_code == 0
    assert len(list((desk.config.parent / "outbox").iterdir())) == 1


def test_a_database_that_knows_less_than_this_machine_is_held(
    desk: FrontDesk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STATE_DIRECTORY", str(tmp_path))
    assert desk.run("run", "--once").exit_code == 0
    (mark,) = tmp_path.glob("*.mark")
    mark.write_text('{"message": 7, "at": "2026-03-27T09:00:00+00:00"}', encoding="utf-8")
    done = desk.run("run", "--once")
    assert done.exit_code == 5
    assert "the database is older than its mark of 2026-03-27T10:00:00+01:00" in done.output


def test_who_sends_is_seen(desk: FrontDesk, postgresql: str) -> None:
    outbox = DistributedOutbox(postgresql)
    with outbox.on_duty("desk-1"):
        assert told(desk, "status")["daemon"] == "running"
        assert subjects(desk)["workers"] == "1 send: desk-1"
    outbox.close()
    assert told(desk, "status")["daemon"] == "not running"
    assert subjects(desk)["workers"] == "none is running"


# The database as a whole -------------------------------------------------------------------


def test_init_makes_what_is_missing_and_then_keeps_it(tmp_path: Path, cluster: Cluster) -> None:
    desk = on_server(tmp_path / "server", cluster.empty())
    assert "which makes it: reminderd run" in desk.run("doctor").output
    assert desk.run("status").exit_code == 78
    place = desk.config.parent / "config"
    place.mkdir()
    desk.config = desk.config.rename(place / desk.config.name)
    for word in ("wrote", "kept"):
        said = desk.do("init", str(desk.config.parent.parent)).splitlines()
        (line,) = (each for each in said if each.endswith("the database"))
        assert line.split()[0] == word
    assert "has schema" in desk.do("db", "migrate")
    assert desk.is_empty()


def test_a_database_that_is_not_there_is_named_without_its_password(
    tmp_path: Path, cluster: Cluster
) -> None:
    lacking = cluster.url("lacking").replace("reminderd@", "reminderd:hush@")
    desk = on_server(tmp_path / "server", lacking)
    for command in (("patient", "list"), ("status",), ("db", "migrate"), ("run", "--once")):
        done = desk.run(*command)
        assert (done.exit_code, "hush" in done.output) == (78, False), done.output
        assert "lacking" in done.output


def test_a_server_that_does_not_answer_is_to_be_tried_again(tmp_path: Path) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        host = f"127.0.0.1:{closed.getsockname()[1]}"
        desk = on_server(tmp_path / "server", f"postgresql://reminderd@{host}/care")
        for command in (("patient", "list"), ("today",), ("run", "--once")):
            assert desk.run(*command).exit_code == 75


@pytest.mark.parametrize("command", [("backup",), ("restore", "file")], ids=" ".join)
def test_backups_are_left_to_the_server_and_its_tools_are_named(
    desk: FrontDesk, command: tuple[str, ...]
) -> None:
    done = desk.run("db", *command)
    assert done.exit_code == 5
    assert "pg_dump" in done.output


def test_it_is_encrypted_and_decrypted(desk: FrontDesk) -> None:
    desk.do(*DAY[0])
    before = told(desk, "patient", "list")
    configured(desk, "[database]", f'[database]\nencryption_key = "{KEY}"')
    assert desk.run("patient", "list").exit_code == 78
    desk.do("db", "encrypt")
    assert told(desk, "patient", "list") == before
    assert levels(desk) == {"fine"}
    assert "encryption" in subjects(desk)
    desk.do("db", "decrypt")
    configured(desk, f'encryption_key = "{KEY}"', "")
    assert told(desk, "patient", "list") == before


def test_it_is_not_encrypted_while_somebody_sends(desk: FrontDesk, postgresql: str) -> None:
    configured(desk, "[database]", f'[database]\nencryption_key = "{KEY}"')
    outbox = DistributedOutbox(postgresql)
    with outbox.on_duty("desk-1"):
        assert desk.run("db", "encrypt").exit_code == 75
    outbox.close()


def test_a_new_one_is_encrypted_from_the_start(tmp_path: Path, cluster: Cluster) -> None:
    desk = on_server(tmp_path / "server", cluster.empty())
    configured(desk, "[database]", f'[database]\nencryption_key = "{KEY}"')
    assert desk.run("run", "--once").exit_code == 0
    assert subjects(desk)["encryption"].startswith("by the key")
