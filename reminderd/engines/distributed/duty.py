"""Being one of the workers of a database, from the first sign of life to the last."""

import os
import platform
import threading
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, tzinfo
from pathlib import Path

from reminderd.clock import Clock
from reminderd.dispatch import Dispatch
from reminderd.engine import Work
from reminderd.engines.distributed import tenancy
from reminderd.engines.distributed.clocks import SharedClock
from reminderd.engines.distributed.leases import LEASE
from reminderd.engines.distributed.outbox import DistributedOutbox
from reminderd.engines.high_water import HighWater, newest
from reminderd.errors import TryAgainLater
from reminderd.sealing import Seal

MARK_EVERY = 10  # times that somebody asks whether anything was renewed: five seconds


class Mark:
    """How far sending had come, where systemd gives this service a folder that outlives it.

    A worker that starts on an older database then holds it.
    """

    def __init__(self, outbox: DistributedOutbox) -> None:
        folder = os.environ.get("STATE_DIRECTORY")
        name = f"{outbox.note('installation')}.mark"
        self._outbox = outbox
        self._water = HighWater(Path(folder) / name) if folder else None
        self._turn = 0

    def hold_where_older(self, now: datetime, zone: tzinfo) -> None:
        """See `HighWater`."""
        if self._water is not None:
            self._water.hold_where_older(self._outbox, now, zone)

    def keep(self) -> None:
        """Write it down as it is now; another time where the server is not there."""
        if self._water is not None:
            with suppress(TryAgainLater):
                self._water.write(newest(self._outbox))

    def compare_now_and_then(self, now: datetime) -> None:
        """To be called twice a second.

        Also while sending is held: who has looked at what was forgotten is not to be asked again by
        the next worker.
        """
        self._turn += 1
        if self._turn % MARK_EVERY == 0:
            with suppress(TryAgainLater):
                self._outbox.hold_where_forgotten(now)
            self.keep()


@dataclass(frozen=True)
class Duty:
    """Implements `engine.Duty` while the worker gives signs of life."""

    outbox: DistributedOutbox
    reference: SharedClock
    mark: Mark

    def run(self, work: Work, clock: Clock, stop: threading.Event) -> None:
        from reminderd.engines.distributed.beats import EVERYBODY
        from reminderd.engines.distributed.loop import DistributedLoop

        def recover() -> bool:
            # Whoever works alone keeps everybody else waiting.
            return self.outbox.has_orphans(clock.now()) and work.recover()

        def renewed() -> Sequence[Dispatch] | None:
            self.mark.compare_now_and_then(clock.now())
            return work.renewed()

        outbox, number = self.outbox, self.outbox.worker or 0
        everybody = tenancy.own(EVERYBODY, outbox.clinics)
        given = outbox, work.dispatches, clock, work.send_at, recover, everybody
        loop = DistributedLoop(outbox.url, number, LEASE, *given)
        loop.run(stop, renewed)


@contextmanager
def begun(
    url: str, seal: Seal | None, clinics: Sequence[str] | None, now: datetime, zone: tzinfo
) -> Iterator[Duty]:
    """As `Engine.on_duty`; named by the machine and the process."""
    with (
        closing(_opened(url, seal, clinics)) as outbox,
        outbox.on_duty(f"{platform.node()}/{os.getpid()}") as reference,
    ):
        mark = Mark(outbox)
        mark.hold_where_older(now, zone)
        try:
            yield Duty(outbox, reference, mark)
        finally:
            mark.keep()


def _opened(url: str, seal: Seal | None, clinics: Sequence[str] | None) -> DistributedOutbox:
    # Staff who write for long must not come between a message that left and the record of it.
    return DistributedOutbox(
        url, seal=seal, clinics=clinics, patience_seconds=LEASE.total_seconds()
    )
