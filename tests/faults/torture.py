"""The long version: python -m tests.faults.torture, on all cores; it ends with a summary.

--kills 200 --years 10000 --wire 1000
"""

import argparse
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from tests.faults import fresh, planted
from tests.faults.kills import CRASH_POINTS, kill
from tests.faults.simulate import play, play_on_the_wire, report, workers

Task = tuple[str, int]


def one(task: Task) -> tuple[Task, list[str], str]:
    """One kill in a folder of its own."""
    with tempfile.TemporaryDirectory(
        prefix="reminderd-kill-", ignore_cleanup_errors=True
    ) as folder:
        try:
            wrongs, ended = kill(*task, Path(folder))
        except Exception as error:
            wrongs, ended = [f"{type(error).__name__}: {error}"], "killed"
    return task, wrongs, ended


def kills(seeds: int) -> int:
    """Every crash point with so many seeds; the table says how often it was reached."""
    tasks = [(point, seed) for seed in range(seeds) for point in CRASH_POINTS]
    counts, began = Counter[tuple[str, str]](), time.monotonic()
    with workers(more=1) as pool:  # they wait for the disk now and then
        for done, (task, wrongs, ended) in enumerate(pool.map(one, tasks, chunksize=4), 1):
            counts[task[0], "broken" if wrongs else ended] += 1
            if wrongs:
                print(f"{task}: python -m tests.faults.kills {task[0]!r} {task[1]}")
                print(*(f"  {each}" for each in wrongs[:5]), sep="\n", flush=True)
            if done % 500 == 0:
                said = f"{done} of {len(tasks)} kills, {time.monotonic() - began:.0f} s"
                print(said, file=sys.stderr, flush=True)
    print(f"{'killed at':32}{'recovered':>12}{'not reached':>13}{'broken':>8}")
    for point in CRASH_POINTS:
        killed, missed, broken = (counts[point, e] for e in ("killed", "not reached", "broken"))
        print(f"{point:32}{killed:>12}{missed:>13}{broken:>8}")
    broken = sum(n for (_, what), n in counts.items() if what == "broken")
    print(f"{len(tasks)} kills in {time.monotonic() - began:.0f} s, {broken} with a broken promise")
    return int(broken > 0)


def main(words: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults.torture")
    parser.add_argument("--kills", type=int, default=200, help="seeds for each crash point")
    parser.add_argument("--fresh", type=int, default=10, help="kills of the installed command")
    parser.add_argument("--years", type=int, default=10_000, help="simulated years")
    parser.add_argument("--wire", type=int, default=1000, help="years over real sockets")
    given = parser.parse_args(words)
    failed = 0
    for title, part in (
        ("Planted bugs", planted.report),
        (f"Kills, {given.kills} seeds at each point", lambda: kills(given.kills)),
        ("Kills of the command itself", lambda: fresh.report(given.fresh)),
        ("Years over real sockets", lambda: report(range(given.wire), play_on_the_wire)),
        ("Years", lambda: report(range(given.years), play)),
    ):
        print(f"\n== {title}", flush=True)
        failed |= part()
    print("\nNo promise was broken, and every planted bug was caught." if not failed else
          "\nA promise was broken: see above.")  # fmt: skip
    return failed


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
