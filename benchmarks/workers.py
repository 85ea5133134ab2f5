"""Processes that begin their work together and tell what they have done, and what it cost them."""

import multiprocessing
import time
from collections.abc import Callable, Sequence
from multiprocessing.synchronize import Barrier
from typing import Any, NamedTuple

PATIENCE_SECONDS = 60.0


class Done(NamedTuple):
    """By one process: how much, from when to when, and for how many processor seconds."""

    count: int
    began: float
    ended: float
    cpu: float


def rate(done: Sequence[Done]) -> float:
    """All of it a second, from the first begin to the last end."""
    took = max(each.ended for each in done) - min(each.began for each in done)
    return sum(each.count for each in done) / took


def together(processes: int, prepare: Callable[..., Callable[[], int]], *given: Any) -> list[Done]:
    """`prepare(*given)` in so many processes; what it returns is begun when all are ready."""
    spawn = multiprocessing.get_context("spawn")
    ready, told = spawn.Barrier(processes), spawn.SimpleQueue()
    running = [
        spawn.Process(target=_work, args=(ready, told, prepare, given)) for _ in range(processes)
    ]
    for each in running:
        each.start()
    found = [told.get() for _ in running]
    for each in running:
        each.join()
    failed = [each for each in found if isinstance(each, Exception)]
    if failed:
        raise failed[0]
    return found


def _work(ready: Barrier, told: Any, prepare: Callable[..., Callable[[], int]], given: Any) -> None:
    try:
        work = prepare(*given)
        ready.wait(PATIENCE_SECONDS)
        began, before = time.monotonic(), time.process_time()
        count = work()
        told.put(Done(count, began, time.monotonic(), time.process_time() - before))
    except Exception as error:
        ready.abort()
        told.put(RuntimeError(repr(error)))
