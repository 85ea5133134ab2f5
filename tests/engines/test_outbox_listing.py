"""What staff list is narrowed, sorted and counted."""

from typing import Any

import pytest

from reminderd.interfaces import Outbox, ReminderFilter
from reminderd.model import Reason, Reminder, State
from tests.engines.rows import (
    EITHER_WAY,
    EVERYTHING,
    HOUR,
    NOW,
    a_reminder,
    one,
    saved,
    with_patient,
    with_session,
)

pytestmark = EITHER_WAY


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
