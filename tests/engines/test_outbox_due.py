"""Who is due, and what expires while it waits."""

from dataclasses import replace
from datetime import timedelta

import pytest

from reminderd.interfaces import Outbox
from reminderd.model import Reason, State
from tests.engines.rows import (
    EITHER_WAY,
    EMAIL,
    EVERYTHING,
    HOUR,
    NOW,
    SMS,
    a_reminder,
    one,
    saved,
    with_patient,
    with_session,
)

pytestmark = EITHER_WAY

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


def test_no_clinic_waits_for_the_thousands_of_another(outbox: Outbox) -> None:
    crowd, few = with_patient(outbox), with_patient(outbox)
    with outbox.transaction():
        outbox.update_patient(replace(few, clinic="second"), NOW)
    for who, count, since in ((crowd, 300, 2 * HOUR), (few, 3, HOUR)):
        session = with_session(outbox, who)
        many = (a_reminder(session, milestone=f"m{n}", due_at=NOW - since) for n in range(count))
        saved(outbox, *many)
    assert few.id in outbox.due_patients(NOW, 10, ())
    assert outbox.due_patients(NOW, 10, [("second", SMS)]) == [crowd.id]
    assert outbox.due_patients(NOW, 10, [("main", SMS)]) == [few.id]


def test_what_another_one_took_is_not_due_and_the_rest_is(outbox: Outbox) -> None:
    sessions = []
    for number in range(6):
        who = with_patient(outbox)
        if number % 2:
            with outbox.transaction():
                outbox.update_patient(replace(who, clinic="second"), NOW)
        sessions.append(with_session(outbox, who))
    rows = saved(outbox, *(a_reminder(each, due_at=NOW) for each in sessions))
    first = outbox.due_patients(NOW, 2, ())
    with outbox.transaction():
        outbox.save_reminders([each._replace(state=State.SENT, wake_at=None) for each in rows[:5]])
    assert len(first) == 2
    assert outbox.due_patients(NOW, 2, ()) == [sessions[5].patient_id]
    assert outbox.due_patients(NOW, 1, ()) == [sessions[5].patient_id]


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
