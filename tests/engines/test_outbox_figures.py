"""How much has left and would leave, and how it goes: what every engine's outbox counts."""

from dataclasses import replace
from datetime import datetime, timedelta

from reminderd.interfaces import Approval, NewMessage, Outbox, Settlement
from reminderd.model import (
    Outcome,
    Reason,
    Reminder,
    SessionChange,
    SessionState,
    State,
    ZoneChange,
)
from tests.engines.rows import (
    EITHER_WAY,
    EMAIL,
    EVERYTHING,
    HOUR,
    LATER,
    LIBRARY,
    NOW,
    SMS,
    a_reminder,
    claimed,
    marked,
    one,
    saved,
    with_patient,
    with_session,
    words,
)

pytestmark = EITHER_WAY

MINUTE = timedelta(minutes=1)


def settled(outbox: Outbox, reminder: Reminder, outcome: Outcome, at: datetime = NOW) -> None:
    """A message with it, claimed at an instant, ended so."""
    assert reminder.patient_id is not None
    assert reminder.channel is not None
    wanted = NewMessage(reminder.patient_id, reminder.channel, "console", (reminder,))
    with outbox.transaction():
        (taken,) = outbox.claim([wanted], at)
        outbox.mark([words(taken)], at)
        ended = reminder._replace(state=State.SENT, wake_at=None, sent_at=NOW)
        outbox.settle([Settlement(taken.attempt_id, outcome, (ended,))], NOW)


# What has left -----------------------------------------------------------------------------------


def test_what_left_or_may_have_counts_for_its_patient(outbox: Outbox) -> None:
    for outcome in (Outcome.ACCEPTED, Outcome.IN_DOUBT, Outcome.TEMPORARY, Outcome.REFUSED):
        settled(outbox, one(outbox), outcome)
    claimed(outbox, one(outbox))
    marked(outbox, one(outbox))
    nobody = with_patient(outbox)
    assert outbox.left_since(range(1, 9), NOW) == {1: [NOW], 2: [NOW], 5: [NOW], 6: [NOW]}
    assert outbox.left_since([1, nobody.id or 0], NOW) == {1: [NOW]}
    assert outbox.left_since([1], NOW + MINUTE) == {}
    assert outbox.left_since([], NOW) == {}


def test_the_busiest_hour_is_one_of_the_clock(outbox: Outbox) -> None:
    assert outbox.busiest_hour(NOW - HOUR) == 0
    for minutes in (-1, 0, 59, 60, 61, 62):
        settled(outbox, one(outbox), Outcome.ACCEPTED, NOW + minutes * MINUTE)
    settled(outbox, one(outbox), Outcome.REFUSED, NOW)
    assert outbox.busiest_hour(NOW - HOUR) == 3
    assert outbox.busiest_hour(NOW + 61 * MINUTE) == 2


def test_outcomes_are_counted_by_channel_after_an_attempt(outbox: Outbox) -> None:
    assert outbox.newest_attempt() == 0
    settled(outbox, one(outbox), Outcome.ACCEPTED)
    since = outbox.newest_attempt()
    settled(outbox, one(outbox, channel=EMAIL), Outcome.ACCEPTED)
    settled(outbox, one(outbox), Outcome.TEMPORARY)
    marked(outbox, one(outbox))
    assert outbox.vitals(0).outcomes == {
        (SMS, Outcome.ACCEPTED): 1,
        (EMAIL, Outcome.ACCEPTED): 1,
        (SMS, Outcome.TEMPORARY): 1,
    }
    assert (SMS, Outcome.ACCEPTED) not in outbox.vitals(since).outcomes
    assert outbox.vitals(0).doubts == 0
    with outbox.transaction():
        outbox.recover(LATER)
    assert outbox.vitals(0).doubts == 1
    assert dict(outbox.vitals(0).replies) == {}


# What would leave --------------------------------------------------------------------------------


def test_what_is_due_is_counted_by_patient_and_channel(outbox: Outbox) -> None:
    session = with_session(outbox, with_patient(outbox))
    saved(
        outbox,
        a_reminder(session),
        a_reminder(session, milestone="b"),
        a_reminder(session, milestone="c", channel=EMAIL),
        a_reminder(session, milestone="d", due_at=NOW + MINUTE),
    )
    one(outbox, state=State.HELD, reason=Reason.PAUSED, expires_at=NOW)
    one(outbox, state=State.HELD, reason=Reason.PAUSED, expires_at=NOW + MINUTE)
    assert outbox.due_messages(NOW, NOW, None, None) == 3
    assert outbox.due_messages(NOW, NOW, None, 1) == 2  # of what is sent, and of what expires
    assert outbox.due_messages(NOW, NOW - 2 * HOUR, None, None) == 0
    assert outbox.due_messages(NOW, NOW, NOW - HOUR, None) == 1
    assert outbox.due_messages(NOW - 2 * HOUR, NOW, None, None) == 0


