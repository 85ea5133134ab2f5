"""Claimed, marked, settled: what an outbox knows of every attempt, also after a crash."""

from datetime import timedelta

from reminderd.interfaces import NewMessage, Outbox, Settlement
from reminderd.model import Outcome, Reason, State
from tests.engines.rows import (
    EITHER_WAY,
    EMAIL,
    LATER,
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


def test_what_is_claimed_is_no_longer_due(outbox: Outbox) -> None:
    reminder = one(outbox)
    taken = claimed(outbox, reminder)
    assert taken.reminders == (reminder,)
    sending = outbox.reminder(reminder.id or 0)
    assert sending == reminder._replace(state=State.SENDING, wake_at=None)
    assert outbox.due_patients(NOW, 10, ()) == []
    (attempt,) = outbox.attempts(reminder.id or 0)
    assert (attempt.outcome, attempt.claimed_at, attempt.transport) == (
        Outcome.CLAIMED,
        NOW,
        "console",
    )
    assert outbox.left(reminder.id or 0) == []


def test_a_mark_keeps_what_is_about_to_leave(outbox: Outbox) -> None:
    reminder = one(outbox)
    taken = marked(outbox, reminder)
    assert outbox.left(reminder.id or 0) == [words(taken)]
    (attempt,) = outbox.attempts(reminder.id or 0)
    assert (attempt.outcome, attempt.marked_at) == (Outcome.MARKED, NOW)


def test_an_outcome_is_written_with_what_it_means_for_the_reminder(outbox: Outbox) -> None:
    reminder = one(outbox)
    taken = marked(outbox, reminder)
    sent = reminder._replace(
        state=State.SENT, wake_at=None, attempts=1, sent_at=LATER, provider_id="SM1"
    )
    settlement = Settlement(taken.attempt_id, Outcome.ACCEPTED, (sent,), "SM1", "30000", "all good")
    with outbox.transaction():
        outbox.settle([settlement], LATER)
    assert outbox.reminder(reminder.id or 0) == sent
    (attempt,) = outbox.attempts(reminder.id or 0)
    assert (attempt.outcome, attempt.settled_at) == (Outcome.ACCEPTED, LATER)
    assert (attempt.provider_id, attempt.code, attempt.error) == ("SM1", "30000", "all good")


def test_several_messages_are_claimed_at_once_each_under_an_id_of_its_own(outbox: Outbox) -> None:
    session = with_session(outbox, with_patient(outbox))
    by_text = saved(outbox, a_reminder(session), a_reminder(session, milestone="b"))
    (by_mail,) = saved(outbox, a_reminder(session, milestone="c", channel=EMAIL))
    assert session.patient_id is not None
    with outbox.transaction():
        first, second = outbox.claim(
            [
                NewMessage(session.patient_id, SMS, "twilio", tuple(by_text)),
                NewMessage(session.patient_id, EMAIL, "smtp", (by_mail,)),
            ],
            NOW,
        )
    assert first.message_id != second.message_id
    assert first.attempt_id != second.attempt_id
    attempts = [outbox.attempts(each.id or 0)[0] for each in (*by_text, by_mail)]
    assert [(each.message_id, each.channel) for each in attempts] == [
        (first.message_id, SMS),
        (first.message_id, SMS),
        (second.message_id, EMAIL),
    ]


def test_after_a_crash_what_was_only_claimed_is_due_again(outbox: Outbox) -> None:
    reminder = one(outbox)
    claimed(outbox, reminder)
    with outbox.transaction():
        assert outbox.recover(LATER) == ([reminder.patient_id], 0)
    assert outbox.reminder(reminder.id or 0) == reminder
    (attempt,) = outbox.attempts(reminder.id or 0)
    assert (attempt.outcome, attempt.settled_at) == (Outcome.RETURNED, LATER)


def test_after_a_crash_what_was_marked_is_in_doubt_and_looked_into(outbox: Outbox) -> None:
    reminder = one(outbox)
    taken = marked(outbox, reminder)
    with outbox.transaction():
        assert outbox.recover(LATER) == ([], 1)
    after = outbox.reminder(reminder.id or 0)
    assert after == reminder._replace(state=State.SENDING, wake_at=None)
    (attempt,) = outbox.attempts(reminder.id or 0)
    assert attempt.outcome is Outcome.IN_DOUBT
    assert outbox.due_patients(LATER, 10, ()) == []
    look_at = NOW + timedelta(seconds=30)
    assert outbox.next_look_at(["console"]) == look_at
    assert outbox.next_look_at(["another"]) is None
    assert outbox.doubts(look_at - timedelta(seconds=1), ["console"]) == []
    (doubt,) = outbox.doubts(look_at, ["console"])
    assert (doubt.attempt_id, doubt.marked_at, doubt.looks) == (taken.attempt_id, NOW, 0)
    assert (doubt.reminders, outbox.doubts_of(reminder.id or 0)) == ((after,), [doubt])


def test_what_is_in_doubt_by_a_transport_that_is_gone_is_unknown(outbox: Outbox) -> None:
    reminder = one(outbox)
    marked(outbox, reminder)
    with outbox.transaction():
        outbox.recover(LATER)
        assert outbox.give_up(["console"], LATER) == 0
        assert outbox.give_up(["another"], LATER) == 1
    assert outbox.next_look_at(["console"]) is None
    found = outbox.reminder(reminder.id or 0)
    assert found is not None
    assert found.state is State.UNKNOWN
    assert len(outbox.doubts_of(reminder.id or 0)) == 1


def test_nobody_looks_for_what_is_settled_otherwise(outbox: Outbox) -> None:
    reminder = one(outbox)
    marked(outbox, reminder)
    with outbox.transaction():
        outbox.recover(LATER)
        off = reminder._replace(state=State.CANCELLED, reason=Reason.ERASED, wake_at=None)
        outbox.save_reminders([off])
    assert outbox.next_look_at(["console"]) is None
    assert outbox.doubts(LATER, ["console"]) == []


def test_the_ids_that_an_accepted_attempt_has_are_known(outbox: Outbox) -> None:
    taken = marked(outbox, one(outbox))
    with outbox.transaction():
        outbox.settle([Settlement(taken.attempt_id, Outcome.ACCEPTED, (), provider_id="SM1")], NOW)
    assert outbox.accepted_ids(["SM1", "SM2"]) == {"SM1"}
    assert outbox.accepted_ids([]) == frozenset()


def test_recovery_touches_nothing_that_was_settled(outbox: Outbox) -> None:
    reminder = one(outbox)
    taken = marked(outbox, reminder)
    sent = reminder._replace(state=State.SENT, wake_at=None)
    with outbox.transaction():
        outbox.settle([Settlement(taken.attempt_id, Outcome.ACCEPTED, (sent,))], NOW)
        assert outbox.recover(LATER) == ([], 0)
    assert outbox.reminder(reminder.id or 0) == sent


def test_a_reminder_tells_all_its_attempts_in_their_order(outbox: Outbox) -> None:
    reminder = one(outbox)
    for outcome in (Outcome.TEMPORARY, Outcome.ACCEPTED):
        taken = marked(outbox, reminder)
        with outbox.transaction():
            outbox.settle([Settlement(taken.attempt_id, outcome, (reminder,))], NOW)
    attempts = outbox.attempts(reminder.id or 0)
    assert [each.outcome for each in attempts] == [Outcome.TEMPORARY, Outcome.ACCEPTED]
    assert len(outbox.left(reminder.id or 0)) == 2
