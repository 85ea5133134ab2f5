"""A mark apart from the database: how far sending had come.

A database whose newest message is older than the mark was put back by somebody, and believes that
what was sent since is still due.
"""

import json
import logging
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from reminderd import holding
from reminderd.engines.tables.rows import from_ms
from reminderd.engines.unfinished import in_place, unfinished
from reminderd.errors import InvalidInput
from reminderd.interfaces import Outbox

log = logging.getLogger(__name__)


class Mark(NamedTuple):
    """The newest message's id and when it was made, RFC 3339; 0 and empty where there is none."""

    message: int
    at: str

    def told(self, zone: tzinfo) -> str:
        """The instant with the offset of that zone."""
        return self.at and datetime.fromisoformat(self.at).astimezone(zone).isoformat()


class Sent(Outbox, Protocol):
    """An outbox that can tell how far sending has come, and may know less than was sent from it."""

    def query(self, sql: str) -> list[tuple[Any, ...]]: ...

    def free_id(self, table: str) -> int: ...

    def skip_ids(self, table: str, last: int) -> None: ...


def mark_at(message: int, created_at_ms: int | None) -> Mark:
    """The mark at a message's id and instant; None where there is no message."""
    if created_at_ms is None:
        return Mark(message, "")
    return Mark(message, from_ms(created_at_ms).isoformat(timespec="seconds"))


def newest(outbox: Sent) -> Mark:
    """How far sending has come in a database."""
    rows = outbox.query("SELECT created_at FROM messages ORDER BY id DESC LIMIT 1")
    return mark_at(outbox.free_id("messages") - 1, rows[0][0] if rows else None)


def hold_restored(
    outbox: Sent, how: str, gone: Mark | None, now: datetime, zone: tzinfo = UTC
) -> None:
    """Hold an old database; the ids of messages that it has forgotten are not given again.

    A mail with an id that was used before could be taken for a copy, and be thrown away.
    """
    at = newest(outbox).told(zone)
    knows = f"nothing that was sent after {at}" if at else "nothing that was sent"
    with outbox.transaction():
        holding.hold(outbox, holding.RESTORED, f"{how}; it knows of {knows}", now)
        if gone is not None:
            outbox.skip_ids("messages", gone.message)


class HighWater:
    """Reads and writes the mark of one database, in a file of its own."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._written: Mark | None = None

    def read(self) -> Mark | None:
        """The mark, None where there is none or it cannot be read; the log has the latter."""
        try:
            found = json.loads(self.path.read_text("utf-8"))
            return Mark(int(found["message"]), str(found["at"]))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError) as error:
            log.warning("%s: cannot be read, so an older database is not noticed: %s",
                        self.path, error)  # fmt: skip
            return None

    def write(self, mark: Mark) -> None:
        """Put the mark durably in place where it has changed; the log has it where it cannot."""
        if mark == self._written:
            return
        try:
            with unfinished(self.path) as draft:
                draft.write_text(json.dumps(mark._asdict()), "utf-8")
                in_place(draft, self.path)
            self._written = mark
        except OSError as error:
            log.warning("%s: cannot be written: %s", self.path, error.strerror)
        except InvalidInput as error:
            log.warning("%s", error)

    def hold_where_older(self, outbox: Sent, now: datetime, zone: tzinfo = UTC) -> None:
        """Hold where the database is older than the mark; says so by the clocks of `zone`."""
        mark = self.read()
        if mark is not None and newest(outbox).message < mark.message:
            at = mark.told(zone)
            how = f"the database is older than its mark of {at}, so somebody put an old one back"
            hold_restored(outbox, how, mark, now, zone)
        self.write(newest(outbox))
