"""What several who use one outbox at once may rely on."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace

import pytest

from reminderd.engines.tables.outbox import TablesOutbox
from reminderd.errors import ReminderdError, TryAgainLater
from tests.engines.rows import EVERYTHING, LATER, NOW, one, with_patient

Another = Callable[..., TablesOutbox]
Elsewhere = Callable[[Callable[[], None]], "Future[None]"]


@pytest.fixture
def elsewhere() -> Iterator[Elsewhere]:
    """Begins work in another thread."""
    with ThreadPoolExecutor(2) as pool:
        yield pool.submit


def waits(work: "Future[None]") -> bool:
    """Whether it cannot go on at present."""
    try:
        work.result(0.1)
    except TimeoutError:
        return True
    return False


def test_what_is_done_is_seen_by_all_and_what_is_not_by_nobody(
    outbox: TablesOutbox, another: Another
) -> None:
    other = another()
    with other.transaction():
        other.set_note("who", "the other")
        assert other.note("who") == "the other"
        assert outbox.note("who") is None
    assert outbox.note("who") == "the other"


def test_readers_do_not_wait_for_writers(outbox: TablesOutbox, another: Another) -> None:
    other = another()
    with other.transaction():
        with_patient(other)
        assert outbox.patients() == []
        assert outbox.reminders(EVERYTHING) == []


def test_a_transaction_waits_for_the_one_before(
    outbox: TablesOutbox, another: Another, elsewhere: Elsewhere
) -> None:
    other = another()

    def add_to_it() -> None:
        with other.transaction():
            other.set_note("count", f"{other.note('count')} two")
        other.close()

    with outbox.transaction():
        adding = elsewhere(add_to_it)
        assert waits(adding)
        outbox.set_note("count", "one")
    adding.result(20)
    assert outbox.note("count") == "one two"


def test_whoever_has_waited_in_vain_is_told_to_try_again_later(
    outbox: TablesOutbox, another: Another
) -> None:
    impatient = another(patience_seconds=2)
    with outbox.transaction(), pytest.raises(TryAgainLater) as caught, impatient.transaction():
        pytest.fail("two are at work alone")
    assert caught.value.exit_code == 75
    with impatient.transaction():
        impatient.set_note("it", "goes on")


def test_what_one_reads_of_a_patient_nobody_changes_until_it_is_done(
    outbox: TablesOutbox, another: Another, elsewhere: Elsewhere
) -> None:
    reminder, other = one(outbox), another()
    (who,) = outbox.patients()

    def pause() -> None:
        with other.beside():
            (facts,) = other.facts([who.id or 0])
            other.update_patient(replace(facts.patient, paused=True), LATER)
        other.close()

    with outbox.beside():
        (facts,) = outbox.facts([who.id or 0])
        pausing = elsewhere(pause)
        assert waits(pausing)
        outbox.update_patient(replace(facts.patient, language="es"), NOW)
    pausing.result(20)
    assert outbox.patients() == [replace(who, language="es", paused=True)]
    assert outbox.reminder(reminder.id or 0) == reminder


def test_who_is_through_closes_what_is_its_own_and_nobody_elses(
    outbox: TablesOutbox, elsewhere: Elsewhere
) -> None:
    with outbox.transaction():
        outbox.set_note("mine", "not done yet")
        elsewhere(outbox.close).result(20)
    assert outbox.note("mine") == "not done yet"


# One within another ------------------------------------------------------------------------------


def test_a_unit_of_work_in_another_is_a_part_of_that(outbox: TablesOutbox) -> None:
    def half_done() -> None:
        with outbox.transaction():
            with outbox.transaction():
                outbox.set_note("inner", "done")
            with outbox.beside():
                outbox.set_note("beside", "done")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        half_done()
    assert (outbox.note("inner"), outbox.note("beside")) == (None, None)


def test_of_what_fails_beside_others_nothing_stays_either(outbox: TablesOutbox) -> None:
    who = with_patient(outbox)

    def half_done() -> None:
        with outbox.beside():
            outbox.update_patient(replace(who, paused=True), LATER)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        half_done()
    assert outbox.patients() == [who]


def test_what_was_tried_in_a_trial_is_not_done(outbox: TablesOutbox) -> None:
    with outbox.trial():
        with outbox.transaction():
            outbox.set_note("tried", "yes")
        assert outbox.note("tried") == "yes"
    assert outbox.note("tried") is None


def test_a_failed_statement_leaves_nothing_and_the_next_unit_works(outbox: TablesOutbox) -> None:
    with_patient(outbox, ref="A-1")
    for _ in range(3):
        with pytest.raises(ReminderdError):
            with_patient(outbox, ref="A-1")
    with_patient(outbox, ref="A-2")
    assert [each.ref for each in outbox.patients()] == ["A-1", "A-2"]
