"""What the running process knows of itself: who has looked when, and how late messages left."""

import threading
from bisect import bisect_left
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import NamedTuple

from reminderd.clock import boottime_seconds

LATE_SECONDS = (0.5, 1, 2.5, 5, 15, 60, 300, 900, 3600)  # upper ends of the classes


class Lateness(NamedTuple):
    """How many messages left up to each of `LATE_SECONDS` late, and later; and all their seconds.

    The counts are of each class alone.
    """

    counts: Sequence[int]
    seconds: float


class Pulse:
    """Written by those who send, read by those who watch; `seconds` is a clock nobody can set."""

    def __init__(self, seconds: Callable[[], float] = boottime_seconds) -> None:
        self._seconds = seconds
        self._beats: dict[str, float] = {}
        self._turn = threading.Lock()
        self._late: dict[str, tuple[list[int], float]] = {}

    def beat(self, who: str) -> None:
        """This one has looked just now."""
        self._beats[who] = self._seconds()

    def age_seconds(self) -> float | None:
        """How long ago the one who was silent for longest has looked; None before anybody has."""
        beats = list(self._beats.values())
        return self._seconds() - min(beats) if beats else None

    def left(self, channel: str, late: timedelta) -> None:
        """A message was accepted so long after it was due."""
        seconds = max(late.total_seconds(), 0.0)
        with self._turn:
            counts, total = self._late.get(channel, ([0] * (len(LATE_SECONDS) + 1), 0.0))
            counts[bisect_left(LATE_SECONDS, seconds)] += 1
            self._late[channel] = (counts, total + seconds)

    def lateness(self) -> dict[str, Lateness]:
        """By channel, of what left since the process began."""
        with self._turn:
            return {
                channel: Lateness(tuple(counts), total)
                for channel, (counts, total) in self._late.items()
            }
