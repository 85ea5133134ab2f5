"""The loop on one machine: APScheduler as the alarm clock, and a look-out for other processes.

The outbox row is the schedule; a job here only says when to look. One job sleeps until the next
due instant, one beats every 15 seconds as a cap (a clock step, a resume from suspend, an expiry).
"""

import logging
import threading
from collections.abc import Callable
from datetime import datetime, timedelta

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler

from reminderd.clock import Clock
from reminderd.dispatch import Dispatch, Drained
from reminderd.engines.embedded.outbox import EmbeddedOutbox
from reminderd.errors import TryAgainLater

log = logging.getLogger(__name__)

BEAT = timedelta(seconds=15)
LOOK_OUT_SECONDS = 0.5


class EmbeddedLoop:
    """Drains whenever something is due; `on_beat` is called at the end of every look."""

    def __init__(
        self,
        outbox: EmbeddedOutbox,
        dispatch: Dispatch,
        clock: Clock,
        on_beat: Callable[[], None],
    ) -> None:
        self._outbox = outbox
        self._dispatch = dispatch
        self._clock = clock
        self._on_beat = on_beat
        self._stopping = threading.Event()
        self._sending = threading.Lock()
        self._failure: BaseException | None = None
        # A beat that came late is still wanted, and two that wait are one.
        self._scheduler = BackgroundScheduler(
            timezone="UTC",
            executors={"default": ThreadPoolExecutor(1)},
            job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1},
        )

    def run(self, stop: threading.Event, renewed: Callable[[], Dispatch | None]) -> None:
        """Send until `stop` is set; finishes what is in flight.

        `renewed` is asked twice a second for a dispatch that is to take over. What a beat raised
        is raised here.
        """
        logging.getLogger("apscheduler").setLevel(logging.ERROR)
        self._scheduler.add_job(self._beat, "interval", seconds=BEAT.total_seconds(), id="beat")
        self._scheduler.start()
        try:
            self._look_now()
            self._watch(stop, renewed)
        finally:
            self._stopping.set()
            self._dispatch.request_stop()
            self._scheduler.shutdown(wait=True)
            self._dispatch.close()
        if self._failure is not None:
            raise self._failure

    def _watch(self, stop: threading.Event, renewed: Callable[[], Dispatch | None]) -> None:
        """Notice within a second what another process has committed."""
        seen = self._outbox.data_version()
        while not stop.wait(LOOK_OUT_SECONDS) and self._failure is None:
            successor = renewed()
            if successor is not None:
                self._take_over(successor)
            version = self._outbox.data_version()
            if successor is not None or version != seen:
                seen = version
                self._look_now()

    def _take_over(self, successor: Dispatch) -> None:
        """Let the running dispatch finish what is in flight, then send by the new one."""
        self._dispatch.request_stop()
        with self._sending:
            self._dispatch.close()
            self._dispatch = successor

    def _look_now(self) -> None:
        self._look_at(self._clock.now())

    def _look_at(self, instant: datetime) -> None:
        self._scheduler.add_job(
            self._beat, "date", run_date=instant, id="due", replace_existing=True
        )

    def _beat(self) -> None:
        try:
            while not self._stopping.is_set() and self._drained().more:
                self._on_beat()
            self._on_beat()
            wake_at = self._dispatch.next_wake_at(self._clock.now())
            if wake_at is not None and not self._stopping.is_set():
                self._look_at(max(wake_at, self._clock.now()))
        except TryAgainLater as error:
            log.warning("the next beat tries again: %s", error)
        except BaseException as error:
            log.exception("the beat failed")
            self._failure = error

    def _drained(self) -> Drained:
        with self._sending:
            return self._dispatch.drain(self._clock.now())
