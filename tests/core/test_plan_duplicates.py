"""What several sessions of a patient would say on the same day is said once."""

from datetime import datetime, timedelta

from reminderd.model import Chart, SessionState, State
from tests.core.build import (
    LONG_AGO,
    at,
    chart,
    check_in,
    clinic,
    fate,
    inform,
    local,
    patient,
    protocol,
    release,
    remembered,
    restriction,
    routine,
    rows,
    session,
    state,
    with_row,
    with_session,
)

FIRST, SECOND = at("2026-03-10 14:30"), at("2026-03-11 10:00")
AWAKE = clinic(quiet="00:00-00:00")
SUNSCREEN = protocol(routine("spf", "sun", days=(1, 3)))


def staying(chart: Chart, now: datetime = LONG_AGO) -> list[tuple[int | None, str | None]]:
    return [
        (each.session_id, local(each.due_at)[:10])
        for each in rows(chart, now)
        if each.state is State.SCHEDULED
    ]


def test_of_the_same_routine_on_the_same_day_that_of_the_latest_session_stays() -> None:
    planned = chart([session(FIRST), session(SECOND, id=2)], SUNSCREEN)
    assert staying(planned) == [
        (1, "2026-03-11"), (2, "2026-03-12"), (2, "2026-03-13"), (2, "2026-03-14"),
    ]  # fmt: skip


def test_sessions_at_the_same_instant_are_told_apart_by_when_they_were_recorded() -> None:
    later = LONG_AGO + timedelta(days=1)
    one_day = protocol(routine("spf", "sun"))
    planned = chart([session(FIRST, recorded_at=later), session(FIRST, id=2)], one_day)
    assert (fate(planned, "spf"), fate(planned, "spf", 2)) == (
        "scheduled",
        "skipped/duplicate",
    )
    planned = chart([session(FIRST), session(FIRST, id=2)], one_day)
    assert (fate(planned, "spf"), fate(planned, "spf", 2)) == (
        "skipped/duplicate",
        "scheduled",
    )


def test_a_routine_is_the_same_by_its_set_of_topics() -> None:
    one, two = (
        protocol(routine("a", "massage", "touch")),
        protocol(routine("b", "touch", "massage")),
    )
    three = protocol(routine("c", "touch"))
    sessions = [session(FIRST + timedelta(minutes=each), id=each) for each in (1, 2, 3)]
    planned = chart(sessions, {1: one, 2: two, 3: three})
    assert fate(planned, "a", 1) == "skipped/duplicate"
    assert fate(planned, "b", 2) == fate(planned, "c", 3) == "scheduled"


def test_information_is_the_same_by_its_template() -> None:
    one = protocol(inform("a", "x", day=1, template="ice"), inform("z", "x", day=1))
    two = protocol(inform("b", "y", day=1, at="18:00", template="ice"))
    planned = chart([session(FIRST), session(FIRST, id=2)], {1: one, 2: two})
    assert fate(planned, "a") == "skipped/duplicate"
    assert fate(planned, "b", 2) == fate(planned, "z") == "scheduled"


def test_within_one_session_nothing_is_a_duplicate() -> None:
    twice = protocol(routine("spf", "sun", at="10:00"), routine("spf-again", "sun", at="16:00"))
    planned = chart([session(FIRST), session(FIRST, id=2)], twice)
    assert {fate(planned, name, 2) for name in ("spf", "spf-again")} == {"scheduled"}
    assert {fate(planned, name, 1) for name in ("spf", "spf-again")} == {"skipped/duplicate"}


def test_other_kinds_are_never_duplicates() -> None:
    care = protocol(restriction(), check_in(), release(after="24h"))
    planned = chart([session(FIRST), session(FIRST, id=2)], care, clinic=AWAKE)
    assert {state(each) for each in rows(planned)} == {"scheduled"}


def test_the_day_is_that_of_the_due_instant_on_the_patients_calendar() -> None:
    late = protocol(routine("spf", "sun", at="22:00", expires="20h"))  # deferred to the next day
    next_day = protocol(routine("spf", "sun", day=2, at="10:00"))
    planned = chart([session(FIRST), session(FIRST, id=2)], {1: late, 2: next_day})
    assert fate(planned, "spf") == "skipped/duplicate"
    away = patient(timezone="Pacific/Kiritimati")
    early = protocol(routine("spf", "sun", at="09:00"))
    evening = protocol(routine("spf", "sun", at="20:00"))
    planned = chart([session(FIRST), session(FIRST, id=2)], {1: early, 2: evening}, patient=away)
    assert fate(planned, "spf") == "skipped/duplicate"  # in UTC they fall on two days


def test_what_was_sent_stays_and_the_later_session_is_quiet() -> None:
    care = protocol(routine("spf", "sun"))
    earlier = remembered(chart(session(FIRST), care), FIRST)
    for told in (State.SENT, State.SENDING, State.UNKNOWN):
        sent = with_row(earlier, "spf", state=told)
        both = chart([session(FIRST), session(FIRST, id=2)], care, reminders=sent.reminders)
        assert fate(both, "spf", 2, now=SECOND) == "skipped/duplicate"


def test_what_was_sent_for_a_session_that_was_then_called_off_is_not_said_again() -> None:
    care = protocol(routine("spf", "sun"))
    both = remembered(chart([session(FIRST), session(FIRST, id=2)], care), FIRST)
    sent = with_row(both, "spf", 2, state=State.SENT)
    called_off = with_session(sent, id=2, state=SessionState.CANCELLED)
    assert fate(called_off, "spf", 1, now=SECOND) == "skipped/duplicate"


def test_what_failed_to_leave_displaces_nothing() -> None:
    care = protocol(routine("spf", "sun"))
    failed = with_row(remembered(chart(session(FIRST), care), FIRST), "spf", state=State.FAILED)
    both = chart([session(FIRST), session(FIRST, id=2)], care, reminders=failed.reminders)
    assert fate(both, "spf", 2, now=SECOND) == "scheduled"


def test_what_is_held_displaces_nothing_and_is_not_displaced() -> None:
    care = protocol(routine("spf", "sun"))
    planned = chart([session(FIRST), session(FIRST + timedelta(hours=1), id=2, done=False)], care)
    assert fate(planned, "spf") == "scheduled"
    assert fate(planned, "spf", 2) == "held/unconfirmed"


def test_overdue_reminders_keep_the_date_on_which_they_were_due() -> None:
    care = protocol(routine("spf", "sun", expires="3d"))
    sessions = [session(FIRST), session(FIRST + timedelta(days=1), id=2)]
    now = FIRST + timedelta(days=2)
    planned = chart(sessions, care)
    assert fate(planned, "spf", 1, now) == fate(planned, "spf", 2, now) == "scheduled"
