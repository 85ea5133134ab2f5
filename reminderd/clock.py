"""The only reader of clocks: everything below the outer ring takes `now` as an argument."""

import threading
import time
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Tells the present instant, aware and in UTC."""

    def now(self) -> datetime: ...


class SystemClock:
    """The machine's wall clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)


def boottime_seconds() -> float:
    """Seconds since the machine started, suspended or awake; nobody can set this clock.

    Without the time in suspend where the system does not count that.
    """
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


class VirtualClock:
    """A clock that stands still until it is moved; it never goes back."""

    def __init__(self, start: datetime) -> None:
        self._now = start.astimezone(UTC)
        self._lock = threading.Lock()

    def now(self) -> datetime:
        with self._lock:
            return self._now

    def move_to(self, instant: datetime) -> None:
        """Stand at `instant`, or stay where it is later already."""
        with self._lock:
            self._now = max(self._now, instant.astimezone(UTC))

    def move(self, step: timedelta) -> None:
        """Go forward by `step`."""
        self.move_to(self.now() + step)
