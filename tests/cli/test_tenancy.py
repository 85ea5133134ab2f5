"""Two clinics with a configuration each share one database: neither finds what is the other's."""

from pathlib import Path

import pytest

from tests.cli.front_desk import CARE, VERA, FrontDesk
from tests.cli.test_postgresql import configured, on_server

AT = "2026-03-27T09:30"
BRUNO = ("--given-name", "Bruno", "--phone", "612 345 670", "--consent", "sms", "--ref", "A-1")
OF_ONE = (
    ("patient", "show", "pat-1"), ("patient", "pause", "pat-1"), ("patient", "export", "pat-1"),
    ("patient", "edit", "pat-1", "--given-name", "Other"),
    ("patient", "erase", "pat-1", "--yes", "--by", "Alba"),
    ("session", "show", "ses-1"), ("session", "cancel", "ses-1"), ("reminder", "show", "rem-1"),
    ("reminder", "explain", "rem-1"), ("reminder", "cancel", "rem-1"),
    ("session", "add", "pat-1", *CARE, "--at", AT), ("plan", "--patient", "pat-1"),
)  # fmt: skip
OF_ALL = (
    ("patient", "list"), ("session", "list"), ("reminder", "list"), ("today",), ("status",),
    ("report",), ("audit",), ("inbox", "list"), ("incident", "list"),
    ("run", "--dry-run", "--once"),
)  # fmt: skip


@pytest.fixture
def main(tmp_path: Path, postgresql: str) -> FrontDesk:
    desk = on_server(tmp_path / "main", postgresql)
    desk.do("enrol", *VERA, *CARE, "--at", AT)
    return desk


@pytest.fixture
def north(tmp_path: Path, postgresql: str, main: FrontDesk) -> FrontDesk:
    desk = on_server(tmp_path / "north", postgresql)
    configured(desk, "[clinics.main]", "[clinics.north]")
    return desk


@pytest.mark.parametrize("command", OF_ONE, ids=" ".join)
def test_who_or_what_is_another_clinics_is_not_found(
    main: FrontDesk, north: FrontDesk, command: tuple[str, ...]
) -> None:
    before = main.do("patient", "show", "pat-1"), main.do("reminder", "list")
    refused = north.run(*command)
    assert refused.exit_code == 4, refused.output
    assert "Vera" not in refused.output
    assert (main.do("patient", "show", "pat-1"), main.do("reminder", "list")) == before


@pytest.mark.parametrize("command", OF_ALL, ids=" ".join)
def test_nothing_of_another_clinic_is_listed(north: FrontDesk, command: tuple[str, ...]) -> None:
    told = north.run(*command)
    assert told.exit_code == 0, told.output
    for theirs in ("Vera", "pat-1", "ses-1", "rem-1", "612345678"):
        assert theirs not in told.output


def test_nothing_of_another_clinic_is_sent(main: FrontDesk, north: FrontDesk) -> None:
    north.send()
    assert {each["state"] for each in main.json("reminder", "list")["reminders"]} == {
        "scheduled",
        "skipped",
    }
    main.send()
    assert any(each["state"] == "sent" for each in main.json("reminder", "list")["reminders"])


def test_a_clinic_gives_refs_without_asking_the_others(main: FrontDesk, north: FrontDesk) -> None:
    north.do("enrol", *BRUNO, *CARE, "--at", AT)
    assert "Bruno" in north.do("patient", "show", "A-1")
    assert "Vera" in main.do("patient", "show", "A-1")


def test_whoever_works_for_both_is_told_that_a_ref_is_of_two(
    main: FrontDesk, north: FrontDesk
) -> None:
    north.do("enrol", *BRUNO, *CARE, "--at", AT)
    text = main.config.read_text(encoding="utf-8")
    of_main = text[text.index("[clinics.main]") :].partition("\n\n")[0]
    configured(main, of_main, f"{of_main}\n\n{of_main.replace('clinics.main', 'clinics.north')}")
    refused = main.run("patient", "show", "A-1")
    assert refused.exit_code == 2, refused.output
    assert "pat-1 (main), pat-2 (north)" in refused.output
    moved = main.run("patient", "edit", "pat-1", "--clinic", "north")
    assert moved.exit_code == 5, moved.output
    assert "same ref" in moved.output
    main.do("patient", "edit", "pat-1", "--ref", "A-2", "--clinic", "north")
    assert "Vera" in north.do("patient", "show", "A-2")


def test_a_patient_is_not_moved_to_a_clinic_that_is_not_configured(main: FrontDesk) -> None:
    refused = main.run("patient", "edit", "pat-1", "--clinic", "north")
    assert refused.exit_code != 0
    assert "north" in refused.output


def test_the_trail_of_all_is_whole_for_each(main: FrontDesk, north: FrontDesk) -> None:
    north.do("enrol", *BRUNO, *CARE, "--at", AT)
    main.do("patient", "pause", "pat-1")
    assert "pat-2" not in main.do("audit")
    assert north.run("audit", "--verify").exit_code == 0


def test_a_role_that_nothing_is_hidden_from_is_refused(north: FrontDesk) -> None:
    configured(north, "reminderd@", "postgres@")
    refused = north.run("patient", "list")
    assert refused.exit_code == 78, refused.output
    assert "superuser" in refused.output
