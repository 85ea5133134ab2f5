"""What is in doubt: which messages, when evidence is looked for next, and giving up."""

import json
from collections.abc import Collection, Sequence
from datetime import datetime

from reminderd.engines.tables.rows import (
    REMINDER_COLUMNS,
    Row,
    from_ms,
    from_ms_or_none,
    reminder_from,
    to_ms,
)
from reminderd.engines.tables.store import THESE, WORDS, Store
from reminderd.model import Channel, Reminder
from reminderd.outbox_values import Doubt
from reminderd.sealing import opened, places

# What staff have settled, or sent again, is no doubt any more.
# By way of the patient's sessions: there is no index from a message to its reminders.
_REMINDERS = (
    "CROSS JOIN reminders ON reminders.session = sessions.id "
    "CROSS JOIN message_reminders ON message_reminders.reminder = reminders.id "
    "AND message_reminders.message = messages.id"
)
_OPEN = (
    f"EXISTS (SELECT 1 FROM sessions {_REMINDERS} WHERE sessions.patient = messages.patient "
    "AND reminders.state IN ('sending', 'unknown'))"
)
_DOUBT = (
    "attempts.id, messages.id, patient, channel, transport, marked_at, looks, code, error, "
    "recipient, language, subject, text, html, envelope"
)
_SEALED_IN_DOUBT = places("messages", _DOUBT)
_SEALED_IN_ATTEMPT = places("attempts", _DOUBT)
_DOUBTS = (
    f"SELECT {_DOUBT} FROM attempts "
    "JOIN messages ON messages.id = attempts.message WHERE outcome = 'in-doubt' "
)


def next_look_at(store: Store, transports: Collection[str]) -> datetime | None:
    rows = store.query(
        "SELECT min(look_at) FROM attempts JOIN messages ON messages.id = attempts.message "
        f"WHERE look_at IS NOT NULL AND transport IN {WORDS} AND {_OPEN}",
        (json.dumps(sorted(transports)),),
    )
    return from_ms_or_none(rows[0][0])


def due(
    store: Store, now: datetime, transports: Collection[str], attempt_id: int | None = None
) -> list[Doubt]:
    of_one, given = ("", ()) if attempt_id is None else ("AND attempts.id = ? ", (attempt_id,))
    rows = store.query(
        f"{_DOUBTS} AND look_at <= ? AND transport IN {WORDS} AND {_OPEN} {of_one}"
        "ORDER BY look_at, attempts.id",
        (to_ms(now), json.dumps(sorted(transports)), *given),
    )
    return _with_reminders(store, rows)


def of_reminder(store: Store, reminder_id: int) -> list[Doubt]:
    rows = store.query(
        # Of those before it, staff have said what they could.
        f"{_DOUBTS} AND messages.id = "
        "(SELECT max(message) FROM message_reminders WHERE reminder = ?)",
        (reminder_id,),
    )
    return _with_reminders(store, rows)


def give_up(store: Store, transports: Collection[str], now: datetime) -> int:
    rows = store.query(
        "SELECT attempts.id, message FROM attempts JOIN messages ON messages.id = message "
        f"WHERE look_at IS NOT NULL AND transport NOT IN {WORDS}",
        (json.dumps(sorted(transports)),),
    )
    messages, attempts = json.dumps([row[1] for row in rows]), json.dumps([row[0] for row in rows])
    store.execute(
        "UPDATE reminders SET state = 'unknown' WHERE state = 'sending' AND id IN "
        f"(SELECT reminder FROM message_reminders WHERE message IN {THESE})",
        (messages,),
    )
    store.execute(
        f"UPDATE attempts SET look_at = NULL, settled_at = ? WHERE id IN {THESE}",
        (to_ms(now), attempts),
    )
    return len(rows)


def accepted_ids(store: Store, provider_ids: Collection[str]) -> frozenset[str]:
    rows = store.query(
        f"SELECT provider_id FROM attempts WHERE outcome = 'accepted' AND provider_id IN {WORDS}",
        (json.dumps(sorted(provider_ids)),),
    )
    return frozenset(row[0] for row in rows)


def _with_reminders(store: Store, rows: Sequence[Row]) -> list[Doubt]:
    if not rows:
        return []
    found: dict[int, list[Reminder]] = {}
    columns = ", ".join(f"reminders.{name}" for name in REMINDER_COLUMNS.split(", "))
    for message, *row in store.query(
        f"SELECT messages.id, {columns} FROM messages "
        f"CROSS JOIN sessions ON sessions.patient = messages.patient {_REMINDERS} "
        "WHERE reminders.state IN ('sending', 'unknown') "
        f"AND messages.id IN {THESE} ORDER BY reminders.id",
        (json.dumps([row[1] for row in rows]),),
    ):
        found.setdefault(message, []).append(reminder_from(tuple(row)))
    return [_doubt(_opened(row, store), found[row[1]]) for row in rows if row[1] in found]


def _opened(row: Row, store: Store) -> Row:
    row = opened(row, _SEALED_IN_ATTEMPT, row[0], store.seal)
    return opened(row, _SEALED_IN_DOUBT, row[1], store.seal)


def _doubt(row: Row, reminders: Sequence[Reminder]) -> Doubt:
    return Doubt(
        attempt_id=row[0],
        message_id=row[1],
        patient_id=row[2],
        channel=Channel(row[3]),
        transport=row[4],
        marked_at=from_ms(row[5]),
        looks=row[6],
        code=row[7],
        error=row[8],
        to=row[9],
        language=row[10],
        subject=row[11],
        text=row[12],
        html=row[13],
        envelope=row[14],
        reminders=tuple(reminders),
    )
