"""What a patient's sessions mean for one another: what they forbid, and whom to ask to book."""

from datetime import datetime, timedelta

import pytest

from reminderd.model import Chart, Milestone, SessionState, State
from tests.core.build import (
    LONG_AGO,
    adjusted,
    at,
    chart,
    check_in,
    clinic,
    course,
    course_step,
    fate,
    inform,
    local,
    protocol,
    release,
    remembered,
    restriction,
    routine,
    row,
    rows,
    session,
    with_row,
    with_session,
)

FIRST, SECOND = at("2026-03-10 14:30"), at("2026-03-11 10:00")
AWAKE = clinic(quiet="00:00-00:00")
SHOWER = protocol(restriction(), release())


# What other sessions forbid -----------------------------------------------------------------------


def test_a_release_is_withheld_while_another_session_forbids_it() -> None:
    overlapping = [session(FIRST), session(FIRST + timedelta(hours=6), id=2)]
    planned = chart(overlapping, SHOWER, clinic=AWAKE)
    assert fate(planned, "shower-again") == "skipped/superseded"
    assert fate(planned, "shower-again", 2) == "scheduled"


def test_a_withheld_release_keeps_its_due_instant_and_has_no_channel() -> None:
    overlapping = [session(FIRST), session(FIRST + timedelta(hours=6), id=2)]
    withheld = row(chart(overlapping, SHOWER, clinic=AWAKE), "shower-again")
    assert local(withheld.due_at) == "2026-03-11 02:30"
    assert withheld.channel is None


def test_a_ban_is_over_at_its_end_and_begins_at_its_start() -> None:
    for hours, expected in (
        (11, "skipped/superseded"),
        (12, "skipped/superseded"),
        (13, "scheduled"),
    ):
        later = [session(FIRST), session(FIRST + timedelta(hours=hours), id=2)]
        assert fate(chart(later, SHOWER, clinic=AWAKE), "shower-again") == expected
    exactly = [session(FIRST), session(FIRST, id=2)]
    assert fate(chart(exactly, SHOWER, clinic=AWAKE), "shower-again") == "scheduled"


def test_a_booked_session_forbids_as_one_that_took_place() -> None:
    soon = [session(FIRST), session(FIRST + timedelta(hours=6), id=2, done=False)]
    assert fate(chart(soon, SHOWER, clinic=AWAKE), "shower-again") == "skipped/superseded"


@pytest.mark.parametrize("state", [SessionState.CANCELLED, SessionState.NO_SHOW])
def test_a_session_that_did_not_happen_forbids_nothing(state: SessionState) -> None:
    called_off = session(FIRST + timedelta(hours=6), id=2, state=state)
    planned = chart([session(FIRST), called_off], SHOWER, clinic=AWAKE)
    assert [each.session_id for each in rows(planned)] == [1, 1]
    assert fate(planned, "shower-again") == "scheduled"


def test_pre_care_of_the_next_session_forbids_too() -> None:
    before = restriction("no-alcohol-before", "alcohol", before="24h", holds="0m")
    wine = release("wine-again", "alcohol", after="24h", expires="24h")
    care = protocol(before, wine)
    sessions = [session(FIRST), session(FIRST + timedelta(hours=36), id=2, done=False)]
    assert fate(chart(sessions, care, clinic=AWAKE), "wine-again") == "skipped/superseded"


def test_a_sessions_own_restrictions_count_against_its_releases() -> None:
    care = protocol(restriction(holds="48h"), release(after="12h"))
    assert fate(chart(session(FIRST), care), "shower-again") == "skipped/superseded"


def test_a_release_on_another_topic_goes_out() -> None:
    care = protocol(restriction("no-heat", "heat", "sunbathing", holds="48h"), release(after="12h"))
    assert fate(chart(session(FIRST), care), "shower-again") == "scheduled"


