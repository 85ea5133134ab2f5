"""A PostgreSQL database gets its schema step by step, also while workers of before still send."""

import threading
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from reminderd.engines.distributed import migrating, steps
from reminderd.engines.distributed.migrating import OWN_STEPS, VERSION, migrate
from reminderd.engines.distributed.steps import Phase, Step
from reminderd.errors import ConfigurationError, TryAgainLater
from tests.postgres import Cluster
from tests.waiting import until

Connection = psycopg.Connection[tuple[Any, ...]]
WORKS = "INSERT INTO reminderd.workers (name, schema, jobs) VALUES ('a', %s, %s) RETURNING id"
ENDS = "DELETE FROM reminderd.workers WHERE id = %s"


@pytest.fixture
def postgres(cluster: Cluster) -> str:
    """Where an empty database is; its role owns it, and is nobody special."""
    return cluster.empty()


@pytest.fixture
def database(postgres: str) -> Iterator[Connection]:
    """A second connection to the database, to look at it with."""
    with psycopg.connect(postgres, autocommit=True) as connection:
        yield connection


def a_step(number: int, phase: Phase, statements: str) -> Step:
    return Step(f"{number:03}-{phase}-made-up", phase, (number,), statements)


ADDS = a_step(VERSION + 1, "before", "ALTER TABLE notes ADD COLUMN more text")
REMOVES = a_step(VERSION + 1, "after", "ALTER TABLE notes DROP COLUMN value")
ADDS_MORE = a_step(VERSION + 2, "before", "ALTER TABLE notes ADD COLUMN most text")


def a_newer_program(monkeypatch: pytest.MonkeyPatch, *more: Step) -> None:
    monkeypatch.setattr(migrating, "OWN_STEPS", (*OWN_STEPS, *more))
    monkeypatch.setattr(migrating, "VERSION", more[-1].release[0])


