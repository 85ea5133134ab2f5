"""The database file: one connection a thread, one exclusive transaction at a time."""

import threading
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from reminderd.engines.embedded import schema
from reminderd.engines.embedded.backup import back_up, free, refuse_newer
from reminderd.engines.embedded.connection import (
    PATIENCE_SECONDS,
    Connection,
    DatabaseError,
    Statements,
    connect,
    translated,
)
from reminderd.engines.embedded.lock import only_daemon
from reminderd.engines.embedded.scrubbing import scrub
from reminderd.engines.embedded.turns import Turns
from reminderd.engines.tables import sealed
from reminderd.engines.tables.store import Row, Store
from reminderd.engines.unfinished import clear
from reminderd.errors import ConfigurationError, TryAgainLater
from reminderd.sealing import Seal


class SqliteStore(Store):
    """Connections to one database file; `durable=False` is for throw-away copies only.

    Raises ConfigurationError where the file is encrypted otherwise than by `seal`.
    """

    def __init__(
        self,
        path: Path,
        *,
        seal: Seal | None = None,
        durable: bool = True,
        patience_seconds: float = PATIENCE_SECONDS,
    ) -> None:
        self.path = path
        self.seal = seal
        self._durable = durable
        self._patience_seconds = patience_seconds
        self._local = threading.local()
        self._writing = Turns()
        try:
            self._check_schema()
            sealed.refuse_unfit(path, self, seal)
        except BaseException:
            self.close()
            raise

    @property
    def connection(self) -> Connection:
        """This thread's connection."""
        connection: Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = connect(
                self.path, durable=self._durable, patience_seconds=self._patience_seconds
            )
            self._local.connection = connection
        return connection

    def query(self, sql: str, parameters: Sequence[Any] = ()) -> list[Row]:
        """The rows of one statement that only reads."""
        try:
            return self.connection.execute(sql, parameters).fetchall()
        except DatabaseError as error:
            raise translated(error, self.path) from error

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> None:
        self.connection.execute(sql, parameters)

    def execute_many(self, sql: str, rows: Iterable[Row]) -> None:
        self.connection.executemany(sql, rows)

    def reserve(self, table: str, count: int) -> int:
        # The counter remembers ids that are gone, so that a name never means somebody else.
        first = self.free_id(table)
        self.execute(
            "UPDATE sqlite_sequence SET seq = ? WHERE name = ?", (first + count - 1, table)
        )
        return first

    def skip_ids(self, table: str, last: int) -> None:
        self.execute("UPDATE sqlite_sequence SET seq = max(seq, ?) WHERE name = ?", (last, table))

    def free_id(self, table: str) -> int:
        rows = self.query(
            "SELECT coalesce(max(seq), 0) + 1 FROM sqlite_sequence WHERE name = ?", (table,)
        )
        return int(rows[0][0])

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """One exclusive unit of work from its first statement (`BEGIN IMMEDIATE`).

        Inside another one of this thread it is a part of that.
        """
        if self.connection.in_transaction:
            yield
            return
        with self._unit_of_work("COMMIT"):
            yield

    @contextmanager
    def trial(self) -> Iterator[None]:
        """A unit of work that is undone at its end."""
        with self._unit_of_work("ROLLBACK"):
            yield

    @contextmanager
    def _unit_of_work(self, end: str) -> Iterator[None]:
        connection = self.connection
        # Threads of one process queue here: SQLite's own waiting sleeps in growing steps.
        with self._writing:
            try:
                connection.execute("BEGIN IMMEDIATE")
                try:
                    self._refuse_resealed()
                    yield
                    connection.execute(end)
                except BaseException:
                    if connection.in_transaction:
                        connection.execute("ROLLBACK")
                    raise
            except DatabaseError as error:
                raise translated(error, self.path) from error

    def _refuse_resealed(self) -> None:
        """Between the opening and now somebody may have encrypted the database, or decrypted it."""
        if sealed.sealed_by(self) != sealed.id_of(self.seal):
            raise TryAgainLater(
                f"{self.path}: was encrypted or decrypted just now",
                remedy="Run the command again.",
            )

    def scrub(self) -> bool:
        return scrub(self.connection, self.path)

    def lock_patients(self, patient_ids: Collection[int]) -> None:
        """Whoever writes is alone in any case."""

    def data_version(self) -> int:
        """A number that changes when another process or connection has committed."""
        return int(self.query("PRAGMA data_version")[0][0])

    def close(self) -> None:
        """Close this thread's connection."""
        connection: Connection | None = getattr(self._local, "connection", None)
        if connection is not None:
            connection.close()
            self._local.connection = None

    def _check_schema(self) -> None:
        found = int(self.query("PRAGMA user_version")[0][0])
        refuse_newer(self.path, found)
        if found < schema.VERSION:
            raise ConfigurationError(
                [f"{self.path}: not a reminderd database of this version (schema {found})"],
                remedy="Bring it up to date: reminderd db migrate"
                if found
                else "Run `reminderd init` to create it.",
            )


