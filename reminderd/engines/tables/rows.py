"""How value objects lie in rows: instants as milliseconds, lists joined with `;`.

Words are bound as plain `str`: sqlite3 asks every other type, our enums too, for an adapter, which
costs more than the rest of the row.
"""

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Any

from reminderd.model import (
    Adjustment,
    Attempt,
    Channel,
    Consent,
    Duration,
    Kind,
    Outcome,
    Patient,
    Reason,
    Reminder,
    Screening,
    Session,
    SessionState,
    State,
)
from reminderd.sealing import Seal, closed, opened, places

Row = tuple[Any, ...]

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


@lru_cache(maxsize=4096)
def to_ms(instant: datetime) -> int:
    """Milliseconds since 1970 in UTC, rounded down."""
    return (instant - _EPOCH) // _MILLISECOND


@lru_cache(maxsize=4096)
def to_ms_or_none(instant: datetime | None) -> int | None:
    return None if instant is None else to_ms(instant)


@lru_cache(maxsize=4096)
def from_ms(value: int) -> datetime:
    return _EPOCH + timedelta(milliseconds=value)


@lru_cache(maxsize=4096)
def from_ms_or_none(value: int | None) -> datetime | None:
    return None if value is None else from_ms(value)


@lru_cache(maxsize=128)
def word(one: StrEnum | None) -> str | None:
    """The plain text of a word, or None where there is none."""
    return None if one is None else one._value_


def join(words: Iterable[str]) -> str:
    return ";".join(words)


@lru_cache(maxsize=1024)
def in_order(words: frozenset[str]) -> str:
    """A set of words as text, always in the same order."""
    return join(sorted(words))


def split(text: str) -> list[str]:
    return text.split(";") if text else []


@lru_cache(maxsize=128)
def _channels(text: str) -> tuple[Channel, ...]:
    return tuple(map(Channel, split(text)))


_NOTHING: frozenset[Any] = frozenset()
PATIENT_COLUMNS = (
    "id, ref, clinic, given_name, family_name, phone, email, timezone, language, channels, "
    "paused, bad_addresses, screening, erased_at"
)
_SEALED_IN_PATIENT = places("patients", PATIENT_COLUMNS)


def patient_row(patient: Patient, seal: Seal | None) -> Row:
    row = (
        patient.id,
        patient.ref,
        patient.clinic,
        patient.given_name,
        patient.family_name,
        patient.phone,
        patient.email,
        patient.timezone,
        patient.language,
        join(patient.channels),
        int(patient.paused),
        join(sorted(patient.bad_addresses)),
        join(sorted(patient.screening)),
        to_ms_or_none(patient.erased_at),
    )
    return closed(row, _SEALED_IN_PATIENT, patient.id, seal)


def patient_from(row: Row, consent: Mapping[Channel, Consent], seal: Seal | None) -> Patient:
    row = opened(row, _SEALED_IN_PATIENT, row[0], seal)
    return Patient(
        id=row[0],
        ref=row[1],
        clinic=row[2],
        given_name=row[3],
        family_name=row[4],
        phone=row[5],
        email=row[6],
        timezone=row[7],
        language=row[8],
        channels=_channels(row[9]),
        paused=bool(row[10]),
        bad_addresses=frozenset(_channels(row[11])),
        screening=frozenset(map(Screening, split(row[12]))) if row[12] else _NOTHING,
        erased_at=from_ms_or_none(row[13]),
        consent=consent,
    )


SESSION_COLUMNS = (
    "sessions.id, sessions.patient, sessions.protocol_version, sessions.at, sessions.state, "
    "sessions.tags, sessions.area, sessions.recorded_at, sessions.adjustments, "
    "protocol_versions.key, protocol_versions.revision, "
    "(SELECT max(incident) FROM incident_patients JOIN incidents ON incidents.id = incident "
    "WHERE incident_patients.patient = sessions.patient AND closed_at IS NULL "
    "AND sessions.at <= raised_at)"
)
# A row that is written begins as one that is read.
_SEALED_IN_SESSION = places("sessions", SESSION_COLUMNS)


def session_row(session: Session, seal: Seal | None) -> Row:
    row = (
        session.id,
        session.patient_id,
        session.protocol_version,
        to_ms(session.at),
        session.state.value,
        in_order(session.tags),
        session.area,
        to_ms(session.recorded_at),
        adjustments_text(session.adjustments),
    )
    return closed(row, _SEALED_IN_SESSION, session.id, seal)


