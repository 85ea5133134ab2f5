"""What comes in and what is known: patients, sessions, protocols, reminders."""

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import chain

from reminderd.engines.tables import consents, lookup, past, signed
from reminderd.engines.tables.rows import (
    ATTEMPT_COLUMNS,
    PATIENT_COLUMNS,
    REMINDER_COLUMNS,
    SESSION_COLUMNS,
    Row,
    attempt_from,
    patient_from,
    patient_row,
    reminder_from,
    reminder_row,
    session_from,
    session_row,
    to_ms,
)
from reminderd.engines.tables.store import THESE, WORDS, Store
from reminderd.errors import InvalidInput, shown
from reminderd.ids import internal_id, public_id
from reminderd.interfaces import (
    Approval,
    PatientFacts,
    Pinned,
    ReminderFilter,
    Rendered,
    Signed,
)
from reminderd.model import (
    Attempt,
    CareProtocol,
    Patient,
    Reason,
    Reminder,
    Session,
    SessionChange,
    State,
    ZoneChange,
)
from reminderd.sealing import opened, places

_SESSIONS = (
    f"SELECT {SESSION_COLUMNS} FROM sessions "
    "JOIN protocol_versions ON protocol_versions.id = sessions.protocol_version"
)
_PATIENT = f"{PATIENT_COLUMNS}, {lookup.NAMES}, updated_at"
_PATIENT_MARKS = ", ".join("?" * len(_PATIENT.split(", ")))
_REMINDER_NAMES = REMINDER_COLUMNS.split(", ")
_INSERT_REMINDERS = f"INSERT INTO reminders ({REMINDER_COLUMNS}) VALUES "
_ROW = f"({', '.join('?' * len(_REMINDER_NAMES))})"
_ROWS_AT_ONCE = 40  # one statement for so many rows is a seventh faster than one for each
_UPDATE_REMINDER = (
    f"UPDATE reminders SET {', '.join(f'{name} = ?' for name in _REMINDER_NAMES[1:])} WHERE id = ?"
)
_ORDER = "ORDER BY due_at IS NULL, due_at, nominal_at, milestone, occurrence, session"
_LEFT = "messages.id, recipient, language, subject, text, html, segments"
_SEALED_IN_LEFT = places("messages", _LEFT)
# What waits for a person: contract, section 4 (all-clears) and section 5 (outcomes, receipts).
_NEEDS_STAFF = (
    "(needs_staff = 1 OR state IN ('failed', 'unknown') "
    "OR (state = 'expired' AND reason = 'unconfirmed' "
    "AND (SELECT sessions.state FROM sessions WHERE id = session) IN ('booked', 'done')) "
    "OR receipt IN ('undelivered', 'failed')) "
    "AND (SELECT erased_at FROM patients WHERE id = patient) IS NULL"
)


