"""Being the one daemon of a database file, from the lock to the mark of how far it came."""

import logging
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime, tzinfo
from pathlib import Path

from reminderd.clock import Clock
from reminderd.engine import Work
from reminderd.engines.embedded import connection, outbox
from reminderd.engines.embedded.lock import only_daemon
from reminderd.engines.embedded.store import mark_of
from reminderd.engines.high_water import HighWater, newest
from reminderd.sealing import Seal

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Duty:
    """Implements `engine.Duty` while the lock is held."""

    outbox: outbox.EmbeddedOutbox
    reference: None = None  # there is one machine, and its clock

    def run(self, work: Work, clock: Clock, stop: threading.Event) -> None:
        from reminderd.engines.embedded.loop import EmbeddedLoop

        loop = EmbeddedLoop(self.outbox, work.dispatches, clock, work.send_at)
        loop.run(stop, work.renewed)


@contextmanager
def begun(path: Path, seal: Seal | None, now: datetime, zone: tzinfo) -> Iterator[Duty]:
    """As `Engine.on_duty`; the lock is given back once all connections are closed."""
    if not connection.wal_is_safe():
        log.warning("SQLite %s: WAL is not safe, not used", connection.sqlite_version())
    with only_daemon(path), closing(_opened(path, seal)) as opened:
        water = HighWater(mark_of(path))
        water.hold_where_older(opened, now, zone)
        try:
            yield Duty(opened)
        finally:
            water.write(newest(opened))


def _opened(path: Path, seal: Seal | None) -> outbox.EmbeddedOutbox:
    # A large import must not come between a message that left and the record of it.
    return outbox.EmbeddedOutbox(path, seal=seal, patience_seconds=60)
