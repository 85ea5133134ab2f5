"""The one module that hands out sqlite3: which library, which journal, how durable.

SQLite before 3.51.3 (3.50.7 and 3.44.6 in their branches) can lose committed transactions in WAL
mode when one connection checkpoints while another writes. WAL is used only on a fixed one.
"""

import os
import shutil
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from reminderd.engines.tables.store import Row
from reminderd.errors import ConfigurationError, TryAgainLater

if TYPE_CHECKING:
    import sqlite3
else:
    try:
        import pysqlite3 as sqlite3
    except ImportError:
        import sqlite3

Connection = sqlite3.Connection
DatabaseError = sqlite3.DatabaseError

PATIENCE_SECONDS = 5.0
ROOM_NEEDED = 2_000_000  # bytes; five hundred claims need half of it


def sqlite_version() -> str:
    """The version of the SQLite library in use, such as `3.53.4`."""
    return sqlite3.sqlite_version


def wal_is_safe(version: str | None = None) -> bool:
    """Whether that SQLite keeps every committed transaction in WAL mode."""
    number = tuple(int(part) for part in (version or sqlite_version()).split("."))
    branch, patch = number[:2], number[2] if len(number) > 2 else 0
    fixed_in_branch = {(3, 44): 6, (3, 50): 7, (3, 51): 3}
    if branch in fixed_in_branch:
        return patch >= fixed_in_branch[branch]
    return branch > (3, 51)


def journal_mode() -> str:
    """The journal that is safe with this SQLite: `wal`, else `truncate`."""
    return "wal" if wal_is_safe() else "truncate"


def connect(
    path: Path,
    *,
    durable: bool = True,
    create: bool = False,
    read_only: bool = False,
    patience_seconds: float = PATIENCE_SECONDS,
) -> Connection:
    """Open the database for this thread, in autocommit, with every guarantee switched on.

    `durable=False` is for throw-away copies only; `read_only` leaves every file as it is once it
    is closed; another writer is waited for as long as `patience_seconds`. Raises
    ConfigurationError where there is no database at `path` or it cannot be read.
    """
    if not create and not path.exists():
        raise ConfigurationError(
            [f"{path}: there is no database here"],
            remedy="Run `reminderd init`, or correct database.url in the configuration.",
        )
    mode = _reading_mode(path) if read_only else "rwc" if create else "rw"
    try:
        connection = sqlite3.connect(
            f"{path.resolve().as_uri()}?mode={mode}",
            uri=True,
            isolation_level=None,
            timeout=patience_seconds,
        )
        connection.execute("PRAGMA schema_version")
        if read_only:
            connection.execute("PRAGMA query_only = ON")
        else:
            _prepare(connection, durable=durable, create=create)
    except DatabaseError as error:
        raise translated(error, path) from error
    return connection


def _reading_mode(path: Path) -> str:
    """How to open a file that is only to be read, and leave nothing behind.

    To read in WAL mode needs two files beside it. Who made them has to be able to remove them;
    where somebody else did, nothing of theirs is to be written, not even when they crashed.
    """
    log = path.resolve().with_name(f"{path.resolve().name}-wal")
    return "ro" if log.exists() else "rw"


def _prepare(connection: Connection, *, durable: bool, create: bool) -> None:
    journal = journal_mode()
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA trusted_schema = OFF")
    is_ours = create or connection.execute("PRAGMA user_version").fetchone()[0] > 0
    if is_ours and connection.execute("PRAGMA journal_mode").fetchone()[0] != journal:
        connection.execute(f"PRAGMA journal_mode = {journal}")
    level = ("FULL" if journal == "wal" else "EXTRA") if durable else "OFF"
    connection.execute(f"PRAGMA synchronous = {level}")


class Statements:
    """An open connection as the tables see it."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def query(self, sql: str, parameters: Sequence[Any] = ()) -> list[Row]:
        return self._connection.execute(sql, parameters).fetchall()

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> None:
        self._connection.execute(sql, parameters)

    def execute_many(self, sql: str, rows: Iterable[Row]) -> None:
        self._connection.executemany(sql, rows)


def translated(error: Exception, path: Path) -> Exception:
    """What a sqlite3 error means to a person: busy or full (75), or not usable (78)."""
    text = str(error)
    if "is full" in text or ("disk I/O error" in text and is_full(path.parent)):
        return TryAgainLater(
            f"{path.parent}: the disk is full: nothing was changed, and nothing is sent",
            remedy="Make room on that disk. The daemon goes on by itself; give a command again.",
        )
    if "locked" in text or "busy" in text:
        return TryAgainLater(
            f"{path}: another process is writing to the database",
            remedy="Wait a moment and run the command again.",
        )
    if not os.access(path.parent, os.W_OK | os.X_OK) or (
        path.exists() and not os.access(path, os.R_OK | os.W_OK)
    ):
        text = "no permission to read and write it"
    return ConfigurationError(
        [f"{path}: the database cannot be used: {text}"],
        remedy="Check that the file is a reminderd database and belongs to the user who runs this.",
    )


def is_full(folder: Path) -> bool:
    """Whether the disk with that folder has no room for another transaction."""
    return shutil.disk_usage(folder).free < ROOM_NEEDED
