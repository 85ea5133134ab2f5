"""Who sends from one database: each worker has a number, and gives a sign of life every 5 s.

All instants are of the database's clock: machines need not agree on the time to agree on who lives.
"""

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta

from reminderd.clock import boottime_seconds
from reminderd.engines.distributed.clocks import SharedClock
from reminderd.engines.distributed.leases import ALIVE, Rows
from reminderd.engines.tables.rows import from_ms
from reminderd.errors import ReminderdError
from reminderd.units_of_work import Worker

log = logging.getLogger(__name__)

EVERY = timedelta(seconds=5)
FORGOTTEN_AFTER = timedelta(days=30)
_JOIN = "INSERT INTO workers (name, schema, jobs) VALUES (%s, %s, %s) RETURNING id"
_FORGET = "DELETE FROM workers WHERE seen_at < clock_ms() - %s"
_BEAT = "UPDATE workers SET seen_at = clock_ms(), trouble = %s WHERE id = %s RETURNING seen_at"
_SEEN = (
    "SELECT id, name, started_at, clock_ms() - seen_at, trouble FROM workers "
    f"WHERE {ALIVE} ORDER BY id"
)


def joined(rows: Rows, name: str, schema: int, jobs: str) -> int:
    """The number of a new worker, who lives from now on.

    `schema` and `jobs` are the versions that it works with.
    """
    rows(_FORGET, (FORGOTTEN_AFTER // timedelta(milliseconds=1),))
    ((number,),) = rows(_JOIN, (name, schema, jobs))
    return int(number)


def seen(rows: Rows) -> list[Worker]:
    """All who live, in the order in which they came."""
    return [
        Worker(number, name, from_ms(started_at), timedelta(milliseconds=ago), trouble)
        for number, name, started_at, ago, trouble in rows(_SEEN)
    ]


class Lease:
    """One worker's sign of life, in a thread of its own, and what the database's clock says.

    `seconds` is a clock that nobody can set.
    """

    def __init__(
        self,
        rows: Rows,
        worker: int,
        clock: SharedClock,
        seconds: Callable[[], float] = boottime_seconds,
    ) -> None:
        self._rows = rows
        self._worker = worker
        self._clock = clock
        self._seconds = seconds
        self._is_lost = False

    def beat(self) -> None:
        """Say that it lives; raises TryAgainLater where nobody hears that."""
        asked = self._seconds()
        rows = self._rows(_BEAT, (self._clock.trouble, self._worker))
        if rows:
            self._clock.measured(from_ms(rows[0][0]), asked, self._seconds())

    @contextmanager
    def held(self) -> Iterator[None]:
        """Beat at once and every few seconds until the `with` ends; then what it held is free."""
        self.beat()
        over = threading.Event()
        thread = threading.Thread(target=self._beat_until, args=(over,), name="lease", daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()
            with suppress(ReminderdError):
                self._rows("DELETE FROM workers WHERE id = %s", (self._worker,))

    def _beat_until(self, over: threading.Event) -> None:
        while not over.wait(EVERY.total_seconds()):
            self.beat_again()

    def beat_again(self) -> None:
        """As `beat`; that nobody hears it is told to the log."""
        try:
            self.beat()
        except ReminderdError as error:
            self._say(is_lost=True, why=str(error))
        else:
            self._say(is_lost=False)

    def _say(self, *, is_lost: bool, why: str = "") -> None:
        """Once, when it changes: the others take over what a worker claimed that is not heard."""
        if is_lost and not self._is_lost:
            log.error("the other workers do not hear of this one: %s", why)
        elif self._is_lost and not is_lost:
            log.warning("the other workers hear of this one again")
        self._is_lost = is_lost
