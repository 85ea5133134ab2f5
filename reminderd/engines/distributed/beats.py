"""Beats once per cluster, and the way in which workers wake each other, by Procrastinate.

A `beat` is done by one worker every 15 seconds: all are told to look, what dead ones left is
recovered, jobs that nobody will do are dropped. A `drain` is for one worker, in a queue of its
own: it is deferred by each beat and by each transaction that somebody should hear of
(`reminderd.wake`). It only makes the worker look, so that one that is lost delays by one beat.
"""

import asyncio
import logging
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import procrastinate
from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool

from reminderd.clock import boottime_seconds
from reminderd.engines.distributed.pool import KEEPALIVE
from reminderd.engines.health import Health

EVERY_15_SECONDS = "* * * * * */15"
EVERYBODY = "beats"  # the queue of what any worker may do
WHO = "the job queue"
AGAIN_SECONDS = 3.0
POLL_SECONDS = 1.0  # where nobody can be notified; else only what went astray waits so long
HEARTBEAT_SECONDS = 5.0
PATIENCE_SECONDS = 5.0


class Beats:
    """Procrastinate in a thread of its own, started again whatever ails it.

    `worker` is this worker's number; `look` is called in that thread and returns at once. `recover`
    takes back what dead workers left and says whether that was anything. `lease_ms` is how long a
    worker that is not seen still counts. `everybody` names the queue of those who may recover each
    other's: workers of other clinics have another.
    """

    def __init__(
        self,
        url: str,
        worker: int,
        lease_ms: int,
        look: Callable[[], None],
        recover: Callable[[], bool],
        health: Health,
        everybody: str = EVERYBODY,
    ) -> None:
        self._everybody = everybody
        self._url = url
        self._queue = f"worker-{worker}"
        self._lease_ms = lease_ms
        self._look = look
        self._recover = recover
        self._health = health
        self._heard_at = boottime_seconds()
        self._recovering = threading.Lock()
        self._loop = asyncio.new_event_loop()
        self._stopping = asyncio.Event()
        self._worker: asyncio.Task[None] | None = None
        self._thread = threading.Thread(target=self._run, name="beats")

    def start(self) -> None:
        """Begin to work."""
        # Its lines at INFO name every job, and those at ERROR what `Health` tells in fewer words.
        logging.getLogger("procrastinate").setLevel(logging.CRITICAL)
        logging.getLogger("psycopg.pool").setLevel(logging.ERROR)
        self._thread.start()

    def stop(self) -> None:
        """Finish the job that is under way, and let go of the thread."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._end)
            self._thread.join()

    def silent_seconds(self) -> float:
        """How long no job has come."""
        return boottime_seconds() - self._heard_at

    def _run(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(self._keep_on())

    def _end(self) -> None:
        self._stopping.set()
        if self._worker is not None:
            self._worker.cancel()

    async def _keep_on(self) -> None:
        self._loop.set_exception_handler(self._missed)
        while not self._stopping.is_set():
            try:
                await self._serve()
            except Exception as error:  # sending does not need it
                self._fail(_cause(error))
            with suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), AGAIN_SECONDS)

    async def _serve(self) -> None:
        pool = _pool(self._url)
        app = procrastinate.App(connector=procrastinate.PsycopgConnector())
        self._add_tasks(app)
        async with pool, app.open_async(pool):
            work = app.run_worker_async(
                queues=[self._everybody, self._queue],
                name="reminderd",
                concurrency=2,  # a beat may have to wait for somebody who writes
                listen_notify=await _hears_notifications(pool),
                fetch_job_polling_interval=POLL_SECONDS,
                delete_jobs="always",
                update_heartbeat_interval=HEARTBEAT_SECONDS,
                stalled_worker_timeout=self._lease_ms / 1000,
                install_signal_handlers=False,
            )
            self._worker = asyncio.create_task(work)
            if self._stopping.is_set():
                self._worker.cancel()
            await asyncio.wait([self._worker])
            if not self._worker.cancelled():
                self._fail(_cause(self._worker.exception()) or "it stopped")

    def _add_tasks(self, app: procrastinate.App) -> None:
        @app.periodic(cron=EVERY_15_SECONDS, periodic_id=self._everybody)
        @app.task(name="beat", queue=self._everybody, queueing_lock=self._everybody)
        async def beat(timestamp: int) -> None:
            try:
                await self._beat(app)
            except Exception as error:
                self._fail(_cause(error))

        @app.task(name="drain")
        async def drain() -> None:
            self._heard_at = boottime_seconds()
            self._health.well(WHO)
            self._look()

    async def _beat(self, app: procrastinate.App) -> None:
        await self._call(app, "wake")
        if not self._recovering.acquire(blocking=False):
            return
        try:
            has_work = await asyncio.to_thread(self._recover)
        finally:
            self._recovering.release()
        await self._call(app, "sweep")
        if has_work:
            await self._call(app, "wake")

    async def _call(self, app: procrastinate.App, function: str) -> None:
        query = f"SELECT reminderd.{function}(%(lease)s)"
        await app.connector.execute_query_async(query, lease=self._lease_ms)

    def _fail(self, why: str) -> None:
        if not self._stopping.is_set():
            self._health.unwell(WHO, f"{WHO} does not work, every worker looks by itself: {why}")

    def _missed(self, _: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """What a job raised once nobody listened: that its end could not be recorded."""
        self._fail(_cause(context.get("exception")) or context["message"])


def _pool(url: str) -> AsyncConnectionPool[AsyncConnection[Any]]:
    return AsyncConnectionPool(
        url,
        min_size=1,
        max_size=2,
        timeout=PATIENCE_SECONDS,
        kwargs={"prepare_threshold": None, **KEEPALIVE},
        check=AsyncConnectionPool.check_connection,
        open=False,
    )


async def _hears_notifications(pool: AsyncConnectionPool[AsyncConnection[Any]]) -> bool:
    """Not where a pooler stands between, which may give our session to others."""
    async with pool.connection() as connection:
        cursor = await connection.execute("SELECT pg_backend_pid()")
        return await cursor.fetchone() == (connection.info.backend_pid,)


def _cause(error: BaseException | None) -> str:
    """The innermost error, in one line."""
    while error is not None and error.__cause__ is not None:
        error = error.__cause__
    return f"{type(error).__name__}: {error}".partition("\n")[0] if error is not None else ""
