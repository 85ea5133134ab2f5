"""One dispatch's looks, as every engine's loop has them; what wakes them is the engine's own."""

import logging
import threading
from collections.abc import Callable
from datetime import datetime

from reminderd.clock import Clock
from reminderd.dispatch import Dispatch, Drained
from reminderd.engines.health import Health
from reminderd.errors import TryAgainLater

log = logging.getLogger(__name__)


class Looks:
    """Two of them never overlap; `send_at` tells the instant to send at, None while held."""

    def __init__(
        self,
        name: str,
        dispatch: Dispatch,
        clock: Clock,
        send_at: Callable[[], datetime | None],
        health: Health,
    ) -> None:
        self.name = name
        self.failure: BaseException | None = None
        self._dispatch = dispatch
        self._clock = clock
        self._send_at = send_at
        self._health = health
        self._stopping = threading.Event()
        self._sending = threading.Lock()

    def stop(self) -> None:
        """Hand over nothing more; what is in flight is finished by `close`."""
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

    def look(self) -> datetime | None:
        """Send until nothing is left; returns when to look again, None where only a beat tells.

        Never raises: what cannot be helped by another look is kept as `failure`.
        """
        self._dispatch.show_life()
        try:
            return self._look()
        except TryAgainLater as error:
            self._health.unwell(self.name, str(error))
        except BaseException as error:
            log.exception("the beat failed")
            self.failure = error
        return None

    def _look(self) -> datetime | None:
        while not self._stopping.is_set():
            now = self._send_at()
            if now is None:
                with self._sending:  # whoever writes while sending is held is listened to
                    self._dispatch.hear(self._clock.now())
                return None  # the next beat asks again
            if not self._drained(now).more:
                break
        wake_at = self._dispatch.next_wake_at(self._clock.now())
        self._health.well(self.name)
        return wake_at

    def _drained(self, now: datetime) -> Drained:
        with self._sending:
            drained = self._dispatch.drain(now)
        if drained.deliveries:
            log.info("sent: %d", drained.deliveries)
        for reason, count in drained.expired.items():
            log.warning("expired, %s: %d", reason, count)
        return drained
