"""What every engine's outbox promises. The fixture `outbox` chooses the engine."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest

from reminderd.errors import ReminderdError
from reminderd.interfaces import (
    Approval,
    NewMessage,
    Outbox,
    Pinned,
    ReminderFilter,
    Settlement,
    Signed,
)
from reminderd.model import (
    Adjustment,
    Channel,
    Consent,
    Duration,
    Kind,
    Outcome,
    Patient,
    Reason,
    Reminder,
    Screening,
    Session,
    SessionChange,
    SessionState,
    State,
)
from tests.engines.rows import (
    EMAIL,
    HOUR,
    LIBRARY,
    NOW,
    SMS,
    a_reminder,
    claimed,
    marked,
    one,
    saved,
    side_by_side,
    with_patient,
    with_session,
    words,
)

EVERYTHING = ReminderFilter()
LATER = NOW + timedelta(days=1, milliseconds=7)

# What comes in is there again ---------------------------------------------------------------------


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


# Ids ----------------------------------------------------------------------------------------------


def test_an_id_that_was_given_out_is_never_given_to_anybody_else(outbox: Outbox) -> None:
    with outbox.transaction():
        assert outbox.reserve_ids(3, 0) == (1, 1)
        assert outbox.reserve_ids(0, 2) == (4, 1)
    with outbox.transaction():
        assert outbox.reserve_ids(1, 1) == (4, 3)
    assert outbox.free_ids() == (5, 4)
    assert outbox.patients() == []


def test_looking_at_free_ids_reserves_nothing(outbox: Outbox) -> None:
    assert outbox.free_ids() == outbox.free_ids() == (1, 1)


def test_everybody_who_reserves_at_once_gets_ids_of_their_own(outbox: Outbox) -> None:
    taken: list[int] = []

    def reserve() -> None:
        for _ in range(5):
            with outbox.transaction():
                taken.append(outbox.reserve_ids(2, 0)[0])

    side_by_side(outbox, 4, reserve)
    assert sorted(taken) == list(range(1, 41, 2))


# Transactions -------------------------------------------------------------------------------------


def test_of_a_transaction_that_fails_nothing_stays(outbox: Outbox) -> None:
    def half_done() -> None:
        with outbox.transaction():
            number, _ = outbox.reserve_ids(1, 0)
            outbox.add_patients([Patient("main", "Bo", id=number)], NOW)
            outbox.set_note("a", "b")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        half_done()
    assert outbox.patients() == []
    assert outbox.note("a") is None
    assert outbox.free_ids() == (1, 1)
    with_patient(outbox)
    assert len(outbox.patients()) == 1


def test_to_read_and_then_write_never_fails_and_never_loses_a_step(outbox: Outbox) -> None:
    with outbox.transaction():
        outbox.set_note("count", "0")

    def count() -> None:
        for _ in range(10):
            with outbox.transaction():
                outbox.set_note("count", str(int(outbox.note("count") or 0) + 1))

    side_by_side(outbox, 4, count)
    assert outbox.note("count") == "40"


# What cannot be -----------------------------------------------------------------------------------

NONSENSE: dict[str, dict[str, Any]] = {
    "scheduled for never": {"wake_at": None},
    "waiting although it was sent": {"state": State.SENT, "wake_at": NOW},
    "scheduled without a channel": {"channel": None},
    "looked at after its expiry": {"wake_at": NOW + 2 * HOUR},
}


@pytest.mark.parametrize("what", NONSENSE)
def test_nonsense_is_refused(outbox: Outbox, what: str) -> None:
    session = with_session(outbox, with_patient(outbox))
    with pytest.raises(ReminderdError):
        saved(outbox, a_reminder(session, **NONSENSE[what]))
    assert outbox.reminders(EVERYTHING) == []


def test_a_reminder_is_of_a_session_that_there_is(outbox: Outbox) -> None:
    session = with_session(outbox, with_patient(outbox))
    with pytest.raises(ReminderdError):
        saved(outbox, a_reminder(replace(session, id=99)))


def test_there_is_one_row_for_each_occurrence(outbox: Outbox) -> None:
    session = with_session(outbox, with_patient(outbox))
    saved(outbox, a_reminder(session), a_reminder(session, occurrence=2))
    with pytest.raises(ReminderdError):
        saved(outbox, a_reminder(session))


def test_two_patients_cannot_have_the_same_ref(outbox: Outbox) -> None:
    with_patient(outbox, ref="A-1")
    with pytest.raises(ReminderdError):
        with_patient(outbox, ref="A-1")
    with_patient(outbox)
    with_patient(outbox)
    assert len(outbox.patients()) == 3


# Listing ------------------------------------------------------------------------------------------


@pytest.fixture
def listed(outbox: Outbox) -> dict[str, Reminder]:
    """Reminders of two patients, by the name of what is special about each."""
    first, second = (with_session(outbox, with_patient(outbox)) for _ in range(2))
    given = {
        "soon": a_reminder(first, milestone="a", due_at=NOW),
        "sent": a_reminder(first, milestone="b", state=State.SENT, due_at=NOW + HOUR / 2),
        "failed": a_reminder(
            first, milestone="c", state=State.FAILED, reason=Reason.REJECTED, due_at=NOW - HOUR
        ),
        "skipped": a_reminder(
            second, milestone="d", state=State.SKIPPED, reason=Reason.PAST, due_at=None
        ),
        "held": a_reminder(second, milestone="e", state=State.HELD, reason=Reason.PAUSED),
    }
    return dict(zip(given, saved(outbox, *given.values()), strict=True))


FILTERS: dict[str, tuple[dict[str, Any], list[str]]] = {
    "everything": ({}, ["failed", "held", "soon", "sent", "skipped"]),
    "of a patient": ({"patient_id": 2}, ["held", "skipped"]),
    "of a session": ({"session_id": 1}, ["failed", "soon", "sent"]),
    "of a protocol": ({"protocol": "mesotherapy-basic"}, []),
    "in states": ({"states": frozenset({State.SENT, State.HELD})}, ["held", "sent"]),
    "for reasons": ({"reasons": frozenset({Reason.PAST})}, ["skipped"]),
    "due from an instant on": ({"due_from": NOW}, ["soon", "sent"]),
    "due before an instant": ({"due_until": NOW}, ["failed", "held"]),
    "for the staff": ({"needs_staff": True}, ["failed"]),
    "several at once": ({"patient_id": 1, "due_from": NOW - HOUR, "due_until": NOW}, ["failed"]),
    "a few": ({"limit": 2}, ["failed", "held"]),
}


@pytest.mark.parametrize("name", FILTERS)
def test_a_listing_is_narrowed_and_sorted(
    outbox: Outbox, listed: dict[str, Reminder], name: str
) -> None:
    wanted, expected = FILTERS[name]
    found = outbox.reminders(ReminderFilter(**wanted))
    assert found == [listed[each] for each in expected]
    if "limit" not in wanted:
        assert outbox.count_reminders(ReminderFilter(**wanted)) == len(expected)


def test_what_is_due_at_once_is_sorted_by_nominal_milestone_occurrence_session(
    outbox: Outbox,
) -> None:
    first, second = (with_session(outbox, with_patient(outbox)) for _ in range(2))
    in_order = [
        a_reminder(second, milestone="z", nominal_at=NOW - 2 * HOUR),
        a_reminder(first, milestone="a"),
        a_reminder(second, milestone="a"),
        a_reminder(first, milestone="a", occurrence=2),
        a_reminder(first, milestone="b"),
    ]
    stored = saved(outbox, *reversed(in_order))
    assert outbox.reminders(EVERYTHING) == list(reversed(stored))


NEEDS_STAFF: dict[str, tuple[dict[str, Any], bool]] = {
    "failed": ({"state": State.FAILED, "reason": Reason.TEMPLATE}, True),
    "unknown": ({"state": State.UNKNOWN}, True),
    "never confirmed": ({"state": State.EXPIRED, "reason": Reason.UNCONFIRMED}, True),
    "late": ({"state": State.EXPIRED, "reason": Reason.LATE}, False),
    "undelivered": ({"state": State.SENT, "receipt": "undelivered"}, True),
    "receipt failed": ({"state": State.SENT, "receipt": "failed"}, True),
    "delivered": ({"state": State.SENT, "receipt": "delivered"}, False),
    "flagged by the plan": (
        {"state": State.SKIPPED, "reason": Reason.SUPERSEDED, "needs_staff": True},
        True,
    ),
    "superseded, and another comes": (
        {"state": State.SKIPPED, "reason": Reason.SUPERSEDED},
        False,
    ),
    "scheduled": ({}, False),
}


@pytest.mark.parametrize("what", NEEDS_STAFF)
def test_what_waits_for_a_person_is_on_the_staffs_list(outbox: Outbox, what: str) -> None:
    facts, expected = NEEDS_STAFF[what]
    one(outbox, **facts)
    assert outbox.count_reminders(ReminderFilter(needs_staff=True)) == int(expected)


def test_the_tally_counts_states_and_reasons(outbox: Outbox, listed: object) -> None:
    assert outbox.tally() == {
        (State.SCHEDULED, None): 1,
        (State.SENT, None): 1,
        (State.FAILED, Reason.REJECTED): 1,
        (State.SKIPPED, Reason.PAST): 1,
        (State.HELD, Reason.PAUSED): 1,
    }


def test_patients_with_something_ahead_are_those_whose_plan_may_still_differ(
    outbox: Outbox,
) -> None:
    ahead = one(outbox, state=State.SKIPPED, reason=Reason.NO_CONSENT, expires_at=NOW + HOUR)
    one(outbox, state=State.SENT, expires_at=NOW)
    waiting = one(outbox, expires_at=NOW)
    assert outbox.open_patient_ids(NOW) == [ahead.patient_id, waiting.patient_id]


# What is due --------------------------------------------------------------------------------------


def test_the_earliest_due_patients_come_first_and_each_once(outbox: Outbox) -> None:
    third, first, second = (with_session(outbox, with_patient(outbox)) for _ in range(3))
    saved(
        outbox,
        a_reminder(third, due_at=NOW),
        a_reminder(first, due_at=NOW - 3 * HOUR),
        a_reminder(second, due_at=NOW - 2 * HOUR),
        a_reminder(first, milestone="b", due_at=NOW - HOUR),
        a_reminder(third, milestone="b", due_at=NOW + timedelta(milliseconds=1)),
    )
    ids = [each.patient_id for each in (first, second, third)]
    assert outbox.due_patients(NOW, 10, ()) == ids
    assert outbox.due_patients(NOW, 2, ()) == ids[:2]
    assert outbox.due_patients(NOW - 4 * HOUR, 10, ()) == []
    assert outbox.next_due(()) == NOW - 3 * HOUR


def test_due_facts_hold_what_is_due_and_nothing_else(outbox: Outbox) -> None:
    session = with_session(outbox, with_patient(outbox))
    due, *_ = saved(
        outbox,
        a_reminder(session, due_at=NOW),
        a_reminder(session, milestone="b", due_at=NOW + timedelta(milliseconds=1)),
        a_reminder(session, milestone="c", state=State.HELD, reason=Reason.PAUSED),
    )
    (facts,) = outbox.due_facts([session.patient_id or 0], NOW)
    assert facts.reminders == (due,)
    assert facts.sessions == (session,)


def test_what_was_put_off_is_not_due_before_it_is_to_be_looked_at(outbox: Outbox) -> None:
    one(outbox, due_at=NOW - HOUR, wake_at=NOW + HOUR / 2)
    assert outbox.due_patients(NOW, 10, ()) == []
    assert outbox.next_due(()) == NOW + HOUR / 2


def test_a_clinics_channel_on_which_nothing_can_leave_is_left_out(outbox: Outbox) -> None:
    here, there = with_patient(outbox), with_patient(outbox)
    with outbox.transaction():
        outbox.update_patient(replace(there, clinic="second"), NOW)
    at_home, abroad = with_session(outbox, here), with_session(outbox, there)
    saved(
        outbox,
        a_reminder(at_home, due_at=NOW - 3 * HOUR),
        a_reminder(abroad, due_at=NOW - 2 * HOUR),
        a_reminder(at_home, milestone="b", channel=EMAIL, due_at=NOW - HOUR),
    )
    resting = [("main", SMS)]
    assert outbox.due_patients(NOW, 10, resting) == [there.id, here.id]
    assert outbox.next_due(resting) == NOW - 2 * HOUR
    resting = [("main", SMS), ("second", SMS), ("second", EMAIL)]
    assert outbox.due_patients(NOW, 10, resting) == [here.id]
    resting = [("main", EMAIL), *resting]
    assert (outbox.due_patients(NOW, 10, resting), outbox.next_due(resting)) == ([], None)


def test_nothing_is_due_in_an_empty_outbox(outbox: Outbox) -> None:
    assert outbox.next_due(()) is None
    assert outbox.due_patients(NOW, 10, ()) == []
    assert outbox.facts([]) == []


# Expiry -------------------------------------------------------------------------------------------


def test_what_waits_past_its_expiry_expires_with_the_reason_why_it_waited(outbox: Outbox) -> None:
    session = with_session(outbox, with_patient(outbox))
    late, held, ahead = saved(
        outbox,
        a_reminder(session, expires_at=NOW),
        a_reminder(
            session, milestone="b", expires_at=NOW, state=State.HELD, reason=Reason.UNCONFIRMED
        ),
        a_reminder(session, milestone="c", expires_at=NOW + timedelta(milliseconds=1)),
    )
    with outbox.transaction():
        counts = outbox.expire(NOW).by_reason
    assert counts == {Reason.LATE: 1, Reason.UNCONFIRMED: 1}
    rows = {each.milestone: each for each in outbox.reminders(EVERYTHING)}
    over = {"state": State.EXPIRED, "wake_at": None}
    assert rows["no-shower"] == late._replace(reason=Reason.LATE, **over)
    assert rows["b"] == held._replace(**over)
    assert rows["c"] == ahead


@pytest.mark.parametrize(
    "state", [each for each in State if each not in (State.SCHEDULED, State.HELD)]
)
def test_what_does_not_wait_does_not_expire(outbox: Outbox, state: State) -> None:
    before = one(outbox, state=state, expires_at=NOW - HOUR)
    with outbox.transaction():
        assert outbox.expire(NOW).by_reason == {}
    assert outbox.reminder(before.id or 0) == before


# Claiming, marking, settling ----------------------------------------------------------------------


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
        assert outbox.recover(LATER) == (1, 0)
    assert outbox.reminder(reminder.id or 0) == reminder
    (attempt,) = outbox.attempts(reminder.id or 0)
    assert (attempt.outcome, attempt.settled_at) == (Outcome.RETURNED, LATER)


def test_after_a_crash_what_was_marked_is_in_doubt_and_looked_into(outbox: Outbox) -> None:
    reminder = one(outbox)
    taken = marked(outbox, reminder)
    with outbox.transaction():
        assert outbox.recover(LATER) == (0, 1)
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
        assert outbox.recover(LATER) == (0, 0)
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
