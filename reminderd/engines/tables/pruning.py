"""What finished treatments leave behind and nobody needs any more: the words of old messages."""

import json
import time
from collections.abc import Sequence
from datetime import datetime, timedelta

from reminderd.audit import Action, Entry
from reminderd.engines.tables.answerbook import AnswerBook
from reminderd.engines.tables.rows import to_ms
from reminderd.engines.tables.store import THESE
from reminderd.engines.tables.wordless import NO_ANSWERS
from reminderd.errors import Refused
from reminderd.interfaces import Prunable

AT_ONCE = 500  # messages a transaction: a daemon sends in between
BREATH_SECONDS = 0.05  # in which whoever waits to write gets a turn
SHORTEST_DAYS = 30  # as long as corrections, late receipts and questions may want them

# A session is open while anything of it may still leave, is in doubt, or waits for a person.
_OPEN = (
    "SELECT session FROM reminders "
    "WHERE state IN ('scheduled', 'held', 'sending', 'unknown') OR needs_staff = 1"
)
_IN_OPEN = (
    "SELECT message FROM message_reminders JOIN reminders ON reminders.id = reminder "
    f"WHERE session IN ({_OPEN})"
)
_UNDER_WAY = (
    "SELECT message FROM attempts WHERE outcome IN ('claimed', 'marked') OR look_at IS NOT NULL"
)
_OLD = "FROM messages WHERE created_at < ? AND text IS NOT NULL"
_PRUNABLE = f"{_OLD} AND id NOT IN ({_IN_OPEN}) AND id NOT IN ({_UNDER_WAY})"
_CLEAR = (
    "UPDATE messages SET recipient = NULL, subject = NULL, text = NULL, html = NULL, "
    f"envelope = NULL WHERE id IN {THESE}"
)


_REPLIES = (
    "SELECT id FROM replies WHERE received_at < ? AND sender <> '' "
    "AND handled_at IS NOT NULL AND for_staff = 0 AND id NOT IN (SELECT reply FROM "
    "incident_replies JOIN incidents ON incidents.id = incident WHERE closed_at IS NULL) "
    "ORDER BY id"
)
_CLEAR_REPLIES = f"UPDATE replies SET sender = '', text = '', why = '{{}}' WHERE id IN {THESE}"
# Of an incident the number, and what was found, once its last reply has no words any more.
_CLEAR_INCIDENTS = (
    "UPDATE incidents SET number = '', why = NULL WHERE closed_at IS NOT NULL AND number <> '' "
    "AND id IN (SELECT incident FROM incident_replies "
    f"WHERE reply IN {THESE}) AND id NOT IN (SELECT incident FROM "
    "incident_replies JOIN replies ON replies.id = reply WHERE sender <> '')"
)


def prunable(outbox: AnswerBook, days: int, now: datetime) -> Prunable:
    """See `interfaces.Outbox`."""
    if days < SHORTEST_DAYS:
        raise Refused(
            f"{days}d is too short: words are kept for at least {SHORTEST_DAYS} days",
            remedy="Questions and corrections look at them. Ask for more, such as: 365d",
        )
    before = to_ms(now - timedelta(days=days))
    ids = [row[0] for row in outbox.query(f"SELECT id {_PRUNABLE} ORDER BY id", (before,))]
    old = outbox.query(f"SELECT count(*) {_OLD}", (before,))[0][0]
    replies = tuple(row[0] for row in outbox.query(_REPLIES, (before,)))
    return Prunable(ids, old - len(ids), replies)


def prune(outbox: AnswerBook, found: Prunable, days: int, by: str, now: datetime) -> bool:
    """See `interfaces.Outbox`."""
    if found.messages or found.replies:
        order: dict[str, object] = {"older_than": f"{days}d", "messages": len(found.messages)}
        if found.replies:
            order["replies"] = len(found.replies)
        with outbox.transaction():
            outbox.record([Entry(now, by, Action.PRUNED, "database", after=order)])
    _clear(outbox, _CLEAR, found.messages)
    _clear(outbox, _CLEAR_REPLIES, found.replies)
    _clear(outbox, _CLEAR_INCIDENTS, found.replies)
    _clear(outbox, NO_ANSWERS, found.replies)
    return outbox.scrub()


def _clear(outbox: AnswerBook, statement: str, numbers: Sequence[int]) -> None:
    for start in range(0, len(numbers), AT_ONCE):
        with outbox.transaction():
            ids = json.dumps(numbers[start : start + AT_ONCE])
            outbox.execute(statement, (ids,))
        time.sleep(BREATH_SECONDS)
