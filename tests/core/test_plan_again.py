"""Planning again: what is history stays, the rest follows what is known now."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from reminderd.model import Chart, Reason, SessionState, State
from reminderd.plan import changes, sort_key
from tests.core.build import (
    adjusted,
    at,
    chart,
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
    row,
    rows,
    session,
    with_row,
    with_session,
)

T = at("2026-03-10 14:30")
MORNING = T + timedelta(hours=20)
CARE = protocol(
    restriction(holds="48h", quiet="ignore"),
    release(after="48h"),
    routine("massage", days=(1, 3)),
    inform("bruising", day=1),
)


def planned(**facts: object) -> Chart:
    """A session whose plan was stored when it took place."""
    return remembered(chart(session(T, **facts), CARE), T)


def diff(chart: Chart, now: datetime = T) -> dict[tuple[str, int], str | None]:
    """What changes, by milestone and occurrence, with its new due instant."""
    return {(each.milestone, each.occurrence): local(each.due_at) for each in changes(chart, now)}


# The diff --------------------------------------------------------------------------------------


def test_planning_an_unchanged_patient_again_changes_nothing() -> None:
    assert changes(planned(), T) == []
    assert changes(planned(), T + timedelta(hours=12)) == []


def test_the_first_plan_is_all_new() -> None:
    new = chart(session(T), CARE)
    assert sorted(changes(new, T), key=sort_key) == rows(new, T)
    assert {each.id for each in changes(new, T)} == {None}


def test_only_what_differs_is_in_the_diff_and_it_keeps_its_id() -> None:
    before = planned()
    after = with_session(before, adjustments={"massage": adjusted(at="20:00")})
    assert set(diff(after)) == {("massage", 1), ("massage", 2), ("massage", 3)}
    known = {each.key: each.id for each in before.reminders}
    assert all(each.id == known[each.key] for each in changes(after, T))


def test_the_instant_at_which_something_was_first_planned_stays() -> None:
    moved = with_session(planned(), at=T + timedelta(days=1))
    assert {each.first_planned_at for each in changes(moved, MORNING)} == {T}


def test_a_retry_or_a_night_that_put_a_reminder_off_stays_while_it_is_due_when_it_was() -> None:
    later = MORNING + timedelta(minutes=7)
    waiting = with_row(planned(), "bruising", wake_at=later, attempts=2)
    found = row(waiting, "bruising", MORNING)
    assert (found.wake_at, found.attempts) == (later, 2)
    assert changes(waiting, MORNING) == []
    moved = with_session(waiting, at=T + timedelta(days=1))
    assert row(moved, "bruising", MORNING).wake_at == row(moved, "bruising", MORNING).due_at


# History ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", [State.SENT, State.SENDING, State.UNKNOWN, State.FAILED])
def test_what_was_sent_failed_or_is_in_doubt_is_never_planned_again(state: State) -> None:
    before = with_row(planned(), "bruising", state=state, reason=None, attempts=1)
    stored = next(each for each in before.reminders if each.milestone == "bruising")
    for changed in (
        with_session(before, at=T + timedelta(days=30)),
        with_session(before, state=SessionState.CANCELLED),
        with_session(before, adjustments={"bruising": adjusted(off=True)}),
        replace(before, patient=patient(consent="", paused=True)),
    ):
        assert row(changed, "bruising", MORNING) == stored
        assert row(changed, "bruising", MORNING + timedelta(days=99)) == stored


def test_what_was_scheduled_is_late_once_its_expiry_has_come() -> None:
    expiry = at("2026-03-12 10:00")
    assert fate(planned(), "bruising", now=expiry - timedelta(seconds=1)) == "scheduled"
    assert fate(planned(), "bruising", now=expiry) == "expired/late"
    assert row(planned(), "bruising", expiry).wake_at is None


@pytest.mark.parametrize("reason", [Reason.UNAPPROVED, Reason.PAUSED, Reason.UNCONFIRMED])
def test_what_was_held_expires_for_the_reason_for_which_it_was_held(reason: Reason) -> None:
    held = with_row(planned(), "bruising", state=State.HELD, reason=reason)
    assert fate(held, "bruising", now=at("2026-03-12 10:00")) == f"expired/{reason}"


def test_what_has_expired_and_what_was_skipped_for_good_stays() -> None:
    much_later = T + timedelta(days=60)
    settled = remembered(planned(), much_later)
    assert fate(settled, "bruising", now=much_later) == "expired/late"
    assert changes(settled, much_later + timedelta(days=1)) == []
    skipped = with_row(planned(), "bruising", state=State.SKIPPED, reason=Reason.NO_CONSENT)
    assert fate(skipped, "bruising", now=much_later) == "skipped/no-consent"


def test_expiry_is_as_computed_now_and_not_as_it_was_stored() -> None:
    shorter = with_session(planned(), adjustments={"no-shower": adjusted(holds="2h")})
    found = row(shorter, "no-shower", T + timedelta(hours=3))
    assert (found.state, found.reason) == (State.EXPIRED, Reason.LATE)
    assert found.expires_at == T + timedelta(hours=2)


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        (State.SKIPPED, Reason.NO_CONSENT),
        (State.SKIPPED, Reason.PAST),
        (State.EXPIRED, Reason.LATE),
        (State.CANCELLED, Reason.SESSION_CANCELLED),
        (State.CANCELLED, Reason.OPTED_OUT),
        (State.CANCELLED, Reason.CHANGED),
    ],
)
def test_what_was_given_up_is_revived_where_its_expiry_lies_ahead(
    state: State, reason: Reason
) -> None:
    given_up = with_row(planned(), "bruising", state=state, reason=reason, wake_at=None)
    found = row(given_up, "bruising", MORNING)
    assert (found.state, found.reason) == (State.SCHEDULED, None)
    assert found.wake_at == found.due_at


def test_what_staff_cancelled_stays_cancelled() -> None:
    by_hand = with_row(planned(), "bruising", state=State.CANCELLED, reason=Reason.BY_STAFF)
    moved = with_session(by_hand, at=T + timedelta(days=2))
    assert fate(moved, "bruising", now=MORNING) == "cancelled/by-staff"
    assert "bruising" not in {each.milestone for each in changes(moved, MORNING)}


# What can happen to a session ------------------------------------------------------------------


def test_a_moved_session_moves_what_has_not_left() -> None:
    before = with_row(planned(), "no-shower", state=State.SENT, sent_at=T)
    moved = with_session(before, at=T + timedelta(days=2))
    assert diff(moved, T + timedelta(hours=1)) == {
        ("massage", 1): "2026-03-13 10:00",
        ("massage", 2): "2026-03-14 10:00",
        ("massage", 3): "2026-03-15 10:00",
        ("bruising", 1): "2026-03-13 10:00",
        ("shower-again", 1): "2026-03-14 14:30",
    }


def test_a_session_moved_ahead_revives_what_was_past_when_it_was_entered() -> None:
    entered_late = remembered(chart(session(T), CARE), T + timedelta(days=20))
    assert {each.reason for each in entered_late.reminders} == {Reason.PAST}
    corrected = with_session(entered_late, at=T + timedelta(days=30))
    assert {each.state for each in rows(corrected, T + timedelta(days=20))} == {State.SCHEDULED}


def test_a_moved_session_cannot_advance_a_reminder_to_before_it_was_first_planned() -> None:
    rule = inform(day=1, at="22:00", quiet="advance")
    before = remembered(chart(session(T), protocol(rule)), T + timedelta(hours=8))
    moved = with_session(before, at=T - timedelta(days=1))
    assert local(row(moved, "bruising", T).due_at) == "2026-03-11 08:00"


@pytest.mark.parametrize("state", [SessionState.CANCELLED, SessionState.NO_SHOW])
def test_a_session_that_is_called_off_withdraws_what_waits(state: SessionState) -> None:
    before = with_row(planned(), "no-shower", state=State.SENT, sent_at=T)
    before = with_row(before, "massage", state=State.HELD, reason=Reason.PAUSED)
    before = with_row(before, "bruising", state=State.SKIPPED, reason=Reason.NO_CONSENT)
    called_off = with_session(before, state=state)
    assert fate(called_off, "no-shower", now=T) == "sent"
    assert fate(called_off, "bruising", now=T) == "skipped/no-consent"
    assert fate(called_off, "shower-again", now=T) == "cancelled/session-cancelled"
    withdrawn = [each for each in rows(called_off, T) if each.state is State.CANCELLED]
    assert len(withdrawn) == 4
    assert {each.reason for each in withdrawn} == {Reason.SESSION_CANCELLED}
    assert {each.wake_at for each in withdrawn} == {None}


def test_a_session_that_stands_again_revives_what_was_withdrawn() -> None:
    called_off = remembered(with_session(planned(), state=SessionState.CANCELLED), T)
    again = with_session(called_off, state=SessionState.DONE)
    assert {each.state for each in rows(again, T)} == {State.SCHEDULED}


def test_a_session_that_is_done_releases_what_was_held() -> None:
    booked = remembered(chart(session(T, done=False), CARE), T - timedelta(days=9))
    assert {each.state for each in booked.reminders} == {State.HELD}
    done = with_session(booked, state=SessionState.DONE)
    assert {each.state for each in changes(done, T)} == {State.SCHEDULED}


def test_a_new_session_withdraws_what_it_forbids_and_calling_it_off_brings_that_back() -> None:
    before = planned()
    second = session(T + timedelta(hours=40), id=2)
    both = replace(before, sessions=(*before.sessions, second), protocols={1: CARE, 2: CARE})
    assert fate(both, "shower-again", now=T + timedelta(hours=40)) == "skipped/superseded"
    stored = remembered(both, T + timedelta(hours=40))
    called_off = with_session(stored, id=2, state=SessionState.CANCELLED)
    assert fate(called_off, "shower-again", now=T + timedelta(hours=41)) == "scheduled"


def test_an_adjustment_moves_what_is_waiting() -> None:
    longer = with_session(planned(), adjustments={"no-shower": adjusted(holds="72h")})
    assert diff(longer)["shower-again", 1] == "2026-03-13 14:30"
    assert local(row(longer, "no-shower", T).expires_at) == "2026-03-13 14:30"


# What can happen to a patient, a protocol, a clinic ---------------------------------------------


def test_a_paused_patient_is_held_and_goes_on_afterwards() -> None:
    before = planned()
    paused = remembered(replace(before, patient=patient(paused=True)), MORNING)
    assert {each.state for each in rows(paused, MORNING)} == {State.HELD}
    again = replace(paused, patient=before.patient)
    assert rows(again, MORNING) == rows(before, MORNING)


def test_consent_withdrawn_for_one_channel_turns_to_the_other() -> None:
    by_mail = replace(planned(), patient=patient(consent="email"))
    assert {each.channel for each in changes(by_mail, T)} == {"email"}
    assert len(changes(by_mail, T)) == len(by_mail.reminders)


def test_a_milestone_that_left_the_protocol_is_withdrawn_and_its_history_stays() -> None:
    before = with_row(planned(), "no-shower", state=State.SENT, sent_at=T)
    shorter = replace(before, protocols={1: protocol(inform("bruising", day=1))})
    assert fate(shorter, "shower-again", now=T) == "cancelled/changed"
    assert fate(shorter, "no-shower", now=T) == "sent"
    assert fate(shorter, "bruising", now=T) == "scheduled"


def test_what_left_the_protocol_and_is_too_late_anyway_has_expired() -> None:
    empty = replace(planned(), protocols={1: protocol()})
    assert fate(empty, "bruising", now=T + timedelta(days=60)) == "expired/late"


def test_a_new_revision_is_written_into_what_it_plans() -> None:
    migrated = replace(planned(), protocols={1: replace(CARE, revision=2)})
    assert {each.revision for each in changes(migrated, T)} == {2}
    sent = with_row(migrated, "bruising", state=State.SENT)
    assert row(sent, "bruising", T).revision == 1


def test_a_patient_in_another_zone_lives_by_its_calendar() -> None:
    abroad = replace(planned(), patient=patient(timezone="America/New_York"))
    assert diff(abroad)["bruising", 1] == "2026-03-11 15:00"


def test_other_quiet_hours_of_the_clinic_move_what_waits() -> None:
    late_riser = replace(planned(), clinic=clinic("21:00-11:00"))
    assert diff(late_riser)["bruising", 1] == "2026-03-11 11:00"


# What is shown to staff stays true --------------------------------------------------------------


def test_a_flag_that_sending_set_is_not_wiped_from_history() -> None:
    refused = with_row(planned(), "bruising", state=State.FAILED, needs_staff=True)
    assert row(refused, "bruising", MORNING).needs_staff
