"""What `db check` looks at: the file, its schema, its counters, what rows promise, the trail."""

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

from reminderd.engines.embedded import schema
from reminderd.engines.embedded.connection import Connection, DatabaseError, Statements, connect
from reminderd.engines.tables import soundness
from reminderd.engines.tables.sealed import refuse_unfit, unscrubbed
from reminderd.engines.tables.soundness import RESTORE, SHOWN
from reminderd.findings import Finding, fine, problem
from reminderd.sealing import Seal

FINISH = "While no daemon runs, say the last one again: reminderd db encrypt, or decrypt"
COUNTED = (
    "patients",
    "sessions",
    "reminders",
    "messages",
    "attempts",
    "replies",
    "incidents",
    "alerts",
)


def examine(path: Path, seal: Seal | None = None) -> Iterator[Finding]:
    """Every finding about the database, which may be in use; changes nothing.

    Raises ConfigurationError where it cannot be opened at all, or `seal` does not fit it.
    """
    with closing(connect(path, read_only=True)) as opened:
        try:
            # One state of it, whoever writes meanwhile.
            opened.execute("BEGIN")
            for check in CHECKS:
                yield from check(opened)
            yield from _rows(path, opened, seal)
            if unscrubbed(Statements(opened)):
                yield problem("encryption", "old values may still lie in the file", FINISH)
        except DatabaseError as error:
            yield problem("file", f"{path} cannot be read: {error}", RESTORE)


def _rows(path: Path, opened: Connection, seal: Seal | None) -> Iterator[Finding]:
    database = Statements(opened)
    for table, check in soundness.CHECKS.items():
        if _has(opened, table):  # else it is of an older version, as `_version` says
            yield from check(database)
    refuse_unfit(path, database, seal)
    if _has(opened, "patients_by_phone"):
        yield from soundness.found(database, seal)
    if seal is not None:
        yield from soundness.sealed(database, seal)


def _file(opened: Connection) -> Iterator[Finding]:
    verdict = [row[0] for row in opened.execute("PRAGMA integrity_check").fetchall()]
    if verdict == ["ok"]:
        yield fine("file", "every page and index is sound")
    for each in verdict[:SHOWN] if verdict != ["ok"] else ():
        yield problem("file", f"it is damaged: {each}", RESTORE)


def _version(opened: Connection) -> Iterator[Finding]:
    version = opened.execute("PRAGMA user_version").fetchone()[0]
    if version == schema.VERSION:
        yield fine("schema", "the present one")
    elif version > schema.VERSION:
        yield problem(
            "schema",
            f"{version}, written by a newer reminderd: this one knows {schema.VERSION}",
            "Upgrade reminderd, or restore a backup that fits this version",
        )
    else:
        yield problem(
            "schema",
            f"{version}, not {schema.VERSION}",
            "Bring it up to date: reminderd db migrate",
        )


def _guards(opened: Connection) -> Iterator[Finding]:
    """Triggers keep the trail as it was written, unique indexes keep apart what must not be two."""
    if opened.execute("PRAGMA user_version").fetchone()[0] != schema.VERSION:
        return
    present = dict(opened.execute(schema.GUARDS).fetchall())
    wrong = [name for name, sql in schema.guards().items() if present.get(name) != sql]
    if not wrong:
        yield fine("schema", "every trigger and index is there")
    for name in wrong:
        yield problem("schema", f"{name} is {'altered' if name in present else 'missing'}", RESTORE)


def _belonging(opened: Connection) -> Iterator[Finding]:
    rows = opened.execute("PRAGMA foreign_key_check").fetchall()
    if not rows:
        yield fine("rows", "everything belongs to something")
    for table, row, parent, _ in rows[:SHOWN]:
        yield problem("rows", f"{table}, row {row}: its row in {parent} is missing", RESTORE)


def _counters(opened: Connection) -> Iterator[Finding]:
    """A counter that has fallen behind gives an id to a second thing."""
    counters = dict(opened.execute("SELECT name, seq FROM sqlite_sequence").fetchall())
    behind = [
        (table, newest)
        for table in COUNTED
        if _has(opened, table)  # of an older version, as `_version` says
        and (newest := opened.execute(f"SELECT max(id) FROM {table}").fetchone()[0] or 0)
        > counters.get(table, -1)
    ]
    if not behind:
        yield fine("counters", "no id will be given twice")
    for table, newest in behind:
        said = f"{table}: the newest is {newest}, counted are {counters.get(table, 'none')}"
        yield problem("counters", said, RESTORE)


def _has(opened: Connection, table: str) -> bool:
    row = opened.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (table,)).fetchone()
    return row is not None


Check = Callable[[Connection], Iterator[Finding]]
# Each is given one state of the database; a later one may rely on those before it.
CHECKS: tuple[Check, ...] = (
    _file,
    _version,
    _guards,
    _belonging,
    _counters,
)
