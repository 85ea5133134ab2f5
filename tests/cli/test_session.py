"""What becomes of the reminders when a session changes."""

from datetime import timedelta
from pathlib import Path

import pytest

from tests.cli.front_desk import CARE, NOW, VERA, FrontDesk


def booked(folder: Path) -> FrontDesk:
    """Vera comes on Monday at 11:00."""
    desk = FrontDesk(folder)
    desk.do("enrol", *VERA, *CARE, "--at", "2026-03-30 11:00")
    return desk


def test_a_session_is_listed_and_shown(tmp_path: Path) -> None:
    desk = booked(tmp_path)
    (listed,) = desk.json("session", "list", "--patient", "A-1")["sessions"]
    shown = desk.json("session", "show", "ses-1")
    assert shown["session"] == listed
    assert listed["at"] == "2026-03-30T11:00:00+02:00"
    assert listed["state"] == "booked"
    assert len(shown["reminders"]) == len(desk.json("reminder", "list")["reminders"])


def test_moving_a_session_tells_what_moves_from_when_to_when(tmp_path: Path) -> None:
    desk = booked(tmp_path)
    said = desk.do("session", "move", "ses-1", "--at", "2026-03-31T15:30")
    assert "ses-1  2026-03-31T15:30:00+02:00  mesotherapy  booked" in said
    rows = [line.split("\t") for line in said.splitlines()]
    assert [
        "moved", "ses-1", "2026-04-01T08:00:00+02:00 sms held",
        "2026-04-02T08:00:00+02:00 sms held", "check-in",
    ] in rows  # fmt: skip
    assert any(row[-1] == "massage, spf" for row in rows)


def test_the_diff_is_there_for_scripts(tmp_path: Path) -> None:
    moved = booked(tmp_path).json("session", "move", "ses-1", "--at", "2026-03-31T15:30")
    shower = next(each for each in moved["changes"] if each["reminder"]["milestone"] == "no-shower")
    assert shower["change"] == "moved"
    assert shower["before"]["due_at"] == "2026-03-30T11:00:00+02:00"
    assert shower["reminder"]["due_at"] == "2026-03-31T15:30:00+02:00"
    assert shower["reminder"]["id"] == shower["before"]["id"]


def test_done_releases_what_waited(tmp_path: Path) -> None:
    desk = booked(tmp_path)
    assert desk.run("session", "done", "ses-1").exit_code == 5
    after = NOW + timedelta(days=4)
    done = desk.json("session", "done", "ses-1", now=after)
    assert done["session"]["state"] == "done"
    assert "released" in {each["change"] for each in done["changes"]}


def test_done_may_say_when_it_really_was(tmp_path: Path) -> None:
    done = booked(tmp_path).json("session", "done", "ses-1", "--at", "2026-03-27T09:30")
    assert done["session"]["at"] == "2026-03-27T09:30:00+01:00"


@pytest.mark.parametrize(("option", "state"), [([], "cancelled"), (["--no-show"], "no-show")])
def test_a_cancelled_session_withdraws_its_reminders(
    tmp_path: Path, option: list[str], state: str
) -> None:
    desk = booked(tmp_path)
    gone = desk.json("session", "cancel", "ses-1", *option)
    assert gone["session"]["state"] == state
    assert {each["change"] for each in gone["changes"]} == {"withdrawn"}
    assert desk.json("status")["next_due"] is None


def test_who_notes_a_no_show_of_a_session_that_lies_ahead_is_asked(tmp_path: Path) -> None:
    desk = booked(tmp_path)
    said = desk.run("session", "cancel", "ses-1", "--no-show")
    assert said.exit_code == 0
    assert "ses-1 lies ahead: nobody can have missed it yet" in said.stderr
    assert desk.json("session", "show", "ses-1")["session"]["state"] == "no-show"


def test_nothing_is_promised_of_a_session_that_sends_nothing(tmp_path: Path) -> None:
    desk = FrontDesk(tmp_path)
    entered = desk.run("enrol", *VERA, *CARE, "--at", "2026-03-27 09:00")
    assert "goes out now" in entered.stderr
    assert "goes out now" not in desk.run("session", "cancel", "ses-1").stderr
    silent = desk.run("enrol", "--given-name", "Zoe", *CARE, "--at", "2026-03-27 09:00")
    assert "goes out now" not in silent.stderr


def test_ids_may_be_pasted_with_spaces(tmp_path: Path) -> None:
    desk = booked(tmp_path)
    shown = desk.json("session", "show", " ses-1 ")
    assert shown == desk.json("session", "show", "ses-1")
    assert desk.json("session", "list", "--patient", "A-1 ")["sessions"] == [shown["session"]]


def test_a_second_session_adds_to_the_plan(tmp_path: Path) -> None:
    desk = booked(tmp_path)
    added = desk.json("session", "add", "A-1", *CARE, "--at", "2026-04-07T11:00", "--area", "neck")
    assert added["session"]["area"] == "neck"
    assert added["session"]["id"] == "ses-2"
    assert "added" in {each["change"] for each in added["changes"]}
    again = desk.run("session", "add", "A-1", *CARE, "--at", "2026-04-07T11:00")
    assert again.exit_code == 5


@pytest.mark.parametrize("at", ["28/03/2026", "2026-02-30T10:00", "2024-03-01T10:00", "2029-03-28"])
@pytest.mark.parametrize("command", ["add", "move", "done"])
def test_an_impossible_time_changes_nothing(tmp_path: Path, command: str, at: str) -> None:
    desk = booked(tmp_path)
    before = desk.json("session", "list")
    which = ["A-1", *CARE] if command == "add" else ["ses-1"]
    said = desk.run("session", command, *which, "--at", at)
    assert said.exit_code == 2
    assert f'"{at}"' in said.stderr
    assert desk.json("session", "list") == before


@pytest.mark.parametrize(
    ("command", "code"),
    [
        ("show ses-9", 4),
        ("show 9", 4),
        ("cancel ses-9", 4),
        ("move ses-9 --at 2026-03-30T11:00", 4),
        ("add A-9 --protocol mesotherapy --at 2026-03-30T11:00", 4),
        ("add A-1 --protocol mesoterapy --at 2026-03-30T11:00", 4),
        ("list --patient A-9", 4),
        ("move ses-1", 2),
        ("move ses-1 --att 2026-03-30T11:00", 2),
        ("cancel", 2),
    ],
)
def test_wrong_use_says_so(tmp_path: Path, command: str, code: int) -> None:
    said = booked(tmp_path).run("session", *command.split())
    assert said.exit_code == code
    assert said.stderr
    assert "Traceback" not in said.output
