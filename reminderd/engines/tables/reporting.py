"""Figures, each by one aggregate; after which session patients have none, who is there twice."""

import json
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from reminderd.engines.tables.rows import (
    PATIENT_COLUMNS,
    REMINDER_COLUMNS,
    SESSION_COLUMNS,
    patient_from,
    reminder_from,
    session_from,
    to_ms,
)
from reminderd.engines.tables.store import THESE, Store
from reminderd.interfaces import Figure, LastSession, ReportFilter
from reminderd.model import CareProtocol, Channel, Patient, Reason, Reminder, State

_PATIENT = ", ".join(f"patients.{name}" for name in PATIENT_COLUMNS.split(", "))
_PATIENT_WIDTH = len(PATIENT_COLUMNS.split(", "))


def figures(store: Store, wanted: ReportFilter) -> list[Figure]:
    """All reminders, counted."""
    where, parameters = narrowing(wanted)
    rows = store.query(
        "SELECT protocol, milestone, channel, state, reason, count(*), "
        "CAST(coalesce(sum(sent_at - due_at), 0) AS BIGINT), coalesce(max(sent_at - due_at), 0) "
        f"FROM reminders {where} GROUP BY protocol, milestone, channel, state, reason "
        "ORDER BY protocol, milestone, channel, state, reason",
        parameters,
    )
    return [
        Figure(
            protocol,
            milestone,
            Channel(channel) if channel else None,
            State(state),
            Reason(reason) if reason else None,
            count,
            timedelta(milliseconds=late),
            timedelta(milliseconds=latest),
        )
        for protocol, milestone, channel, state, reason, count, late, latest in rows
    ]


def segments(store: Store, wanted: ReportFilter) -> dict[tuple[str, str], float]:
    """What text messages took, shared among the reminders in them."""
    where, parameters = narrowing(wanted)
    rows = store.query(
        "WITH accepted AS (SELECT id, segments FROM messages WHERE segments > 0 AND EXISTS "
        "(SELECT 1 FROM attempts WHERE message = messages.id AND outcome = 'accepted')), "
        "shares AS (SELECT reminder, CAST(segments AS DOUBLE PRECISION) / count(*) "
        "OVER (PARTITION BY message) AS share FROM message_reminders "
        "JOIN accepted ON accepted.id = message) "
        "SELECT protocol, milestone, sum(share) FROM shares "
        f"JOIN reminders ON reminders.id = reminder {where} GROUP BY protocol, milestone",
        parameters,
    )
    return {(protocol, milestone): share for protocol, milestone, share in rows}


def narrowing(wanted: ReportFilter) -> tuple[str, list[str | int]]:
    """The condition on reminders, with its `WHERE` if there is any, and its parameters."""
    conditions: list[tuple[str, str | int]] = []
    if wanted.protocol is not None:
        conditions.append(("protocol = ?", wanted.protocol))
    if wanted.start is not None:
        conditions.append(("coalesce(due_at, nominal_at) >= ?", to_ms(wanted.start)))
    if wanted.end is not None:
        conditions.append(("coalesce(due_at, nominal_at) < ?", to_ms(wanted.end)))
    texts = " AND ".join(text for text, _ in conditions)
    return (f"WHERE {texts}" if texts else "", [value for _, value in conditions])


def patients_at(store: Store, protocol: str, at: datetime) -> list[Patient]:
    """Who has a session of that protocol at that instant; consent is left out."""
    rows = store.query(
        f"SELECT {_PATIENT} FROM sessions JOIN patients ON patients.id = sessions.patient "
        "JOIN protocol_versions ON protocol_versions.id = protocol_version "
        "WHERE sessions.at = ? AND key = ? AND state IN ('booked', 'done') "
        "AND erased_at IS NULL ORDER BY patients.id",
        (to_ms(at), protocol),
    )
    return [patient_from(row, {}, store.seal) for row in rows]


def last_sessions(
    store: Store, key: str | None, protocol: Callable[[int], CareProtocol]
) -> list[LastSession]:
    """The last one by time, then by recording; its place is how many there are."""
    wanted, given = ("", ()) if key is None else ("WHERE key = ?", (key,))
    versions = store.query(f"SELECT id FROM protocol_versions {wanted} ORDER BY id", given)
    with_course = [number for (number,) in versions if protocol(number).course is not None]
    rows = store.query(
        f"SELECT {_PATIENT}, {SESSION_COLUMNS}, place FROM (SELECT sessions.id AS last, "
        "count(*) OVER (PARTITION BY patient, key) AS place, "
        "row_number() OVER (PARTITION BY patient, key "
        "ORDER BY at DESC, recorded_at DESC, sessions.id DESC) AS back "
        "FROM sessions JOIN protocol_versions ON protocol_versions.id = protocol_version "
        "WHERE state IN ('booked', 'done')) AS courses JOIN sessions ON sessions.id = last "
        "JOIN protocol_versions ON protocol_versions.id = sessions.protocol_version "
        "JOIN patients ON patients.id = sessions.patient "
        f"WHERE back = 1 AND erased_at IS NULL AND sessions.protocol_version IN {THESE}",
        (json.dumps(with_course),),
    )
    return [
        LastSession(
            patient_from(row[:_PATIENT_WIDTH], {}, store.seal),
            session_from(row[_PATIENT_WIDTH:-1], store.seal),
            protocol(row[_PATIENT_WIDTH + 2]),
            row[-1],
        )
        for row in rows
    ]


def course_reminders(store: Store, session_ids: Sequence[int]) -> list[Reminder]:
    """In the order of the sessions, then of time."""
    rows = store.query(
        f"SELECT {REMINDER_COLUMNS} FROM reminders WHERE session IN {THESE} "
        "AND kind = 'course' ORDER BY session, nominal_at, id",
        (json.dumps(list(session_ids)),),
    )
    return [reminder_from(row) for row in rows]
