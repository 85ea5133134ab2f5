"""What every engine's outbox keeps of a person, and what stays of it after an erasure."""

from dataclasses import replace
from datetime import timedelta

import pytest

from reminderd.audit import Action, Entry, broken
from reminderd.errors import TryAgainLater
from reminderd.interfaces import Outbox, ReminderFilter, Settlement
from reminderd.model import Consent, Outcome, Patient, Reason, Screening, State
from tests.engines.rows import (
    EITHER_WAY,
    EMAIL,
    LIBRARY,
    NOW,
    SMS,
    a_reminder,
    claimed,
    marked,
    saved,
    with_patient,
    with_session,
)

pytestmark = EITHER_WAY

LATER = NOW + timedelta(days=1)
NUMBER, MAILBOX = (SMS, "+34600000001"), (EMAIL, "vera@example.org")


def erased(outbox: Outbox, patient: Patient) -> Patient:
    with outbox.transaction():
        outbox.erase(patient, LATER)
    found = outbox.find_patient(f"pat-{patient.id}")
    assert found is not None
    return found


def withdrawn(outbox: Outbox, *channels: object) -> Patient:
    said = {each: Consent(each not in channels, NOW, "phone call") for each in (SMS, EMAIL)}
    with outbox.transaction():
        stored = replace(with_patient(outbox), consent=said)
        outbox.update_patient(stored, NOW)
    return stored


def test_of_an_erased_patient_only_the_id_and_the_clinic_stay(outbox: Outbox) -> None:
    full = with_patient(
        outbox, ref="A-1", timezone="Europe/Lisbon", language="es",
        screening=frozenset(Screening), bad_addresses=frozenset({SMS}),
    )  # fmt: skip
    bare = Patient("main", "", "", id=full.id, channels=(), erased_at=LATER)
    assert erased(outbox, full) == bare
    assert outbox.find_patient("A-1") is None


def test_messages_come_back_as_they_left_and_without_words_after_an_erasure(
    outbox: Outbox,
) -> None:
    who = with_patient(outbox)
    (one,) = saved(outbox, a_reminder(with_session(outbox, who)))
    taken = marked(outbox, one)
    sent = one._replace(state=State.SENT, wake_at=None)
    with outbox.transaction():
        outbox.settle([Settlement(taken.attempt_id, Outcome.ACCEPTED, (sent,), "p-1")], NOW)
    (told,) = outbox.correspondence(who.id or 0)
    assert (told.to, told.text, told.reminder_ids) == ("+34600000001", "Words", (one.id,))
    erased(outbox, who)
    (kept,) = outbox.correspondence(who.id or 0)
    assert (kept.to, kept.subject, kept.text, kept.html) == (None, None, None, None)
    assert (kept.id, kept.channel, kept.segments) == (told.id, told.channel, told.segments)
    (attempt,) = outbox.attempts(one.id or 0)
    assert (attempt.outcome, attempt.provider_id) == (Outcome.ACCEPTED, "p-1")


def test_an_erasure_cancels_what_waits_and_nothing_of_anybody_else(outbox: Outbox) -> None:
    session = with_session(outbox, with_patient(outbox))
    other = with_patient(outbox, name="Bo")
    mine, held, past, theirs = saved(
        outbox,
        a_reminder(session),
        a_reminder(session, milestone="massage", state=State.HELD, reason=Reason.PAUSED),
        a_reminder(session, milestone="sun", state=State.FAILED, reason=Reason.REJECTED),
        a_reminder(with_session(outbox, other)),
    )
    who = outbox.find_patient(f"pat-{session.patient_id}")
    assert who is not None
    with outbox.transaction():
        assert outbox.erase(who, LATER).cancelled == 2
    after = {each.id: (each.state, each.reason) for each in outbox.reminders(ReminderFilter())}
    assert after == {
        mine.id: (State.CANCELLED, Reason.ERASED),
        held.id: (State.CANCELLED, Reason.ERASED),
        past.id: (State.FAILED, Reason.REJECTED),
        theirs.id: (State.SCHEDULED, None),
    }
    assert outbox.find_patient(f"pat-{other.id}") == other
    assert outbox.reminders(ReminderFilter(needs_staff=True)) == []


