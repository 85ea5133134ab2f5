"""A database on a server while its rows go over to a file, or come from one."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import psycopg

from reminderd.engines.distributed import migrating, tenancy
from reminderd.engines.distributed.leases import ALIVE, LEASE
from reminderd.engines.distributed.outbox import DistributedOutbox
from reminderd.engines.distributed.pool import Connection
from reminderd.engines.distributed.refusals import place, translated
from reminderd.engines.distributed.snapshot import Opened
from reminderd.engines.tables.moving import EMPTY_ONE, TABLES, RowsRefused
from reminderd.engines.tables.store import Row
from reminderd.engines.tables.whole import COPY
from reminderd.errors import ConfigurationError, Refused, TryAgainLater
from reminderd.sealing import Seal

PATIENCE_SECONDS = 5
_OURS = ("workers", "turns", "paces")  # what the machines of a cluster know of each other
_COUNTERS = (
    "SELECT left(sequencename, -length('_ids')), coalesce(last_value, 0) FROM pg_sequences "
    f"WHERE schemaname = '{migrating.SCHEMA}' AND sequencename LIKE '%\\_ids'"
)
_LIVING = f"SELECT name FROM workers WHERE {ALIVE} ORDER BY name"


class ServerEnd(Opened):
    """Implements `tables.moving.End` on one connection."""

    def __init__(self, url: str, connection: Connection) -> None:
        super().__init__(connection)
        self.where = place(url)
        self._url = url

    @contextmanager
    def transaction(self) -> Iterator[None]:
        try:
            with self._connection.transaction():
                self._connection.execute(
                    f"SET LOCAL search_path = {migrating.SCHEMA}; "
                    f"SET LOCAL lock_timeout = '{PATIENCE_SECONDS}s'; "
                    "SET LOCAL statement_timeout = 0; "
                    "SET LOCAL idle_in_transaction_session_timeout = 0".encode()
                )
                yield
        except psycopg.Error as error:
            raise translated(error, self._url) from error

    def columns(self, table: str) -> list[str]:
        rows = self.query(
            "SELECT attname FROM pg_attribute WHERE attrelid = to_regclass(?) AND attnum > 0 "
            "AND NOT attisdropped ORDER BY attnum",
            (table,),
        )
        return [row[0] for row in rows]

    def put(self, table: str, columns: Sequence[str], rows: Sequence[Row]) -> None:
        sql = f"COPY {table} ({', '.join(columns)}) FROM STDIN"
        # The server copies nothing into a table whose owner is scoped, even by everything.
        self.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
        try:
            with self._connection.cursor() as cursor, cursor.copy(sql.encode()) as copy:
                for row in rows:
                    copy.write_row(row)
            self.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        except (psycopg.DataError, psycopg.IntegrityError) as error:
            # Only the first words: the details of a constraint quote rows.
            raise RowsRefused(error.diag.message_primary or "not a value") from error

    def counters(self) -> Mapping[str, int]:
        names = {each.name for each in TABLES}
        return {name: last for name, last in self.query(_COUNTERS) if name in names}

    def count_on(self, counters: Mapping[str, int]) -> None:
        known = self.counters()
        for table, highest in counters.items():
            if table in known and highest > known[table]:
                self.execute(
                    "SELECT setval(to_regclass(?), ?)",
                    (f"{migrating.SCHEMA}.{table}_ids", highest),
                )

    def refuse_senders(self) -> None:
        """Raises TryAgainLater where somebody sends from it."""
        for (name,) in self.query(_LIVING):
            raise TryAgainLater(
                f"{self.where}: worker {name} is sending from this database",
                remedy=f"Stop every worker, and wait {LEASE.seconds} s where one was killed. Then "
                "give the command again.",
            )


@contextmanager
def source(url: str, seal: Seal | None) -> Iterator[ServerEnd]:
    """A database that nobody sends from or writes into until the end; one transaction.

    Raises ConfigurationError where it cannot be used, TryAgainLater where it is in use.
    """
    DistributedOutbox(url, seal=seal).close_all()
    with migrating.connected(url) as connection:
        _refuse_old(connection, url)
        end = ServerEnd(url, connection)
        with end.transaction():
            locked = ", ".join([*(each.name for each in TABLES), *_OURS])
            end.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            end.execute(f"LOCK TABLE {locked} IN SHARE MODE")
            end.refuse_senders()
            yield end


@contextmanager
def target(url: str) -> Iterator[ServerEnd]:
    """A database of the present schema, made where there is none, that nobody sends from."""
    with migrating.connected(url) as connection:
        _refuse_filled(connection, url)
        migrating.migrate(url)
        end = ServerEnd(url, connection)
        with end.transaction():
            end.refuse_senders()
        yield end


@contextmanager
def snapshot(url: str, clinics: Sequence[str] | None) -> Iterator[ServerEnd]:
    """One state of a database that may be in use; nothing can be changed.

    Of patients there are those of `clinics`; None means everything.
    """
    with migrating.connected(url) as connection:
        end = ServerEnd(url, connection)
        with end.transaction():
            end.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
            tenancy.limit(connection, url, clinics)
            yield end


def _refuse_old(connection: Connection, url: str) -> None:
    if missing := migrating.needed(connection):
        raise ConfigurationError(
            [f"{place(url)}: not of the present schema: lacks {missing[0]}"],
            remedy="Bring it up to date: reminderd db migrate",
        )


def _refuse_filled(connection: Connection, url: str) -> None:
    """Bring nothing up to date that somebody works with."""
    if not migrating.version(connection) or not migrating.needed(connection):
        return
    rows = connection.execute(
        f"SELECT 1 FROM reminderd.notes WHERE key NOT IN ('installation', '{COPY}')".encode()
    )
    if rows.fetchone() is not None:
        raise Refused(f"{place(url)}: is not empty", remedy=EMPTY_ONE)
