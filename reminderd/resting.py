"""Which transports rest, until when and why, for everybody who looks at the database."""

import json
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import NamedTuple

from reminderd.interfaces import Outbox

# A transport that is refused is tried again now and then: as long as no longer than this lies
# between two refusals, it is the same trouble.
SAME_TROUBLE = timedelta(hours=6)


class Rest(NamedTuple):
    """A transport by which nothing leaves for a while; nothing is lost, and no attempt counted.

    `needs_staff`: it is refused until a person has mended its credentials or its sender.
    """

    transport: str
    until: datetime
    why: str
    needs_staff: bool = False


def rest(outbox: Outbox, rests: Rest, *, while_sending: bool = False) -> None:
    """Keep that a transport rests; call it in a unit of work.

    `while_sending`: whoever sends by it has met with that, so that it holds for all who do.
    """
    began = rests.until
    before = json.loads(outbox.note(_key(rests.transport)) or "null")
    if before is not None and rests.until - datetime.fromisoformat(before[0]) <= SAME_TROUBLE:
        began = episode(outbox, rests.transport) or began
    until, since = rests.until.isoformat(), began.isoformat()
    kept = [until, rests.why, rests.needs_staff, since, while_sending]
    outbox.set_note(_key(rests.transport), json.dumps(kept, ensure_ascii=False))


def episode(outbox: Outbox, transport: str) -> datetime | None:
    """The end of its first rest of those that follow one another: it names the trouble."""
    kept = json.loads(outbox.note(_key(transport)) or "null")
    return datetime.fromisoformat(kept[3]) if kept is not None and len(kept) > 3 else None


def resting(outbox: Outbox, transports: Iterable[str], now: datetime) -> list[Rest]:
    """Those of the transports that rest at `now`."""
    found = []
    for transport in sorted(set(transports)):
        kept = json.loads(outbox.note(_key(transport)) or "null")
        if kept is not None and datetime.fromisoformat(kept[0]) > now:
            found.append(Rest(transport, datetime.fromisoformat(kept[0]), *kept[1:3]))
    return found


class Hearsay:
    """What whoever sends by one transport hears of those who send by it elsewhere.

    What is on record at the start is old: a program that was started anew tries at once.
    """

    def __init__(self, outbox: Outbox, transport: str) -> None:
        self._outbox = outbox
        self._transport = transport
        self.forget()

    def forget(self) -> None:
        """What is on record now is known: it is one's own."""
        self._known = self._outbox.note(_key(self._transport))

    def news(self) -> Rest | None:
        """A rest that another one has noted since."""
        before = self._known
        self.forget()
        if self._known is None or self._known == before:
            return None
        until, why, needs_staff, *_, while_sending = json.loads(self._known)
        if not while_sending:
            return None
        return Rest(self._transport, datetime.fromisoformat(until), why, needs_staff)


def _key(transport: str) -> str:
    return f"resting.{transport}"