def test_nobody_is_erased_while_a_message_to_them_is_on_its_way(outbox: Outbox) -> None:
    who = with_patient(outbox)
    (one,) = saved(outbox, a_reminder(with_session(outbox, who)))
    marked(outbox, one)
    with pytest.raises(TryAgainLater, match="on its way"), outbox.transaction():
        outbox.erase(who, LATER)
    assert outbox.find_patient(f"pat-{who.id}") == who


def test_what_is_claimed_and_has_not_left_keeps_nobody_from_being_erased(outbox: Outbox) -> None:
    who = with_patient(outbox)
    (one,) = saved(outbox, a_reminder(with_session(outbox, who)))
    taken = claimed(outbox, one)
    erased(outbox, who)
    stored = outbox.reminder(one.id or 0)
    assert stored is not None
    assert (stored.state, stored.reason) == (State.CANCELLED, Reason.ERASED)
    assert outbox.open_attempts([taken.attempt_id]) == frozenset()


def test_what_is_in_doubt_at_an_erasure_stays_unknown_and_is_not_looked_into(
    outbox: Outbox,
) -> None:
    who = with_patient(outbox)
    (one,) = saved(outbox, a_reminder(with_session(outbox, who)))
    marked(outbox, one)
    with outbox.transaction():
        outbox.recover(NOW)
    erased(outbox, who)
    stored = outbox.reminder(one.id or 0)
    assert stored is not None
    assert stored.state is State.UNKNOWN
    assert outbox.next_look_at({"console"}) is None


def test_a_withdrawal_is_kept_by_address_and_agreement_is_not(outbox: Outbox) -> None:
    who = withdrawn(outbox, SMS)
    assert outbox.objections([NUMBER, MAILBOX]) == {}
    with outbox.transaction():
        assert outbox.erase(who, LATER).objections == (SMS,)
    assert outbox.objections([NUMBER, MAILBOX]) == {NUMBER: NOW}
    assert outbox.objections([(EMAIL, "+34600000001"), (SMS, "+34600000002")]) == {}
    assert outbox.objections([]) == {}


def test_an_address_is_recognised_however_it_is_written(outbox: Outbox) -> None:
    erased(outbox, withdrawn(outbox, EMAIL))
    shouted = (EMAIL, "VERA@Example.org")
    assert outbox.objections([shouted]) == {shouted: NOW}


def test_a_lifted_objection_is_gone_and_others_stay(outbox: Outbox) -> None:
    erased(outbox, withdrawn(outbox, SMS, EMAIL))
    with outbox.transaction():
        outbox.lift_objections([NUMBER])
    assert outbox.objections([NUMBER, MAILBOX]) == {MAILBOX: NOW}


def test_an_erased_patient_is_not_expected_for_the_next_session(outbox: Outbox) -> None:
    who = with_patient(outbox)
    with outbox.transaction():
        protocol, document, _ = LIBRARY.find("mesotherapy-facial")
        version = outbox.pin_protocol(protocol, document)
    with_session(outbox, who, protocol_version=version, protocol=protocol.key)
    assert len(outbox.last_sessions(None)) == 1
    erased(outbox, who)
    assert outbox.last_sessions(None) == []


def test_cleaning_the_files_leaves_everything_else_as_it_was(outbox: Outbox) -> None:
    (one,) = saved(outbox, a_reminder(with_session(outbox, with_patient(outbox))))
    with outbox.transaction():
        outbox.record([Entry(NOW, "alba", Action.ERASED, "pat-9", 9)])
    assert outbox.scrub() is True
    assert outbox.reminder(one.id or 0) == one
    assert broken(outbox.trail(), outbox.trail_head()) is None
