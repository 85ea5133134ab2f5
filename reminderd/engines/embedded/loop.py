"""The loop on one machine: APScheduler as the alarm clock, and a look-out for other processes.

The outbox row is the schedule; a job here only says when to look. For each dispatch one sleeps
until the next due instant. Every 15 seconds all look in any case (a clock step, a resume from
suspend, an expiry), counted by a clock that nobody can set.
"""

import itertools
import logging
import threading
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler

from reminderd.clock import Clock
from reminderd.dispatch import Dispatch, Drained
from reminderd.engines.embedded.health import Health
from reminderd.engines.embedded.high_water import HighWater, newest
from reminderd.engines.embedded.outbox import EmbeddedOutbox
from reminderd.errors import TryAgainLater
from reminderd.holding import held

log = logging.getLogger(__name__)

BEAT = timedelta(seconds=15)
LOOK_OUT_SECONDS = 0.5
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
        self._water = HighWater(outbox.path)
        # A beat that came late is still wanted, and two that wait are one.
        self._scheduler = BackgroundScheduler(
            timezone="UTC",
            executors={f"{number}": ThreadPoolExecutor(1) for number in range(len(dispatches))},
            job_defaults={"misfire_grace_time": None, "coalesce": True, "max_instances": 1},
        )
        self._beats = [
            _Beat(f"{number}", each, clock, send_at, self._scheduler, self._health)
            for number, each in enumerate(dispatches)
        ]

    def run(self, stop: threading.Event, renewed: Callable[[], Sequence[Dispatch] | None]) -> None:
        """Send until `stop` is set; finishes what is in flight.

        `renewed` is asked twice a second for dispatches, as many as before, that are to take over.
        What a beat raised is raised here.
        """
        logging.getLogger("apscheduler").setLevel(logging.ERROR)
        for beat in self._beats:
            beat.start()
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
                beat.close()
        for beat in self._beats:
            if beat.failure is not None:
                raise beat.failure

    def _watch(
        self, stop: threading.Event, renewed: Callable[[], Sequence[Dispatch] | None]
    ) -> None:
        """Notice within a second what another process has committed."""
        seen = self._outbox.data_version()
        self._health.held(held(self._outbox))
        for turn in itertools.count(1):
            if stop.wait(LOOK_OUT_SECONDS) or any(each.failure for each in self._beats):
                return
            successors = renewed()
            if successors is not None:
                for beat, successor in zip(self._beats, successors, strict=True):
                    beat.take_over(successor)
            if turn % MARK_EVERY == 0:
                self._water.write(newest(self._outbox.query))
            version = self._outbox.data_version()
            if successors is not None or version != seen or turn % TURNS_A_BEAT == 0:
                seen = version
                self._health.held(held(self._outbox))
                for beat in self._beats:
                    beat.look_now()


class _Beat:
    """One dispatch's jobs; two of its looks never overlap."""

    def __init__(
        self,
        name: str,
        dispatch: Dispatch,
        clock: Clock,
        send_at: Callable[[], datetime | None],
        scheduler: BackgroundScheduler,
        health: Health,
    ) -> None:
        self.failure: BaseException | None = None
        self._name = name
        self._dispatch = dispatch
        self._clock = clock
        self._send_at = send_at
        self._scheduler = scheduler
        self._health = health
        self._stopping = threading.Event()
        self._sending = threading.Lock()
        self._planning = threading.Lock()

    def start(self) -> None:
        """Look at once."""
        self.look_now()

    def stop(self) -> None:
        """Hand over nothing more; what is in flight is finished by `close`."""
        with self._planning:  # the scheduler waits for our thread, and we never for the scheduler
            self._stopping.set()
        self._dispatch.request_stop()

    def close(self) -> None:
        """Settle what is left, once no look is under way."""
        self._dispatch.close()

    def take_over(self, successor: Dispatch) -> None:
        """Let the running dispatch finish what is in flight, then send by the new one."""
        self._dispatch.request_stop()
        with self._sending:
            successor.inherit(self._dispatch)
            self._dispatch.close()
            self._dispatch = successor

    def look_now(self) -> None:
        """Look as soon as nothing else is under way, whatever the wall clock shows."""
        self._look_at(None)

    def _look_at(self, instant: datetime | None) -> None:
        with self._planning:
            if self._stopping.is_set():
                return
            self._scheduler.add_job(
                self._look,
                "date",
                run_date=instant,
                id=f"due-{self._name}",
                executor=self._name,
                replace_existing=True,
            )

    def _look(self) -> None:
        self._dispatch.show_life()
        try:
            while not self._stopping.is_set():
                now = self._send_at()
                if now is None:
                    self._heard()
                    return  # the next beat asks again
                if not self._drained(now).more:
                    break
            wake_at = self._dispatch.next_wake_at(self._clock.now())
            if wake_at is not None:
                self._look_at(max(wake_at, self._clock.now()))
            self._health.well(self._name)
        except TryAgainLater as error:
            self._health.unwell(self._name, str(error))
        except BaseException as error:
            log.exception("the beat failed")
            self.failure = error

    def _heard(self) -> None:
        """Whoever writes while sending is held is listened to all the same."""
        with self._sending:
            self._dispatch.hear(self._clock.now())

    def _drained(self, now: datetime) -> Drained:
        with self._sending:
            drained = self._dispatch.drain(now)
        if drained.deliveries:
            log.info("sent: %d", drained.deliveries)
        for reason, count in drained.expired.items():
            log.warning("expired, %s: %d", reason, count)
        return drained
