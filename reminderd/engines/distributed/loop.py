"""The loop on many machines: each worker sleeps until the next due instant, and hears of changes.

The outbox row is the schedule; nothing that is due waits in a job. `beats.py` tells when somebody
else has changed something; whoever hears nothing looks by itself every 15 seconds, so that sending
needs neither Procrastinate nor any other worker.
"""

import itertools
import logging
import threading
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from reminderd.clock import Clock
from reminderd.dispatch import Dispatch
from reminderd.engine import BEAT, LOOK_OUT_SECONDS
from reminderd.engines.distributed.beats import EVERYBODY, WHO, Beats
from reminderd.engines.health import Health
from reminderd.engines.looking import Looks
from reminderd.errors import TryAgainLater
from reminderd.holding import held
from reminderd.interfaces import Outbox

log = logging.getLogger(__name__)

SILENT_SECONDS = 3 * BEAT.total_seconds()
TURNS_A_BEAT = round(BEAT.total_seconds() / LOOK_OUT_SECONDS)


class DistributedLoop:
    """Lets every dispatch drain whenever something is due, each in a thread of its own.

    `send_at` tells the instant to drain at, and None while there is a reason not to; `recover`
    takes back what dead workers left and says whether that was anything; `everybody`: see `Beats`.
    """

    def __init__(
        self,
        url: str,
        worker: int,
        lease: timedelta,
        outbox: Outbox,
        dispatches: Sequence[Dispatch],
        clock: Clock,
        send_at: Callable[[], datetime | None],
        recover: Callable[[], bool],
        everybody: str = EVERYBODY,
    ) -> None:
        self._outbox = outbox
        self._health = Health()
        self._lookers = [
            _Looker(Looks(f"{number}", each, clock, send_at, self._health), clock)
            for number, each in enumerate(dispatches)
        ]
        self._told = threading.Event()
        lease_ms = lease // timedelta(milliseconds=1)
        self._beats = Beats(url, worker, lease_ms, self._look_now, recover, self._health, everybody)

    def run(self, stop: threading.Event, renewed: Callable[[], Sequence[Dispatch] | None]) -> None:
        """Send until `stop` is set; finishes what is in flight.

        `renewed` is asked twice a second for dispatches, as many as before, that are to take over.
        What a look raised is raised here.
        """
        for each in self._lookers:
            each.start()
        self._beats.start()
        try:
            self._watch(stop, renewed)
        finally:
            log.info("stopping: what is under way is finished first")
            for each in self._lookers:
                each.stop()
            self._beats.stop()
            for each in self._lookers:
                each.join()
                each.looks.close()
        for each in self._lookers:
            if each.looks.failure is not None:
                raise each.looks.failure

    def _watch(
        self, stop: threading.Event, renewed: Callable[[], Sequence[Dispatch] | None]
    ) -> None:
        for turn in itertools.count():
            if turn % TURNS_A_BEAT == 0 or self._told.is_set():
                self._told.clear()
                self._say_what_holds()
            if stop.wait(LOOK_OUT_SECONDS) or any(each.looks.failure for each in self._lookers):
                return
            successors = renewed()
            if successors is not None:
                for looker, successor in zip(self._lookers, successors, strict=True):
                    looker.looks.take_over(successor)
                self._look_now()

    def _look_now(self) -> None:
        self._told.set()
        for each in self._lookers:
            each.look_now()

    def _say_what_holds(self) -> None:
        try:
            self._health.held(held(self._outbox))
        except TryAgainLater as error:
            self._health.unwell("holds", str(error))
            return
        self._health.well("holds")
        if self._beats.silent_seconds() > SILENT_SECONDS:
            self._health.unwell(WHO, f"{WHO} is silent, every worker looks by itself")


class _Looker(threading.Thread):
    """Looks when it is told to, at the next due instant, and where it was told nothing for long."""

    def __init__(self, looks: Looks, clock: Clock) -> None:
        super().__init__(name=f"look-{looks.name}")
        self.looks = looks
        self._clock = clock
        self._wanted = threading.Event()
        self._is_stopping = False

    def look_now(self) -> None:
        """Look as soon as the look that is under way has ended."""
        self._wanted.set()

    def stop(self) -> None:
        """End soon; what is in flight is finished."""
        self._is_stopping = True
        self.looks.stop()
        self._wanted.set()

    def run(self) -> None:
        while not self._is_stopping and self.looks.failure is None:
            self._wanted.clear()  # before it looks: what changes meanwhile is looked at again
            wake_at = self.looks.look()
            self._wanted.wait(self._seconds_until(wake_at))

    def _seconds_until(self, wake_at: datetime | None) -> float:
        left = BEAT if wake_at is None else min(wake_at - self._clock.now(), BEAT)
        return max(left.total_seconds(), 0.0)
