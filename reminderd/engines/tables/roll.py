"""All patients at a glance, read without the model: the list has to be there at once."""

import json

from reminderd.engine import Listed
from reminderd.engines.tables.store import Row, Statements
from reminderd.sealing import Seal, opened, places

_LISTED = "id, ref, clinic, given_name, family_name, phone, email, timezone, channels"
_SEALED = places("patients", _LISTED)
_ALL = (
    f"SELECT {_LISTED}, (SELECT json_group_array(channel) FROM consents "
    "WHERE patient = patients.id AND granted = 1), paused FROM patients "
    "WHERE erased_at IS NULL ORDER BY id"
)


def patients(database: Statements, seal: Seal | None) -> list[Listed]:
    """Everybody but the erased, in the order in which they came; raises SealBroken."""
    return [_listed(opened(row, _SEALED, row[0], seal)) for row in database.query(_ALL)]


def _listed(row: Row) -> Listed:
    *facts, consented, paused = row
    return Listed._make([*facts, ";".join(json.loads(consented)), paused])