class Records(Store):
    """The part of the outbox that intake and the command line use."""

    _protocols: dict[int, CareProtocol]  # those that were read, by the ids of their texts

    # Patients ------------------------------------------------------------------------------

    def free_ids(self) -> tuple[int, int]:
        return self.free_id("patients"), self.free_id("sessions")

    def reserve_ids(self, patients: int, sessions: int) -> tuple[int, int]:
        return self.reserve("patients", patients), self.reserve("sessions", sessions)

    def add_patients(self, patients: Sequence[Patient], now: datetime) -> None:
        self.execute_many(
            f"INSERT INTO patients ({_PATIENT}, created_at) VALUES ({_PATIENT_MARKS}, ?)",
            [(*self._patient_row(each, now), to_ms(now)) for each in patients],
        )
        consents.save(self, patients, now)

    def update_patient(self, patient: Patient, now: datetime) -> None:
        names = [f"{name} = ?" for name in _PATIENT.split(", ")[1:]]
        self.execute(
            f"UPDATE patients SET {', '.join(names)} WHERE id = ?",
            (*self._patient_row(patient, now)[1:], patient.id),
        )
        consents.save(self, [patient], now)

    def _patient_row(self, patient: Patient, now: datetime) -> Row:
        keys = lookup.keys(patient, self.seal)
        return (*patient_row(patient, self.seal), *keys, to_ms(now))

    def find_patient(self, name: str) -> Patient | None:
        number = internal_id("pat", name)
        where, value = ("ref = ?", name) if number is None else ("id = ?", str(number))
        found = self._patients(f"WHERE {where}", (value,))
        return _alone(found)[0] if found else None

    def patients_by_ref(self, refs: Iterable[str]) -> dict[str, Patient]:
        found = self._patients(f"WHERE ref IN {WORDS}", (json.dumps(list(refs)),))
        by_ref: dict[str, list[Patient]] = {}
        for each in found:
            by_ref.setdefault(each.ref or "", []).append(each)
        return {ref: _alone(those)[0] for ref, those in by_ref.items()}

    def patients(self) -> list[Patient]:
        return self._patients("", ())

    def _patients(self, where: str, parameters: Sequence[str]) -> list[Patient]:
        ours = self.for_update() if where else ""
        rows = self.query(
            f"SELECT {PATIENT_COLUMNS} FROM patients {where} ORDER BY id {ours}", parameters
        )
        agreed = consents.present(self, [row[0] for row in rows])
        return [patient_from(row, agreed.get(row[0], {}), self.seal) for row in rows]

    # Sessions and protocols ----------------------------------------------------------------

    def add_sessions(self, sessions: Sequence[Session]) -> None:
        self.execute_many(
            "INSERT INTO sessions (id, patient, protocol_version, at, state, tags, area, "
            "recorded_at, adjustments) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            [session_row(each, self.seal) for each in sessions],
        )

    def add_session_change(self, change: SessionChange) -> None:
        past.add_change(self, change)

    def add_zone_change(self, patient_id: int, change: ZoneChange) -> None:
        past.add_zone_change(self, patient_id, change)

    def update_session(self, session: Session) -> None:
        self.execute(
            "UPDATE sessions SET patient = ?, protocol_version = ?, at = ?, state = ?, tags = ?, "
            "area = ?, recorded_at = ?, adjustments = ? WHERE id = ?",
            (*session_row(session, self.seal)[1:], session.id),
        )

    def session(self, session_id: int) -> Session | None:
        rows = self.query(f"{_SESSIONS} WHERE sessions.id = ?", (session_id,))
        return session_from(rows[0], self.seal) if rows else None

    def sessions(self, patient_id: int | None = None) -> list[Session]:
        where = "" if patient_id is None else "WHERE sessions.patient = ?"
        parameters = () if patient_id is None else (patient_id,)
        rows = self.query(f"{_SESSIONS} {where} ORDER BY sessions.at, sessions.id", parameters)
        return [session_from(row, self.seal) for row in rows]

    def pin_protocol(self, protocol: CareProtocol, document: str) -> int:
        return signed.pin(self, protocol, document)

    def pinned(self, key: str) -> list[Pinned]:
        return signed.pinned(self, key)

    def patients_under(self, versions: Sequence[int]) -> list[int]:
        return signed.patients_under(self, versions)

    def _protocol(self, version: int) -> CareProtocol:
        known = self._protocols.get(version)
        if known is None:
            from reminderd import protocols

            rows = self.query("SELECT document FROM protocol_versions WHERE id = ?", (version,))
            known = self._protocols[version] = protocols.from_document(rows[0][0])
        return known

    def add_corrections(self, reminder_ids: Sequence[int], by: str, now: datetime) -> None:
        self.execute_many(
            "INSERT INTO corrections (reminder, at, by) VALUES (?, ?, ?) "
            "ON CONFLICT (reminder) DO UPDATE SET at = excluded.at, by = excluded.by",
            [(each, to_ms(now), by) for each in reminder_ids],
        )

    def add_approval(self, approval: Approval, version: int, texts: str) -> None:
        signed.add_approval(self, approval, version, texts)

    def approvals(self) -> list[Approval]:
        return signed.approvals(self)

    def signed(self, digest: str) -> Signed:
        return signed.signed(self, digest)

    # Reminders -----------------------------------------------------------------------------

    def save_reminders(self, reminders: Iterable[Reminder]) -> None:
        new, known = [], []
        for reminder in reminders:
            row = reminder_row(reminder)
            if reminder.id is None:
                new.append(row)
            else:
                known.append((*row, reminder.id))
        self._insert_reminders(new)
        self.execute_many(_UPDATE_REMINDER, known)

    def _insert_reminders(self, rows: Sequence[Row]) -> None:
        first = self.reserve("reminders", len(rows))
        rows = [(number, *row) for number, row in enumerate(rows, first)]
        full = len(rows) - len(rows) % _ROWS_AT_ONCE
        self.execute_many(
            _INSERT_REMINDERS + ", ".join([_ROW] * _ROWS_AT_ONCE),
            (
                tuple(chain.from_iterable(rows[start : start + _ROWS_AT_ONCE]))
                for start in range(0, full, _ROWS_AT_ONCE)
            ),
        )
        self.execute_many(_INSERT_REMINDERS + _ROW, rows[full:])

    def reminder(self, reminder_id: int) -> Reminder | None:
        rows = self.query(f"SELECT {REMINDER_COLUMNS} FROM reminders WHERE id = ?", (reminder_id,))
        return reminder_from(rows[0]) if rows else None

    def reminders(self, wanted: ReminderFilter) -> list[Reminder]:
        where, parameters = _where(wanted)
        limit = "" if wanted.limit is None else f"LIMIT {int(wanted.limit)}"
        rows = self.query(
            f"SELECT {REMINDER_COLUMNS} FROM reminders {where} {_ORDER} {limit}", parameters
        )
        return [reminder_from(row) for row in rows]

    def count_reminders(self, wanted: ReminderFilter) -> int:
        where, parameters = _where(wanted)
        return int(self.query(f"SELECT count(*) FROM reminders {where}", parameters)[0][0])

    def attempts(self, reminder_id: int) -> list[Attempt]:
        rows = self.query(
            f"SELECT {ATTEMPT_COLUMNS} FROM message_reminders "
            "JOIN messages ON messages.id = message_reminders.message "
            "JOIN attempts ON attempts.message = messages.id "
            "WHERE message_reminders.reminder = ? ORDER BY attempts.id",
            (reminder_id,),
        )
        return [attempt_from(row, self.seal) for row in rows]

    def left(self, reminder_id: int) -> list[Rendered]:
        rows = self.query(
            f"SELECT {_LEFT}, (SELECT max(id) FROM attempts WHERE message = messages.id) "
            "FROM message_reminders "
            "JOIN messages ON messages.id = message_reminders.message "
            "WHERE message_reminders.reminder = ? AND text IS NOT NULL ORDER BY messages.id",
            (reminder_id,),
        )
        whole = [opened(row, _SEALED_IN_LEFT, row[0], self.seal) for row in rows]
        return [Rendered(row[-1], *row[:-1]) for row in whole]

    def tally(self) -> dict[tuple[State, Reason | None], int]:
        rows = self.query("SELECT state, reason, count(*) FROM reminders GROUP BY state, reason")
        return {(State(row[0]), Reason(row[1]) if row[1] else None): row[2] for row in rows}

    # Everything about some patients ---------------------------------------------------------

    def facts(self, patient_ids: Sequence[int]) -> list[PatientFacts]:
        return past.with_past(self, self._facts(patient_ids, "TRUE", ()), self._protocol)

    def bare_facts(self, patient_ids: Sequence[int]) -> list[PatientFacts]:
        return self._facts(patient_ids, None, ())

    def _facts(
        self, patient_ids: Sequence[int], which: str | None, parameters: Sequence[object]
    ) -> list[PatientFacts]:
        """What is known of these patients, with those of their reminders of which `which` holds."""
        ids = json.dumps(list(patient_ids))
        patients = self._patients(f"WHERE id IN {THESE}", (ids,))
        sessions: dict[int, list[Session]] = {}
        for row in self.query(
            f"{_SESSIONS} WHERE sessions.patient IN {THESE} ORDER BY sessions.at, sessions.id",
            (ids,),
        ):
            sessions.setdefault(row[1], []).append(session_from(row, self.seal))
        reminders: dict[int, list[Reminder]] = {}
        if which is not None:
            own = [each.id for group in sessions.values() for each in group]
            for row in self.query(
                f"SELECT {REMINDER_COLUMNS} FROM reminders WHERE session IN {THESE} AND {which}",
                (json.dumps(own), *parameters),
            ):
                reminders.setdefault(row[1], []).append(reminder_from(row))
        return [
            self._facts_of(patient, sessions.get(patient.id or 0, []), reminders)
            for patient in patients
        ]

    def _facts_of(
        self, patient: Patient, sessions: list[Session], reminders: dict[int, list[Reminder]]
    ) -> PatientFacts:
        protocols = {each.id: self._protocol(each.protocol_version or 0) for each in sessions}
        own = tuple(reminders.get(patient.id or 0, ()))
        return PatientFacts(patient, tuple(sessions), protocols, own)

    def open_patient_ids(self, now: datetime) -> list[int]:
        rows = self.query(
            "SELECT DISTINCT patient FROM reminders WHERE expires_at > ? "
            "OR state IN ('scheduled', 'held') ORDER BY patient",
            (to_ms(now),),
        )
        return [row[0] for row in rows]

    # What reminderd remembers about itself --------------------------------------------------

    def note(self, key: str) -> str | None:
        rows = self.query("SELECT value FROM notes WHERE key = ?", (key,))
        return str(rows[0][0]) if rows else None

    def set_note(self, key: str, value: str) -> None:
        self.execute(
            "INSERT INTO notes (key, value) VALUES (?, ?) "
            "ON CONFLICT (key) DO UPDATE SET value = excluded.value",
            (key, value),
        )


