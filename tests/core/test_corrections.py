"""What was said and has become false: found while it matters, and not a minute longer."""

from dataclasses import replace
from datetime import timedelta

import pytest

from reminderd.corrections import Cause
from reminderd.explain import sentences
from reminderd.model import Chart, SessionState
from reminderd.plan import changes, plan
from tests.core.build import adjusted, chart, protocol, remembered, restriction, session
from tests.core.told import HOUR, T, and_again, causes, changed, found, sent_by, treated

# Nothing has changed ------------------------------------------------------------------------------


@pytest.mark.parametrize("hours", [0, 1, 24, 47, 48, 72, 500])
def test_while_nothing_changes_nothing_is_false(hours: int) -> None:
    now = T + hours * HOUR
    assert found(treated(now), now) == {}


# The session is at another time -------------------------------------------------------------------


def test_a_restriction_that_ends_later_than_it_said_is_false_until_its_end() -> None:
    told = changed(treated(T + HOUR), T + HOUR, at=T + 3 * HOUR)
    assert causes(told, T + HOUR) == {"no-training": Cause.MOVED, "no-wine": Cause.MOVED}
    false = found(told, T + 2 * HOUR)["no-training"]
    assert (false.was, false.now) == (T, T + 3 * HOUR)
    assert "no-wine" not in found(told, T + 4 * HOUR)
    assert "no-training" in found(told, T + 51 * HOUR - HOUR)
    assert "no-training" not in found(told, T + 51 * HOUR)


def test_pre_care_that_named_another_day_is_false_until_the_treatment() -> None:
    booked = treated(T - HOUR, done=False)
    moved = changed(booked, T - HOUR, at=T + 72 * HOUR)
    assert causes(moved, T - HOUR) == {"no-wine": Cause.MOVED}


def test_a_session_moved_back_to_where_it_was_makes_everything_true_again() -> None:
    moved = changed(treated(T + HOUR), T + HOUR, at=T + 3 * HOUR)
    back = changed(moved, T + 2 * HOUR, at=T)
    assert found(back, T + 2 * HOUR) == {}


def test_what_leaves_after_the_change_is_true() -> None:
    moved = changed(treated(T - HOUR, done=False), T - HOUR, at=T + HOUR, state=SessionState.DONE)
    told = sent_by(moved, T + 2 * HOUR)
    assert "no-training" not in found(told, T + 2 * HOUR)


# The session is called off ------------------------------------------------------------------------


def test_what_was_said_about_a_session_that_is_called_off_is_false() -> None:
    off = changed(treated(T - HOUR, done=False), T - HOUR, state=SessionState.CANCELLED)
    false = found(off, T - HOUR)["no-wine"]
    assert (false.cause, false.was, false.now) == (Cause.CALLED_OFF, T, None)
    assert found(off, T) == {}


# Staff decide otherwise ---------------------------------------------------------------------------


def test_a_restriction_that_staff_made_longer_is_false_as_it_left() -> None:
    longer = changed(
        treated(T + HOUR), T + HOUR, adjustments={"no-training": adjusted(holds="72h")}
    )
    false = found(longer, T + HOUR)["no-training"]
    assert (false.cause, false.was, false.now) == (Cause.CHANGED, T + 48 * HOUR, T + 72 * HOUR)


def test_a_restriction_that_staff_turned_off_is_false_until_it_would_have_ended() -> None:
    off = changed(treated(T + HOUR), T + HOUR, adjustments={"no-training": adjusted(off=True)})
    false = found(off, T + HOUR)["no-training"]
    assert (false.cause, false.now) == (Cause.CHANGED, None)
    assert found(off, T + 48 * HOUR) == {}


def test_an_all_clear_is_false_where_staff_made_its_restriction_longer_afterwards() -> None:
    now = T + 50 * HOUR
    longer = changed(treated(now), now, adjustments={"no-training": adjusted(holds="72h")})
    false = found(longer, now)
    assert false["training-again"].cause is Cause.FORBIDDEN_AGAIN
    assert false["training-again"].now == T + 72 * HOUR
    assert false["no-training"].cause is Cause.CHANGED


# Another session ----------------------------------------------------------------------------------


def test_an_all_clear_is_false_where_an_earlier_session_is_recorded_after_it_left() -> None:
    now = T + 50 * HOUR
    recorded_late = session(T + 46 * HOUR, id=2, recorded_at=now)
    told = and_again(treated(now), replace(recorded_late, adjustments={}))
    paused = replace(told, patient=replace(told.patient, paused=True))
    false = found(paused, now)["training-again"]
    assert (false.cause, false.now) == (Cause.FORBIDDEN_AGAIN, T + 94 * HOUR)
    assert false.ban is not None
    assert false.ban.session_id == 2


