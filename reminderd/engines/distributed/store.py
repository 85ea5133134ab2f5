"""The database on a server: units of work that run beside each other where they may."""

import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg

from reminderd.engines.distributed import dialect, migrating, tenancy, workers
from reminderd.engines.distributed.leases import LEASE_MS
from reminderd.engines.distributed.pool import Connection, Pool
from reminderd.engines.distributed.refusals import place
from reminderd.engines.distributed.steps import VERSION
from reminderd.engines.tables import sealed
from reminderd.engines.tables.store import Row, Store
from reminderd.errors import TryAgainLater
from reminderd.sealing import Seal

PATIENCE_SECONDS = 5.0
_DESK = 0x72656D10  # the advisory lock of whoever works alone
# A process that hangs in a unit of work gives back what it holds after so many seconds.
_HANGS_ALONE, _HANGS_BESIDE = 300, 60
_TELL = f"SELECT wake({LEASE_MS}) WHERE pg_current_xact_id_if_assigned() IS NOT NULL"
_ALONE = f"SELECT pg_advisory_xact_lock({_DESK});"
# What is done beside others is about some hundred rows, and always by an index. A plan that suits a
# table while it is small is kept by the checks of foreign keys, and costs most once it has grown.
_BY_INDEX = "".join(
    f"SET LOCAL enable_{each} = off;" for each in ("seqscan", "hashjoin", "mergejoin")
)
_SEALED_BY = f"SELECT value FROM notes WHERE key = '{sealed.SEALED_BY}'"


