"""`db prune`: the words of old messages go, and every command still works on what stays."""

import json
from datetime import timedelta
from pathlib import Path

import pytest

from tests.cli.front_desk import CARE, NOW, VERA, FrontDesk, told_before

LATER = NOW + timedelta(days=400)
PRUNE = ("db", "prune", "--older-than", "365d")


def long_over(desk: FrontDesk) -> None:
    """Vera was treated 400 days ago; all of it was sent or expired."""
    desk.do("enrol", *VERA, *CARE, "--at", "2026-03-27 09:30")
    desk.do("protocol", "approve", "mesotherapy", "--by", "Dr. Alba")
    desk.send(NOW + timedelta(minutes=1))
    desk.send(LATER)


@pytest.fixture
def desk(tmp_path: Path) -> FrontDesk:
    return told_before(long_over, tmp_path)


def test_a_dry_run_says_how_many_and_changes_nothing(desk: FrontDesk) -> None:
    said = desk.do(*PRUNE, "--dry-run", now=LATER)
    assert said == "Words of messages older than 365 days: 1 would be cleared.\n"
    assert desk.json(*PRUNE, "--dry-run", now=LATER)["messages"] == 1
    assert "pruned" not in desk.do("audit", now=LATER)


def test_it_wants_a_word_for_what_cannot_be_undone(desk: FrontDesk) -> None:
    done = desk.run(*PRUNE, now=LATER)
    assert done.exit_code == 2
    assert "--yes" in done.stderr
    assert desk.json(*PRUNE, "--dry-run", now=LATER)["messages"] == 1


def test_every_command_works_on_what_is_pruned_and_says_so(desk: FrontDesk) -> None:
    (sent, *_) = desk.json("reminder", "list", "--state", "sent", now=LATER)["reminders"]
    assert "shower" in desk.do("reminder", "explain", sent["id"], now=LATER)
    said = desk.do(*PRUNE, "--yes", "--by", "Dr. Alba", now=LATER)
    assert said == "Words of messages older than 365 days: 1 cleared.\n"
    explained = desk.do("reminder", "explain", sent["id"], now=LATER)
    assert "msg-1: pruned, the words are no longer kept." in explained
    assert "accepted" in explained
    assert desk.json("reminder", "explain", sent["id"], now=LATER)["pruned"] == ["msg-1"]
    assert desk.json("reminder", "show", sent["id"], now=LATER)["state"] == "sent"
    (message,) = json.loads(desk.do("patient", "export", "A-1", now=LATER))["messages"]
    assert (message["pruned"], message["text"], message["to"]) == (True, None, None)
    assert message["attempts"][0]["outcome"] == "accepted"
    desk.do("db", "check", now=LATER)
    assert "pruned" in desk.do("audit", now=LATER)
    assert desk.json(*PRUNE, "--yes", now=LATER) == {
        "messages": 0, "replies": 0, "kept": 0, "dry_run": False, "file_is_clean": True,
    }  # fmt: skip


def test_what_is_open_is_kept_and_counted(tmp_path: Path) -> None:
    desk = FrontDesk(tmp_path)
    desk.do("enrol", *VERA, *CARE, "--at", "2026-03-27 09:30")
    desk.do("protocol", "approve", "mesotherapy", "--by", "Dr. Alba")
    desk.send(NOW + timedelta(minutes=1))  # and nothing afterwards: the rest still waits
    assert desk.do(*PRUNE, "--yes", now=LATER) == (
        "Words of messages older than 365 days: 0 cleared.\n"
        "As old, and kept: 1; something of their treatment is open.\n"
    )


@pytest.mark.parametrize(
    ("days", "code", "said"),
    [
        ("29d", 5, "at least 30 days"),
        ("0d", 5, "at least 30 days"),
        ("9000h", 2, "not a number of days"),
        ("999999d", 2, "not a number of days"),
        ("soon", 2, "not a duration"),
    ],
)
def test_too_short_is_refused_and_anything_else_is_wrong_usage(
    desk: FrontDesk, days: str, code: int, said: str
) -> None:
    done = desk.run("db", "prune", "--older-than", days, "--yes", now=LATER)
    assert done.exit_code == code
    assert said in done.stderr
    assert desk.json(*PRUNE, "--dry-run", now=LATER)["messages"] == 1