def test_the_newest_of_each_kind_is_known(outbox: Outbox) -> None:
    assert outbox.newest_instants() == []
    session = with_session(outbox, with_patient(outbox), recorded_at=NOW + MINUTE)
    protocol, document, _ = LIBRARY.find("mesotherapy")
    with outbox.transaction():
        outbox.add_session_change(SessionChange(session, protocol, NOW + 2 * MINUTE, "ana"))
        outbox.add_zone_change(1, ZoneChange("Europe/Madrid", NOW + 3 * MINUTE))
        signed = Approval("mesotherapy", 1, "abc", "Dr. Example", NOW + 4 * MINUTE)
        outbox.add_approval(signed, outbox.pin_protocol(protocol, document), "")
    (reminder,) = saved(outbox, a_reminder(session))
    settled(outbox, reminder, Outcome.ACCEPTED, NOW + 5 * MINUTE)
    expected = {NOW + n * MINUTE for n in (0, 1, 2, 3, 4, 5)}
    assert set(outbox.newest_instants()) == expected


# What is undone ----------------------------------------------------------------------------------


def test_what_was_only_claimed_for_a_patient_is_taken_back(outbox: Outbox) -> None:
    mine, theirs = one(outbox), one(outbox)
    taken, other = claimed(outbox, mine), claimed(outbox, theirs)
    with outbox.transaction():
        outbox.take_back(mine.patient_id or 0, LATER)
    assert outbox.reminder(mine.id or 0) == mine
    with outbox.beside():
        outbox.lock_patients([mine.patient_id or 0])
        still_open = outbox.open_attempts([taken.attempt_id, other.attempt_id])
    assert still_open == {other.attempt_id}
    assert [each.outcome for each in outbox.attempts(mine.id or 0)] == [Outcome.RETURNED]


def test_what_is_marked_is_not_taken_back(outbox: Outbox) -> None:
    reminder = one(outbox)
    marked(outbox, reminder)
    with outbox.transaction():
        outbox.take_back(reminder.patient_id or 0, LATER)
    (attempt,) = outbox.attempts(reminder.id or 0)
    assert attempt.outcome is Outcome.MARKED


def test_a_copy_can_forget_what_came_after_an_instant(outbox: Outbox) -> None:
    session = with_session(outbox, with_patient(outbox))
    before, _, called_off, _ = saved(
        outbox,
        a_reminder(session, milestone="a", state=State.SENT, sent_at=NOW - MINUTE),
        a_reminder(session, milestone="b", state=State.SENT, sent_at=NOW + MINUTE),
        a_reminder(session, milestone="c", state=State.CANCELLED, reason=Reason.BY_STAFF),
        a_reminder(session, milestone="d"),
    )
    with outbox.transaction():
        outbox.forget_after(NOW)
    after = {each.milestone: each for each in outbox.reminders(EVERYTHING)}
    assert (after["a"], after["c"]) == (before, called_off)
    for milestone in "bd":
        found = after[milestone]
        assert (found.state, found.reason, found.first_planned_at) == (
            State.SKIPPED, Reason.PAST, NOW,
        )  # fmt: skip
        assert (found.channel, found.wake_at, found.sent_at, found.attempts) == (None,) * 3 + (0,)


# Who has a session -------------------------------------------------------------------------------


def test_those_with_a_session_at_an_instant_are_known(outbox: Outbox) -> None:
    ana, bo, cy = (with_patient(outbox, name=name) for name in ("Ana", "Bo", "Cy"))
    with_session(outbox, ana, at=LATER, state=SessionState.BOOKED)
    with_session(outbox, bo, at=LATER, state=SessionState.CANCELLED)
    with_session(outbox, cy, at=NOW)
    found = outbox.patients_at("mesotherapy", LATER)
    assert [each.given_name for each in found] == ["Ana"]
    assert found == [replace(ana, consent=found[0].consent)]
    assert outbox.patients_at("another", LATER) == []


def test_bare_facts_are_the_patient_and_the_sessions(outbox: Outbox) -> None:
    session = with_session(outbox, with_patient(outbox))
    saved(outbox, a_reminder(session))
    (whole,) = outbox.facts([session.patient_id or 0])
    (bare,) = outbox.bare_facts([session.patient_id or 0])
    assert (bare.patient, bare.sessions) == (whole.patient, (session,))
    assert (bare.reminders, bare.changes) == ((), ())


def test_where_a_patient_lived_before_is_kept(outbox: Outbox) -> None:
    who = with_patient(outbox)
    moves = (ZoneChange("Europe/Madrid", NOW), ZoneChange("Asia/Tokyo", LATER))
    with outbox.transaction():
        for each in moves:
            outbox.add_zone_change(who.id or 0, each)
    (facts,) = outbox.facts([who.id or 0])
    assert facts.zones == moves