class PostgresStore(Store):
    """One database on a server, by its URL, and what opens its values.

    Of patients it finds and changes those of `clinics` alone, whatever the statement: the server
    sees to that. None means everything, for who looks after the whole database. Raises
    ConfigurationError where it is of another schema, or encrypted otherwise than by `seal`;
    TryAgainLater where it cannot be reached.
    """

    def __init__(
        self,
        url: str,
        *,
        seal: Seal | None = None,
        clinics: Sequence[str] | None = None,
        patience_seconds: float = PATIENCE_SECONDS,
    ) -> None:
        self.seal = seal
        self.url = url
        self.clinics = clinics
        self._scoping = tenancy.scoping(clinics)
        self.worker: int | None = None  # under which number this process claims
        self._patience_seconds = patience_seconds
        self._local = threading.local()
        self._opened_by = threading.get_ident()
        self._pool = Pool(url, patience_seconds)
        try:
            with self._pool.connection() as connection, connection.transaction():
                migrating.refuse_unfit(connection, url)
                tenancy.refuse_unscoped(connection, url, clinics)
            sealed.refuse_unfit(place(url), self, seal)
        except BaseException:
            self._pool.close()
            raise

    # Statements ------------------------------------------------------------------------------

    def query(self, sql: str, parameters: Sequence[Any] = ()) -> list[Row]:
        return self.rows(dialect.translated(sql), parameters)

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> None:
        self.rows(dialect.translated(sql), parameters)

    def execute_many(self, sql: str, rows: Iterable[Row]) -> None:
        with self.beside(), self._connection() as connection, connection.cursor() as cursor:
            cursor.executemany(dialect.translated(sql).encode(), rows)

    def rows(
        self, sql: str, parameters: Sequence[Any] | Mapping[str, Any] | None = None
    ) -> list[Row]:
        """The rows of a statement in PostgreSQL's own words; `%s` for a parameter."""
        with self._connection() as connection:
            with self._scoped(connection):
                cursor = connection.execute(sql.encode(), parameters)
            return cursor.fetchall() if cursor.description else []

    def reserve(self, table: str, count: int) -> int:
        rows = self.rows("SELECT reserve(%s, %s)", (table, count))
        return int(rows[0][0])

    def free_id(self, table: str) -> int:
        return self.reserve(table, 0)

    def skip_ids(self, table: str, last: int) -> None:
        missing = last - self.free_id(table) + 1
        if missing > 0:
            self.reserve(table, missing)

    def for_update(self) -> str:
        return "FOR NO KEY UPDATE" if self._present is not None else ""

    def join(self, name: str) -> int:
        """Be one of those who send, under the number that is returned.

        Raises ConfigurationError where the database has become one of a newer version since.
        """
        with self.beside():
            assert self._present is not None
            migrating.refuse_unfit(self._present, self.url)
            versions = VERSION, migrating.jobs_version()
            self.worker = workers.joined(self.rows, name, *versions)
        return self.worker

    # Units of work ---------------------------------------------------------------------------

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Alone in the cluster among all that are; senders and hooks go on (`beside`).

        Every worker hears of what it wrote.
        """
        if self._present is not None:
            yield
            return
        with self._unit_of_work(_ALONE, _HANGS_ALONE):
            yield
            self.tell()

    @contextmanager
    def beside(self) -> Iterator[None]:
        """Beside all others; what it reads of a patient is its own until it ends."""
        if self._present is not None:
            yield
            return
        with self._unit_of_work(_BY_INDEX, _HANGS_BESIDE):
            yield

    def tell(self) -> None:
        """Let every worker look once this unit of work has ended, if it wrote anything."""
        self._local.tells = True

    @contextmanager
    def trial(self) -> Iterator[None]:
        with self._unit_of_work(_ALONE, _HANGS_ALONE, end="ROLLBACK"):
            yield

    @contextmanager
    def _unit_of_work(self, first: str, hangs_seconds: int, end: str = "COMMIT") -> Iterator[None]:
        patience = round(self._patience_seconds * 1000)
        begin = (
            f"BEGIN; SET LOCAL lock_timeout = {patience}; "
            f"SET LOCAL idle_in_transaction_session_timeout = '{hangs_seconds}s'; "
            f"{self._scoping}{first}{_SEALED_BY}"
        )
        with self._pool.connection() as connection:
            self._local.connection, self._local.tells = connection, False
            try:
                self._refuse_resealed(connection.execute(begin.encode()))
                yield
                self._end(connection, f"{_TELL}; {end}" if self._local.tells else end)
            except BaseException:
                _roll_back(connection)
                raise
            finally:
                self._local.connection = None

    def _end(self, connection: Connection, end: str) -> None:
        try:
            connection.execute(end.encode())
        except psycopg.Error as error:
            if not connection.broken:
                raise
            raise TryAgainLater(
                f"{place(self.url)}: the connection was cut: perhaps all of it is stored",
                remedy="The daemon goes on by itself; look whether it is there before you give a "
                "command again.",
            ) from error

    def _refuse_resealed(self, begun: "psycopg.Cursor[Row]") -> None:
        """Between the opening and now somebody may have encrypted the database, or decrypted it."""
        while begun.nextset():
            pass
        row = begun.fetchone()
        if (row and row[0]) != sealed.id_of(self.seal):
            raise TryAgainLater(
                f"{place(self.url)}: was encrypted or decrypted just now",
                remedy="Run the command again.",
            )

    @property
    def _present(self) -> Connection | None:
        """The connection of this thread's unit of work, where it is in one."""
        present: Connection | None = getattr(self._local, "connection", None)
        return present

    @contextmanager
    def _connection(self) -> Iterator[Connection]:
        if self._present is not None:
            yield self._present
        else:
            with self._pool.connection() as connection:
                yield connection

    @contextmanager
    def _scoped(self, connection: Connection) -> Iterator[None]:
        """A statement outside a unit of work has a scope too: both go to the server at once."""
        if self._scoping and self._present is None:
            with connection.pipeline():
                connection.execute(self._scoping.encode())
                yield
        else:
            yield

    # -----------------------------------------------------------------------------------------

    def scrub(self) -> bool:
        """Free what was removed; the server's own archives and copies are not ours to clean."""
        with self._pool.connection() as connection:
            for table in ("patients", "consents", "messages", "replies", "answers", "incidents"):
                connection.execute(f"VACUUM {table}".encode())
        return True

    def close(self) -> None:
        """What a thread used is given back already; whoever opened the database closes it."""
        if threading.get_ident() == self._opened_by:
            self.close_all()

    def close_all(self) -> None:
        """Close every connection of this process."""
        self._pool.close()


def _roll_back(connection: Connection) -> None:
    """Where the connection is lost, the server has done so."""
    if connection.closed or connection.info.transaction_status == psycopg.pq.TransactionStatus.IDLE:
        return
    try:
        connection.execute("ROLLBACK")
    except psycopg.Error:
        connection.close()
