"""What became of the reminders, and who has not come back."""

import csv
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from tests.cli.front_desk import VERA, FrontDesk, told_before

BO = ("--given-name", "Bo", "--phone", "612 345 000", "--consent", "sms", "--ref", "B-1")
FACIAL, BASIC = ("--protocol", "mesotherapy-facial"), ("--protocol", "mesotherapy-basic")
MONDAY = datetime(2026, 3, 30, 9, 0, tzinfo=UTC)


def on(day: str, hour: int = 10) -> datetime:
    """That hour in UTC: an hour later in Madrid until 29 March, two hours from then on."""
    return datetime.fromisoformat(f"2026-{day}T{hour:02}:00+00:00")


def two_courses(desk: FrontDesk) -> None:
    """Vera came on 2 and 9 March and was asked to book; Bo came on 2 March only."""
    desk.do("enrol", *VERA, *FACIAL, "--at", "2026-03-02T11:00", now=on("03-02"))
    desk.do("enrol", *BO, *BASIC, "--at", "2026-03-02T11:00", now=on("03-02"))
    desk.send(on("03-02"))
    desk.do("session", "add", "A-1", *FACIAL, "--at", "2026-03-09T11:00", now=on("03-09"))
    desk.send(on("03-13"))


@pytest.fixture
def desk(tmp_path: Path) -> FrontDesk:
    return told_before(two_courses, tmp_path)


def overdue(desk: FrontDesk, *more: str, now: datetime = MONDAY) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = desk.json("report", *more, now=now)["overdue"]
    return found


def refs(desk: FrontDesk, *more: str, now: datetime = MONDAY) -> list[str]:
    return [each["ref"] for each in overdue(desk, *more, now=now)]


def table(printed: str) -> list[dict[str, str]]:
    return list(csv.DictReader(StringIO(printed), delimiter="\t", quoting=csv.QUOTE_NONE))


# Who is overdue --------------------------------------------------------------------------------


def test_who_has_not_come_back_is_listed_with_all_that_a_call_needs(desk: FrontDesk) -> None:
    desk.send(MONDAY)
    vera, bo = overdue(desk)
    reminder = vera.pop("reminders")[0]
    assert vera == {
        "patient": "pat-1",
        "ref": "A-1",
        "given_name": "Vera",
        "family_name": "Verano",
        "phone": "+34612345678",
        "protocol": "mesotherapy-facial",
        "place": 2,
        "minimum": 3,
        "maximum": 10,
        "session": "ses-3",
        "session_at": "2026-03-09T11:00:00+01:00",
        "session_state": "done",
        "next_due_at": "2026-03-16T11:00:00+01:00",
        "days_overdue": 14,
    }
    assert (reminder["state"], reminder["sent_at"]) == ("sent", "2026-03-13T11:00:00+01:00")
    assert (bo["ref"], bo["place"], bo["maximum"], bo["days_overdue"]) == ("B-1", 1, None, 7)
    assert [(each["state"], each["reason"]) for each in bo["reminders"]] == [("expired", "late")]


def test_at_the_desk_it_is_one_line_for_each_the_longest_overdue_first(desk: FrontDesk) -> None:
    desk.send(MONDAY)
    first, second = table(desk.do("report", "--overdue", now=MONDAY))
    assert (first["days"], first["name"], first["phone"]) == ("14", "Vera Verano", "+34612345678")
    assert (first["session"], first["last"]) == ("mesotherapy-facial 2 of 3-10", "2026-03-09")
    assert (first["due"], first["reminder"]) == ("2026-03-16", "sent 2026-03-13")
    assert (second["ref"], second["session"]) == ("B-1", "mesotherapy-basic 1")
    assert second["reminder"] == "not sent: it could not be sent in time"


def test_nobody_is_overdue_on_the_very_day(desk: FrontDesk) -> None:
    assert refs(desk, now=on("03-16", 22)) == []  # 23:00 in Madrid
    assert refs(desk, now=on("03-16", 23)) == ["A-1"]
    assert "Nobody is overdue" in desk.run("report", "--overdue", now=on("03-16")).stderr