def _alone(found: Sequence[Patient]) -> Sequence[Patient]:
    """Clinics that share a database may each have given the same ref: then it names nobody."""
    if len(found) > 1:
        names = ", ".join(f"{public_id('pat', each.id)} ({each.clinic})" for each in found)
        raise InvalidInput(
            f"the ref {shown(found[0].ref or '')} is of several patients: {names}",
            remedy="Say the patient's id, or give one of them another ref: reminderd patient edit",
        )
    return found


def _where(wanted: ReminderFilter) -> tuple[str, list[object]]:
    conditions: list[tuple[str, object]] = []
    if wanted.patient_id is not None:
        conditions.append(
            ("session IN (SELECT id FROM sessions WHERE patient = ?)", wanted.patient_id)
        )
    if wanted.session_id is not None:
        conditions.append(("session = ?", wanted.session_id))
    if wanted.protocol is not None:
        conditions.append(("protocol = ?", wanted.protocol))
    if wanted.reasons:
        conditions.append((f"reason IN {WORDS}", json.dumps(sorted(wanted.reasons))))
    if wanted.due_from is not None:
        conditions.append(("due_at >= ?", to_ms(wanted.due_from)))
    if wanted.due_until is not None:
        conditions.append(("due_at < ?", to_ms(wanted.due_until)))
    texts = [text for text, _ in conditions] + ([_NEEDS_STAFF] if wanted.needs_staff else [])
    if wanted.states:
        # Spelled out: a partial index is used where the statement itself names its states.
        names = ", ".join(f"'{each.value}'" for each in sorted(wanted.states))
        texts.append(f"state IN ({names})")
    return (f"WHERE {' AND '.join(texts)}" if texts else "", [value for _, value in conditions])
