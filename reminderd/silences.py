"""Which providers do not tell what came in, for everybody who looks at the database."""

import json
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import NamedTuple

from reminderd.interfaces import Outbox

TOLD_AFTER = timedelta(minutes=10)  # a short trouble of a provider's is nobody's business


class Silence(NamedTuple):
    """A transport whose provider is asked what came in, and does not answer; and since when."""

    transport: str
    since: datetime
    why: str


def fall_silent(outbox: Outbox, transport: str, why: str, now: datetime) -> None:
    """Keep that it did not answer, and since when that has been so; call it in a transaction."""
    known = _kept(outbox, transport)
    since = min(known.since, now) if known else now  # one of the future is from a wrong clock
    outbox.set_note(_key(transport), json.dumps([since.isoformat(), why], ensure_ascii=False))


def speak_again(outbox: Outbox, transport: str) -> None:
    """Keep that it has answered, where it is known as silent."""
    if _kept(outbox, transport) is not None:
        with outbox.transaction():
            outbox.set_note(_key(transport), "null")


def silences(outbox: Outbox, transports: Iterable[str], now: datetime) -> list[Silence]:
    """Those of the transports of which nothing has been heard for so long that staff must know."""
    kept = (_kept(outbox, each) for each in sorted(set(transports)))
    return [each for each in kept if each is not None and each.since <= now - TOLD_AFTER]


def _kept(outbox: Outbox, transport: str) -> Silence | None:
    kept = json.loads(outbox.note(_key(transport)) or "null")
    return kept and Silence(transport, datetime.fromisoformat(kept[0]), kept[1])


def _key(transport: str) -> str:
    return f"silent.{transport}"
