"""The long version: python -m tests.faults.torture [--kills 200] [--years 10000], on all cores."""

import argparse
import os
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from tests.faults.kills import CRASH_POINTS, kill
from tests.faults.simulate import report

Task = tuple[str, int]


def one(task: Task) -> tuple[Task, list[str], str]:
    """One kill in a folder of its own."""
    with tempfile.TemporaryDirectory(prefix="reminderd-kill-") as folder:
        wrongs, ended = kill(*task, Path(folder))
    return task, wrongs, ended


def kills(seeds: int) -> int:
    """Every crash point with so many seeds; the table says how often it was reached."""
    tasks = [(point, seed) for seed in range(seeds) for point in CRASH_POINTS]
    counts, began = Counter[tuple[str, str]](), time.monotonic()
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        for done, ((point, seed), wrongs, ended) in enumerate(pool.map(one, tasks), 1):
            counts[point, "broken" if wrongs else ended] += 1
            if wrongs:
                print(f"{point}, seed {seed}:", *wrongs[:5], sep="\n  ", flush=True)
            if done % 100 == 0:
                said = f"{done} of {len(tasks)} kills, {time.monotonic() - began:.0f} s"
                print(said, file=sys.stderr, flush=True)
    print(f"{'killed at':32}{'recovered':>12}{'not reached':>13}{'broken':>8}")
    for point in CRASH_POINTS:
        killed, missed, broken = (counts[point, e] for e in ("killed", "not reached", "broken"))
        print(f"{point:32}{killed:>12}{missed:>13}{broken:>8}")
    return int(any(what == "broken" for _, what in counts))


def main(words: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults.torture")
    parser.add_argument("--kills", type=int, default=200, help="seeds for each crash point")
    parser.add_argument("--years", type=int, default=10_000, help="simulated years")
    given = parser.parse_args(words)
    return kills(given.kills) | report(range(given.years))


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
