"""How the workers of a cluster beat once for all of them, and wake each other."""

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import psycopg
import pytest

from reminderd.engines.distributed import beats
from reminderd.engines.distributed.beats import Beats
from reminderd.engines.distributed.outbox import DistributedOutbox
from reminderd.engines.health import Health
from reminderd.interfaces import Reply
from tests.engines.rows import NOW, with_patient
from tests.postgres import Cluster
from tests.waiting import PATIENCE, until

LEASE_MS = 60_000
JOBS = "procrastinate.procrastinate_jobs"
KILLED = """
import sys, threading
from reminderd.engines.distributed import beats
from reminderd.engines.health import Health

def recover():
    print("in a beat", flush=True)
    threading.Event().wait()

beats.EVERY_15_SECONDS = "* * * * * *"
beats.Beats(sys.argv[1], 9, 60_000, lambda: None, recover, Health()).start()
threading.Event().wait()
"""


class Worker:
    """One that only notes what it is told."""

    def __init__(self, url: str, number: int, recover: Callable[[], bool]) -> None:
        self._looks = threading.Semaphore(0)
        self.beats = Beats(url, number, LEASE_MS, self._looks.release, recover, Health())

    def hears(self, seconds: float = PATIENCE) -> bool:
        """Whether it is told to look."""
        return self._looks.acquire(timeout=seconds)

    def forget(self) -> None:
        """Whatever it was told so far."""
        while self._looks.acquire(blocking=False):
            pass


Hire = Callable[..., list[Worker]]


@pytest.fixture
def hire(monkeypatch: pytest.MonkeyPatch) -> Iterator[Hire]:
    """Lets so many workers begin, and ends them."""
    monkeypatch.setattr(beats, "AGAIN_SECONDS", 0.1)
    with ExitStack() as ends:

        def begin(url: str, count: int, recover: Callable[[], bool] = bool) -> list[Worker]:
            workers = [Worker(url, number + 1, recover) for number in range(count)]
            for number in range(count):
                seen(url, number + 1)
            tell(url)
            for each in workers:
                each.beats.start()
                ends.callback(each.beats.stop)
            assert all(each.hears() for each in workers)
            return workers

        yield begin


def ask(url: str, statement: str) -> list[tuple[object, ...]]:
    with psycopg.connect(url, autocommit=True) as connection:
        cursor = connection.execute(statement.encode())
        return cursor.fetchall() if cursor.description else []


def seen(url: str, number: int) -> None:
    ask(url, f"INSERT INTO reminderd.workers (id, name, schema) VALUES ({number}, 'one', 6)")


def tell(url: str) -> None:
    ask(url, f"SELECT reminderd.wake({LEASE_MS})")


@contextmanager
def closing_all(url: str) -> Iterator[DistributedOutbox]:
    outbox = DistributedOutbox(url)
    try:
        yield outbox
    finally:
        outbox.close_all()


