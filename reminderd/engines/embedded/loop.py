"""The loop on one machine: APScheduler as the alarm clock, and a look-out for other processes.

The outbox row is the schedule; a job here only says when to look. For each dispatch one sleeps
until the next due instant. Every 15 seconds all look in any case (a clock step, a resume from
suspend, an expiry), counted by a clock that nobody can set.
"""

import itertools
import logging
import threading
from collections.abc import Callable, Sequence
from datetime import datetime

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler

from reminderd.clock import Clock
from reminderd.dispatch import Dispatch
from reminderd.engine import BEAT, LOOK_OUT_SECONDS
from reminderd.engines.embedded.outbox import EmbeddedOutbox
from reminderd.engines.embedded.store import mark_of
from reminderd.engines.health import Health
from reminderd.engines.high_water import HighWater, newest
from reminderd.engines.looking import Looks
from reminderd.holding import held

log = logging.getLogger(__name__)

TURNS_A_BEAT = round(BEAT.total_seconds() / LOOK_OUT_SECONDS)
MARK_EVERY = 10  # looks out


class EmbeddedLoop:
    """Lets every dispatch drain whenever something is due, each in a thread of its own.

    `send_at` tells the instant to drain at, and None while there is a reason not to.
    """

    def __init__(
        self,
        outbox: EmbeddedOutbox,
        dispatches: Sequence[Dispatch],
        clock: Clock,
        send_at: Callable[[], datetime | None],
    ) -> None:
        self._outbox = outbox
        self._health = Health()
        self._water = HighWater(mark_of(outbox.path))
        # A beat that came late is still wanted, and two that wait are one.
        self._scheduler = BackgroundScheduler(
            timezone="UTC",
            executors={f"{number}": ThreadPoolExecutor(1) for number in range(len(dispatches))},
            job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1},
        )
        self._beats = [
            _Beat(Looks(f"{number}", each, clock, send_at, self._health), clock, self._scheduler)
            for number, each in enumerate(dispatches)
        ]

    def run(self, stop: threading.Event, renewed: Callable[[], Sequence[Dispatch] | None]) -> None:
        """Send until `stop` is set; finishes what is in flight.

        `renewed` is asked twice a second for dispatches, as many as before, that are to take over.
        What a beat raised is raised here.
        """
        logging.getLogger("apscheduler").setLevel(logging.ERROR)
        for beat in self._beats:
            beat.look_now()
        self._scheduler.start()
        try:
            self._watch(stop, renewed)
        finally:
            for beat in self._beats:
                beat.stop()
            log.info("stopping: what is under way is finished first")
            # It stumbles over a job that it is just about to start while it is shut down.
            self._scheduler.remove_all_jobs()
            self._scheduler.shutdown(wait=True)
            for beat in self._beats:
                beat.looks.close()
        for beat in self._beats:
            if beat.looks.failure is not None:
                raise beat.looks.failure

    def _watch(
        self, stop: threading.Event, renewed: Callable[[], Sequence[Dispatch] | None]
    ) -> None:
        """Notice within a second what another process has committed."""
        seen = self._outbox.data_version()
        self._health.held(held(self._outbox))
        for turn in itertools.count(1):
            if stop.wait(LOOK_OUT_SECONDS) or any(each.looks.failure for each in self._beats):
                return
            successors = renewed()
            if successors is not None:
                for beat, successor in zip(self._beats, successors, strict=True):
                    beat.looks.take_over(successor)
            if turn % MARK_EVERY == 0:
                self._water.write(newest(self._outbox))
            version = self._outbox.data_version()
            if successors is not None or version != seen or turn % TURNS_A_BEAT == 0:
                seen = version
                self._health.held(held(self._outbox))
                for beat in self._beats:
                    beat.look_now()


class _Beat:
    """One dispatch's jobs."""

    def __init__(self, looks: Looks, clock: Clock, scheduler: BackgroundScheduler) -> None:
        self.looks = looks
        self._clock = clock
        self._scheduler = scheduler
        self._planning = threading.Lock()
        self._is_stopping = False

    def stop(self) -> None:
        """Plan no more looks, and end the one that is under way."""
        with self._planning:  # the scheduler waits for our thread, and we never for the scheduler
            self._is_stopping = True
        self.looks.stop()

    def look_now(self) -> None:
        """Look as soon as nothing else is under way, whatever the wall clock shows."""
        self._look_at(None)

    def _look_at(self, instant: datetime | None) -> None:
        with self._planning:
            if self._is_stopping:
                return
            self._scheduler.add_job(
                self._look,
                "date",
                run_date=instant,
                id=f"due-{self.looks.name}",
                executor=self.looks.name,
                replace_existing=True,
            )

    def _look(self) -> None:
        wake_at = self.looks.look()
        if wake_at is not None:
            self._look_at(max(wake_at, self._clock.now()))
