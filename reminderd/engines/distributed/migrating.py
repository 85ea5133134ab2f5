"""Brings a database to the schema of this program, also while workers of the last one still send.

Each step is done in a transaction of its own, under a lock that ends with it, and noted in
`reminderd.migrations`. What was killed in the middle is as if it had never begun.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import version as installed

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from reminderd.engines.distributed import steps
from reminderd.engines.distributed.leases import LEASE_MS
from reminderd.engines.distributed.pool import KEEPALIVE
from reminderd.engines.distributed.refusals import (
    nothing_here,
    place,
    translated,
    unreachable,
)
from reminderd.engines.distributed.steps import OWN_STEPS, VERSION, Phase, Step
from reminderd.errors import ConfigurationError, TryAgainLater

SCHEMA, JOBS_SCHEMA = "reminderd", "procrastinate"
_MIGRATING, _JOINING = 0x72656D01, 0x72656D02  # advisory locks: one who migrates, who may join

_DEFAULTS = {
    "search_path": f"{SCHEMA}, {JOBS_SCHEMA}, public",  # statements name tables alone
    "jit": "off",  # it takes longer than what it would make faster
}
_DEFAULT = """
SELECT current_user, current_database(), (
    SELECT setting FROM pg_db_role_setting, unnest(setconfig) AS setting
    WHERE setrole = current_user::regrole AND setting LIKE %s
    AND setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database())
)
"""

Connection = psycopg.Connection[tuple[object, ...]]


def migrate(url: str, phase: Phase = "after") -> list[str]:
    """Do what is missing up to the end of that phase; returns the names of the steps.

    "before" is done while programs of the version before still work, "after" when the last of them
    has ended: TryAgainLater where one still works, or the server is not there. Raises
    ConfigurationError where the database is a newer program's, or cannot be used.
    """
    done: list[str] = []
    with connected(url) as connection:
        _refuse_encoding(connection, url)
        while names := _next(connection, url, phase):
            done += names
        _set_defaults(connection)
    return done


def needed(connection: Connection) -> list[str]:
    """The names of the steps of this program that the database lacks, in their order."""
    known = _applied(connection)
    return [each.name for each in OWN_STEPS if each.name not in known]


def version(connection: Connection) -> int:
    """The schema of the database: the highest step that was done, of whatever program; 0: none."""
    return max((_number(name) for name in _applied(connection) if "/" not in name), default=0)


def refuse_unfit(connection: Connection, url: str) -> None:
    """Raise ConfigurationError where this program cannot work with the database.

    In the transaction in which a worker registers, no after-step can come between the two.
    """
    connection.execute("SELECT pg_advisory_xact_lock_shared(%s)", (_JOINING,))
    known = _applied(connection)
    if not known:
        raise nothing_here(place(url))
    _refuse_strange(known, url)
    missing = [each for each in _until(OWN_STEPS, "before") if each.name not in known]
    if missing:
        raise ConfigurationError(
            [f"{place(url)}: not a reminderd database of this version: lacks {missing[0].name}"],
            remedy="Bring it up to date: reminderd db migrate",
        )


@contextmanager
def connected(url: str) -> Iterator[Connection]:
    """A connection that commits each statement; what goes wrong is told to a person."""
    place(url)
    try:
        connection = psycopg.connect(
            make_conninfo(url, **KEEPALIVE), autocommit=True, prepare_threshold=None
        )
    except psycopg.Error as error:
        raise unreachable(error, url) from error
    try:
        with connection:
            yield connection
    except psycopg.Error as error:
        raise translated(error, url) from error


def _next(connection: Connection, url: str, phase: Phase) -> list[str]:
    """Do the next step that is missing; the names of what is done with it, none at the end."""
    with connection.transaction():
        connection.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
        connection.execute("SELECT pg_advisory_xact_lock(%s)", (_MIGRATING,))
        known = _applied(connection)
        _refuse_strange(known, url)
        jobs = steps.jobs_steps()
        for step in (*_until(OWN_STEPS, phase), *_until(jobs, phase)):
            if step.name in known:
                continue
            if step.is_of_jobs and not any(each.name in known for each in jobs):
                return _make_jobs(connection, jobs)
            _do(connection, url, step)
            return [step.name]
    return []


def _until(all_steps: Sequence[Step], phase: Phase) -> Sequence[Step]:
    """What belongs to a phase: all before the last before-step belongs to that, or everything."""
    if phase == "after":
        return all_steps
    last = max((place for place, each in enumerate(all_steps) if each.phase == "before"), default=0)
    return all_steps[: last + 1]


def _do(connection: Connection, url: str, step: Step) -> None:
    if step.phase == "after":
        _refuse_older_workers(connection, url, step)
    if step.is_outside:
        # The lock stays with the first connection, whose transaction sees nothing meanwhile.
        with connected(url) as other:
            for statement in step.statements:
                other.execute(statement.encode())
    else:
        _execute(connection, step.sql, JOBS_SCHEMA if step.is_of_jobs else SCHEMA)
    _note(connection, [step])


def _make_jobs(connection: Connection, jobs: Sequence[Step]) -> list[str]:
    connection.execute(f"CREATE SCHEMA IF NOT EXISTS {JOBS_SCHEMA}")
    _execute(connection, steps.whole_jobs_schema(), JOBS_SCHEMA)
    _note(connection, jobs)
    return [jobs[-1].name]


def _execute(connection: Connection, statements: str, schema: str) -> None:
    connection.execute(f"SET LOCAL search_path = {schema}".encode())
    connection.execute(statements.encode())


def _note(connection: Connection, done: Sequence[Step]) -> None:
    for step in done:
        connection.execute(
            "INSERT INTO reminderd.migrations (name, digest, at) VALUES "
            "(%s, %s, extract(epoch FROM clock_timestamp()) * 1000)",
            (step.name, step.digest),
        )


def _applied(connection: Connection) -> dict[str, str]:
    """The digest of every step that was done, by its name."""
    there = connection.execute("SELECT to_regclass('reminderd.migrations')").fetchone()
    if there is None or there[0] is None:
        return {}
    rows = connection.execute("SELECT name, digest FROM reminderd.migrations").fetchall()
    return {str(name): str(digest) for name, digest in rows}


def _refuse_strange(known: dict[str, str], url: str) -> None:
    """Refuse a step that was edited, and what a newer program has removed."""
    for step in OWN_STEPS:
        if known.get(step.name, step.digest) != step.digest:
            raise ConfigurationError(
                [f"{place(url)}: its step {step.name} was another than that of this program"],
                remedy="Install the reminderd that made the database, or a newer one.",
            )
    ours = {each.name for each in OWN_STEPS}
    for name in known:
        if "/" not in name and name not in ours and not _is_ahead(name):
            raise ConfigurationError(
                [f"{place(url)}: was made by a newer reminderd: it has step {name}"],
                remedy="Install that version, or a newer one.",
            )


def _is_ahead(name: str) -> bool:
    """Whether an unknown step is one of a newer program that only adds."""
    return _number(name) > VERSION and "-before-" in name


def _number(name: str) -> int:
    return int(name[:3])


def _refuse_older_workers(connection: Connection, url: str, step: Step) -> None:
    """Refuse while a worker lives that the step would break; until it is done none can join."""
    connection.execute("SELECT pg_advisory_xact_lock(%s)", (_JOINING,))
    rows = connection.execute(
        "SELECT name, schema, jobs FROM reminderd.workers "
        "WHERE seen_at > reminderd.clock_ms() - %s ORDER BY name",
        (LEASE_MS,),
    ).fetchall()
    for name, schema, jobs in rows:
        has = steps.release(str(jobs if step.is_of_jobs else schema))
        if has < step.release:
            raise TryAgainLater(
                f"{place(url)}: worker {name} still needs what step {step.name} removes",
                remedy="End the workers of the version before, then give the command again.",
            )


def _refuse_encoding(connection: Connection, url: str) -> None:
    found = connection.info.parameter_status("server_encoding")
    if found != "UTF8":
        raise ConfigurationError(
            [f"{place(url)}: its encoding is {found}, not UTF8"],
            remedy="Make another one: createdb --encoding=UTF8 --template=template0 NAME",
        )


def _set_defaults(connection: Connection) -> None:
    """Settle for this role what holds on each of its connections, whoever pools them."""
    with connection.transaction():
        connection.execute("SELECT pg_advisory_xact_lock(%s)", (_MIGRATING,))
        for name, value in _DEFAULTS.items():
            (who, where, has) = connection.execute(_DEFAULT, (f"{name}=%",)).fetchall()[0]
            if has != f"{name}={value}":
                connection.execute(
                    sql.SQL("ALTER ROLE {} IN DATABASE {} SET {} = {}").format(
                        *(sql.Identifier(str(each)) for each in (who, where, name)), sql.SQL(value)
                    )
                )


def jobs_version() -> str:
    """The version of the installed job queue, as a worker registers it."""
    return installed("procrastinate")