def test_a_routine_is_withheld_where_one_of_its_topics_is_forbidden() -> None:
    massage = protocol(routine("massage", "massage", "touch"))
    gentle = protocol(restriction("no-touch", "touch", holds="48h"))
    sessions = [session(FIRST), session(FIRST + timedelta(hours=2), id=2, protocol="gentle")]
    planned = chart(sessions, {1: massage, 2: gentle})
    assert fate(planned, "massage") == "skipped/conflict"


@pytest.mark.parametrize("rule", [check_in(after="6h"), inform(after="6h")])
def test_checks_and_information_are_never_forbidden(rule: Milestone) -> None:
    care = protocol(restriction("no", "check-in", "bruising"), rule)
    assert fate(chart(session(FIRST), care), rule.id) == "scheduled"


def test_what_is_overdue_is_looked_at_now_and_not_when_it_was_due() -> None:
    new = session(FIRST + timedelta(hours=14), id=2)
    planned = chart([session(FIRST), new], SHOWER, clinic=AWAKE)
    assert fate(planned, "shower-again", now=FIRST + timedelta(hours=13)) == "scheduled"
    assert fate(planned, "shower-again", now=FIRST + timedelta(hours=14)) == "skipped/superseded"


def test_a_release_that_a_short_ban_withheld_is_revived_when_the_ban_is_over() -> None:
    short = protocol(restriction(holds="2h"))
    sessions = [session(FIRST), session(FIRST + timedelta(hours=11), id=2, protocol="short")]
    planned = remembered(chart(sessions, {1: SHOWER, 2: short}, clinic=AWAKE), FIRST)
    assert fate(planned, "shower-again", now=FIRST) == "skipped/superseded"
    assert fate(planned, "shower-again", now=FIRST + timedelta(hours=13)) == "scheduled"


# The all-clear that never comes -------------------------------------------------------------------


def needs_staff(chart: Chart, now: datetime = LONG_AGO) -> list[int | None]:
    return [each.session_id for each in rows(chart, now) if each.needs_staff]


def test_a_withheld_release_needs_nobody_while_a_later_one_is_planned() -> None:
    overlapping = [session(FIRST), session(FIRST + timedelta(hours=6), id=2)]
    assert needs_staff(chart(overlapping, SHOWER, clinic=AWAKE)) == []


def test_a_withheld_release_without_a_later_one_is_shown_to_staff() -> None:
    silent = protocol(restriction(holds="24h"))
    sessions = [session(FIRST), session(FIRST + timedelta(hours=6), id=2, protocol="silent")]
    assert needs_staff(chart(sessions, {1: SHOWER, 2: silent}, clinic=AWAKE)) == [1]


def test_a_later_release_on_another_topic_is_no_all_clear() -> None:
    other = protocol(restriction(holds="24h"), release("heat-again", "heat", after="24h"))
    sessions = [session(FIRST), session(FIRST + timedelta(hours=6), id=2, protocol="other")]
    assert needs_staff(chart(sessions, {1: SHOWER, 2: other}, clinic=AWAKE)) == [1]


def test_a_release_before_the_end_of_the_longest_ban_is_no_all_clear() -> None:
    longer = protocol(restriction(holds="72h"))
    sessions = [
        session(FIRST),
        session(FIRST + timedelta(hours=6), id=2),
        session(FIRST + timedelta(hours=7), id=3, protocol="longer"),
    ]
    planned = chart(sessions, {1: SHOWER, 2: SHOWER, 3: longer}, clinic=AWAKE)
    assert needs_staff(planned) == [1, 2]


def test_a_later_release_that_is_skipped_is_no_all_clear() -> None:
    off = {"shower-again": adjusted(off=True)}
    sessions = [session(FIRST), session(FIRST + timedelta(hours=6), id=2, adjustments=off)]
    assert needs_staff(chart(sessions, SHOWER, clinic=AWAKE)) == [1]


def test_an_all_clear_of_a_session_that_never_was_waits_for_nobody() -> None:
    off = {"shower-again": adjusted(off=True)}
    sessions = [session(FIRST), session(FIRST + timedelta(hours=6), id=2, adjustments=off)]
    planned = remembered(chart(sessions, SHOWER, clinic=AWAKE))
    assert needs_staff(planned) == [1]
    assert needs_staff(with_session(planned, 1, state=SessionState.NO_SHOW)) == []


