"""Procrastinate as it comes, for comparison: one job for each message, scheduled ahead.

And a job that says no more than that there is work, around a claim of 500 rows.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import procrastinate
import psycopg
from psycopg_pool import AsyncConnectionPool

CLAIM = 500
SIDE_BY_SIDE = 16  # jobs in one process; more are not faster
Connection = psycopg.Connection[Any]

_ADD = (
    "INSERT INTO procrastinate_jobs (queue_name, task_name, args, scheduled_at) "
    "SELECT 'messages', 'nothing', jsonb_build_object('message', number), {when} "
    "FROM generate_series(1, %s::bigint) AS number"
)
_LATER = "now() + interval '1 year' + number * interval '1 second'"
_BY_NOW = "now() - interval '1 second'"
_CLAIM = (
    "UPDATE reminders SET state = 'sending', wake_at = NULL WHERE id IN (SELECT due.id "
    "FROM unnest(%s::text[]) AS one (clinic) CROSS JOIN LATERAL (SELECT id FROM reminders "
    "WHERE clinic = one.clinic AND state = 'scheduled' AND wake_at <= %s "
    "ORDER BY wake_at LIMIT %s FOR UPDATE SKIP LOCKED) AS due)"
)


def install(url: str) -> None:
    """Procrastinate's own tables, in an empty database."""
    connector = procrastinate.SyncPsycopgConnector(conninfo=url)
    with procrastinate.App(connector=connector).open() as app:
        app.schema_manager.apply_schema()


def plan(connection: Connection, ahead: int, due: int) -> None:
    """So many jobs for next year in all, and in the midst of them so many that may be done now."""
    todo = "FROM procrastinate_jobs WHERE status = 'todo'"
    connection.execute(f"DELETE {todo} AND scheduled_at <= now()".encode())
    ((there,),) = connection.execute(f"SELECT count(*) {todo}".encode()).fetchall()
    with connection.transaction():
        # What fires for each row tells of the new job: nobody listens.
        connection.execute("SET LOCAL session_replication_role = replica")
        first = (ahead - there) // 2
        for when, count in ((_LATER, first), (_BY_NOW, due), (_LATER, ahead - there - first)):
            connection.execute(_ADD.format(when=when).encode(), (count,))


def nothing_done(url: str, seconds: float) -> Callable[[], int]:
    """A worker whose jobs do nothing, until none is due or the time is over; counts them."""
    done = 0
    app = procrastinate.App(connector=procrastinate.PsycopgConnector(conninfo=url))

    @app.task(name="nothing")
    async def nothing(message: int) -> None:
        nonlocal done
        done += 1

    def work() -> int:
        asyncio.run(_worked(app, SIDE_BY_SIDE, seconds))
        return done

    return work


def add_drains(connection: Connection, count: int) -> None:
    """So many jobs that claim."""
    connection.execute(
        "INSERT INTO procrastinate_jobs (queue_name, task_name) "
        "SELECT 'messages', 'drain' FROM generate_series(1, %s)",
        (count,),
    )


def claims_done(url: str, clinics: list[str], now_ms: int) -> Callable[[], int]:
    """A worker whose jobs claim 500 rows each and do nothing with them; counts the rows."""
    done = 0
    app = procrastinate.App(connector=procrastinate.PsycopgConnector(conninfo=url))
    pool = AsyncConnectionPool(url, open=False)

    @app.task(name="drain")
    async def drain() -> None:
        nonlocal done
        async with pool.connection() as connection:
            done += (
                await connection.execute(_CLAIM, (clinics, now_ms, CLAIM // len(clinics)))
            ).rowcount

    async def worked() -> None:
        async with pool:
            await _worked(app, 1, None)

    def work() -> int:
        asyncio.run(worked())
        return done

    return work


async def _worked(app: procrastinate.App, side_by_side: int, seconds: float | None) -> None:
    async with app.open_async():
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await app.run_worker_async(
                    wait=False,
                    concurrency=side_by_side,
                    listen_notify=False,
                    install_signal_handlers=False,
                )
