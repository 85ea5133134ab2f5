"""What was only claimed goes back on the schedule: nothing of it has left."""

import json
from collections.abc import Sequence
from datetime import datetime

from reminderd.doubt import next_look_at
from reminderd.engines.tables.rows import Row, from_ms, to_ms, to_ms_or_none
from reminderd.engines.tables.store import THESE, Store

_CLAIMED = (
    "SELECT attempts.id, message, patient FROM attempts "
    "JOIN messages ON messages.id = message WHERE outcome = 'claimed'"
)


def take_back(store: Store, now: datetime, patient_id: int | None = None) -> list[int]:
    """All claims, or those of one patient; returns the patient of each message."""
    if patient_id is not None:
        store.lock_patients([patient_id])  # or what is marked just now would be taken back too
    of_one, given = ("", ()) if patient_id is None else (" AND patient = ?", (patient_id,))
    return put_back(store, store.query(_CLAIMED + of_one, given), now)


def put_back(store: Store, claimed: Sequence[Row], now: datetime) -> list[int]:
    """These claims, each as attempt, message and patient; returns the patients.

    Whoever claimed them finds the attempts settled, and marks none of them.
    """
    if not claimed:
        return []
    store.execute(
        "UPDATE reminders SET state = 'scheduled', wake_at = due_at "
        "WHERE state = 'sending' AND id IN (SELECT reminder FROM message_reminders "
        f"WHERE message IN {THESE})",
        (json.dumps([row[1] for row in claimed]),),
    )
    store.execute(
        f"UPDATE attempts SET outcome = 'returned', settled_at = ? WHERE id IN {THESE}",
        (to_ms(now), json.dumps([row[0] for row in claimed])),
    )
    return [row[2] for row in claimed]


def doubt(store: Store, marked: Sequence[Row], now: datetime) -> None:
    """Of these attempts, each as id and instant of its mark, nobody knows whether they arrived."""
    store.execute_many(
        "UPDATE attempts SET outcome = 'in-doubt', settled_at = ?, look_at = ? WHERE id = ?",
        [
            (to_ms(now), to_ms_or_none(next_look_at(from_ms(marked_at), 0)), attempt)
            for attempt, marked_at in marked
        ],
    )
