"""How a measurement is told: a median of several runs, and its ratio to a baseline."""

import statistics
import time
from collections.abc import Callable


def seconds(work: Callable[[], object], runs: int = 5) -> float:
    """The median of several runs, after one that does not count."""
    work()
    taken = []
    for _ in range(runs):
        started = time.perf_counter()
        work()
        taken.append(time.perf_counter() - started)
    return statistics.median(taken)


def line(name: str, figure: str, baseline: str = "") -> None:
    """One row of the report."""
    print(f"{name:<46} {figure:>18}   {baseline}", flush=True)
