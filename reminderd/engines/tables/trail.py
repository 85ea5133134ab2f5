"""The audit trail in the database: added to in the transaction of what is recorded."""

import json
from collections.abc import Sequence
from datetime import datetime

from reminderd.audit import Broken, Entry, Facts, Head, Recorded, as_text, broken, sealed
from reminderd.engines.tables.ledger import Ledger
from reminderd.engines.tables.rows import Row, from_ms, to_ms
from reminderd.engines.tables.store import Statements

HEAD = "audit-head"  # the note that holds the number and the digest of the newest entry

_ENTRIES = (
    "SELECT id, at, by, action, what, patient, last_patient, before, after, digest FROM audit"
)


class Trail(Ledger):
    """The part of the outbox that remembers who did what."""

    def record(self, entries: Sequence[Entry]) -> None:
        if not entries:
            return
        added = sealed(entries, self.trail_head())
        self.execute_many(
            "INSERT INTO audit "
            "(id, at, by, action, what, patient, last_patient, before, after, digest) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [_row(each) for each in added],
        )
        self.set_note(HEAD, f"{added[-1].number} {added[-1].digest}")

    def trail_head(self) -> Head:
        return _head(self.note(HEAD))

    def trail_fault(self) -> Broken | None:
        return fault(self)

    def trail(self, patient_id: int | None = None, since: datetime | None = None) -> list[Recorded]:
        conditions: list[str] = []
        parameters: list[int] = []
        if patient_id is not None:
            conditions.append("? BETWEEN patient AND coalesce(last_patient, patient)")
            parameters.append(patient_id)
        if since is not None:
            conditions.append("at >= ?")
            parameters.append(to_ms(since))
        where = f"WHERE {' AND '.join(conditions)}" if conditions else ""
        rows = self.query(f"{_ENTRIES} {where} ORDER BY id", parameters)
        return [_recorded(row) for row in rows]


def fault(opened: Statements) -> Broken | None:
    """The first place at which the trail of a database does not hold."""
    notes = opened.query("SELECT value FROM notes WHERE key = ?", (HEAD,))
    rows = opened.query(f"{_ENTRIES} ORDER BY id")
    return broken(map(_recorded, rows), _head(notes[0][0] if notes else None))


def _head(note: str | None) -> Head:
    number, _, digest = (note or "0 ").partition(" ")
    return Head(int(number), digest)


def _row(recorded: Recorded) -> Row:
    entry = recorded.entry
    return (
        recorded.number, to_ms(entry.at), entry.by, str(entry.action), entry.what, entry.patient,
        entry.last_patient, as_text(entry.before), as_text(entry.after), recorded.digest,
    )  # fmt: skip


def _recorded(row: Row) -> Recorded:
    number, at, by, action, what, patient, last_patient, before, after, digest = row
    entry = Entry(
        from_ms(at), by, action, what, patient, last_patient, _facts(before), _facts(after),
    )  # fmt: skip
    return Recorded(number, entry, digest)


def _facts(text: str) -> Facts:
    """What the text says; somebody who changed it need not have left JSON."""
    try:
        facts = json.loads(text)
    except ValueError:
        facts = None
    return facts if isinstance(facts, dict) else {"unreadable": text}
