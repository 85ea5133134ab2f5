"""Replies beside what they reply to: in a patient's picture, and below a check-in."""

from collections.abc import Iterable, Iterator
from datetime import datetime

from reminderd import wording
from reminderd.cli.output import instant, printable
from reminderd.ids import public_id
from reminderd.interfaces import StoredReply
from reminderd.model import Reminder


def marks(
    replies: Iterable[StoredReply], reminders: Iterable[Reminder]
) -> Iterator[tuple[datetime, str]]:
    """When each was said, and `rep-3: 4 of 5 to check-in`; not its words."""
    asked = {each.id: each.milestone for each in reminders}
    for each in replies:
        to = f" to {asked[each.question]}" if each.question in asked else ""
        yield each.said_at, f"{public_id('rep', each.id)}: {_what(each)}{to}"


def lines(replies: Iterable[StoredReply], zone: str) -> Iterator[str]:
    """`2026-03-28T10:00:00+01:00 rep-3: 4 of 5: “4, thanks”`."""
    for each in replies:
        words = f": “{printable(each.reply.text)}”" if each.reply.text else ""
        said_at = instant(each.said_at, zone)
        yield f"{said_at} {public_id('rep', each.id)}: {_what(each)}{words}"


def _what(reply: StoredReply) -> str:
    if reply.answer:
        return wording.answer(reply.answer)
    return reply.decision.word if reply.decision else "waits to be decided on"
