"""Before anything leaves or expires: is the time right, and is it as much as usual?

Where it is not, sending is held, and nothing expires either: what a wrong clock calls late is not.
"""

import json
import threading
from collections.abc import Callable
from datetime import datetime, timedelta

from reminderd.clock import Clock, boottime_seconds
from reminderd.clock_guard import ClockGuard, Reading, Reference, Wrong
from reminderd.errors import TryAgainLater
from reminderd.holding import held, hold, release
from reminderd.interfaces import Outbox

UNUSUAL = "unusual-volume"
ALWAYS_USUAL = 200  # messages at once: a small clinic, or the first days of one
BACK = timedelta(days=30)  # what is usual is seen in so many days
FRESH = timedelta(days=1)  # what was planned since then was entered by somebody who saw how much
_DOUBTED = "clock-doubted"
_ASKED_AT = "volume-asked-at"
_LONGEST_READING_SECONDS = 1.0


def refuse_wrong_time(reference: Reference | None, clock: Clock) -> None:
    """Raise TryAgainLater where the machine's clock differs from the one that all share.

    For what plans again: what is due, or too late, must not depend on which machine looks.
    """
    if reference is None:
        return
    if trouble := reference.wrong(Reading(clock.now(), boottime_seconds())):
        raise TryAgainLater(trouble, remedy="Set the clock, such as by NTP, and start again.")


class Watch:
    """Tells the instant to send at, for as long as nothing speaks against sending.

    May be asked by several threads. `multiple` is how many times the busiest hour of the last 30
    days may leave or expire at once. With a `reference` the time is right where that says so, and
    a wrong one keeps nobody else from sending; without, the clock is held against its own past.
    """

    def __init__(
        self,
        outbox: Outbox,
        clock: Clock,
        multiple: int,
        seconds: Callable[[], float] = boottime_seconds,
        reference: Reference | None = None,
    ) -> None:
        self._outbox = outbox
        self._clock = clock
        self._multiple = multiple
        self._seconds = seconds
        self._reference = reference
        self._turn = threading.Lock()
        causes = self._causes()
        self._holding = next((each for each in Wrong if each in causes), None)
        self._guard = ClockGuard(self._reading(), self._newest())
        # A clock that stepped while another process looked: nobody knows where it should be.
        self._only_by_word = self._holding is Wrong.STEPPED and self._guard.wrong is None
        self._asking = UNUSUAL in causes
        self._usual: tuple[datetime, int] | None = None

    def now(self) -> datetime | None:
        """The present instant where sending may go on; None while the time or volume is wrong."""
        with self._turn:
            reading = self._reading()
            if not self._time_is_right(reading) or not self._is_usual(reading.wall):
                return None
            return reading.wall

    def time_is_right(self) -> bool:
        """Whether the clock can be believed; holds sending where it cannot."""
        with self._turn:
            return self._time_is_right(self._reading())

    def trouble(self) -> str:
        """Why this process sends nothing though others may; empty where it does as they do."""
        return self._reference.wrong(self._reading()) if self._reference is not None else ""

    def _reading(self) -> Reading:
        """Both clocks; again where the machine slept in between."""
        while True:
            before = self._seconds()
            wall, after = self._clock.now(), self._seconds()
            if after - before < _LONGEST_READING_SECONDS:
                return Reading(wall, after)

    def _causes(self) -> set[str]:
        return {each.cause for each in held(self._outbox)}

    # Time --------------------------------------------------------------------------------------

    def _time_is_right(self, reading: Reading) -> bool:
        if self._reference is not None:
            return not self._reference.wrong(reading)
        wrong = self._guard.look(reading)
        if self._holding is not None and self._holding not in self._causes():
            self._guard.accept(reading)  # somebody has released it: the clock is right
            self._holding, self._only_by_word = None, False
        elif wrong is not None and self._holding is None:
            self._doubt(wrong, reading.wall)
        elif wrong is None and self._holding is not None and not self._only_by_word:
            self._trust(self._holding, reading.wall)
        return self._holding is None

    def _doubt(self, wrong: Wrong, now: datetime) -> None:
        with self._outbox.transaction():
            hold(self._outbox, wrong, self._guard.why, now)
            if wrong is Wrong.BEHIND:
                # Once somebody accepts the clock, these instants are what was wrong.
                instants = [each.isoformat() for each in self._outbox.newest_instants()]
                self._outbox.set_note(_DOUBTED, json.dumps(instants))
        self._holding = wrong

    def _trust(self, wrong: Wrong, now: datetime) -> None:
        with self._outbox.transaction():
            release(self._outbox, wrong, "the clock is right again", now)
            self._outbox.set_note(_DOUBTED, "[]")
        self._holding = None

    def _newest(self) -> datetime | None:
        """The newest instant on record, without those that somebody has called wrong."""
        instants = self._outbox.newest_instants()
        if self._holding is not Wrong.BEHIND:
            doubted = json.loads(self._outbox.note(_DOUBTED) or "[]")
            instants = [each for each in instants if each.isoformat() not in doubted]
        return max(instants, default=None)

    # Volume ------------------------------------------------------------------------------------

    def _is_usual(self, now: datetime) -> bool:
        if self._asking and UNUSUAL in self._causes():
            return False
        self._asking = False
        if self._at_once(now, ALWAYS_USUAL + 1) <= ALWAYS_USUAL:
            return True
        usual = self._usual_at(now)
        most = max(ALWAYS_USUAL, self._multiple * usual)
        if self._at_once(now, most + 1) <= most:
            return True
        return not self._asked(most, usual, now)

    def _usual_at(self, now: datetime) -> int:
        """Looked up once an hour, so that what leaves at once does not count for itself."""
        hour = now.replace(minute=0, second=0, microsecond=0)
        if self._usual is None or self._usual[0] != hour:
            self._usual = (hour, self._outbox.busiest_hour(now - BACK))
        return self._usual[1]

    def _at_once(self, now: datetime, most: int | None) -> int:
        """How many messages leave or expire at `now`, counted up to `most`.

        Those of which somebody has said before that they may are not among them.
        """
        asked_at = self._outbox.note(_ASKED_AT)
        after = datetime.fromisoformat(asked_at) if asked_at else None
        if after is not None and after > now:
            after = None
        return self._outbox.due_messages(now, now - FRESH, after, most)

    def _asked(self, most: int, usual: int, now: datetime) -> bool:
        """Whether somebody has to say: not where that was said on another machine meanwhile."""
        with self._outbox.transaction():
            count = self._at_once(now, None)
            if count <= most:
                return False
            why = (
                f"{count} messages would leave or expire at once, "
                f"and the busiest hour of the last {BACK.days} days had {usual}"
            )
            hold(self._outbox, UNUSUAL, why, now)
            self._outbox.set_note(_ASKED_AT, now.isoformat())
        self._asking = True
        return True