def every_second(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(beats, "EVERY_15_SECONDS", "* * * * * *")


def test_a_beat_is_for_all_workers_and_done_by_one(
    new_postgresql: Callable[[], str], hire: Hire, monkeypatch: pytest.MonkeyPatch
) -> None:
    every_second(monkeypatch)
    done = threading.Semaphore(0)
    began = time.monotonic()
    workers = hire(new_postgresql(), 3, lambda: bool(done.release()))
    assert all(done.acquire(timeout=PATIENCE) for _ in range(3))
    seconds = time.monotonic() - began
    more = sum(done.acquire(blocking=False) for _ in range(9))
    assert 3 + more <= seconds + 2  # the second in which it began, and the one in which it ended
    assert all(each.hears() for each in workers)


def test_who_writes_wakes_every_worker_at_once(
    new_postgresql: Callable[[], str], hire: Hire
) -> None:
    url = new_postgresql()
    workers = hire(url, 3)
    with closing_all(url) as outbox:
        for each in workers:
            each.forget()
        with_patient(outbox)
        assert all(each.hears() for each in workers)
        with outbox.beside():
            outbox.keep_reply("sms", Reply("SM1", "+351900000001", "+351900000002", "STOP"), NOW)
        assert all(each.hears() for each in workers)


def test_whoever_only_reads_or_sends_wakes_nobody(new_postgresql: Callable[[], str]) -> None:
    url = new_postgresql()
    seen(url, 1)
    with closing_all(url) as outbox:
        with outbox.transaction():
            outbox.patients()
        with outbox.beside():
            outbox.set_note("a", "b")
    assert ask(url, f"SELECT * FROM {JOBS}") == []


def test_jobs_name_a_worker_and_nothing_else_and_wait_once(
    new_postgresql: Callable[[], str],
) -> None:
    url = new_postgresql()
    seen(url, 1)
    with closing_all(url) as outbox:
        for _ in range(3):
            with_patient(outbox)
    named = f"SELECT queue_name, task_name, lock, queueing_lock, args::text FROM {JOBS}"
    assert ask(url, named) == [("worker-1", "drain", None, "worker-1", "{}")]


def test_no_job_stays_behind(
    new_postgresql: Callable[[], str], hire: Hire, monkeypatch: pytest.MonkeyPatch
) -> None:
    every_second(monkeypatch)
    url = new_postgresql()
    (worker,) = hire(url, 1)
    for _ in range(30):
        worker.forget()
        tell(url)
        assert worker.hears()
    until(lambda: ask(url, f"SELECT count(*) FROM {JOBS}") == [(0,)], "the end of all jobs")
    assert ask(url, "SELECT count(*) FROM procrastinate.procrastinate_events") == [(0,)]
    kept = ask(url, "SELECT count(*) < 3 FROM procrastinate.procrastinate_periodic_defers")
    assert kept == [(True,)]


def test_a_worker_that_is_killed_in_a_beat_delays_nobody(
    new_postgresql: Callable[[], str], hire: Hire, monkeypatch: pytest.MonkeyPatch
) -> None:
    every_second(monkeypatch)
    url = new_postgresql()
    seen(url, 9)
    command = [sys.executable, "-c", KILLED, url]
    victim = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert victim.stdout is not None
    assert victim.stdout.readline() == "in a beat\n"
    victim.kill()
    victim.communicate()
    assert ask(url, f"SELECT task_name FROM {JOBS} WHERE status = 'doing'") == [("beat",)]
    done = threading.Semaphore(0)
    (worker,) = hire(url, 1, lambda: bool(done.release()))
    worker.forget()
    assert done.acquire(timeout=PATIENCE)
    assert worker.hears()
    # Once nobody has seen it for the length of a lease, nothing reminds of it.
    ask(url, "UPDATE reminderd.workers SET seen_at = 0 WHERE id = 9")
    ask(url, "UPDATE procrastinate.procrastinate_workers SET last_heartbeat = '2020-01-01'"
        f" WHERE id IN (SELECT worker_id FROM {JOBS} WHERE status = 'doing')")  # fmt: skip
    left = f"SELECT 1 FROM {JOBS} WHERE queue_name = 'worker-9' OR status = 'doing'"
    until(lambda: not ask(url, left), "the end of its jobs")


def test_workers_hear_each_other_again_after_a_restart_of_the_server(
    own_cluster: Cluster, hire: Hire, caplog: pytest.LogCaptureFixture
) -> None:
    url = own_cluster.migrated()
    (worker,) = hire(url, 1)
    own_cluster.kill()
    own_cluster.start()
    until(lambda: "the job queue does not work" in caplog.text, "a word about it")
    worker.forget()
    tell(url)
    assert worker.hears()
    assert "it works again" in caplog.text


def test_workers_wake_each_other_through_pgbouncer(
    new_postgresql: Callable[[], str], pgbouncer: Callable[[str], str], hire: Hire
) -> None:
    url = pgbouncer(new_postgresql())
    (worker,) = hire(url, 1)
    worker.forget()
    tell(url)
    assert worker.hears()


def test_a_job_queue_that_is_broken_keeps_nobody_from_writing(
    new_postgresql: Callable[[], str],
) -> None:
    url = new_postgresql()
    seen(url, 1)
    ask(url, f"DROP TABLE {JOBS} CASCADE")
    with closing_all(url) as outbox:
        with_patient(outbox)
        assert len(outbox.patients()) == 1


def test_nothing_of_it_runs_on_once_it_has_stopped(
    new_postgresql: Callable[[], str], hire: Hire
) -> None:
    url = new_postgresql()
    before = threading.active_count()
    (worker,) = hire(url, 1)
    worker.beats.stop()
    assert threading.active_count() == before
    assert ask(url, "SELECT 1 FROM procrastinate.procrastinate_workers") == []
