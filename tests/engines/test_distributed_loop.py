"""What a worker's loop promises: to look when something is due or has changed, whatever fails."""

import logging
import threading
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

import pytest

from reminderd.clock import SystemClock
from reminderd.dispatch import Drained
from reminderd.engines.distributed import beats, loop
from reminderd.engines.distributed.loop import DistributedLoop
from reminderd.engines.distributed.outbox import DistributedOutbox
from reminderd.errors import TryAgainLater
from tests.engines.rows import with_patient
from tests.waiting import PATIENCE, until

CLOCK = SystemClock()
LEASE = timedelta(seconds=15)


class Watched:
    """A dispatch that notes each look; after the first one it has something to wake for."""

    def __init__(self, wakes_after: timedelta | None = None) -> None:
        self.looks = threading.Semaphore(0)
        self.wakes_at: datetime | None = None
        self._wakes_after = wakes_after
        self.drained_at: list[datetime] = []
        self.error: Exception | None = None
        self.is_closed = False

    def drain(self, now: datetime) -> Drained:
        if self.error is not None:
            raise self.error
        self.drained_at.append(CLOCK.now())
        self.looks.release()
        return Drained()

    def next_wake_at(self, now: datetime) -> datetime | None:
        if self._wakes_after is None or self.wakes_at is not None:
            return None
        self.wakes_at = CLOCK.now() + self._wakes_after
        return self.wakes_at

    def looks_again(self) -> bool:
        return self.looks.acquire(timeout=PATIENCE)

    def show_life(self) -> None: ...

    def request_stop(self) -> None: ...

    def inherit(self, predecessor: object) -> None: ...

    def close(self) -> None:
        self.is_closed = True


class Running:
    """A loop in a thread of its own."""

    def __init__(self, url: str, *dispatches: Watched) -> None:
        self.stop = threading.Event()
        self.successors: list[list[Watched]] = []
        self.raised: BaseException | None = None
        self.outbox = DistributedOutbox(url)
        ((number,),) = self.outbox.rows(
            "INSERT INTO workers (name, schema) VALUES ('one', 6) RETURNING id"
        )
        self._loop = DistributedLoop(
            url, int(number), LEASE, self.outbox, dispatches, CLOCK, CLOCK.now, bool
        )
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    def _run(self) -> None:
        try:
            self._loop.run(self.stop, lambda: self.successors.pop() if self.successors else None)
        except RuntimeError as error:
            self.raised = error

    def end(self) -> None:
        self.stop.set()
        self.thread.join()
        self.outbox.close_all()


Run = Callable[..., Running]


@pytest.fixture
def run() -> Iterator[Run]:
    begun: list[Running] = []

    def begin(*given: object) -> Running:
        begun.append(Running(*given))  # type: ignore[arg-type]
        return begun[-1]

    yield begin
    for each in begun:
        each.end()


def test_it_looks_at_the_instant_at_which_something_is_due(
    new_postgresql: Callable[[], str], run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(beats, "EVERY_15_SECONDS", "0 0 1 1 *")  # no beat comes to help
    dispatch = Watched(wakes_after=timedelta(seconds=1))
    run(new_postgresql(), dispatch)
    due_at = until(lambda: dispatch.wakes_at, "the first look")
    late = until(lambda: [each for each in dispatch.drained_at if each >= due_at], "the look")
    assert late[0] - due_at < timedelta(seconds=5)


def test_every_dispatch_of_every_worker_looks_when_somebody_writes(
    new_postgresql: Callable[[], str], run: Run
) -> None:
    url = new_postgresql()
    first, other, third = Watched(), Watched(), Watched()
    running = run(url, first, other)
    run(url, third)
    looks = [each.looks for each in (first, other, third)]
    assert all(each.acquire(timeout=PATIENCE) for each in looks)

    def all_look() -> bool:
        with_patient(running.outbox)
        return all(each.acquire(timeout=0.5) for each in looks)

    until(all_look, "a look of all")


def test_without_a_job_queue_it_looks_by_itself_and_says_so(
    new_postgresql: Callable[[], str],
    run: Run,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(loop, "BEAT", timedelta(seconds=0.05))
    url = new_postgresql()
    outbox = DistributedOutbox(url)
    outbox.rows("DROP SCHEMA procrastinate CASCADE")
    outbox.close_all()
    dispatch = Watched()
    run(url, dispatch)
    assert all(dispatch.looks_again() for _ in range(4))
    until(lambda: "every worker looks by itself" in caplog.text, "a word about it")


def test_what_cannot_be_recorded_is_tried_again_and_what_cannot_be_helped_ends_it(
    new_postgresql: Callable[[], str], run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "BEAT", timedelta(seconds=0.05))
    dispatch = Watched()
    dispatch.error = TryAgainLater("the server is down")
    running = run(new_postgresql(), dispatch)
    dispatch.error = None
    assert dispatch.looks_again()
    dispatch.error = RuntimeError("a mistake of ours")
    running.thread.join(PATIENCE)
    assert str(running.raised) == "a mistake of ours"


def test_after_a_reload_the_new_dispatch_looks_at_once(
    new_postgresql: Callable[[], str], run: Run
) -> None:
    old, new = Watched(), Watched()
    running = run(new_postgresql(), old)
    assert old.looks_again()
    running.successors.append([new])
    assert new.looks_again()
    assert old.is_closed


def test_nothing_of_it_runs_on_once_it_has_stopped(
    new_postgresql: Callable[[], str], run: Run, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    before = set(threading.enumerate())
    dispatch = Watched()
    running = run(new_postgresql(), dispatch)
    assert dispatch.looks_again()
    running.end()
    assert {each for each in threading.enumerate() if each not in before} == set()
    assert dispatch.is_closed
    assert {each.name for each in caplog.records if each.name.startswith("procrastinate")} == set()
