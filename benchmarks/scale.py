"""How many messages a second leave as more and more lies ahead, on both databases.

Against Procrastinate's own way in the same run: one job for each message, which does nothing. And
against a job that says no more than that there is work, around a claim of 500 rows.

`SCALE_AHEAD` names other sizes, `SCALE_DUE` another number of messages. `SCALE_RESULTS` is a file
in which every figure is kept as soon as it is there, one JSON line each; `SCALE_PLAN` one for the
way in which PostgreSQL finds what is claimed, at the last size.
"""

import json
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import chain as one_after_another
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks import crowd, jobs
from benchmarks.chain import NOW, Chain, sender
from benchmarks.cluster import Cluster, Spent, cluster
from benchmarks.workers import rate, together
from reminderd.engines.tables.rows import to_ms

AHEAD = os.environ.get("SCALE_AHEAD", "0,100000,1000000,10000000")
DUE = int(os.environ.get("SCALE_DUE", "80000"))
RESULTS = os.environ.get("SCALE_RESULTS", os.devnull)
PLAN = os.environ.get("SCALE_PLAN", os.devnull)
WORKERS = (1, 2, 4)
JOB_SECONDS = 10.0  # one job each would take hours where much lies ahead
JOBS = 40_000  # more than can be done in that time by all of them

SQLITE, POSTGRESQL = "SQLite", "PostgreSQL"
ONE_EACH, CLAIMS = "one job each", "a job that claims 500 rows"


class Figure(NamedTuple):
    """What was measured: messages a second, by so many processes, with so much ahead.

    Of one message: microseconds of the processes that send and of the server, bytes of the
    server's log; and the part of the time in which that was being flushed.
    """

    what: str
    ahead: int
    workers: int
    rate: float = 0.0
    program: float = 0.0
    server: float = 0.0
    log: float = 0.0
    flushing: float = 0.0


def run() -> None:
    """One size after the other; of each size the sending on both databases, then the jobs."""
    figures: list[Figure] = []
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder, cluster() as server:
        lone = Chain(Path(folder) / "lone", "sqlite:///reminderd.db")
        chain = Chain(Path(folder) / "chain", server.create("chain"))
        jobs.install(server.create("jobs"))
        for ahead in map(int, AHEAD.split(",")):
            for figure in one_after_another(
                _sent(SQLITE, lone, ahead, None, (1,)),
                _sent(POSTGRESQL, chain, ahead, server, WORKERS),
                _claimed(chain, ahead, server),
                _one_job_each(ahead, server),
            ):
                _tell(figure, time.monotonic() - began)
                figures.append(figure)
    _print_rates(figures)
    _print_costs(figures)


def _sent(
    what: str, chain: Chain, ahead: int, server: Cluster | None, workers: Sequence[int]
) -> Iterator[Figure]:
    chain.lie_ahead(ahead)
    for number in workers:
        chain.fall_due(DUE)
        chain.settle()
        if server:
            server.settle("chain")
        yield _measured(Figure(what, ahead, number), server, sender, chain.configuration)


def _claimed(chain: Chain, ahead: int, server: Cluster) -> Iterator[Figure]:
    """Nothing is put into words, marked or recorded: that fast can claims be given out at all."""
    chain.fall_due(DUE)
    with server.connect("chain") as connection:
        jobs.add_drains(connection, DUE // jobs.CLAIM)
    server.settle("chain")
    Path(PLAN).write_text(f"{ahead:,} ahead, {DUE:,} due\n\n{chain.plan_of_claim()}\n")
    given = (server.url("chain"), crowd.CLINICS, to_ms(NOW))
    yield _measured(Figure(CLAIMS, ahead, 1), server, jobs.claims_done, *given)


def _one_job_each(ahead: int, server: Cluster) -> Iterator[Figure]:
    with server.connect("jobs") as connection:
        jobs.plan(connection, ahead, JOBS)
    for number in WORKERS:
        server.settle("jobs")
        given = (server.url("jobs"), JOB_SECONDS)
        yield _measured(Figure(ONE_EACH, ahead, number), server, jobs.nothing_done, *given)


def _measured(
    figure: Figure, server: Cluster | None, prepare: Callable[..., Callable[[], int]], *given: Any
) -> Figure:
    before = server.spent() if server else Spent()
    done = together(figure.workers, prepare, *given)
    spent = (server.spent() if server else Spent()).since(before)
    count = max(sum(each.count for each in done), 1)
    return figure._replace(
        rate=rate(done),
        program=sum(each.cpu for each in done) / count * 1e6,
        server=spent.cpu / count * 1e6,
        log=spent.log_bytes / count,
        flushing=spent.flushing * rate(done) / count,
    )


# Telling ------------------------------------------------------------------------------------------


def _tell(figure: Figure, seconds: float) -> None:
    """As soon as it is there: who stops this keeps what was measured."""
    with open(RESULTS, "a") as results:
        results.write(f"{json.dumps(figure._asdict())}\n")
    print(
        f"{seconds:6.0f} s  {figure.what}, {figure.workers} at work, {figure.ahead:,} ahead: "
        f"{figure.rate:,.1f} messages/s; of each {figure.program:,.0f} us and {figure.server:,.0f} "
        f"us of the server, {figure.log:,.0f} bytes of log; flushing {figure.flushing:.0%}",
        flush=True,
    )


def _print_rates(figures: Sequence[Figure]) -> None:
    """Messages a second, each against as many processes with one job each in this run."""
    columns = list(dict.fromkeys((each.what, each.workers) for each in figures))
    found = {(each.ahead, each.what, each.workers): each.rate for each in figures}
    _print_row("lies ahead", *(f"{what}, {workers}" for what, workers in columns))
    _print_row(*["---"] * (1 + len(columns)))
    for ahead in sorted({each.ahead for each in figures}):
        cells = []
        for what, workers in columns:
            own, bare = found[ahead, what, workers], found[ahead, ONE_EACH, workers]
            ratio = "" if what == ONE_EACH else f" ({own / bare:,.0f} x)"
            cells.append(f"{own:,.0f}{ratio}" if own >= 10 else f"{own:.1f}{ratio}")
        _print_row(f"{ahead:,}", *cells)


def _print_costs(figures: Sequence[Figure]) -> None:
    """What one message costs, and whom."""
    print()
    _print_row("", "lies ahead", "workers, us", "server, us", "log, bytes", "flushing")
    _print_row(*["---"] * 6)
    for each in figures:
        _print_row(
            f"{each.what}, {each.workers}", f"{each.ahead:,}", f"{each.program:,.0f}",
            f"{each.server:,.0f}", f"{each.log:,.0f}", f"{each.flushing:.0%}",
        )  # fmt: skip


def _print_row(*cells: str) -> None:
    print(f"| {' | '.join(cells)} |", flush=True)
