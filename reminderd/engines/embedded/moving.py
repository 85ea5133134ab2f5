"""A database file while its rows go over to a server, or come from one."""

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from reminderd.engines.embedded import schema, store
from reminderd.engines.embedded.connection import (
    Connection,
    DatabaseError,
    Statements,
    connect,
    translated,
)
from reminderd.engines.embedded.lock import only_daemon
from reminderd.engines.embedded.outbox import EmbeddedOutbox
from reminderd.engines.tables.moving import EMPTY_ONE, RowsRefused
from reminderd.engines.tables.store import Row
from reminderd.errors import Refused
from reminderd.sealing import Seal


class FileEnd(Statements):
    """Implements `tables.moving.End` on an open file."""

    def __init__(self, path: Path, connection: Connection) -> None:
        super().__init__(connection)
        self.where = str(path)
        self._path, self._opened = path, connection

    @contextmanager
    def transaction(self) -> Iterator[None]:
        try:
            self._opened.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._opened.execute("COMMIT")
            except BaseException:
                if self._opened.in_transaction:
                    self._opened.execute("ROLLBACK")
                raise
        except DatabaseError as error:
            raise translated(error, self._path) from error

    def columns(self, table: str) -> list[str]:
        return [row[1] for row in self.query(f"PRAGMA table_info({table})")]

    def put(self, table: str, columns: Sequence[str], rows: Sequence[Row]) -> None:
        marks = ", ".join("?" * len(columns))
        try:
            self.execute_many(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})", rows)
        except self._opened.IntegrityError as error:
            raise RowsRefused(str(error)) from error

    def counters(self) -> Mapping[str, int]:
        return dict(self.query("SELECT name, seq FROM sqlite_sequence"))

    def count_on(self, counters: Mapping[str, int]) -> None:
        known = self.counters()
        for table, highest in counters.items():
            if table not in known:
                self.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (?, 0)", (table,))
            self.execute(
                "UPDATE sqlite_sequence SET seq = max(seq, ?) WHERE name = ?", (highest, table)
            )


@contextmanager
def source(path: Path, seal: Seal | None) -> Iterator[FileEnd]:
    """A database that nobody sends from or writes into until the end; one transaction.

    Raises ConfigurationError where it cannot be used, TryAgainLater where it is in use.
    """
    EmbeddedOutbox(path, seal=seal).close()
    with only_daemon(path), closing(connect(path)) as connection:
        end = FileEnd(path, connection)
        with end.transaction():
            yield end


@contextmanager
def target(path: Path) -> Iterator[FileEnd]:
    """A database of the present schema, made where there is none, that nobody sends from."""
    _refuse_older(path)
    store.create(path)
    with only_daemon(path), closing(connect(path)) as connection:
        yield FileEnd(path, connection)


@contextmanager
def throw_away(path: Path) -> Iterator[FileEnd]:
    """A new file to be thrown away, for this user alone; one transaction, which need not last."""
    os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))
    store.create(path, is_ours=True)
    with closing(connect(path, durable=False)) as connection:
        end = FileEnd(path, connection)
        with end.transaction():
            yield end


def _refuse_older(path: Path) -> None:
    """Bring nothing up to date that somebody works with."""
    if not path.exists():
        return
    with closing(connect(path, read_only=True)) as opened:
        if 0 < opened.execute("PRAGMA user_version").fetchone()[0] < schema.VERSION:
            raise Refused(f"{path}: is not empty", remedy=EMPTY_ONE)
