"""Who did what, as staff and auditors see it."""

import sqlite3
from pathlib import Path

import pytest

from tests.cli.front_desk import CARE, NOW, VERA, FrontDesk


@pytest.fixture
def desk(tmp_path: Path) -> FrontDesk:
    desk = FrontDesk(tmp_path)
    desk.do("enrol", *VERA, *CARE, "--at", "2026-03-26 19:00")
    desk.do("patient", "edit", "A-1", "--phone", "612 345 679", "--timezone", "Europe/Lisbon")
    return desk


def tampered(desk: FrontDesk, sql: str) -> None:
    other = sqlite3.connect(desk.database)
    other.executescript(
        "DROP TRIGGER audit_is_not_changed; DROP TRIGGER audit_is_not_shortened;" + sql
    )
    other.close()


def test_the_trail_says_who_did_what_to_whom(desk: FrontDesk) -> None:
    said = desk.json("audit")
    assert [(each["action"], each["what"]) for each in said["entries"]] == [
        ("patient-added", "pat-1"),
        ("session-added", "ses-1"),
        ("patient-edited", "pat-1"),
    ]
    edited = said["entries"][2]
    assert edited["at"] == "2026-03-27T10:00:00+01:00"
    assert edited["before"] == {"phone": "(not kept)", "timezone": None}
    assert edited["after"] == {"phone": "(not kept)", "timezone": "Europe/Lisbon"}
    assert (said["entries_in_all"], said["broken"]) == (3, None)
    assert said["digest"] == edited["digest"]


def test_the_trail_for_people_has_a_line_for_each_entry(desk: FrontDesk) -> None:
    lines = desk.do("audit").splitlines()
    assert lines[0].split("\t") == ["no", "at", "by", "action", "what", "change"]
    assert lines[3].endswith("timezone: none → Europe/Lisbon")
    assert "The trail is whole: 3 entries" in desk.run("audit").stderr


def test_the_trail_can_be_narrowed(desk: FrontDesk) -> None:
    desk.do("patient", "add", "--given-name", "Bo", "--ref", "B-1")
    assert len(desk.json("audit", "--patient", "B-1")["entries"]) == 1
    assert len(desk.json("audit", "--patient", "pat-1")["entries"]) == 3
    assert desk.json("audit", "--since", "2026-03-28")["entries"] == []
    assert desk.run("audit", "--patient", "nobody").exit_code == 4


def test_verifying_alone_lists_nothing(desk: FrontDesk) -> None:
    assert desk.do("audit", "--verify") == ""
    assert "entries" not in desk.json("audit", "--verify")


def test_a_preview_and_a_refusal_leave_no_entry(desk: FrontDesk) -> None:
    desk.do("patient", "pause", "A-1", "--preview")
    assert desk.run("enrol", *VERA, *CARE, "--at", "2026-03-26 19:00").exit_code == 5
    assert desk.json("audit")["entries_in_all"] == 3


def test_an_import_names_its_file(desk: FrontDesk, tmp_path: Path) -> None:
    file = tmp_path / "patients.csv"
    file.write_text("ref,given_name\nC-1,Cora\nC-2,Dora\n")
    desk.do("patient", "import", str(file))
    entry = desk.json("audit")["entries"][-1]
    assert (entry["action"], entry["what"]) == ("imported", "pat-2 to pat-3")
    assert entry["after"]["from"] == "patients.csv"


@pytest.mark.parametrize(
    ("sql", "number"),
    [("UPDATE audit SET by = 'nobody' WHERE id = 2", 2), ("DELETE FROM audit WHERE id = 3", 3)],
    ids=["changed", "cut short"],
)
def test_a_broken_trail_is_told_with_its_first_broken_entry(
    desk: FrontDesk, sql: str, number: int
) -> None:
    tampered(desk, sql)
    done = desk.run("audit", "--verify", now=NOW)
    assert done.exit_code == 1
    assert f"The trail is broken: entry {number}" in done.stderr
    assert desk.run("audit", "--json").exit_code == 1


def test_a_check_of_the_database_looks_at_the_trail_too(desk: FrontDesk) -> None:
    assert "the trail is whole" in desk.run("db", "check").output
    tampered(desk, "DELETE FROM audit WHERE id = 2")
    done = desk.run("db", "check")
    assert done.exit_code == 1
    assert "entry 2 is missing" in done.output