def test_a_held_release_is_still_an_all_clear_to_come() -> None:
    sessions = [session(FIRST), session(FIRST + timedelta(hours=6), id=2, done=False)]
    assert needs_staff(chart(sessions, SHOWER, clinic=AWAKE)) == []


def test_an_all_clear_that_was_sent_counts_for_good() -> None:
    sessions = [session(FIRST), session(FIRST + timedelta(hours=6), id=2)]
    now = FIRST + timedelta(hours=18)
    planned = remembered(chart(sessions, SHOWER, clinic=AWAKE), FIRST)
    sent = with_row(planned, "shower-again", 2, state=State.SENT, sent_at=now)
    assert needs_staff(sent, now + timedelta(days=9)) == []


def test_an_all_clear_lost_to_a_session_that_was_then_called_off_is_shown_to_staff() -> None:
    sessions = [session(FIRST), session(FIRST + timedelta(hours=6), id=2, done=False)]
    planned = remembered(chart(sessions, SHOWER, clinic=AWAKE), FIRST)
    much_later = FIRST + timedelta(days=5)
    called_off = with_session(planned, id=2, state=SessionState.NO_SHOW)
    assert needs_staff(called_off, much_later) == [1]


def test_a_session_called_off_leaves_no_gap_where_a_later_all_clear_was_sent() -> None:
    sessions = [
        session(FIRST),
        session(FIRST + timedelta(hours=6), id=2, done=False),
        session(FIRST + timedelta(hours=13), id=3),
    ]
    planned = remembered(chart(sessions, SHOWER, clinic=AWAKE), FIRST)
    told = with_row(planned, "shower-again", 3, state=State.SENT, sent_at=FIRST + timedelta(days=2))
    called_off = with_session(told, id=2, state=SessionState.NO_SHOW)
    assert needs_staff(called_off, FIRST + timedelta(days=5)) == []


# The course ---------------------------------------------------------------------------------------

WEEKLY = protocol(course_step(), course=course("7d", maximum=3))


@pytest.mark.parametrize("done", [True, False])
def test_nobody_is_asked_to_book_who_has_booked(done: bool) -> None:
    sessions = [session(FIRST), session(FIRST + timedelta(days=30), id=2, done=done)]
    planned = chart(sessions, WEEKLY)
    assert fate(planned, "next-session") == "skipped/booked"
    assert fate(planned, "next-session", 2) == ("scheduled" if done else "held/unconfirmed")


def test_an_earlier_another_or_a_cancelled_session_is_no_booking() -> None:
    others = [
        session(FIRST - timedelta(days=30), id=2),
        session(FIRST + timedelta(days=30), id=3, protocol="other"),
        session(FIRST + timedelta(days=30), id=4, state=SessionState.CANCELLED),
    ]
    assert fate(chart([session(FIRST), *others], WEEKLY), "next-session") == "scheduled"


def test_the_course_is_over_once_its_maximum_is_reached() -> None:
    days = (0, 7, 14, 21)
    sessions = [session(FIRST + timedelta(days=day), id=day + 1) for day in days]
    assert fate(chart(sessions[:2], WEEKLY), "next-session", 8) == "scheduled"
    assert fate(chart(sessions[:3], WEEKLY), "next-session", 15) == "skipped/not-applicable"
    assert fate(chart(sessions, WEEKLY), "next-session", 22) == "skipped/not-applicable"
    assert fate(chart(sessions, WEEKLY), "next-session", 15) == "skipped/booked"


def test_a_session_that_did_not_happen_has_no_place_in_the_course() -> None:
    missed = session(FIRST - timedelta(days=7), id=9, state=SessionState.NO_SHOW)
    before = [session(FIRST - timedelta(days=14), id=2), missed]
    assert fate(chart([session(FIRST), *before], WEEKLY), "next-session") == "scheduled"
