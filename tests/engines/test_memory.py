"""A database that has forgotten what was sent, as a standby may that took over, sends nothing."""

from collections.abc import Iterator
from contextlib import suppress

import pytest

from reminderd.engines.distributed.outbox import DistributedOutbox
from reminderd.errors import TryAgainLater
from reminderd.holding import RESTORED, held, release
from tests.engines.rows import HOUR, NOW, marked, one


@pytest.fixture
def outbox(postgresql: str) -> Iterator[DistributedOutbox]:
    outbox = DistributedOutbox(postgresql)
    yield outbox
    outbox.close_all()


def due(outbox: DistributedOutbox) -> list[int]:
    with outbox.beside():
        return outbox.due_patients(NOW, 500)


def test_a_message_that_was_being_sent_and_is_gone_holds_sending(
    outbox: DistributedOutbox,
) -> None:
    taken = marked(outbox, one(outbox))
    waiting = one(outbox)
    assert due(outbox) == [waiting.patient_id]
    assert not held(outbox)
    _lose(outbox, taken.attempt_id)
    assert due(outbox) == []
    assert [each.cause for each in held(outbox)] == [RESTORED]


def test_what_was_to_be_held_when_the_server_went_is_held_once_it_is_back(
    outbox: DistributedOutbox,
) -> None:
    taken = marked(outbox, one(outbox))
    one(outbox)
    _lose(outbox, taken.attempt_id)
    with suppress(TryAgainLater), outbox.beside():
        assert outbox.due_patients(NOW, 500) == []
        raise TryAgainLater("the server is gone")
    assert not held(outbox)
    assert due(outbox) == []
    assert [each.cause for each in held(outbox)] == [RESTORED]


def test_once_somebody_has_looked_it_goes_on(outbox: DistributedOutbox) -> None:
    taken = marked(outbox, one(outbox))
    waiting = one(outbox)
    _lose(outbox, taken.attempt_id)
    assert outbox.hold_where_forgotten(NOW)
    with outbox.transaction():
        release(outbox, None, "Dr. Alba", NOW + HOUR)
    assert due(outbox) == [waiting.patient_id]


def test_a_number_that_was_given_again_is_not_taken_for_the_lost_one(
    outbox: DistributedOutbox,
) -> None:
    taken = marked(outbox, one(outbox))
    outbox.execute(
        "UPDATE attempts SET claimed_at = claimed_at + 1 WHERE id = ?", (taken.attempt_id,)
    )
    assert outbox.hold_where_forgotten(NOW)


def _lose(outbox: DistributedOutbox, attempt_id: int) -> None:
    outbox.execute("DELETE FROM attempts WHERE id = ?", (attempt_id,))
