"""What `doctor` says of the distributed engine: libraries, workers, server, schema, key."""

from collections.abc import Iterator
from importlib.metadata import version

import psycopg

from reminderd.database_urls import shown
from reminderd.engines.distributed import steps
from reminderd.engines.distributed.leases import ALIVE
from reminderd.engines.distributed.snapshot import Opened, snapshot
from reminderd.engines.tables.sealed import refuse_unfit
from reminderd.errors import ReminderdError
from reminderd.findings import Finding, fine, note, problem
from reminderd.sealing import Seal

_WORKERS = f"SELECT name FROM workers WHERE {ALIVE} ORDER BY id"
_THERE = "SELECT to_regclass('migrations') IS NOT NULL"
_SERVER = (
    "SELECT current_setting('server_version'), pg_database_size(current_database()), "
    "current_setting('fsync') = 'on' AND current_setting('full_page_writes') = 'on', "
    "current_setting('synchronous_commit')"
)


def workers(opened: Opened) -> list[str]:
    """The names of all who send from it now."""
    if not opened.query(_THERE)[0][0]:
        return []
    return [row[0] for row in opened.query(_WORKERS)]


def software() -> Finding:
    """Which libraries."""
    libpq = psycopg.pq.version_pretty(psycopg.pq.version())
    said = f"psycopg {psycopg.__version__}, libpq {libpq}, Procrastinate {version('procrastinate')}"
    return fine("PostgreSQL", said)


def findings(url: str, seal: Seal | None) -> Iterator[Finding]:
    """Everything about the database and who sends from it, whatever state they are in."""
    try:
        with snapshot(url) as opened:
            yield from _database(url, opened, seal)
    except ReminderdError as error:
        yield problem("database", error.message, error.remedy)


def _database(url: str, opened: Opened, seal: Seal | None) -> Iterator[Finding]:
    if not opened.query(_THERE)[0][0]:
        yield problem(
            "database", f"{shown(url)}: is empty", "Start a worker, which makes it: reminderd run"
        )
        return
    names = workers(opened)
    if names:
        yield fine("workers", f"{len(names)} send: {', '.join(names)}")
    else:
        yield note("workers", "none is running", "Start one: reminderd run")
    ((server, size, is_safe, commits),) = opened.query(_SERVER)
    yield fine("database", f"{shown(url)}, {size / 1e6:.1f} MB, PostgreSQL {server}")
    yield from _durable(is_safe, commits)
    yield from schema(url, opened)
    yield from _encryption(url, opened, seal)


def _durable(is_safe: bool, commits: str) -> Iterator[Finding]:
    if not is_safe:
        said = "fsync or full_page_writes is off: a power cut can destroy the database"
        yield problem("durability", said, "Turn both on in postgresql.conf.")
    if commits == "off":
        yield problem(
            "durability",
            "synchronous_commit is off: a power cut forgets what was sent, and it is sent again",
            "Turn it on for this role: ALTER ROLE … SET synchronous_commit = on.",
        )


def schema(url: str, opened: Opened) -> Iterator[Finding]:
    """Whether every step of this program was done."""
    known = {row[0] for row in opened.query("SELECT name FROM migrations")}
    missing = [each.name for each in steps.OWN_STEPS if each.name not in known]
    if missing:
        said = f"{shown(url)} lacks {', '.join(missing)}"
        yield problem("schema", said, "Run: reminderd db migrate")
    else:
        yield fine("schema", f"{steps.VERSION}, the present one")


def _encryption(url: str, opened: Opened, seal: Seal | None) -> Iterator[Finding]:
    """Whether the database is encrypted with just the key that is configured, if one is."""
    try:
        refuse_unfit(shown(url), opened, seal)
    except ReminderdError as error:
        yield problem("encryption", error.message, error.remedy)
    else:
        if seal is not None:
            yield fine("encryption", f"by the key {seal.key_id}")
