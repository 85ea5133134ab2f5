"""What staff have changed about sessions, and which words they have corrected in person."""

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from reminderd.engines.tables.rows import (
    Row,
    adjustments_from,
    adjustments_text,
    from_ms,
    to_ms,
)
from reminderd.engines.tables.store import THESE, Store
from reminderd.interfaces import PatientFacts
from reminderd.model import CareProtocol, Session, SessionChange, SessionState, ZoneChange
from reminderd.sealing import closed, opened, places

_CHANGE = "id, session, protocol_version, at, state, adjustments, changed_at, by, why"
_SEALED_IN_CHANGE = places("session_changes", _CHANGE)
_PAST = (
    "session, protocol_versions.key, protocol_versions.revision, protocol_version, at, "
    "state, adjustments, changed_at, by, why, session_changes.id"
)
_SEALED_IN_PAST = places("session_changes", _PAST)


def add_change(store: Store, change: SessionChange) -> None:
    """Keep how the session was."""
    was = change.was
    number = store.reserve("session_changes", 1)
    row = (
        number, was.id, was.protocol_version, to_ms(was.at), was.state.value,
        adjustments_text(was.adjustments), to_ms(change.at), change.by, change.why,
    )  # fmt: skip
    store.execute(
        f"INSERT INTO session_changes ({_CHANGE}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        closed(row, _SEALED_IN_CHANGE, number, store.seal),
    )


def add_zone_change(store: Store, patient_id: int, change: ZoneChange) -> None:
    """Keep by which zone the patient lived until then."""
    store.execute(
        "INSERT INTO zone_changes (patient, zone, changed_at) VALUES (?, ?, ?)",
        (patient_id, change.was, to_ms(change.at)),
    )


def with_past(
    store: Store, found: Sequence[PatientFacts], protocol: Callable[[int], CareProtocol]
) -> list[PatientFacts]:
    """The patients with what was changed and corrected."""
    sessions = [session for each in found for session in each.sessions]
    changed, told = _changes(store, sessions, protocol), _corrected(store, sessions)
    lived = _zones(store, [each.patient.id for each in found])
    return [
        replace(
            each,
            changes=tuple(changed.get(each.patient.id, ())),
            corrected=told,
            zones=tuple(lived.get(each.patient.id, ())),
        )
        for each in found
    ]


def _zones(store: Store, patient_ids: Sequence[int | None]) -> dict[int | None, list[ZoneChange]]:
    found: dict[int | None, list[ZoneChange]] = {}
    for patient, zone, changed_at in store.query(
        f"SELECT patient, zone, changed_at FROM zone_changes WHERE patient IN {THESE} ORDER BY id",
        (json.dumps(patient_ids),),
    ):
        found.setdefault(patient, []).append(ZoneChange(zone, from_ms(changed_at)))
    return found


def _changes(
    store: Store, sessions: Iterable[Session], protocol: Callable[[int], CareProtocol]
) -> dict[int | None, list[SessionChange]]:
    """What was changed about these sessions, by patient, in the order of the changes."""
    now = {session.id: session for session in sessions}
    found: dict[int | None, list[SessionChange]] = {}
    for each in store.query(
        f"SELECT {_PAST} FROM session_changes "
        "JOIN protocol_versions ON protocol_versions.id = session_changes.protocol_version "
        f"WHERE session IN {THESE} ORDER BY session_changes.id",
        (json.dumps(list(now)),),
    ):
        row = opened(each, _SEALED_IN_PAST, each[-1], store.seal)
        was = _as_it_was(now[row[0]], row)
        change = SessionChange(was, protocol(row[3]), from_ms(row[7]), row[8], row[9])
        found.setdefault(was.patient_id, []).append(change)
    return found


def _as_it_was(session: Session, row: Row) -> Session:
    return replace(
        session,
        protocol=row[1],
        revision=row[2],
        protocol_version=row[3],
        at=from_ms(row[4]),
        state=SessionState(row[5]),
        adjustments=adjustments_from(row[6]),
    )


def _corrected(store: Store, sessions: Sequence[Session]) -> dict[int | None, datetime]:
    """When staff corrected which reminder of these sessions, by its id."""
    rows = store.query(
        "SELECT reminder, corrections.at FROM reminders "
        f"JOIN corrections ON corrections.reminder = reminders.id WHERE session IN {THESE}",
        (json.dumps([each.id for each in sessions]),),
    )
    return {row[0]: from_ms(row[1]) for row in rows}
