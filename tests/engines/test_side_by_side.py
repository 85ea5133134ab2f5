"""Two who work at once on one patient, or on the trail: one waits, and sees what the other did."""

import threading
from collections.abc import Callable, Iterator

import pytest

from reminderd.audit import Action, Entry
from reminderd.engines.distributed.outbox import DistributedOutbox
from reminderd.model import Outcome
from tests.engines.rows import NOW, SMS, claimed, one, side_by_side, with_patient, words
from tests.waiting import until


@pytest.fixture
def outbox(postgresql: str) -> Iterator[DistributedOutbox]:
    outbox = DistributedOutbox(postgresql)
    yield outbox
    outbox.close_all()


def meanwhile(outbox: DistributedOutbox, work: Callable[[], object]) -> threading.Thread:
    """Start `work` in a thread that will have to wait for what this one holds."""
    thread = threading.Thread(target=work)
    thread.start()
    waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted"
    until(lambda: outbox.rows(waiting)[0][0] > 0, "one who waits")
    return thread


def test_what_is_marked_while_staff_take_claims_back_is_not_taken_back(
    outbox: DistributedOutbox,
) -> None:
    reminder = one(outbox)
    taken = claimed(outbox, reminder)
    patient = reminder.patient_id
    assert patient is not None

    def staff() -> None:
        with outbox.transaction():
            outbox.take_back(patient, NOW)

    with outbox.beside():
        outbox.lock_patients([patient])
        outbox.mark([words(taken)], NOW)
        thread = meanwhile(outbox, staff)
    thread.join()
    (attempt,) = outbox.attempts(reminder.id or 0)
    assert attempt.outcome is Outcome.MARKED


def test_what_staff_have_taken_back_is_not_marked(outbox: DistributedOutbox) -> None:
    reminder = one(outbox)
    taken = claimed(outbox, reminder)
    patient = reminder.patient_id
    assert patient is not None
    found: list[frozenset[int]] = []

    def lane() -> None:
        with outbox.beside():
            outbox.lock_patients([patient])
            found.append(outbox.open_attempts([taken.attempt_id]))

    with outbox.transaction():
        outbox.take_back(patient, NOW)
        thread = meanwhile(outbox, lane)
    thread.join()
    assert found == [frozenset()]


def test_a_patient_on_whom_somebody_works_is_skipped_and_others_are_not(
    outbox: DistributedOutbox,
) -> None:
    first, second = one(outbox), one(outbox)
    found: list[list[int]] = []

    def other() -> None:
        with outbox.beside():
            found.append(outbox.due_patients(NOW, 500, ()))

    with outbox.beside():
        outbox.lock_patients([first.patient_id or 0])
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()
    assert found == [[second.patient_id]]


def test_what_a_reader_sees_of_a_patient_stays_so_until_its_unit_of_work_ends(
    outbox: DistributedOutbox,
) -> None:
    who = with_patient(outbox)
    name = f"pat-{who.id}"
    changed = threading.Event()

    def staff() -> None:
        with outbox.transaction():
            known = outbox.find_patient(name)
            assert known is not None
            outbox.update_patient(known, NOW)
        changed.set()

    with outbox.beside():
        assert who.phone is not None
        assert [each.id for each in outbox.patients_with(SMS, who.phone)] == [who.id]
        thread = meanwhile(outbox, staff)
        assert not changed.is_set()
    thread.join()
    assert changed.is_set()


def test_the_trail_is_one_chain_whoever_adds_to_it_at_once(outbox: DistributedOutbox) -> None:
    def add() -> None:
        with outbox.beside():
            outbox.record([Entry(NOW, "somebody", Action.RELEASED, "sending")])

    side_by_side(outbox, 8, add)
    assert [each.number for each in outbox.trail()] == list(range(1, 9))
    assert outbox.trail_head() == (8, outbox.trail()[-1].digest)
