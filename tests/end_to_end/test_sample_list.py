"""The main job on the sample list: imported, planned, told over its weeks on a virtual clock."""

import json
from collections import Counter
from dataclasses import dataclass
from datetime import datetime, time
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from reminderd.cli.app import app
from reminderd.cli.context import Desk
from reminderd.clock import VirtualClock
from reminderd.hours import zone
from reminderd.model import QuietPolicy
from tests.core.build import at
from tests.end_to_end.clinic import DATA, Clinic, footprint
from tests.engines.rows import LIBRARY

START = at("2026-03-20 06:00", "UTC")
DAY_0 = {"no-shower", "no-heat-or-sun", "no-exercise", "ice", "anti-inflammatories"}
ALL_CLEAR = {"exercise-again", "heat-again", "sunbathing-again"}


@dataclass
class Told:
    """Everything that the simulation told, and what the store knows of whom it told it."""

    messages: list[dict[str, Any]]
    patients: dict[str, dict[str, Any]]
    reminders: dict[str, dict[str, Any]]

    def milestones(self, message: dict[str, Any]) -> set[str]:
        return {self.reminders[each]["milestone"] for each in message["reminders"]}

    def course(self, ref: str) -> dict[str, set[str]]:
        """What one patient is told, by instant."""
        found: dict[str, set[str]] = {}
        for each in self.messages:
            if self.patients[each["patient"]]["ref"] == ref:
                found.setdefault(each["at"], set()).update(self.milestones(each))
        return found


def call(clinic: Clinic, *words: str) -> str:
    """The command in this process, by a clock that shows the list's first morning."""
    result = CliRunner().invoke(
        app, ["--config", str(clinic.config), *words], obj=Desk(VirtualClock(START))
    )
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.fixture(scope="module")
def clinic(tmp_path_factory: pytest.TempPathFactory) -> Clinic:
    clinic = Clinic(tmp_path_factory.mktemp("clinic"), quiet="21:00-08:00")
    call(clinic, "patient", "import", str(DATA / "patients.csv"), "--json")
    return clinic


@pytest.fixture(scope="module")
def told(clinic: Clinic) -> Told:
    days = ("--from", "2026-03-20T06:00Z", "--until", "2026-05-10T00:00Z")
    messages = [json.loads(line) for line in call(clinic, "simulate", *days, "--json").splitlines()]
    patients = json.loads(call(clinic, "patient", "list", "--json"))["patients"]
    reminders = json.loads(call(clinic, "reminder", "list", "--json"))["reminders"]
    return Told(
        messages,
        {each["id"]: each for each in patients},
        {each["id"]: each for each in reminders},
    )


def test_the_list_is_there_whole_and_nothing_has_left(clinic: Clinic, told: Told) -> None:
    assert (len(told.patients), len(told.messages) > 4000) == (500, True)
    assert not {each["state"] for each in told.reminders.values()} & {"sent", "sending", "failed"}
    assert not (clinic.folder / "outbox").exists()


def test_a_simulation_leaves_every_file_as_it_was(clinic: Clinic, told: Told) -> None:
    before = footprint(clinic.folder)
    call(clinic, "simulate", "--from", "2026-03-20T06:00Z", "--until", "2026-03-22T00:00Z")
    assert footprint(clinic.folder) == before


def test_the_same_simulation_tells_the_same(clinic: Clinic, told: Told) -> None:
    days = ("--from", "2026-03-20T06:00Z", "--until", "2026-03-24T00:00Z")
    again = [json.loads(line) for line in call(clinic, "simulate", *days, "--json").splitlines()]
    assert again == told.messages[: len(again)]
    assert len(again) > 100


def test_time_only_goes_forward(told: Told) -> None:
    instants = [datetime.fromisoformat(each["at"]) for each in told.messages]
    assert instants == sorted(instants)


def test_nobody_is_disturbed_at_night_but_by_what_may_come_at_any_hour(told: Told) -> None:
    at_any_hour = {
        (key, each.id)
        for key in sorted(LIBRARY.keys())
        for each in LIBRARY.find(key).protocol.milestones
        if each.quiet is QuietPolicy.IGNORE
    }
    nightly = 0
    for message in told.messages:
        reminders = [told.reminders[each] for each in message["reminders"]]
        patient = told.patients[message["patient"]]
        instant = datetime.fromisoformat(message["at"])
        there = instant.astimezone(zone(patient["timezone"]))
        assert there.utcoffset() == instant.utcoffset(), "output has the patient's own offset"
        if there.time() >= time(21) or there.time() < time(8):
            nightly += 1
            assert {(each["protocol"], each["milestone"]) for each in reminders} <= at_any_hour
    assert nightly > 0


def test_nothing_is_told_twice(told: Told) -> None:
    counts = Counter(each for message in told.messages for each in message["reminders"])
    assert max(counts.values()) == 1


def test_sunscreen_is_a_thing_of_once_a_day_however_many_sessions(told: Told) -> None:
    days = Counter(
        (message["patient"], message["at"][:10])
        for message in told.messages
        for each in message["reminders"]
        if told.reminders[each]["topics"] == ["sun"]
    )
    assert max(days.values()) == 1


