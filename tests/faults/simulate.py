"""Plays years: python -m tests.faults.simulate --seed 123, or --seeds 10000 on all cores.

A year in which a promise was broken is told with its seed, and plays again exactly so.
"""

import argparse
import logging
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from io import StringIO
from multiprocessing import get_context
from pathlib import Path

from tests.faults.checker import CANARIES
from tests.faults.clinic_year import Ground, Outcome, Year
from tests.faults.fates import table
from tests.faults.happenings import Scale

MOST_SHOWN = 20  # bad years
LARGE = Scale(patients=6, events=30)
SMALL = Scale(patients=3, events=12, troubles=0.3, cut_chance=1 / 50)


ON_THE_WIRE = Scale(patients=2, events=10, troubles=0.4, cut_chance=1 / 60)


def scale_of(seed: int) -> Scale:
    """Every twentieth year is one of a larger clinic."""
    return Scale() if seed % 20 else LARGE


@cache
def ground(kind: type[Ground] = Ground) -> Ground:
    folder = tempfile.TemporaryDirectory(prefix="reminderd-year-", dir=_fast_place())
    _kept.append(folder)  # gone with the process
    return kind(Path(folder.name))


_kept: list[tempfile.TemporaryDirectory[str]] = []


def _fast_place() -> str | None:
    return "/dev/shm" if Path("/dev/shm").is_dir() else None


def play(seed: int, scale: Scale | None = None, year: type[Year] = Year) -> Outcome:
    """One year; its log is searched for what must not be in it."""
    said = StringIO()
    handler = logging.StreamHandler(said)
    logger = logging.getLogger("reminderd")
    logger.addHandler(handler)
    logger.propagate = False
    try:
        outcome = year(ground(year.ground_class), seed, scale or scale_of(seed)).live()
    finally:
        logger.removeHandler(handler)
        logger.propagate = True
    outcome.wrongs += [f"the log says {each}" for each in CANARIES if each in said.getvalue()]
    return outcome


def play_on_the_wire(seed: int) -> Outcome:
    """A short year with real clients and servers that break."""
    from tests.faults.wire import WireYear

    return play(seed, ON_THE_WIRE, WireYear)


def play_small(seed: int) -> Outcome:
    """A year as small as in the tests."""
    return play(seed, SMALL)


Play = Callable[[int], Outcome]


def main(words: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults.simulate")
    parser.add_argument("--seed", type=int, help="play this one year again")
    parser.add_argument("--small", action="store_true", help="a year as small as in the tests")
    parser.add_argument("--seeds", type=int, default=100, help="how many years")
    parser.add_argument("--first", type=int, default=0, help="the first of them")
    parser.add_argument("--wire", action="store_true", help="over real sockets")
    given = parser.parse_args(words)
    one: Play = play_on_the_wire if given.wire else play_small if given.small else play
    if given.seed is not None:
        outcome = one(given.seed)
        print(*sorted(outcome.counts.items()), *outcome.wrongs, sep="\n")
        return int(bool(outcome.wrongs))
    return report(range(given.first, given.first + given.seeds), one)


def report(seeds: range, one: Play = play) -> int:
    """Play these years, tell of progress, and end with what became of it all."""
    counts, fates, bad, began = Counter[str](), Counter[tuple[str, str]](), 0, time.monotonic()
    with workers() as pool:
        for done, outcome in enumerate(pool.map(one, seeds, chunksize=10), 1):
            counts.update(outcome.counts)
            fates.update(outcome.fates)
            if outcome.wrongs:
                bad += 1
                if bad <= MOST_SHOWN:
                    _tell(outcome, one)
            if done % 500 == 0:
                took = time.monotonic() - began
                print(f"{done} of {len(seeds)} years, {took:.0f} s", file=sys.stderr, flush=True)
    print(table(fates), *(f"{n:>9} {what}" for what, n in sorted(counts.items())), sep="\n")
    print(_rarest(fates, counts))
    print(f"{len(seeds)} years in {time.monotonic() - began:.0f} s, {bad} with a broken promise")
    return int(bad > 0)


def _rarest(fates: Counter[tuple[str, str]], counts: Counter[str]) -> str:
    """What happened least often: what is too rare proves nothing."""
    struck = Counter[str]()
    for (fault, _), n in fates.items():
        struck[fault] += n
    lines = []
    for what, found in (("fault", struck), ("happening", counts)):
        name, n = min(found.items(), key=lambda each: each[1])
        lines.append(f"the rarest {what}: {name}, {n} times")
    return "\n".join(lines)


def workers(more: int = 0) -> ProcessPoolExecutor:
    """A process for each core, none of which shares a file with another or with this one."""
    return ProcessPoolExecutor((os.cpu_count() or 1) + more, mp_context=get_context("spawn"))


def _tell(outcome: Outcome, one: Play) -> None:
    """What was broken, and how to see it again."""
    how = " --wire" if one is play_on_the_wire else " --small" if one is play_small else ""
    print(f"seed {outcome.seed}: python -m tests.faults.simulate{how} --seed {outcome.seed}")
    print(*(f"  {each}" for each in outcome.wrongs[:5]), sep="\n", flush=True)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