def test_an_all_clear_is_not_false_where_the_new_restriction_says_so_itself() -> None:
    now = T + 50 * HOUR
    told = and_again(treated(now), session(now, id=2, recorded_at=now))
    assert found(told, now) == {}
    assert found(sent_by(told, now + HOUR), now + HOUR) == {}


def test_an_all_clear_is_true_again_once_the_new_restriction_is_over() -> None:
    now = T + 50 * HOUR
    second = session(now, id=2, recorded_at=now)
    paused = and_again(treated(now), second)
    paused = replace(paused, patient=replace(paused.patient, paused=True))
    assert set(found(paused, now + 47 * HOUR)) == {"training-again"}
    assert "training-again" not in found(paused, now + 48 * HOUR)


# What is not worth a call -------------------------------------------------------------------------


@pytest.mark.parametrize(("minutes", "false"), [(14, set()), (-14, set()), (15, {"no-training"})])
def test_a_few_minutes_for_the_record_make_no_restriction_false(
    minutes: int, false: set[str]
) -> None:
    moved = changed(treated(T + HOUR), T + HOUR, at=T + timedelta(minutes=minutes))
    assert set(found(moved, T + HOUR)) == false


def test_of_a_restriction_that_holds_for_weeks_the_day_counts() -> None:
    care = protocol(restriction("no-peeling", "procedure", holds="14d", quiet="ignore"))
    told = sent_by(chart(session(T), care), T + HOUR)
    assert found(changed(told, T + HOUR, at=T - 5 * HOUR), T + HOUR) == {}
    assert set(found(changed(told, T + HOUR, at=T - 24 * HOUR), T + HOUR)) == {"no-peeling"}


def test_care_before_a_session_names_its_minute_until_the_treatment_has_been() -> None:
    booked = treated(T - HOUR, done=False)
    later = changed(booked, T - HOUR, at=T + timedelta(minutes=5))
    assert causes(later, T - HOUR) == {"no-wine": Cause.MOVED}
    done = changed(booked, T - HOUR, at=T - 2 * HOUR, state=SessionState.DONE)
    assert found(done, T - HOUR) == {}


def test_the_date_of_the_next_session_is_a_date_and_no_hour() -> None:
    now = T + timedelta(days=13)
    assert found(changed(treated(now), now, at=T + 3 * HOUR), now) == {}


def test_the_date_of_the_next_session_is_told_by_its_booking() -> None:
    now = T + timedelta(days=13)
    moved = changed(treated(now), now, at=T + timedelta(days=1))
    booked = and_again(moved, session(T + timedelta(days=20), id=2, done=False, recorded_at=now))
    assert found(booked, now) == {}


def test_a_session_called_off_and_booked_again_for_the_same_time_leaves_all_true() -> None:
    now = T - HOUR
    off = changed(treated(now, done=False), now, state=SessionState.CANCELLED)
    assert set(found(off, now)) == {"no-wine"}
    again = and_again(off, session(T, id=2, done=False, recorded_at=now))
    assert found(again, now) == {}


def both_told() -> Chart:
    """Treated at T and a day later, and told of both."""
    first = treated(T + HOUR)
    second = session(T + 24 * HOUR, id=2, recorded_at=T + 24 * HOUR)
    both = remembered(and_again(first, second), T + 24 * HOUR)
    return sent_by(both, T + 25 * HOUR)


def test_a_restriction_is_not_false_where_a_later_session_said_so_for_longer() -> None:
    now = T + 25 * HOUR
    assert found(changed(both_told(), now, at=T + 3 * HOUR), now) == {}
    assert found(changed(both_told(), now, state=SessionState.CANCELLED), now) == {}


def test_what_is_lifted_for_one_session_and_holds_for_another_is_told_with_that_end() -> None:
    now = T + 25 * HOUR
    off = changed(both_told(), now, session_id=2, adjustments={"no-training": adjusted(off=True)})
    (false,) = found(off, now).values()
    assert (false.cause, false.now, false.until) == (Cause.CHANGED, None, T + 48 * HOUR)
    assert false.ban is not None
    assert false.ban.session_id == 1


