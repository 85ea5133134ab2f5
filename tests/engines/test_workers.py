"""Many who send from one database: who lives, whose turn it is, how fast all of them send."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from reminderd.errors import TryAgainLater
from reminderd.interfaces import Callback, News
from reminderd.polling import EVERY, Polling
from reminderd.words import AnswerState
from tests.engines.rows import NOW, claimed, one
from tests.engines.test_answers import answered, marked, replied

if TYPE_CHECKING:
    from reminderd.engines.distributed.outbox import DistributedOutbox

    Worker = Callable[[str], DistributedOutbox]

# By the clock of the database a lease passes.
PASSED = "UPDATE workers SET seen_at = seen_at - 15000 WHERE name = %s RETURNING id"
SOON = timedelta(seconds=20)
MINUTE, QUARTER = timedelta(minutes=1), timedelta(minutes=15)


@pytest.fixture
def worker(postgresql: str) -> "Iterator[Worker]":
    """Another machine on the same database, on duty until the test ends."""
    from reminderd.engines.distributed.outbox import DistributedOutbox

    with ExitStack() as machines:

        def start(name: str) -> DistributedOutbox:
            outbox = DistributedOutbox(postgresql)
            machines.callback(outbox.close_all)
            machines.enter_context(outbox.on_duty(name))
            return outbox

        yield start


def names(outbox: "DistributedOutbox") -> list[str]:
    return [each.name for each in outbox.workers()]


def has_turn(outbox: "DistributedOutbox", kept: timedelta = timedelta()) -> bool:
    with outbox.turn("replies", kept) as is_mine:
        return is_mine


# Who lives ---------------------------------------------------------------------------------------


def test_who_is_on_duty_is_known_to_all_until_it_ends(worker: "Worker", postgresql: str) -> None:
    from reminderd.engines.distributed.outbox import DistributedOutbox

    alba, other = worker("alba-1"), DistributedOutbox(postgresql)
    with other.on_duty("alba-2"):
        assert names(alba) == names(other) == ["alba-1", "alba-2"]
        assert alba.worker != other.worker
    other.close_all()
    assert names(alba) == ["alba-1"]


def test_who_gives_no_sign_of_life_for_a_lease_is_gone(worker: "Worker") -> None:
    alba, _ = worker("alba-1"), worker("alba-2")
    alba.rows(PASSED, ("alba-2",))
    assert names(alba) == ["alba-1"]


def test_why_one_sends_nothing_is_known_to_all(worker: "Worker") -> None:
    from reminderd.engines.distributed.clocks import SharedClock
    from reminderd.engines.distributed.workers import Lease

    alba, slow = worker("alba-1"), worker("alba-2")
    clock = SharedClock()
    clock.trouble = "its clock is 7 s behind"
    Lease(slow.rows, slow.worker or 0, clock).beat()
    assert [each.trouble for each in alba.workers()] == ["", "its clock is 7 s behind"]


def test_a_sign_of_life_that_nobody_hears_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    from reminderd.engines.distributed.clocks import SharedClock
    from reminderd.engines.distributed.workers import Lease

    answers = iter([False, False, True])

    def rows(sql: str, parameters: object = None) -> list[tuple[object, ...]]:
        if next(answers):
            return [(0,)]
        raise TryAgainLater("the server is away")

    lease = Lease(rows, 1, SharedClock())
    for _ in range(3):
        lease.beat_again()
    assert [each.levelname for each in caplog.records] == ["ERROR", "WARNING"]


# What nobody knows to be theirs -----------------------------------------------------------------


def test_what_one_took_without_hearing_that_it_has_it_is_due_again(worker: "Worker") -> None:
    alba, other = worker("alba-1"), worker("alba-2")
    reminder = one(alba)
    claimed(alba, reminder)  # and the answer to its COMMIT is lost
    assert not other.has_orphans(NOW + MINUTE)
    assert recovered(other, NOW + MINUTE) == []
    assert other.has_orphans(NOW + QUARTER)
    assert recovered(other, NOW + QUARTER) == [reminder.patient_id]


def test_an_answer_that_one_marked_without_hearing_of_it_is_in_doubt(worker: "Worker") -> None:
    alba, other = worker("alba-1"), worker("alba-2")
    number = replied(alba)
    marked(alba, answered(alba, number), AnswerState.MARKED)
    states = []
    for now in (NOW + MINUTE, NOW + QUARTER):
        recovered(other, now)
        answer = other.answer_to(number)
        states.append(answer and answer.state)
    assert states == [AnswerState.MARKED, AnswerState.UNKNOWN]


def recovered(outbox: "DistributedOutbox", now: datetime) -> list[int]:
    with outbox.transaction():
        returned, _ = outbox.recover(now)
    return returned


# Whose turn it is --------------------------------------------------------------------------------


def test_a_turn_is_of_one_at_a_time(worker: "Worker") -> None:
    alba, other = worker("alba-1"), worker("alba-2")
    with alba.turn("replies") as is_mine:
        assert is_mine
        assert not has_turn(other)
        with other.turn("alerts") as another:
            assert another
    assert has_turn(other)


def test_a_turn_is_kept_for_as_long_as_was_said(worker: "Worker") -> None:
    alba, other = worker("alba-1"), worker("alba-2")
    assert has_turn(alba, SOON)
    assert not has_turn(other)
    assert has_turn(alba, SOON)
    alba.rows("UPDATE turns SET until = until - %s RETURNING name", (SOON.total_seconds() * 1000,))
    assert has_turn(other)


def test_a_turn_ends_with_whoever_had_it(worker: "Worker") -> None:
    alba, other = worker("alba-1"), worker("alba-2")
    with alba.turn("replies"):
        other.rows(PASSED, ("alba-1",))  # its machine died
        with other.turn("replies") as is_mine:
            assert is_mine
            assert not has_turn(worker("alba-3"))
    assert has_turn(alba)


def test_what_was_done_in_a_turn_fails_and_the_turn_is_free(worker: "Worker") -> None:
    alba, other = worker("alba-1"), worker("alba-2")
    with pytest.raises(ValueError, match="no"), alba.turn("replies"):
        raise ValueError("no")
    assert has_turn(other)


# How fast ----------------------------------------------------------------------------------------


def test_all_together_send_as_fast_as_one_may(worker: "Worker") -> None:
    one, other = worker("alba-1").pace("sms", 10), worker("alba-2").pace("sms", 10)
    assert one.wait_seconds(10, 0) == 0
    assert other.wait_seconds(10, 0) == pytest.approx(1, abs=0.5)
    assert one.wait_seconds(10, 0) == pytest.approx(2, abs=0.5)


def test_a_second_s_worth_is_saved_at_most(worker: "Worker") -> None:
    outbox = worker("alba-1")
    pace = outbox.pace("sms", 10)
    assert pace.wait_seconds(10, 0) == 0
    outbox.rows("UPDATE paces SET at = at - 60000 RETURNING at")
    assert pace.wait_seconds(10, 0) == 0
    assert pace.wait_seconds(5, 0) == pytest.approx(0.5, abs=0.4)


def test_a_clock_that_was_put_back_stops_nobody(worker: "Worker") -> None:
    outbox = worker("alba-1")
    pace = outbox.pace("sms", 10)
    assert pace.wait_seconds(10, 0) == 0
    outbox.rows("UPDATE paces SET at = at + 3600000 RETURNING at")
    assert pace.wait_seconds(5, 0) == pytest.approx(0.5, abs=0.4)
    outbox.rows("UPDATE paces SET at = at - 1000 RETURNING at")
    assert pace.wait_seconds(5, 0) == 0


def test_each_transport_has_a_pace_of_its_own(worker: "Worker") -> None:
    outbox = worker("alba-1")
    assert outbox.pace("sms", 1).wait_seconds(1, 0) == 0
    assert outbox.pace("mail", 1).wait_seconds(1, 0) == 0


# What one does for all ---------------------------------------------------------------------------


def test_one_asks_a_provider_for_all_until_it_is_gone(worker: "Worker") -> None:
    alba, other = worker("alba-1"), worker("alba-2")
    one, second = Asked(), Asked()
    first = Polling(alba, "sms", one, EVERY)
    then = Polling(other, "sms", second, EVERY)
    for now in (NOW, NOW + EVERY):
        assert first.poll(now) == then.poll(now) == now + EVERY
    assert (one.times, second.times) == (2, 0)
    then.poll(NOW, at_once=True)  # it may have missed a call
    assert second.times == 1
    alba.rows(PASSED, ("alba-1",))
    then.poll(NOW)
    assert second.times == 2


class Asked:
    """A provider that has nothing to tell, and counts how often it was asked."""

    times = 0

    def news(self, since: datetime) -> list[News]:
        self.times += 1
        return []

    def receipt(self, provider_id: str) -> Callback:
        raise AssertionError("nothing was sent")