def this_program(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(migrating, "OWN_STEPS", OWN_STEPS)
    monkeypatch.setattr(migrating, "VERSION", VERSION)


def columns(database: Connection, table: str) -> set[str]:
    rows = database.execute(
        "SELECT column_name FROM information_schema.columns WHERE table_name = %s", (table,)
    )
    return {row[0] for row in rows}


def a_worker(database: Connection, schema: int, jobs: str | None = None) -> int:
    row = database.execute(WORKS, (schema, jobs or migrating.jobs_version())).fetchone()
    assert row is not None
    return int(row[0])


def test_an_empty_database_gets_everything_once(postgres: str, database: Connection) -> None:
    assert migrating.version(database) == 0
    assert migrating.needed(database) == [each.name for each in OWN_STEPS]
    done = migrate(postgres)
    assert done[: len(OWN_STEPS)] == [each.name for each in OWN_STEPS]
    assert migrating.version(database) == VERSION
    assert migrating.needed(database) == []
    assert migrate(postgres) == []
    migrating.refuse_unfit(database, postgres)


def test_everything_is_found_without_naming_the_schema(postgres: str) -> None:
    migrate(postgres)
    with psycopg.connect(postgres) as database:
        assert columns(database, "reminders")
        database.execute("SELECT 1 FROM reminders, procrastinate_jobs")


def test_two_at_once_do_each_step_once(postgres: str) -> None:
    done: list[str] = []
    threads = [threading.Thread(target=lambda: done.extend(migrate(postgres))) for _ in range(2)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(60)
    assert sorted(done) == sorted({*done})
    assert {each.name for each in OWN_STEPS} < {*done}


def test_what_fails_leaves_nothing_half(
    postgres: str, database: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    migrate(postgres)
    a_newer_program(monkeypatch, a_step(VERSION + 1, "before", f"{ADDS.sql}; SELECT nothing"))
    with pytest.raises(ConfigurationError, match="nothing"):
        migrate(postgres)
    assert "more" not in columns(database, "notes")
    assert migrating.version(database) == VERSION


def test_what_is_cut_off_in_the_middle_leaves_nothing_half(
    postgres: str, database: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    migrate(postgres)
    slow = a_step(VERSION + 1, "before", f"{ADDS.sql}; SELECT pg_advisory_xact_lock(77)")
    a_newer_program(monkeypatch, slow)
    told: list[Exception] = []

    def run() -> None:
        try:
            migrate(postgres)
        except TryAgainLater as error:
            told.append(error)

    at_work = "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND objid = 77"
    with database.transaction():
        database.execute("SELECT pg_advisory_xact_lock(77)")
        thread = threading.Thread(target=run)
        thread.start()
        until(lambda: database.execute(at_work).fetchone(), "that it is in the middle")
        database.execute(f"SELECT pg_terminate_backend(pid) FROM ({at_work}) AS at_work")
        thread.join(30)
    assert len(told) == 1
    assert "more" not in columns(database, "notes")
    a_newer_program(monkeypatch, ADDS)
    assert migrate(postgres) == [ADDS.name]


def test_while_an_older_worker_lives_only_what_adds_is_done(
    postgres: str, database: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    migrate(postgres)
    older = a_worker(database, VERSION)
    a_newer_program(monkeypatch, ADDS, REMOVES)
    assert migrate(postgres, "before") == [ADDS.name]
    migrating.refuse_unfit(database, postgres)  # the newer program works
    this_program(monkeypatch)
    migrating.refuse_unfit(database, postgres)  # and so does this one, beside it
    assert migrate(postgres) == []
    a_newer_program(monkeypatch, ADDS, REMOVES)
    with pytest.raises(TryAgainLater, match="worker a still needs"):
        migrate(postgres)
    database.execute(ENDS, (older,))
    a_worker(database, VERSION + 1)
    assert migrate(postgres) == [REMOVES.name]


def test_a_worker_that_was_not_seen_for_its_lease_is_waited_for_no_longer(
    postgres: str, database: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    migrate(postgres)
    a_worker(database, VERSION)
    database.execute("UPDATE reminderd.workers SET seen_at = reminderd.clock_ms() - 15001")
    a_newer_program(monkeypatch, ADDS, REMOVES)
    assert migrate(postgres) == [ADDS.name, REMOVES.name]


def test_no_version_is_left_out_while_workers_live(
    postgres: str, database: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    migrate(postgres)
    older = a_worker(database, VERSION)
    a_newer_program(monkeypatch, ADDS, REMOVES, ADDS_MORE)
    with pytest.raises(TryAgainLater, match=REMOVES.name):
        migrate(postgres, "before")
    database.execute(ENDS, (older,))
    assert migrate(postgres, "before") == [REMOVES.name, ADDS_MORE.name]


def test_a_program_whose_tables_are_gone_is_refused(
    postgres: str, database: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_newer_program(monkeypatch, ADDS, REMOVES)
    migrate(postgres)
    this_program(monkeypatch)
    for use in (lambda: migrate(postgres), lambda: migrating.refuse_unfit(database, postgres)):
        with pytest.raises(
            ConfigurationError, match=f"newer reminderd: it has step {REMOVES.name}"
        ):
            use()


def test_a_program_that_lacks_something_says_what_to_do(
    postgres: str, database: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    migrate(postgres)
    a_newer_program(monkeypatch, ADDS)
    with pytest.raises(ConfigurationError, match=f"lacks {ADDS.name}") as told:
        migrating.refuse_unfit(database, postgres)
    assert "db migrate" in str(told.value.remedy)


def test_a_step_that_was_edited_is_refused(postgres: str, monkeypatch: pytest.MonkeyPatch) -> None:
    migrate(postgres)
    edited = (*OWN_STEPS[:-1], OWN_STEPS[-1]._replace(sql="SELECT 1"))
    monkeypatch.setattr(migrating, "OWN_STEPS", edited)
    with pytest.raises(ConfigurationError, match=f"{OWN_STEPS[-1].name} was another"):
        migrate(postgres)


def test_an_index_is_made_beside_workers_that_write(
    postgres: str, database: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    migrate(postgres)
    index = (
        "-- outside a transaction\n"
        "DROP INDEX CONCURRENTLY IF EXISTS reminderd.made_up;\n"
        "CREATE INDEX CONCURRENTLY made_up ON reminderd.notes (value);\n"
    )
    a_newer_program(monkeypatch, a_step(VERSION + 1, "before", index))
    assert migrate(postgres) == [f"{VERSION + 1:03}-before-made-up"]
    assert database.execute("SELECT to_regclass('reminderd.made_up')").fetchone() != (None,)
    assert migrate(postgres) == []


def test_nobody_joins_while_something_is_removed(postgres: str, database: Connection) -> None:
    migrate(postgres)
    joining = "SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
    with psycopg.connect(postgres) as other:
        thread = threading.Thread(target=lambda: migrating.refuse_unfit(other, postgres))
        with database.transaction():
            database.execute("SELECT pg_advisory_xact_lock(%s)", (migrating._JOINING,))
            thread.start()
            until(lambda: database.execute(joining).fetchone(), "that it waits")
        thread.join(10)
        assert not thread.is_alive()


def test_the_job_queue_goes_the_same_way(
    postgres: str, database: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    migrate(postgres)
    older = a_worker(database, VERSION, "3.10.0")
    known = steps.jobs_steps()
    more = [
        Step("jobs/99.00.00_01_pre_made_up", "before", (99, 0, 0), "CREATE TABLE made_up (a int)"),
        Step("jobs/99.00.00_50_post_made_up", "after", (99, 0, 0), "DROP TABLE made_up"),
    ]
    monkeypatch.setattr(steps, "jobs_steps", lambda: [*known, *more])
    assert migrate(postgres, "before") == [more[0].name]
    assert database.execute("SELECT to_regclass('procrastinate.made_up')").fetchone() != (None,)
    with pytest.raises(TryAgainLater, match="worker a still needs"):
        migrate(postgres)
    database.execute(ENDS, (older,))
    assert migrate(postgres) == [more[1].name]
    with pytest.raises(psycopg.errors.UndefinedTable):
        database.execute("SELECT 1 FROM procrastinate.made_up")
