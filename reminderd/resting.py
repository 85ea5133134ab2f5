"""Which transports rest, until when and why, for everybody who looks at the database."""

import json
from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from reminderd.interfaces import Outbox


class Rest(NamedTuple):
    """A transport by which nothing leaves for a while; nothing is lost, and no attempt counted."""

    transport: str
    until: datetime
    why: str


def rest(outbox: Outbox, transport: str, until: datetime, why: str) -> None:
    """Keep that the transport rests; call it in a transaction."""
    outbox.set_note(_key(transport), json.dumps([until.isoformat(), why], ensure_ascii=False))


def resting(outbox: Outbox, transports: Iterable[str], now: datetime) -> list[Rest]:
    """Those of the transports that rest at `now`."""
    found = []
    for transport in sorted(set(transports)):
        kept = json.loads(outbox.note(_key(transport)) or "null")
        if kept is not None and datetime.fromisoformat(kept[0]) > now:
            found.append(Rest(transport, datetime.fromisoformat(kept[0]), kept[1]))
    return found


def _key(transport: str) -> str:
    return f"resting.{transport}"
