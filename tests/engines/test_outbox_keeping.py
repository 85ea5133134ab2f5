"""What comes into an outbox is there again."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

import pytest

from reminderd.interfaces import Approval, Outbox, Pinned, Settlement, Signed
from reminderd.model import (
    Adjustment,
    Channel,
    Consent,
    Duration,
    Kind,
    Outcome,
    Patient,
    Reason,
    Screening,
    Session,
    SessionChange,
    SessionState,
    State,
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
    one,
    saved,
    with_patient,
    with_session,
)

pytestmark = EITHER_WAY


def test_a_patient_comes_back_with_every_field(outbox: Outbox) -> None:
    full = with_patient(
        outbox,
        name="Zoë",
        ref="A-1 ünï",
        channels="email sms",
        consent="",
        timezone="Australia/Lord_Howe",
        language="es",
        paused=True,
        bad_addresses=frozenset({SMS, EMAIL}),
        screening=frozenset(Screening),
    )
    said = {SMS: Consent(True, LATER, "form"), EMAIL: Consent(False, NOW, "phone call")}
    full = replace(full, consent=said)
    with outbox.transaction():
        outbox.update_patient(full, LATER)
    assert outbox.find_patient(f"pat-{full.id}") == full
    assert outbox.find_patient("A-1 ünï") == full
    assert outbox.patients_by_ref(["A-1 ünï", "nobody"]) == {"A-1 ünï": full}


def test_a_patient_of_whom_little_is_known_comes_back_so(outbox: Outbox) -> None:
    bare = Patient("main", "Bo", id=1, channels=())
    with outbox.transaction():
        outbox.reserve_ids(1, 0)
        outbox.add_patients([bare], NOW)
    assert outbox.patients() == [bare]


def test_a_session_comes_back_with_every_field(outbox: Outbox) -> None:
    stored = with_session(
        outbox,
        with_patient(outbox),
        at=LATER,
        recorded_at=NOW,
        state=SessionState.NO_SHOW,
        tags=frozenset({"weight-loss", "first"}),
        area="left cheek; both",
        adjustments={
            "no-shower": Adjustment("Nurse", "sore", holds=Duration.parse("72h")),
            "massage": Adjustment("Nurse", "bruised; badly", off=True, at=time(20, 5)),
        },
    )
    assert outbox.session(stored.id or 0) == stored
    assert outbox.sessions() == [stored]
    moved = replace(stored, at=NOW, state=SessionState.DONE, adjustments={}, area=None)
    with outbox.transaction():
        outbox.update_session(moved)
    assert outbox.sessions(stored.patient_id) == [moved]
    assert outbox.sessions(99) == []
    assert outbox.session(99) is None


def test_how_a_session_was_before_each_change_is_kept_with_who_changed_it(outbox: Outbox) -> None:
    adjusted = {"no-shower": Adjustment("Nurse", "sore", holds=Duration.parse("72h"))}
    booked = with_session(outbox, with_patient(outbox), state=SessionState.BOOKED, at=LATER)
    moved = replace(booked, at=LATER + HOUR, adjustments=adjusted)
    protocol = LIBRARY.find("mesotherapy").protocol
    changes = (
        SessionChange(booked, protocol, NOW, "ana", "a fever"),
        SessionChange(moved, protocol, NOW + HOUR, "bea"),
    )
    done = replace(moved, state=SessionState.DONE)
    with outbox.transaction():
        for change in changes:
            outbox.add_session_change(change)
        outbox.update_session(done)
    (facts,) = outbox.facts([booked.patient_id or 0])
    assert facts.sessions == (done,)
    assert facts.changes == changes


def test_what_staff_corrected_in_person_is_kept(outbox: Outbox) -> None:
    session = with_session(outbox, with_patient(outbox))
    saved(outbox, a_reminder(session))
    (reminder,) = outbox.reminders(EVERYTHING)
    with outbox.transaction():
        outbox.add_corrections([reminder.id or 0], "ana", NOW)
        outbox.add_corrections([reminder.id or 0], "bea", LATER)
    assert outbox.facts([session.patient_id or 0])[0].corrected == {reminder.id: LATER}


def test_a_trial_leaves_nothing_behind(outbox: Outbox) -> None:
    kept = with_patient(outbox)
    with outbox.trial():
        with outbox.transaction():  # a part of the trial
            outbox.update_patient(replace(kept, given_name="Somebody else"), NOW)
        assert [each.given_name for each in outbox.patients()] == ["Somebody else"]
    assert outbox.patients() == [kept]


def test_what_fails_inside_undoes_the_whole_unit_of_work(outbox: Outbox) -> None:
    kept = with_patient(outbox)

    def fail() -> None:
        with outbox.transaction():
            with outbox.transaction():
                outbox.update_patient(replace(kept, given_name="Somebody else"), NOW)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert outbox.patients() == [kept]


def test_a_reminder_comes_back_with_every_field(outbox: Outbox) -> None:
    session = with_session(outbox, with_patient(outbox))
    full = a_reminder(
        session,
        occurrence=3,
        kind=Kind.ROUTINE,
        topics=frozenset({"massage", "touch"}),
        channel=EMAIL,
        nominal_at=NOW + timedelta(milliseconds=1),
        due_at=NOW + timedelta(milliseconds=2),
        state=State.SENT,
        reason=Reason.REJECTED,
        attempts=4,
        sent_at=LATER,
        provider_id="SM1",
        receipt="delivered",
        needs_staff=True,
    )
    (stored,) = saved(outbox, full)
    assert stored == full._replace(id=stored.id)
    changed = stored._replace(
        state=State.SCHEDULED, reason=None, wake_at=NOW, sent_at=None, provider_id=None,
        receipt=None, needs_staff=False,
    )  # fmt: skip
    assert saved(outbox, changed) == [changed]
    assert outbox.reminder(stored.id or 0) == changed
    assert outbox.reminder(99) is None


def test_a_skipped_reminder_has_neither_an_instant_nor_a_channel(outbox: Outbox) -> None:
    stored = one(outbox, state=State.SKIPPED, reason=Reason.PAST, due_at=None, channel=None)
    assert (stored.due_at, stored.wake_at, stored.channel) == (None, None, None)


@pytest.mark.parametrize("year", [1999, 2026, 2099])
def test_instants_are_kept_to_the_millisecond_and_come_back_in_utc(
    outbox: Outbox, year: int
) -> None:
    instant = datetime(year, 2, 28, 23, 59, 59, 999_999, tzinfo=UTC)
    with_session(outbox, with_patient(outbox), at=instant)
    (stored,) = outbox.sessions()
    assert stored.at == instant.replace(microsecond=999_000)
    assert stored.at.tzinfo is UTC


def test_the_text_of_a_protocol_is_kept_for_good_and_once(outbox: Outbox) -> None:
    protocol, document, _ = LIBRARY.find("mesotherapy")
    with outbox.transaction():
        first = outbox.pin_protocol(protocol, document)
        assert outbox.pin_protocol(protocol, document) == first
        other, text, _ = LIBRARY.find("mesotherapy-basic")
        assert outbox.pin_protocol(other, text) != first
    session = with_session(outbox, with_patient(outbox))
    (facts,) = outbox.facts([session.patient_id or 0])
    assert facts.protocols == {session.id: protocol}


def test_every_text_of_a_protocol_is_there_with_its_sessions(outbox: Outbox) -> None:
    first = with_session(outbox, with_patient(outbox))
    protocol, document, _ = LIBRARY.find("mesotherapy")
    text = document.replace('"revision":1', '"revision":2')
    later = replace(protocol, revision=2, digest="another")
    with outbox.transaction():
        version = outbox.pin_protocol(later, text)
    assert [(each.revision, each.sessions) for each in outbox.pinned("mesotherapy")] == [
        (1, 1),
        (2, 0),
    ]
    assert outbox.pinned("mesotherapy")[1] == Pinned(version, 2, "another", text, 0)
    assert outbox.pinned("nothing") == []
    assert outbox.patients_under([first.protocol_version or 0]) == [first.patient_id]
    assert outbox.patients_under([version]) == []


def test_patients_are_found_by_a_session_that_stands_under_a_text(outbox: Outbox) -> None:
    one, two, three = (with_patient(outbox, name=name) for name in "ABC")
    found = [
        with_session(outbox, who, state=state)
        for who, state in [
            (one, SessionState.CANCELLED),
            (two, SessionState.NO_SHOW),
            (three, SessionState.BOOKED),
            (three, SessionState.DONE),
        ]
    ]
    assert outbox.patients_under([found[0].protocol_version or 0]) == [three.id]


def test_what_is_pinned_in_a_trial_is_forgotten_with_it(outbox: Outbox) -> None:
    protocol = LIBRARY.find("mesotherapy").protocol
    with outbox.trial():
        with_session(outbox, with_patient(outbox))
        assert [each.protocols for each in outbox.facts([1])] == [{1: protocol}]
    other, text, _ = LIBRARY.find("mesotherapy-basic")
    assert outbox.pinned("mesotherapy") == []
    who = with_patient(outbox)
    with outbox.transaction():
        version = outbox.pin_protocol(other, text)
        outbox.add_sessions(
            [Session(who.id, other.key, 1, NOW, NOW, id=1, protocol_version=version)]
        )
    assert [each.protocols for each in outbox.facts([who.id or 0])] == [{1: other}]


def test_a_signature_is_kept_with_what_it_is_for(outbox: Outbox) -> None:
    protocol, document, _ = LIBRARY.find("mesotherapy")
    approval = Approval("mesotherapy", 1, "abc", "Dr. Example", NOW)
    with outbox.transaction():
        outbox.add_approval(approval, outbox.pin_protocol(protocol, document), "=== en/a\nText\n")
    assert outbox.signed("abc") == Signed(document, "=== en/a\nText\n")
    assert outbox.signed("nothing") == Signed(None, None)


def test_approvals_and_notes_are_remembered(outbox: Outbox) -> None:
    approval = Approval("mesotherapy", 2, "abc", "Dr. Example", NOW)
    with outbox.transaction():
        outbox.add_approval(approval, outbox.pin_protocol(*LIBRARY.find("mesotherapy")[:2]), "")
        outbox.set_note("planned-by", "one")
        outbox.set_note("planned-by", "two")
    assert outbox.approvals() == [approval]
    assert outbox.note("planned-by") == "two"
    assert outbox.note("nothing") is None


def test_facts_are_everything_about_these_patients_and_nobody_else(outbox: Outbox) -> None:
    first, second, third = (with_patient(outbox, name=name) for name in "ABC")
    sessions = [with_session(outbox, each) for each in (first, third, third)]
    reminders = saved(outbox, *map(a_reminder, sessions))
    found = outbox.facts([first.id or 0, third.id or 0])
    assert [each.patient for each in found] == [first, third]
    assert [each.sessions for each in found] == [(sessions[0],), (sessions[1], sessions[2])]
    assert [set(each.reminders) for each in found] == [{reminders[0]}, set(reminders[1:])]
    assert outbox.facts([second.id or 0])[0].sessions == ()


def test_every_word_of_the_model_has_its_place(outbox: Outbox) -> None:
    session: Session = with_session(outbox, with_patient(outbox))
    for n, state in enumerate(State, start=1):
        saved(outbox, a_reminder(session, milestone="s", occurrence=n, state=state))
    for n, reason in enumerate(Reason, start=1):
        skipped = {"state": State.SKIPPED, "reason": reason}
        saved(outbox, a_reminder(session, milestone="r", occurrence=n, **skipped))
    for n, kind in enumerate(Kind, start=1):
        saved(outbox, a_reminder(session, milestone="k", occurrence=n, kind=kind))
    for n, channel in enumerate(Channel, start=1):
        saved(outbox, a_reminder(session, milestone="c", occurrence=n, channel=channel))
    stored = outbox.reminders(EVERYTHING)
    assert {each.state for each in stored} == set(State)
    assert {each.reason for each in stored} >= set(Reason)
    assert {each.kind for each in stored} == set(Kind)
    assert {each.channel for each in stored} >= set(Channel)
    for session_state in SessionState:
        with outbox.transaction():
            outbox.update_session(replace(session, state=session_state))
            assert outbox.session(session.id or 0) == replace(session, state=session_state)
    for outcome in Outcome:
        taken = claimed(outbox, outbox.reminders(EVERYTHING)[0])
        with outbox.transaction():
            outbox.settle([Settlement(taken.attempt_id, outcome, ())], NOW)
        assert outcome in [each.outcome for each in outbox.attempts(taken.reminders[0].id or 0)]
