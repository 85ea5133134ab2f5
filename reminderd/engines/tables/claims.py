"""What was only claimed goes back on the schedule: nothing of it has left."""

import json
from datetime import datetime

from reminderd.engines.tables.rows import to_ms
from reminderd.engines.tables.store import THESE, Store

_CLAIMED = (
    "SELECT attempts.id, message, patient FROM attempts "
    "JOIN messages ON messages.id = message WHERE outcome = 'claimed'"
)


def take_back(store: Store, now: datetime, patient_id: int | None = None) -> list[int]:
    """All claims, or those of one patient; returns the patient of each message.

    Whoever claimed them finds the attempts settled, and marks none of them.
    """
    of_one, given = ("", ()) if patient_id is None else (" AND patient = ?", (patient_id,))
    rows = store.query(_CLAIMED + of_one, given)
    if not rows:
        return []
    store.execute(
        "UPDATE reminders SET state = 'scheduled', wake_at = due_at "
        "WHERE state = 'sending' AND id IN (SELECT reminder FROM message_reminders "
        f"WHERE message IN {THESE})",
        (json.dumps([row[1] for row in rows]),),
    )
    store.execute(
        f"UPDATE attempts SET outcome = 'returned', settled_at = ? WHERE id IN {THESE}",
        (to_ms(now), json.dumps([row[0] for row in rows])),
    )
    return [row[2] for row in rows]
