"""How what leaves lies in rows: words about to be handed over, and what became of an attempt."""

from datetime import datetime

from reminderd.engines.tables.rows import Row, to_ms, to_ms_or_none, word
from reminderd.interfaces import Rendered, Settlement
from reminderd.model import Reminder
from reminderd.sealing import Seal, closed, places

RENDERED = "recipient, language, subject, text, html, segments, envelope, id"
_SEALED_IN_RENDERED = places("messages", RENDERED)
SETTLED = "outcome, settled_at, provider_id, code, error, look_at, looks, id"
_SEALED_IN_SETTLED = places("attempts", SETTLED)
BECAME = "state, reason, channel, wake_at, attempts, sent_at, provider_id, id"


def rendered_row(each: Rendered, seal: Seal | None) -> Row:
    """The columns `RENDERED` of a message."""
    row = (
        each.to, each.language, each.subject, each.text, each.html, each.segments,
        each.envelope, each.message_id,
    )  # fmt: skip
    return closed(row, _SEALED_IN_RENDERED, each.message_id, seal)


def settled_row(each: Settlement, now: datetime, seal: Seal | None) -> Row:
    """The columns `SETTLED` of an attempt."""
    row = (
        each.outcome.value, to_ms(now), each.provider_id, each.code, each.error,
        to_ms_or_none(each.look_at), each.looks, each.attempt_id,
    )  # fmt: skip
    return closed(row, _SEALED_IN_SETTLED, each.attempt_id, seal)


def became_row(reminder: Reminder) -> Row:
    """The columns `BECAME` of a reminder whose attempt is settled."""
    return (
        reminder.state.value,
        word(reminder.reason),
        word(reminder.channel),
        to_ms_or_none(reminder.wake_at),
        reminder.attempts,
        to_ms_or_none(reminder.sent_at),
        reminder.provider_id,
        reminder.id,
    )
