"""How long, and at which time of day, as files write it.

A local time has no zone and only becomes an instant in `hours.py`.
"""

import re
from dataclasses import dataclass
from datetime import time, timedelta
from functools import lru_cache

from reminderd.errors import shown


def local_time(text: str) -> time:
    """Read `"09:00"`; raises ValueError with what is expected."""
    if re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", text, re.ASCII) is None:
        raise ValueError(f'{shown(text)} is not a time of day; write for example "09:00"')
    return time.fromisoformat(text)


_DURATION = re.compile(r"(-?\d{1,6})([mhd])", re.ASCII)


@dataclass(frozen=True, slots=True)
class Duration:
    """`90m` and `12h` are elapsed time, `3d` is calendar days (contract, section 2)."""

    amount: int
    unit: str  # "m", "h" or "d"

    @classmethod
    def parse(cls, text: str) -> "Duration":
        """Read `"90m"`, `"12h"` or `"3d"`; raises ValueError with what is expected."""
        match = _DURATION.fullmatch(text)
        if match is None:
            raise ValueError(
                f'{shown(text)} is not a duration; write for example "90m", "12h" or "3d"'
            )
        return cls(int(match[1]), match[2])

    @property
    def elapsed(self) -> timedelta:
        """The length on the UTC line; only for minutes and hours."""
        if self.unit == "d":
            raise ValueError(f"{self} counts calendar days and has no fixed length")
        return _elapsed(self.amount, self.unit)

    def __str__(self) -> str:
        return f"{self.amount}{self.unit}"


@lru_cache(maxsize=1024)
def _elapsed(amount: int, unit: str) -> timedelta:
    return timedelta(minutes=amount if unit == "m" else amount * 60)


@dataclass(frozen=True, slots=True)
class QuietHours:
    """The local times between which nobody is disturbed; `start == end` means none."""

    start: time
    end: time

    @classmethod
    def parse(cls, text: str) -> "QuietHours":
        """Read `"21:00-08:00"`; raises ValueError with what is expected."""
        match = re.fullmatch(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)", text, re.ASCII)
        if match is None:
            raise ValueError(
                f'{shown(text)} is not a pair of times; write for example "21:00-08:00"'
            )
        hour, minute, end_hour, end_minute = map(int, match.groups())
        return cls(time(hour, minute), time(end_hour, end_minute))

    def __str__(self) -> str:
        return f"{self.start:%H:%M}-{self.end:%H:%M}"
