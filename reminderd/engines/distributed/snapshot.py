"""One state of a database that others write into, to be read at leisure."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from reminderd.engines.distributed import dialect, migrating, tenancy
from reminderd.engines.distributed.migrating import SCHEMA, Connection
from reminderd.engines.tables.store import Row


class Opened:
    """Implements `tables.store.Statements` on one connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def query(self, sql: str, parameters: Sequence[Any] = ()) -> list[Row]:
        return self._connection.execute(dialect.translated(sql).encode(), parameters).fetchall()

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> None:
        self._connection.execute(dialect.translated(sql).encode(), parameters)

    def execute_many(self, sql: str, rows: Iterable[Row]) -> None:
        with self._connection.cursor() as cursor:
            cursor.executemany(dialect.translated(sql).encode(), rows)


@contextmanager
def snapshot(url: str, clinics: Sequence[str] | None = None) -> Iterator[Opened]:
    """The state of now until the `with` ends; nothing can be changed, and nobody is kept waiting.

    Of patients there are those of `clinics`; None means everything.

    Raises ConfigurationError where the database cannot be used, TryAgainLater where it cannot be
    reached.
    """
    with migrating.connected(url) as connection, connection.transaction():
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        connection.execute(f"SET LOCAL search_path = {SCHEMA}".encode())
        connection.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
        tenancy.limit(connection, url, clinics)
        yield Opened(connection)
