"""What a worker remembers, so that it notices a database that has forgotten.

A standby that takes over may lack the last commits, and a backup that was put back lacks more: what
was sent since is due again there. A row that this process has seen committed is gone only then.
"""

import logging
from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from reminderd import holding
from reminderd.engines.tables.store import Row

log = logging.getLogger(__name__)

FORGOTTEN = (
    "the database has forgotten a message that was being sent: another server has taken over, or "
    "somebody put an old database back"
)


class Seen(NamedTuple):
    """An attempt as it was on record; ids alone may be given again by a server that forgot."""

    attempt: int
    message: int
    claimed_at: int


class Memory:
    """The newest attempt that this process was about to hand over; its claim is committed."""

    def __init__(self) -> None:
        self._newest: Seen | None = None

    def keep(self, attempts: Sequence[Row]) -> None:
        """Remember the newest of these rows of id, message and instant of the claim."""
        newest = max((Seen(*each) for each in attempts), default=None)
        if newest is not None and (self._newest is None or newest > self._newest):
            self._newest = newest

    def wanted(self) -> Seen | None:
        """What must still be there."""
        return self._newest

    def hold(self, outbox: holding.Notes, now: datetime) -> None:
        """Let nobody send until a person has looked; call it in a unit of work."""
        if holding.hold(outbox, holding.RESTORED, FORGOTTEN, now):
            log.error("sending is held: %s", FORGOTTEN)

    def forget(self) -> None:
        """That sending is held is committed: who lets go of it has looked."""
        self._newest = None