def test_everybody_hears_only_on_channels_that_they_agreed_to_at_their_own_address(
    told: Told,
) -> None:
    for message in told.messages:
        patient = told.patients[message["patient"]]
        assert patient["consent"][message["channel"]]["state"] == "granted"
        assert message["channel"] in patient["channels"]
        assert message["to"] == patient["phone" if message["channel"] == "sms" else "email"]
        assert patient["given_name"] in message["text"]


def test_one_message_is_about_one_patient_and_one_instant_tells_it_once(told: Told) -> None:
    for message in told.messages:
        owners = {told.reminders[each]["patient"] for each in message["reminders"]}
        assert owners == {message["patient"]}
    times = Counter((each["patient"], each["channel"], each["at"]) for each in told.messages)
    assert max(times.values()) == 1


def test_a_text_has_a_size_and_a_mail_a_subject(told: Told) -> None:
    for message in told.messages:
        if message["channel"] == "sms":
            assert message["segments"] >= 1
            assert message["subject"] is None
        else:
            assert message["segments"] is None
            assert message["subject"]


def sunscreen(first: int, last: int, month: str, offset: str) -> dict[str, set[str]]:
    return {f"{month}-{day:02}T10:00:00{offset}": {"spf"} for day in range(first, last + 1)}


def test_in_madrid_hours_are_elapsed_and_days_are_of_the_calendar_across_the_clock_change(
    told: Told,
) -> None:
    assert told.course("A-00396") == {
        "2026-03-27T11:40:00+01:00": DAY_0,
        "2026-03-28T08:00:00+01:00": {"shower-again"},
        "2026-03-28T10:00:00+01:00": {"bruising", "massage", "spf"},
        "2026-03-29T08:00:00+02:00": {"check-in"},
        "2026-03-29T10:00:00+02:00": {"massage", "spf", "weight-loss-plan"},
        "2026-03-29T12:40:00+02:00": ALL_CLEAR,
        "2026-03-30T10:00:00+02:00": {"massage", "spf"},
        "2026-03-31T10:00:00+02:00": {"massage-optional", "spf"},
        "2026-04-01T10:00:00+02:00": {"massage-optional", "spf"},
        **sunscreen(2, 10, "2026-04", "+02:00"),
    }


def test_in_madrid_the_night_of_the_clock_change_is_a_night(told: Told) -> None:
    assert told.course("A-00084") == {
        "2026-03-28T13:05:00+01:00": DAY_0,
        "2026-03-29T08:00:00+02:00": {"shower-again"},
        "2026-03-29T10:00:00+02:00": {"bruising", "massage", "spf"},
        "2026-03-30T08:00:00+02:00": {"check-in"},
        "2026-03-30T10:00:00+02:00": {"massage", "spf"},
        "2026-03-30T14:05:00+02:00": ALL_CLEAR,
        "2026-03-31T10:00:00+02:00": {"massage", "spf"},
        "2026-04-01T10:00:00+02:00": {"massage-optional", "spf"},
        "2026-04-02T10:00:00+02:00": {"massage-optional", "spf"},
        **sunscreen(3, 11, "2026-04", "+02:00"),
    }


def test_on_lord_howe_the_clocks_go_back_by_half_an_hour(told: Told) -> None:
    assert told.course("A-00409") == {
        "2026-03-31T20:35:00+11:00": DAY_0,
        "2026-04-01T08:35:00+11:00": {"shower-again"},
        "2026-04-01T10:00:00+11:00": {"bruising", "massage", "spf"},
        "2026-04-02T08:35:00+11:00": {"check-in"},
        "2026-04-02T10:00:00+11:00": {"massage", "spf"},
        "2026-04-02T20:35:00+11:00": ALL_CLEAR,
        "2026-04-03T10:00:00+11:00": {"massage", "spf"},
        "2026-04-04T10:00:00+11:00": {"massage-optional", "spf"},
        "2026-04-05T10:00:00+10:30": {"massage-optional", "spf"},
        **sunscreen(6, 14, "2026-04", "+10:30"),
    }


def test_what_was_overdue_when_it_was_entered_is_told_at_once_in_one_message(told: Told) -> None:
    """Treated at 16:40 there, twenty minutes before the simulation begins."""
    course = told.course("A-00434")
    assert course["2026-03-20T17:00:00+11:00"] == DAY_0
    assert course["2026-03-27T14:40:00+11:00"] == DAY_0
    assert min(course) == "2026-03-20T17:00:00+11:00"


def test_a_list_with_faults_is_refused_whole_and_every_fault_is_named(tmp_path: Path) -> None:
    clinic = Clinic(tmp_path)
    before = footprint(tmp_path)
    result = CliRunner().invoke(
        app,
        ["--config", str(clinic.config), "patient", "import", str(DATA / "patients-bad.csv")],
        obj=Desk(VirtualClock(START)),
    )
    assert result.exit_code == 1
    refs = {line.split(",")[0] for line in (DATA / "patients-bad.csv").read_text().splitlines()}
    missing = [ref for ref in refs if ref.startswith("B-0") and f"({ref})" not in result.stderr]
    assert missing == []
    assert footprint(tmp_path) == before