def mark_of(path: Path) -> Path:
    """The file beside a database that says how far sending from it had come."""
    return path.with_name(f"{path.name}.mark")


def create(path: Path, *, seal: Seal | None = None, is_ours: bool = False) -> bool:
    """Create the database or bring its schema up to date; True where anything was done.

    A new one is encrypted from the start where there is a `seal`. All or nothing; a database that
    holds something is copied first, and the copy stays beside it, unless it `is_ours`: a copy that
    nobody else knows of. Raises ConfigurationError where the file cannot be used, is of a newer
    version or encrypted otherwise, TryAgainLater where a daemon sends from a database that has to
    be brought up to date.
    """
    clear(path)
    _refuse_strangers(path)
    if not path.exists():
        return _migrated(path, seal)
    found = _version(path)
    refuse_newer(path, found)
    if found == schema.VERSION:
        return False
    if found == 0 or is_ours:
        return _migrated(path, seal)
    with only_daemon(path):
        back_up(path, free(path.with_name(f"{path.name}.schema-{found}")))
        return _migrated(path, seal)


def _version(path: Path) -> int:
    with closing(connect(path, read_only=True)) as opened:
        return int(opened.execute("PRAGMA user_version").fetchone()[0])


def _migrated(path: Path, seal: Seal | None) -> bool:
    """All steps that are missing, in one transaction; False where another process was faster."""
    import secrets

    from sqlite_utils import Database

    connection = connect(path, create=True)
    try:
        connection.execute("BEGIN IMMEDIATE")
        found = int(connection.execute("PRAGMA user_version").fetchone()[0])
        if found == schema.VERSION:
            return False
        key = _key_of(path, connection, seal) if found else None
        schema.migrations(key).apply(Database(connection))
        connection.execute(
            "INSERT OR IGNORE INTO notes (key, value) VALUES ('installation', ?)",
            (secrets.token_hex(6),),
        )
        if found == 0:
            sealed.note_key(Statements(connection), seal)
        connection.execute(f"PRAGMA user_version = {schema.VERSION}")
        connection.execute("COMMIT")
        return True
    except DatabaseError as error:
        raise translated(error, path) from error
    finally:
        connection.close()


def _key_of(path: Path, connection: Connection, seal: Seal | None) -> Seal | None:
    """What opens the values of an older database; None where they are not encrypted."""
    if sealed.sealed_by(Statements(connection)) is None:
        return None
    sealed.refuse_unfit(path, Statements(connection), seal)
    return seal


def _refuse_strangers(path: Path) -> None:
    """Write nothing into a file in which another program keeps something."""
    if not path.exists():
        return
    connection = connect(path, read_only=True)
    try:
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    except DatabaseError as error:
        raise translated(error, path) from error
    finally:
        connection.close()
    if version == 0 and tables:
        raise ConfigurationError(
            [f"{path}: the database of another program"],
            remedy="Correct database.url in the configuration: name a file of its own.",
        )
