"""Whether the wall clock can be believed: it is held against one that nobody can set. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Protocol

STEP = timedelta(minutes=1)  # less is a slow clock being put right, or a leap second
STEADY_SECONDS = 30.0  # two beats: so long must a clock that was wrong be right again


class Wrong(StrEnum):
    """What is the matter with the time."""

    STEPPED = "clock-stepped"
    BEHIND = "clock-behind"


@dataclass(frozen=True, slots=True)
class Reading:
    """Both clocks at one moment; `seconds` have passed since some start, asleep or awake."""

    wall: datetime
    seconds: float


class Reference(Protocol):
    """A clock that several machines share."""

    def wrong(self, reading: Reading) -> str:
        """What is the matter with the time of this machine; empty where nothing is."""
        ...


class ClockGuard:
    """Believes a wall clock that runs on evenly and is not behind what is already on record.

    A step of more than a minute, either way, is wrong until the clock is back where it would be
    without it, for half a minute, or until somebody accepts it. A clock that was behind at the
    start is right once it has passed what is on record.
    """

    def __init__(self, first: Reading, newest: datetime | None) -> None:
        self.wrong: Wrong | None = None
        self.why = ""
        self._right = first  # the latest reading that was believed
        self._floor: datetime | None = None
        self._steady_since: float | None = None
        if newest is not None and first.wall < newest - STEP:
            self._floor = newest
            behind = _span(newest - first.wall)
            self._doubt(Wrong.BEHIND, f"the clock is {behind} behind the newest entry on record")

    def look(self, reading: Reading) -> Wrong | None:
        """What is wrong with the time at this reading; None where it is to be believed."""
        if self.wrong is None:
            self._compare(reading)
        elif self._is_back(reading):
            self._wait_until_steady(reading)
        else:
            self._steady_since = None
        return self.wrong

    def accept(self, reading: Reading) -> None:
        """Believe the clock as it is."""
        self.wrong, self.why = None, ""
        self._right, self._floor, self._steady_since = reading, None, None

    def _compare(self, reading: Reading) -> None:
        step = self._step(reading)
        if abs(step) <= STEP:
            self._right = reading
            return
        way = "forwards" if step > timedelta() else "backwards"
        self._doubt(Wrong.STEPPED, f"the clock went {_span(abs(step))} {way} at once")

    def _is_back(self, reading: Reading) -> bool:
        if self._floor is None:
            return abs(self._step(reading)) <= STEP
        if self._steady_since is not None and abs(self._step(reading)) > STEP:
            return False
        return reading.wall >= self._floor - STEP

    def _wait_until_steady(self, reading: Reading) -> None:
        if self._steady_since is None:
            self._steady_since = reading.seconds
            if self._floor is not None:
                self._right = reading
        elif reading.seconds - self._steady_since >= STEADY_SECONDS:
            self.accept(reading)

    def _step(self, reading: Reading) -> timedelta:
        """How far the wall clock is from where the other one says that it should be."""
        ran = timedelta(seconds=reading.seconds - self._right.seconds)
        return reading.wall - self._right.wall - ran

    def _doubt(self, wrong: Wrong, why: str) -> None:
        self.wrong, self.why = wrong, why


def _span(span: timedelta) -> str:
    """`3 min`, `5 h` or `12 days`: to the nearest."""
    for unit, word in ((timedelta(days=2), "days"), (timedelta(hours=2), "h")):
        if span >= unit:
            return f"{round(span / (unit / 2))} {word}"
    return f"{round(span / timedelta(minutes=1))} min"