def test_the_day_is_that_of_the_patients_own_zone(desk: FrontDesk) -> None:
    desk.do("patient", "edit", "A-1", "--timezone", "America/New_York", now=on("03-13"))
    assert refs(desk, now=on("03-17", 3)) == []
    assert refs(desk, now=on("03-17", 4)) == ["A-1"]


@pytest.mark.parametrize("day", ["2026-03-20T11:00", "2026-05-04T11:00"])
def test_who_came_or_has_booked_is_not_overdue(desk: FrontDesk, day: str) -> None:
    desk.do("session", "add", "A-1", *FACIAL, "--at", day, now=on("03-20"))
    assert "A-1" not in refs(desk, now=on("03-21"))


@pytest.mark.parametrize("how", [(), ("--no-show",)])
def test_who_called_off_the_next_session_is_overdue_again(desk: FrontDesk, how: str) -> None:
    desk.do("session", "add", "A-1", *FACIAL, "--at", "2026-03-31T11:00", now=on("03-20"))
    desk.do("session", "cancel", "ses-4", *how, now=on("04-01"))
    assert refs(desk, now=on("04-01")) == ["A-1", "B-1"]


def test_what_can_no_longer_go_out_is_not_said_to(desk: FrontDesk) -> None:
    """No daemon ran since 13 March, so that nothing is marked as expired."""
    (bo,) = [each for each in table(desk.do("report", "--overdue", now=on("06-01")))
             if each["ref"] == "B-1"]  # fmt: skip
    assert bo["reminder"] == "not sent: it could not be sent in time"


def test_a_booking_that_came_to_nothing_explains_why_nobody_was_asked(desk: FrontDesk) -> None:
    desk.do("session", "add", "B-1", *BASIC, "--at", "2026-04-20T11:00", now=on("03-12"))
    desk.do("session", "cancel", "ses-4", now=MONDAY)
    listed = table(desk.do("report", "--overdue", now=MONDAY))
    (bo,) = [each for each in listed if each["ref"] == "B-1"]
    assert bo["reminder"] == "left out: a session was booked, and called off too late for it"


def test_a_session_that_nobody_marked_done_is_called_so(desk: FrontDesk) -> None:
    desk.do("session", "add", "B-1", *BASIC, "--at", "2026-03-03T11:00", now=on("03-02"))
    (_, bo) = table(desk.do("report", "--overdue", now=MONDAY))
    assert (bo["session"], bo["last"]) == ("mesotherapy-basic 2", "2026-03-03 (not marked done)")


def test_a_patient_whose_only_session_was_called_off_is_not_overdue(desk: FrontDesk) -> None:
    desk.do("session", "cancel", "ses-2", now=MONDAY)
    assert refs(desk) == ["A-1"]


def test_staff_take_a_patient_off_the_list_who_stops_here(desk: FrontDesk) -> None:
    adjust = ("session", "adjust", "ses-3", "next-session")
    desk.do(*adjust, "--off", "--why", "moves away", now=MONDAY)
    assert refs(desk) == ["B-1"]
    desk.do(*adjust, "--reset", "--why", "stays after all", now=MONDAY)
    assert refs(desk) == ["A-1", "B-1"]


def test_the_list_is_narrowed_by_protocol_and_by_when_they_were_to_come(desk: FrontDesk) -> None:
    assert refs(desk, "--protocol", "mesotherapy-basic") == ["B-1"]
    assert refs(desk, "--from", "2026-03-17") == ["B-1"]
    assert refs(desk, "--until", "2026-03-17") == ["A-1"]
    assert refs(desk, "--from", "2026-03-16T11:00", "--until", "2026-03-23T11:00") == ["A-1"]


# Figures ---------------------------------------------------------------------------------------


def figure(report: Any, milestone: str, channel: str | None) -> Any:
    (found,) = [
        each
        for each in report["figures"]
        if (each["milestone"], each["channel"]) == (milestone, channel)
    ]
    return found


def test_every_reminder_is_in_the_figures_once(desk: FrontDesk) -> None:
    report = desk.json("report", now=MONDAY)
    listed = desk.json("reminder", "list", now=MONDAY)["reminders"]
    assert report["total"]["planned"] == len(listed)
    assert sum(each["planned"] for each in report["figures"]) == len(listed)
    for each in [*report["figures"], report["total"]]:
        states = ("scheduled", "held", "sending", "sent", "failed", "unknown", "expired")
        assert each["planned"] == sum(each[state] for state in (*states, "cancelled", "skipped"))
    for state in ("sent", "skipped", "scheduled"):
        assert report["total"][state] == sum(each["state"] == state for each in listed)


