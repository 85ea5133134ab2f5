"""A course: places in it, pauses by place, and who is asked when to book the next session."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from reminderd.courses import standing_in
from reminderd.model import CareProtocol, Chart, Course, Session, SessionState, State
from reminderd.timing import place_in_course
from tests.core.build import (
    adjusted,
    at,
    chart,
    course,
    course_step,
    fate,
    inform,
    local,
    patient,
    protocol,
    remembered,
    row,
    session,
    with_row,
    with_session,
)

FIRST = at("2026-03-02 11:00")
DONE, BOOKED = SessionState.DONE, SessionState.BOOKED
CANCELLED, NO_SHOW = SessionState.CANCELLED, SessionState.NO_SHOW
PAUSES = course("7d", "14d", "30d", maximum=5)
CARE = protocol(course_step(lead=-2, expires="5d"), course=PAUSES)

Visit = tuple[int, SessionState, str]  # days after the first, state, protocol


def on(day: int, state: SessionState = DONE, care: str = "care") -> Visit:
    return day, state, care


def day(number: int) -> datetime:
    return FIRST + timedelta(days=number)


def visits(*wanted: Visit) -> list[Session]:
    """Sessions, recorded in this order: their ids count from 1."""
    return [
        session(day(number), id=id, state=state, protocol=care)
        for id, (number, state, care) in enumerate(wanted, 1)
    ]


def asked(chart: Chart, session_id: int, now: datetime = FIRST) -> str:
    """What becomes of the reminder to book: `scheduled`, `skipped/booked`."""
    return fate(chart, "next-session", session_id, now)


# Place -----------------------------------------------------------------------------------------

PLACES = {
    "in order": ([on(0), on(7), on(21)], [1, 2, 3]),
    "recorded out of order": ([on(21), on(0), on(7)], [3, 1, 2]),
    "one lies ahead": ([on(0), on(7, BOOKED)], [1, 2]),
    "one was called off": ([on(0), on(7, CANCELLED), on(14)], [1, None, 2]),
    "one was missed": ([on(0), on(7, NO_SHOW), on(14)], [1, None, 2]),
    "all were called off": ([on(0, CANCELLED), on(7, NO_SHOW)], [None, None]),
    "two courses at once": (
        [on(0), on(3, care="other"), on(7), on(10, care="other"), on(14)],
        [1, 1, 2, 2, 3],
    ),
    "two at one instant": ([on(0), on(7), on(7), on(14)], [1, 3, 3, 4]),
}


@pytest.mark.parametrize(("wanted", "places"), PLACES.values(), ids=PLACES)
def test_the_place_is_how_many_sessions_of_the_protocol_there_were_by_then(
    wanted: list[Visit], places: list[int | None]
) -> None:
    sessions = visits(*wanted)
    stand = [standing_in(chart(sessions, CARE), each) for each in sessions]
    assert [each and each.place for each in stand] == places
    counted = [place_in_course(sessions, each) if each.stands else None for each in sessions]
    assert counted == places


# The pause -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("before", "asked_on", "next_on"),
    [
        ([], "2026-03-07", "2026-03-09"),
        ([-10], "2026-03-14", "2026-03-16"),
        ([-20, -10], "2026-03-30", "2026-04-01"),
        ([-30, -20, -10], "2026-03-30", "2026-04-01"),
    ],
)
def test_the_pause_is_that_of_the_place_and_the_last_one_repeats(
    before: list[int], asked_on: str, next_on: str
) -> None:
    sessions = visits(on(0), *map(on, before))
    planned = chart(sessions, CARE)
    assert local(row(planned, "next-session").due_at) == f"{asked_on} 10:00"
    stand = standing_in(planned, sessions[0])
    assert stand is not None
    assert local(stand.next_due_at) == f"{next_on} 11:00"


def test_a_session_entered_late_makes_the_pause_after_the_later_one_longer() -> None:
    alone = remembered(chart(visits(on(0)), CARE), FIRST)
    both = replace(chart(visits(on(0), on(-10)), CARE), reminders=alone.reminders)
    assert local(row(alone, "next-session", FIRST).due_at) == "2026-03-07 10:00"
    assert local(row(both, "next-session", FIRST).due_at) == "2026-03-14 10:00"
    assert asked(both, 2, day(-9)) == "skipped/booked"


def test_the_next_session_is_due_at_the_same_time_of_day_where_the_patient_lives() -> None:
    last = session(at("2026-03-25 11:00"))
    for zone_name in ("Europe/Madrid", "America/New_York"):
        planned = chart(last, CARE, patient=patient(timezone=zone_name))
        stand = standing_in(planned, last)
        assert stand is not None
        assert stand.next_due_at is not None
        shown = local(stand.next_due_at, zone_name)
        assert shown == (local(last.at, zone_name) or "").replace("03-25", "04-01")


# Who is asked ----------------------------------------------------------------------------------

BOTH_WAYS = {
    "nothing follows": ([on(0)], ["scheduled"]),
    "the next one is booked": ([on(0), on(7, BOOKED)], ["skipped/booked", "held/unconfirmed"]),
    "the next one took place": ([on(0), on(7)], ["skipped/booked", "scheduled"]),
    "recorded out of order": ([on(7), on(0)], ["scheduled", "skipped/booked"]),
    "the next one was called off": ([on(0), on(7, CANCELLED)], ["scheduled", None]),
    "the next one was missed": ([on(0), on(7, NO_SHOW)], ["scheduled", None]),
    "another protocol follows": ([on(0), on(7, care="other")], ["scheduled", "scheduled"]),
    "two courses at once": (
        [on(0), on(3, care="other"), on(7), on(10, BOOKED, "other")],
        ["skipped/booked", "skipped/booked", "scheduled", "held/unconfirmed"],
    ),
    "the maximum is reached": (
        [on(-28), on(-21), on(-14), on(-7), on(0)],
        [*["skipped/booked"] * 4, "skipped/not-applicable"],
    ),
    "one below the maximum": (
        [on(-28), on(-21, NO_SHOW), on(-14), on(-7), on(0)],
        ["skipped/booked", None, "skipped/booked", "skipped/booked", "scheduled"],
    ),
    "two at one instant": ([on(0), on(0)], ["skipped/booked", "scheduled"]),
}


@pytest.mark.parametrize(("wanted", "expected"), BOTH_WAYS.values(), ids=BOTH_WAYS)
def test_only_the_last_session_of_a_course_asks_for_the_next(
    wanted: list[Visit], expected: list[str | None]
) -> None:
    planned = chart(visits(*wanted), CARE)
    for id, outcome in enumerate(expected, 1):
        if outcome is not None:
            assert asked(planned, id, day(-40)) == outcome, id


def test_a_course_asks_by_the_revision_that_its_last_session_was_recorded_under() -> None:
    sessions = visits(on(0), on(7))
    older, newer = replace(CARE, course=course("3d")), replace(CARE, course=course("3d", "60d"))
    planned = chart(sessions, {1: older, 2: newer})
    assert local(row(planned, "next-session", FIRST, 2).due_at) == "2026-05-06 10:00"


# What happens to a course ----------------------------------------------------------------------


def with_booking(planned: Chart, at: datetime) -> Chart:
    booking = session(at, id=2, done=False)
    care: dict[int | None, CareProtocol] = {1: CARE, 2: CARE}
    return replace(planned, sessions=(*planned.sessions, booking), protocols=care)


CHANGES = {
    "called off": {"state": CANCELLED},
    "missed": {"state": NO_SHOW},
    "moved before the other": {"at": day(-1), "state": DONE},
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_who_has_booked_is_asked_again_when_that_comes_to_nothing(
    change: dict[str, object],
) -> None:
    planned = remembered(chart(visits(on(0)), CARE), FIRST)
    booked = remembered(with_booking(planned, day(7)), day(1))
    assert asked(booked, 1, day(1)) == "skipped/booked"
    changed = with_session(booked, 2, **change)
    assert asked(changed, 1, day(2)) == "scheduled"
    before, after = row(planned, "next-session", FIRST), row(changed, "next-session", day(2))
    assert after.id == next(e.id for e in planned.reminders if e.milestone == before.milestone)


def test_a_booking_called_off_too_late_asks_nobody_and_tells_why() -> None:
    planned = remembered(chart(visits(on(0)), CARE), FIRST)
    booked = remembered(with_booking(planned, day(30)), day(1))
    changed = with_session(booked, 2, state=CANCELLED)
    assert asked(changed, 1, day(20)) == "skipped/booked"


def test_who_was_asked_is_not_asked_twice_after_a_booking_came_to_nothing() -> None:
    planned = remembered(chart(visits(on(0)), CARE), FIRST)
    sent = with_row(planned, "next-session", state=State.SENT, sent_at=day(5), wake_at=None)
    booked = remembered(with_booking(sent, day(7)), day(5))
    assert asked(booked, 1, day(5)) == "sent"
    assert asked(with_session(booked, 2, state=CANCELLED), 1, day(6)) == "sent"


def test_moving_a_session_past_another_changes_their_places() -> None:
    sessions = visits(on(0), on(7))
    planned = remembered(chart(sessions, CARE), day(0))
    assert [asked(planned, each, day(0)) for each in (1, 2)] == ["skipped/booked", "scheduled"]
    moved = with_session(planned, 1, at=day(10))
    assert [asked(moved, each, day(0)) for each in (1, 2)] == ["scheduled", "skipped/booked"]
    assert local(row(moved, "next-session", day(0)).due_at) == "2026-03-24 10:00"


# When the next one is due ----------------------------------------------------------------------

OFF = {"next-session": adjusted(off=True)}
STANDINGS: dict[str, tuple[list[Session], Course | None, datetime | None]] = {
    "the last one": (visits(on(-7), on(0)), PAUSES, day(14)),
    "a booked one counts": (visits(on(-7), on(0, BOOKED)), PAUSES, day(14)),
    "the next one is booked": (visits(on(7, BOOKED), on(0)), PAUSES, None),
    "the next one was called off": (visits(on(7, CANCELLED), on(0)), PAUSES, day(7)),
    "the course is complete": (visits(on(0)), course("7d", maximum=1), None),
    "without a maximum": (visits(on(-9), on(-8), on(0)), course("7d"), day(7)),
    "staff say that it ends here": ([session(FIRST, adjustments=OFF)], PAUSES, None),
}


@pytest.mark.parametrize(("sessions", "plan", "due_at"), STANDINGS.values(), ids=STANDINGS)
def test_a_next_session_is_due_after_the_last_one_unless_none_is_wanted(
    sessions: list[Session], plan: Course, due_at: datetime | None
) -> None:
    stand = standing_in(chart(sessions, replace(CARE, course=plan)), sessions[-1])
    assert stand is not None
    assert stand.next_due_at == due_at


def test_what_has_no_course_or_did_not_happen_stands_nowhere() -> None:
    lone, missed = session(FIRST), session(FIRST, state=NO_SHOW)
    assert standing_in(chart(lone, protocol(inform(after="1h"))), lone) is None
    assert standing_in(chart(missed, CARE), missed) is None


def test_a_course_without_a_reminder_has_a_next_session_all_the_same() -> None:
    lone = session(FIRST)
    stand = standing_in(chart(lone, protocol(inform(after="1h"), course=PAUSES)), lone)
    assert stand is not None
    assert stand.next_due_at == day(7)