def test_a_shorter_restriction_ends_no_sooner_than_another_sessions() -> None:
    now = T + 25 * HOUR
    shorter = changed(
        both_told(), now, session_id=2, adjustments={"no-training": adjusted(holds="20h")}
    )
    (false,) = found(shorter, now).values()
    assert (false.now, false.until) == (T + 44 * HOUR, T + 48 * HOUR)


def test_an_all_clear_is_not_false_while_a_session_waits_to_be_marked_done() -> None:
    now = T + 300 * HOUR
    waiting = and_again(treated(now), session(now - HOUR, id=2, done=False, recorded_at=T))
    waiting = remembered(waiting, now - 2 * HOUR)
    assert found(waiting, now) == {}


def test_only_the_last_word_on_a_topic_can_be_false() -> None:
    now = T + 300 * HOUR
    again = and_again(treated(T + 50 * HOUR), session(T + 100 * HOUR, id=2))
    twice = sent_by(remembered(again, T + 51 * HOUR), now)
    third = and_again(twice, session(now - HOUR, id=3, recorded_at=now))
    silent = replace(third, patient=replace(third.patient, paused=True))
    (false,) = [each for each in plan(silent, now) if each.reminder.needs_staff]
    assert (false.reminder.milestone, false.reminder.session_id) == ("training-again", 2)


def test_what_the_same_session_forbids_afterwards_is_not_told_before_it() -> None:
    care = protocol(
        restriction("no-peel-before", "peel", day=-9, holds="0m"),
        restriction("no-peel", "peel", holds="28d"),
    )
    booked = sent_by(chart(session(T, done=False), care), T - timedelta(days=5))
    moved = changed(booked, T - timedelta(days=5), at=T + timedelta(days=3))
    (false,) = found(moved, T - timedelta(days=5)).values()
    assert (false.until, false.ban) == (T + timedelta(days=3), None)


def test_care_that_begins_again_only_before_the_new_date_says_from_when() -> None:
    booked = treated(T - HOUR, done=False)
    moved = found(changed(booked, T - HOUR, at=T + 72 * HOUR), T - HOUR)["no-wine"]
    assert (moved.since, moved.until) == (T + 48 * HOUR, T + 72 * HOUR)
    soon = found(changed(booked, T - HOUR, at=T + 5 * HOUR), T - HOUR)["no-wine"]
    assert (soon.since, soon.until) == (None, T + 5 * HOUR)


# A person has told the patient --------------------------------------------------------------------


def test_what_staff_corrected_in_person_is_settled_until_it_changes_again() -> None:
    moved = changed(treated(T + HOUR), T + HOUR, at=T + 3 * HOUR)
    by_hand = {each.id: T + 2 * HOUR for each in moved.reminders}
    told = replace(moved, corrected=by_hand)
    assert found(told, T + 2 * HOUR) == {}
    again = changed(told, T + 3 * HOUR, at=T + 5 * HOUR)
    assert set(found(again, T + 3 * HOUR)) == {"no-training", "no-wine"}


def test_an_all_clear_corrected_in_person_is_settled() -> None:
    now = T + 50 * HOUR
    longer = changed(treated(now), now, adjustments={"no-training": adjusted(holds="72h")})
    told = replace(longer, corrected={each.id: now + HOUR for each in longer.reminders})
    assert found(told, now + HOUR) == {}


# The course, and words ----------------------------------------------------------------------------


def test_the_date_of_the_next_session_is_false_where_the_last_one_was_on_another_day() -> None:
    now = T + timedelta(days=13)
    moved = changed(treated(now), now, at=T + timedelta(days=1))
    assert causes(moved, now) == {"next-session": Cause.MOVED}
    assert found(moved, T + timedelta(days=15)) == {}


def test_what_is_false_is_saved_once_and_told_in_words() -> None:
    moved = changed(treated(T + HOUR), T + HOUR, at=T + 3 * HOUR)
    differing = {each.milestone: each for each in changes(moved, T + HOUR)}
    assert differing["no-training"].needs_staff
    stored = {each.key: each for each in moved.reminders} | {
        each.key: each for each in changes(moved, T + HOUR)
    }
    settled = replace(moved, reminders=tuple(stored.values()))
    assert changes(settled, T + HOUR) == []
    planned = next(
        each for each in plan(moved, T + HOUR) if each.reminder.milestone == "no-training"
    )
    assert (
        "no longer true: the session was moved from Tue 10 Mar 14:30 to Tue 10 Mar 17:30"
        in sentences(planned, moved)
    )
