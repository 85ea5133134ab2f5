"""How much has left, and how much would leave at once."""

import json
from collections.abc import Sequence
from datetime import datetime

from reminderd.engines.embedded.rows import from_ms, to_ms
from reminderd.engines.embedded.store import Store


def left_since(
    store: Store, patient_ids: Sequence[int], since: datetime
) -> dict[int, list[datetime]]:
    """By patient, the claims of messages that left, are leaving, or may have left."""
    found: dict[int, list[datetime]] = {}
    for patient, created_at in store.query(
        "SELECT patient, created_at FROM messages "
        "WHERE patient IN (SELECT value FROM json_each(?)) AND created_at >= ? "
        "AND EXISTS (SELECT 1 FROM attempts WHERE message = messages.id "
        "AND outcome IN ('claimed', 'marked', 'in-doubt', 'accepted'))",
        (json.dumps(list(patient_ids)), to_ms(since)),
    ):
        found.setdefault(patient, []).append(from_ms(created_at))
    return found
