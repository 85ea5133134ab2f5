"""Tells the log and systemd why nothing is sent, and when sending goes on."""

import logging
from collections.abc import Sequence

from reminderd import systemd
from reminderd.holding import Hold

SAID_AGAIN = 20  # failed looks; five minutes of beats

log = logging.getLogger(__name__)


class Health:
    """Says each thing when it changes, and of trouble that lasts every now and then."""

    def __init__(self) -> None:
        self._causes: list[str] = []
        self._said = "sending"
        self._failed: dict[str, int] = {}

    def held(self, holds: Sequence[Hold]) -> None:
        """These are the holds now."""
        causes = [each.cause for each in holds]
        if causes == self._causes:
            return
        for each in holds:
            if each.cause not in self._causes:
                log.error("nothing is sent: %s; to go on: %s", each.why, each.do)
        if not causes:
            log.warning("released: sending goes on")
        self._causes = causes
        self._said = "; ".join(f"held: {each.why}" for each in holds) or "sending"
        systemd.status(self._said)

    def unwell(self, who: str, why: str) -> None:
        """This one could not look; the next beat tries again."""
        failed = self._failed.get(who, 0)
        self._failed[who] = failed + 1
        if failed % SAID_AGAIN == 0:
            log.error("the next beat tries again: %s", why)
        systemd.status(why)

    def well(self, who: str) -> None:
        """This one has looked."""
        if self._failed.pop(who, 0):
            log.warning("it works again")
            systemd.status(self._said)
