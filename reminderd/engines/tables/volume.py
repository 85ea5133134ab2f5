"""How much has left and would leave at once, and when the newest rows came."""

import json
from collections.abc import Sequence
from datetime import datetime

from reminderd.engines.tables.rows import from_ms, to_ms
from reminderd.engines.tables.store import NO_LIMIT, THESE, Store


def left_since(
    store: Store, patient_ids: Sequence[int], since: datetime
) -> dict[int, list[datetime]]:
    """By patient, the claims of messages that left, are leaving, or may have left."""
    found: dict[int, list[datetime]] = {}
    for patient, created_at in store.query(
        "SELECT patient, created_at FROM messages "
        f"WHERE patient IN {THESE} AND created_at >= ? "
        "AND EXISTS (SELECT 1 FROM attempts WHERE message = messages.id "
        "AND outcome IN ('claimed', 'marked', 'in-doubt', 'accepted'))",
        (json.dumps(list(patient_ids)), to_ms(since)),
    ):
        found.setdefault(patient, []).append(from_ms(created_at))
    return found


def due_messages(
    store: Store,
    now: datetime,
    planned_until: datetime,
    due_after: datetime | None,
    most: int | None,
) -> int:
    """What is scheduled, by patient and channel, and patients of whom something held expires."""
    parameters = (
        to_ms(now),
        to_ms(planned_until),
        to_ms(due_after) if due_after else -1,
        NO_LIMIT if most is None else most,
    )
    (scheduled,) = store.query(
        "SELECT count(*) FROM (SELECT DISTINCT patient, channel FROM reminders "
        "WHERE state = 'scheduled' AND wake_at <= ? AND first_planned_at <= ? "
        "AND due_at > ? LIMIT ?) AS due",
        parameters,
    )
    (expiring,) = store.query(
        "SELECT count(*) FROM (SELECT DISTINCT patient FROM reminders "
        "WHERE state = 'held' AND expires_at <= ? AND first_planned_at <= ? "
        "AND expires_at > ? LIMIT ?) AS expiring",
        parameters,
    )
    return int(scheduled[0]) + int(expiring[0])


def busiest_hour(store: Store, since: datetime) -> int:
    """By the hour in which they were claimed."""
    rows = store.query(
        "SELECT count(*) AS number FROM messages WHERE created_at >= ? AND EXISTS "
        "(SELECT 1 FROM attempts WHERE message = messages.id AND outcome = 'accepted') "
        "GROUP BY created_at / 3600000 ORDER BY number DESC LIMIT 1",
        (to_ms(since),),
    )
    return int(rows[0][0]) if rows else 0


_NEWEST = (
    ("patients", "created_at"),
    ("sessions", "recorded_at"),
    ("session_changes", "changed_at"),
    ("zone_changes", "changed_at"),
    ("approvals", "at"),
    ("messages", "created_at"),
    ("attempts", "coalesce(settled_at, marked_at, claimed_at)"),
)


def newest_instants(store: Store) -> list[datetime]:
    """Of the row that was added last to each table, not the latest: one mistake ages."""
    rows = store.query(
        " UNION ALL ".join(
            f"SELECT * FROM (SELECT {column} FROM {table} ORDER BY id DESC LIMIT 1) AS {table}"
            for table, column in _NEWEST
        )
    )
    return [from_ms(row[0]) for row in rows]
