"""Tells the log and systemd why nothing is sent, and when sending goes on."""

import logging
from collections.abc import Sequence

from reminderd import systemd
from reminderd.holding import Hold

log = logging.getLogger(__name__)


class Health:
    """Says each thing once, when it changes."""

    def __init__(self) -> None:
        self._causes: list[str] = []

    def held(self, holds: Sequence[Hold]) -> None:
        """These are the holds now."""
        causes = [each.cause for each in holds]
        if causes == self._causes:
            return
        for each in holds:
            if each.cause not in self._causes:
                log.error("nothing is sent: %s; to go on: reminderd release", each.why)
        if not causes:
            log.warning("released: sending goes on")
        self._causes = causes
        systemd.status("; ".join(f"held: {each.why}" for each in holds) or "sending")
