"""A mark beside the database: how far sending had come.

A database whose newest message is older than the mark was put back by somebody, and believes that
what was sent since is still due.
"""

import json
import logging
from collections.abc import Callable
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import Any, NamedTuple

from reminderd import holding
from reminderd.engines.embedded.backup import in_place
from reminderd.engines.embedded.outbox import EmbeddedOutbox
from reminderd.engines.embedded.unfinished import unfinished
from reminderd.engines.tables.rows import from_ms
from reminderd.errors import InvalidInput

log = logging.getLogger(__name__)


NEWEST = (
    "SELECT seq, (SELECT created_at FROM messages ORDER BY id DESC LIMIT 1) "
    "FROM sqlite_sequence WHERE name = 'messages'"
)


class Mark(NamedTuple):
    """The newest message's id and when it was made, RFC 3339; 0 and empty where there is none."""

    message: int
    at: str

    def told(self, zone: tzinfo) -> str:
        """The instant with the offset of that zone."""
        return self.at and datetime.fromisoformat(self.at).astimezone(zone).isoformat()


Query = Callable[[str], list[tuple[Any, ...]]]


def newest(query: Query) -> Mark:
    """How far sending has come in a database."""
    ((message, at),) = query(NEWEST)
    return Mark(message, "" if at is None else from_ms(at).isoformat(timespec="seconds"))


def hold_restored(
    outbox: EmbeddedOutbox, how: str, gone: Mark | None, now: datetime, zone: tzinfo
) -> None:
    """Hold an old database; the ids of messages that it has forgotten are not given again.

    A mail with an id that was used before could be taken for a copy, and be thrown away.
    """
    at = newest(outbox.query).told(zone)
    knows = f"nothing that was sent after {at}" if at else "nothing that was sent"
    with outbox.transaction():
        holding.hold(outbox, holding.RESTORED, f"{how}; it knows of {knows}", now)
        if gone is not None:
            outbox.connection.execute(
                "UPDATE sqlite_sequence SET seq = max(seq, ?) WHERE name = 'messages'",
                (gone.message,),
            )


class HighWater:
    """Reads and writes the mark of one database."""

    def __init__(self, database: Path) -> None:
        self.path = database.with_name(f"{database.name}.mark")
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


def hold_where_older(outbox: EmbeddedOutbox, now: datetime, zone: tzinfo = UTC) -> None:
    """Hold where the database is older than the mark beside it; says so by the clocks of `zone`."""
    mark = HighWater(outbox.path).read()
    if mark is not None and newest(outbox.query).message < mark.message:
        at = mark.told(zone)
        how = f"the database is older than its mark of {at}, so somebody put an old one back"
        hold_restored(outbox, how, mark, now, zone)
    mark_newest(outbox)


def mark_newest(outbox: EmbeddedOutbox) -> None:
    """Put the mark at what the database holds now."""
    HighWater(outbox.path).write(newest(outbox.query))
