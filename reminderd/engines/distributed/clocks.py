"""This machine's clock against the one that all machines share, that of the database.

A worker whose clock is off sends nothing, and the others go on: what is due, too late or at night
must not depend on who looks. Between two measurements the database's clock is carried on by a clock
of this machine that nobody can set.
"""

import logging
from datetime import datetime, timedelta

from reminderd.clock_guard import Reading

log = logging.getLogger(__name__)

MOST = timedelta(seconds=5)


class SharedClock:
    """Implements `clock_guard.Reference`; of use once the database was asked for the first time."""

    def __init__(self) -> None:
        self.trouble = ""
        self._measured: tuple[datetime, float, float] | None = None

    def measured(self, instant: datetime, asked: float, answered: float) -> None:
        """The database said so at some moment between these two, by the clock nobody can set."""
        self._measured = instant, asked, answered

    def wrong(self, reading: Reading) -> str:
        """What is the matter with the time here; empty where nothing is."""
        off = self._off(reading)
        before, self.trouble = self.trouble, _why(off) if abs(off) > MOST else ""
        if self.trouble and not before:
            log.error("this worker sends nothing: %s", self.trouble)
        elif before and not self.trouble:
            log.warning("the clock agrees with the database's again: sending goes on")
        return self.trouble

    def _off(self, reading: Reading) -> timedelta:
        """How far the wall clock is ahead, at least: an answer on its way is nobody's fault."""
        if self._measured is None:
            return timedelta()
        instant, asked, answered = self._measured
        latest = instant + timedelta(seconds=reading.seconds - asked)
        earliest = instant + timedelta(seconds=reading.seconds - answered)
        if reading.wall > latest:
            return reading.wall - latest
        return min(reading.wall - earliest, timedelta())


def _why(off: timedelta) -> str:
    way = "ahead of" if off > timedelta() else "behind"
    seconds = abs(off).total_seconds()
    return f"the clock of this machine is {seconds:.0f} s {way} the database's"