def test_figures_tell_why_and_how_late(desk: FrontDesk) -> None:
    report = desk.json("report", "--protocol", "mesotherapy-facial", now=MONDAY)
    assert figure(report, "next-session", None)["reasons"] == {"skipped": {"booked": 1}}
    asked = figure(report, "next-session", "sms")
    assert (asked["planned"], asked["sent"], asked["reasons"]) == (1, 1, {})
    assert (asked["late_average_seconds"], asked["late_worst_seconds"]) == (3600, 3600)
    assert figure(report, "next-session", None)["late_average_seconds"] is None


def test_segments_add_up_to_what_the_text_messages_took(desk: FrontDesk) -> None:
    report = desk.json("report", now=MONDAY)
    total = report["total"]["segments"]
    assert total == int(total) > 0
    assert sum(each["segments"] for each in report["figures"]) == pytest.approx(total, abs=0.1)
    assert not any(each["segments"] for each in report["figures"] if each["channel"] != "sms")


def test_the_figures_hold_nothing_of_a_patient(desk: FrontDesk) -> None:
    printed = desk.do("report", "--until", "2026-03-10", now=MONDAY)
    assert "mesotherapy-facial\tno-heat\tsms\t2\t" in printed
    report = desk.json("report", now=MONDAY)
    told = f"{printed} {report['figures']} {report['total']}"
    for private in ("Vera", "Bo", "A-1", "B-1", "pat-", "612345"):
        assert private not in told


def test_a_report_says_what_it_is_about(desk: FrontDesk) -> None:
    report = desk.json("report", "--from", "2026-03-09", "--until", "2026-03-10", now=MONDAY)
    assert report["from"] == "2026-03-09T00:00:00+01:00"
    assert report["until"] == "2026-03-10T00:00:00+01:00"
    assert figure(report, "no-heat", "sms")["planned"] == 1
    only = desk.json("report", "--overdue", now=MONDAY)
    assert set(only) == {"from", "until", "protocol", "overdue"}


@pytest.mark.parametrize("day", ["2026-13-01", "2026-02-30", "0000-01-01"])
def test_a_day_that_does_not_exist_is_quoted_as_it_was_typed(desk: FrontDesk, day: str) -> None:
    wrong = desk.run("report", "--from", day)
    assert wrong.exit_code == 2
    assert f'"{day}" is a day that does not exist; write for example "2026-03-28"' in wrong.stderr


def test_an_unknown_protocol_is_not_found(desk: FrontDesk) -> None:
    found = desk.run("report", "--protocol", "mesotherapie")
    assert found.exit_code == 4
    assert "mesotherapie" in found.stderr


# Where else the course is told -----------------------------------------------------------------


def test_a_session_says_where_it_stands_in_its_course(desk: FrontDesk) -> None:
    desk.do("enrol", *VERA[:-1], "C-1", "--protocol", "mesotherapy", "--at", "2026-03-13T10:00",
            now=on("03-13"))  # fmt: skip
    listed = desk.json("session", "list", now=MONDAY)["sessions"]
    assert [(each["id"], each["place"], each["next_due_at"]) for each in listed] == [
        ("ses-1", 1, None),
        ("ses-2", 1, "2026-03-23T11:00:00+01:00"),
        ("ses-3", 2, "2026-03-16T11:00:00+01:00"),
        ("ses-4", None, None),
    ]
    for each in listed:
        assert desk.json("session", "show", each["id"], now=MONDAY)["session"] == each
    assert desk.json("patient", "show", "A-1", now=MONDAY)["sessions"] == [listed[0], listed[2]]


def test_at_the_desk_it_reads_as_people_say_it(desk: FrontDesk) -> None:
    shown = desk.do("patient", "show", "A-1", now=MONDAY)
    assert "mesotherapy-facial  done  session 2 of 3-10, next due about 2026-03-16\n" in shown
    assert "mesotherapy-facial  done  session 1 of 3-10\n" in shown
    assert "place        2 of 3-10\n" in desk.do("session", "show", "ses-3", now=MONDAY)
