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


def rest(outbox: Outbox, rests: Rest) -> None:
    """Keep that a transport rests; call it in a transaction."""
    began = rests.until
    before = json.loads(outbox.note(_key(rests.transport)) or "null")
    if before is not None and rests.until - datetime.fromisoformat(before[0]) <= SAME_TROUBLE:
        began = episode(outbox, rests.transport) or began
    kept = [rests.until.isoformat(), rests.why, rests.needs_staff, began.isoformat()]
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


def _key(transport: str) -> str:
    return f"resting.{transport}"
