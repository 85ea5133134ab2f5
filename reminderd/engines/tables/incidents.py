"""Red flags and who acts on them. The number that wrote, and why one was closed, are sealed."""

import json
from collections.abc import Collection, Iterable
from datetime import datetime

from reminderd.engines.tables.letterbox import Letterbox
from reminderd.engines.tables.rows import Row, from_ms, from_ms_or_none, to_ms, to_ms_or_none
from reminderd.engines.tables.store import THESE
from reminderd.model import Severity
from reminderd.outbox_values import Incident
from reminderd.sealing import closed, opened, places, readable

_ALL = (
    "id, severity, number, opened_at, raised_at, acknowledged_at, acknowledged_by, closed_at, "
    "closed_by, why"
)
_SEALED_IN_ALL = places("incidents", _ALL)
_NAMES = _ALL.split(", ")
_KEEP = (
    f"INSERT INTO incidents ({_ALL}) VALUES ({', '.join('?' * len(_NAMES))}) "
    "ON CONFLICT (id) DO UPDATE SET "
    + ", ".join(f"{name} = excluded.{name}" for name in _NAMES[1:])
)
_SELECT = (
    f"SELECT {_ALL}, "
    "(SELECT json_group_array(patient) FROM incident_patients WHERE incident = incidents.id), "
    "(SELECT json_group_array(reply) FROM incident_replies WHERE incident = incidents.id), "
    "(SELECT json_group_array(sessions.id) FROM incident_patients JOIN sessions "
    "ON sessions.patient = incident_patients.patient WHERE incident = incidents.id "
    "AND sessions.at <= raised_at AND state IN ('booked', 'done')) "
    "FROM incidents"
)
_OF_PATIENT = "id IN (SELECT incident FROM incident_patients WHERE patient = ?)"


class IncidentBook(Letterbox):
    """The part of the outbox that keeps incidents; implements `incident_book.IncidentBook`."""

    def incidents(self, open_only: bool, patient_id: int | None = None) -> list[Incident]:
        still = "closed_at IS NULL" if open_only else "TRUE"
        if patient_id is None:
            return self._incidents(f"WHERE {still} ORDER BY id")
        return self._incidents(f"WHERE {still} AND {_OF_PATIENT} ORDER BY id", patient_id)

    def open_incidents(self) -> list[Incident]:
        rows = self.query(f"{_SELECT} WHERE closed_at IS NULL ORDER BY id")
        return [_incident(readable(each, _SEALED_IN_ALL, each[0], self.seal)) for each in rows]

    def incident(self, incident_id: int) -> Incident | None:
        found = self._incidents("WHERE id = ?", incident_id)
        return found[0] if found else None

    def treated_until(self, patient_ids: Collection[int]) -> datetime | None:
        rows = self.query(
            f"SELECT max(at) FROM sessions WHERE state = 'done' AND patient IN {THESE}",
            (json.dumps(list(patient_ids)),),
        )
        return from_ms_or_none(rows[0][0])

    def next_incident_id(self) -> int:
        return self.reserve("incidents", 1)

    def keep_incident(self, incident: Incident) -> None:
        row = (
            incident.id, incident.severity.value, incident.number, to_ms(incident.opened_at),
            to_ms(incident.raised_at), to_ms_or_none(incident.acknowledged_at),
            incident.acknowledged_by, to_ms_or_none(incident.closed_at), incident.closed_by,
            incident.why,
        )  # fmt: skip
        self.execute(_KEEP, closed(row, _SEALED_IN_ALL, incident.id, self.seal))
        self._add("incident_patients (patient, incident)", incident.patients, incident.id)
        self._add("incident_replies (reply, incident)", incident.replies, incident.id)

    def _add(self, where: str, numbers: Iterable[int], incident_id: int) -> None:
        self.execute_many(
            f"INSERT INTO {where} VALUES (?, ?) ON CONFLICT DO NOTHING",
            [(each, incident_id) for each in numbers],
        )

    def _incidents(self, where: str, *parameters: int) -> list[Incident]:
        rows = self.query(f"{_SELECT} {where}", parameters)
        return [_incident(opened(each, _SEALED_IN_ALL, each[0], self.seal)) for each in rows]


def _incident(row: Row) -> Incident:
    (number, severity, sender, opened_at, raised_at, acknowledged_at, acknowledged_by, closed_at,
     closed_by, why, patients, replies, sessions) = row  # fmt: skip
    return Incident(
        number,
        Severity(severity),
        sender or "",
        tuple(sorted(json.loads(patients))),
        tuple(sorted(json.loads(replies))),
        from_ms(opened_at),
        from_ms(raised_at),
        from_ms_or_none(acknowledged_at),
        acknowledged_by,
        from_ms_or_none(closed_at),
        closed_by,
        why,
        tuple(sorted(json.loads(sessions))),
    )