def session_from(row: Row, seal: Seal | None) -> Session:
    row = opened(row, _SEALED_IN_SESSION, row[0], seal)
    return Session(
        id=row[0],
        patient_id=row[1],
        protocol_version=row[2],
        at=from_ms(row[3]),
        state=SessionState(row[4]),
        tags=frozenset(split(row[5])),
        area=row[6],
        recorded_at=from_ms(row[7]),
        adjustments=adjustments_from(row[8]),
        protocol=row[9],
        revision=row[10],
        withheld_by=row[11],
    )


def adjustments_text(adjustments: Mapping[str, Adjustment]) -> str:
    return json.dumps(
        {milestone: _adjustment_data(each) for milestone, each in adjustments.items()}
    )


def _adjustment_data(adjustment: Adjustment) -> dict[str, object]:
    return {
        "by": adjustment.by,
        "why": adjustment.why,
        "off": adjustment.off,
        "holds": adjustment.holds and str(adjustment.holds),
        "at": adjustment.at and adjustment.at.isoformat("minutes"),
    }


def adjustments_from(text: str) -> dict[str, Adjustment]:
    if text == "{}":
        return {}
    return {
        milestone: Adjustment(
            by=data["by"],
            why=data["why"],
            off=data["off"],
            holds=Duration.parse(data["holds"]) if data["holds"] else None,
            at=time.fromisoformat(data["at"]) if data["at"] else None,
        )
        for milestone, data in json.loads(text).items()
    }


REMINDER_COLUMNS = (
    "id, patient, session, protocol, revision, milestone, occurrence, kind, topics, template, "
    "channel, nominal_at, due_at, wake_at, expires_at, first_planned_at, state, reason, attempts, "
    "sent_at, provider_id, receipt, needs_staff"
)


def reminder_row(reminder: Reminder) -> Row:
    """All columns but the id."""
    return (
        reminder.patient_id,
        reminder.session_id,
        reminder.protocol,
        reminder.revision,
        reminder.milestone,
        reminder.occurrence,
        reminder.kind._value_,
        in_order(reminder.topics),
        reminder.template,
        word(reminder.channel),
        to_ms(reminder.nominal_at),
        to_ms_or_none(reminder.due_at),
        to_ms_or_none(reminder.wake_at),
        to_ms(reminder.expires_at),
        to_ms(reminder.first_planned_at),
        reminder.state._value_,
        word(reminder.reason),
        reminder.attempts,
        to_ms_or_none(reminder.sent_at),
        reminder.provider_id,
        reminder.receipt,
        int(reminder.needs_staff),
    )


_CHANNELS = {each.value: each for each in Channel} | {None: None}
_KINDS = {each.value: each for each in Kind}
_STATES = {each.value: each for each in State}
_REASONS = {each.value: each for each in Reason} | {None: None}


def reminder_from(row: Row) -> Reminder:
    return Reminder(
        id=row[0],
        patient_id=row[1],
        session_id=row[2],
        protocol=row[3],
        revision=row[4],
        milestone=row[5],
        occurrence=row[6],
        kind=_KINDS[row[7]],
        topics=frozenset(split(row[8])),
        template=row[9],
        channel=_CHANNELS[row[10]],
        nominal_at=from_ms(row[11]),
        due_at=from_ms_or_none(row[12]),
        wake_at=from_ms_or_none(row[13]),
        expires_at=from_ms(row[14]),
        first_planned_at=from_ms(row[15]),
        state=_STATES[row[16]],
        reason=_REASONS[row[17]],
        attempts=row[18],
        sent_at=from_ms_or_none(row[19]),
        provider_id=row[20],
        receipt=row[21],
        needs_staff=bool(row[22]),
    )


ATTEMPT_COLUMNS = (
    "messages.id, channel, transport, outcome, claimed_at, marked_at, settled_at, "
    "attempts.provider_id, code, error, attempts.id"
)
_SEALED_IN_ATTEMPT = places("attempts", ATTEMPT_COLUMNS)


def attempt_from(row: Row, seal: Seal | None) -> Attempt:
    row = opened(row, _SEALED_IN_ATTEMPT, row[10], seal)
    return Attempt(
        message_id=row[0],
        channel=Channel(row[1]),
        transport=row[2],
        outcome=Outcome(row[3]),
        claimed_at=from_ms(row[4]),
        marked_at=from_ms_or_none(row[5]),
        settled_at=from_ms_or_none(row[6]),
        provider_id=row[7],
        code=row[8],
        error=row[9],
    )
