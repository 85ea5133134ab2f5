"""Connections to the server: a few for the whole process, each given out for one unit of work."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg_pool import ConnectionPool, PoolTimeout

from reminderd.engines.distributed.refusals import translated, unreachable
from reminderd.errors import TryAgainLater

Connection = psycopg.Connection[tuple[object, ...]]
MOST = 16
KEEPALIVE = {  # a server that is gone is noticed, also in the middle of a statement
    "connect_timeout": 5,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,
}


class Pool:
    """Up to `MOST` connections, opened when they are needed.

    Prepared statements are off: behind PgBouncer the next transaction may be on another server
    connection, which knows nothing of them.
    """

    def __init__(self, url: str, patience_seconds: float) -> None:
        self.url = url
        self._patience_seconds = patience_seconds
        self._pool = ConnectionPool(
            url,
            kwargs={"autocommit": True, "prepare_threshold": None, **KEEPALIVE},
            min_size=0,
            max_size=MOST,
            max_idle=60,
            timeout=patience_seconds,
            reconnect_timeout=1,
            num_workers=1,
            check=ConnectionPool.check_connection,
            open=True,
        )

    @contextmanager
    def connection(self) -> Iterator[Connection]:
        """One that answers, in autocommit; whatever goes wrong is told to a person.

        Raises TryAgainLater where the server is not there, ConfigurationError where it lets nobody
        in, or a statement cannot be run.
        """
        try:
            with self._pool.connection() as connection:
                yield connection
        except PoolTimeout as error:
            raise self._why(error) from error
        except psycopg.Error as error:
            raise translated(error, self.url) from error

    def _why(self, error: PoolTimeout) -> Exception:
        """The pool does not say why there is no connection: ask once more, without it."""
        try:
            psycopg.connect(self.url, connect_timeout=5).close()
        except psycopg.Error as cause:
            return unreachable(cause, self.url)
        return TryAgainLater(
            f"no connection to the database was free within {self._patience_seconds:g} s",
            remedy="The daemon goes on by itself; give a command again.",
        )

    def close(self) -> None:
        """Close them all."""
        self._pool.close(timeout=5)
