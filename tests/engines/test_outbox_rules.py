"""Ids, transactions, and what no outbox takes in."""

from dataclasses import replace
from typing import Any

import pytest

from reminderd.errors import ReminderdError
from reminderd.interfaces import Outbox
from reminderd.model import Patient, State
from tests.engines.rows import (
    EITHER_WAY,
    EVERYTHING,
    HOUR,
    NOW,
    a_reminder,
    saved,
    side_by_side,
    with_patient,
    with_session,
)

pytestmark = EITHER_WAY

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
