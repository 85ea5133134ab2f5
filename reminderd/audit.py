"""The audit trail: who did what to whom, each entry sealed with the one before it. Pure.

An entry is for good, so it holds nothing that a person may ask to have erased: of names, numbers,
addresses, health and whatever else people type, it says only that it changed.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, NamedTuple

from reminderd.ids import public_id
from reminderd.model import Adjustment, Patient, Reminder, Session, SessionState

DAEMON = "reminderd"  # who did what nobody typed
NOT_KEPT = "(not kept)"


class Action(StrEnum):
    """What can be done to patients' data, or with it."""

    PATIENT_ADDED = "patient-added"
    PATIENT_EDITED = "patient-edited"
    CONSENT = "consent"
    OPTED_OUT = "opted-out"  # the provider said so
    OBJECTED = "objected"  # the patient, in words that staff have to read
    PAUSED = "paused"
    RESUMED = "resumed"
    ADDRESS_MARKED = "address-marked"
    SESSION_ADDED = "session-added"
    SESSION_MOVED = "session-moved"
    SESSION_DONE = "session-done"
    SESSION_CANCELLED = "session-cancelled"
    SESSION_ADJUSTED = "session-adjusted"
    SESSION_MIGRATED = "session-migrated"
    REMINDER_CANCELLED = "reminder-cancelled"
    REMINDER_RETRIED = "reminder-retried"
    REMINDER_RESOLVED = "reminder-resolved"
    REPLY_DONE = "reply-done"
    INCIDENT_OPENED = "incident-opened"
    INCIDENT_RAISED = "incident-raised"  # by a further red flag
    INCIDENT_ACKNOWLEDGED = "incident-acknowledged"
    INCIDENT_CLOSED = "incident-closed"
    CORRECTION_TOLD = "correction-told"
    PROTOCOL_APPROVED = "protocol-approved"
    IMPORTED = "imported"
    EXPORTED = "exported"
    ERASED = "erased"
    PRUNED = "pruned"
    RELEASED = "released"


Facts = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that was done: `before` and `after` hold what changed, as JSON values.

    `action` is one of `Action`; `what` is a public id; `patient` is the id of whom it is about, or
    the first of several up to `last_patient`.
    """

    at: datetime
    by: str
    action: str
    what: str
    patient: int | None = None
    last_patient: int | None = None
    before: Facts = field(default_factory=dict)
    after: Facts = field(default_factory=dict)


class Recorded(NamedTuple):
    """An entry in its place in the chain, counting from 1."""

    number: int
    entry: Entry
    digest: str


class Head(NamedTuple):
    """The newest entry, kept apart from the chain, so that a missing end is noticed."""

    number: int = 0
    digest: str = ""


class Broken(NamedTuple):
    """The first place at which the chain does not hold, and how."""

    number: int
    why: str


# The chain --------------------------------------------------------------------------------------


def as_text(facts: Facts) -> str:
    """Facts as JSON, always in the same form."""
    return json.dumps(facts, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def sealed(entries: Iterable[Entry], head: Head) -> list[Recorded]:
    """The entries as they follow on the newest one."""
    found: list[Recorded] = []
    digest = head.digest
    for number, entry in enumerate(entries, head.number + 1):
        digest = _digest(digest, number, entry)
        found.append(Recorded(number, entry, digest))
    return found


def broken(trail: Iterable[Recorded], head: Head) -> Broken | None:
    """The first entry that was changed, taken out or put in; None where the whole chain holds."""
    number, digest = 0, ""
    for number, each in enumerate(trail, 1):
        if each.number != number:
            return Broken(number, f"is missing: entry {each.number} follows {number - 1}")
        digest = _digest(digest, number, each.entry)
        if each.digest != digest:
            return Broken(number, "does not fit its digest: it, or one before it, was changed")
    if number < head.number:
        return Broken(number + 1, f"is missing, with all up to entry {head.number}")
    if (number, digest) != head:
        return Broken(number, f"was added past the end, which was entry {head.number}")
    return None


def _digest(before: str, number: int, entry: Entry) -> str:
    content = [
        number, entry.at.astimezone(UTC).isoformat(timespec="milliseconds"), entry.by,
        entry.action, entry.what, entry.patient, entry.last_patient,
        as_text(entry.before), as_text(entry.after),
    ]  # fmt: skip
    text = json.dumps([before, *content], ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


# Patients ---------------------------------------------------------------------------------------


def patient_added(patient: Patient, by: str, at: datetime) -> list[Entry]:
    """The entry for a new patient."""
    what, told = _what("pat", patient.id), _given(_patient(patient))
    return [Entry(at, by, Action.PATIENT_ADDED, what, patient.id, after=told)]


def patient_changed(before: Patient, after: Patient, by: str, at: datetime) -> list[Entry]:
    """The entry for a changed patient; none where nothing changed."""
    names = _differing(_patient(after), before, after)
    if not names:
        return []
    action, what = _done_to_patient(names, after, by), _what("pat", after.id)
    was, now = _only(names, _patient(before)), _only(names, _patient(after))
    return [Entry(at, by, action, what, after.id, before=was, after=now)]


def _done_to_patient(names: Sequence[str], after: Patient, by: str) -> Action:
    match names:
        case ["consent"]:
            return Action.OPTED_OUT if by == DAEMON else Action.CONSENT
        case ["paused"]:
            return Action.PAUSED if after.paused else Action.RESUMED
        case ["bad_addresses"]:
            return Action.ADDRESS_MARKED
    return Action.PATIENT_EDITED


def _patient(patient: Patient) -> dict[str, Any]:
    """By the names of the fields, what the trail may keep of each."""
    consent = patient.consent.items()
    return {
        "ref": _hidden(patient.ref),
        "given_name": _hidden(patient.given_name),
        "family_name": _hidden(patient.family_name),
        "phone": _hidden(patient.phone),
        "email": _hidden(patient.email),
        "screening": _hidden(patient.screening),
        "clinic": patient.clinic,
        "timezone": patient.timezone,
        "language": patient.language,
        "channels": list(patient.channels),
        "bad_addresses": sorted(patient.bad_addresses),
        "paused": patient.paused,
        "consent": {channel: "granted" if e.granted else "withdrawn" for channel, e in consent},
    }


# Sessions and reminders -------------------------------------------------------------------------


def session_added(session: Session, by: str, at: datetime) -> list[Entry]:
    """The entry for a new session."""
    what, told = _what("ses", session.id), _given(_session(session))
    return [Entry(at, by, Action.SESSION_ADDED, what, session.patient_id, after=told)]


def session_changed(before: Session, after: Session, by: str, at: datetime) -> list[Entry]:
    """The entry for a changed session; none where nothing changed."""
    if before == after:
        return []
    names = _differing(_session(after), before, after)
    action, what = _done_to_session(before, after), _what("ses", after.id)
    was, now = _only(names, _session(before)), _only(names, _session(after))
    return [Entry(at, by, action, what, after.patient_id, before=was, after=now)]


def _done_to_session(before: Session, after: Session) -> Action:
    if before.protocol_version != after.protocol_version:
        return Action.SESSION_MIGRATED
    if before.adjustments != after.adjustments:
        return Action.SESSION_ADJUSTED
    if before.state != after.state and after.state is not SessionState.BOOKED:
        return Action.SESSION_DONE if after.stands else Action.SESSION_CANCELLED
    return Action.SESSION_MOVED


def _session(session: Session) -> dict[str, Any]:
    return {
        "protocol": session.protocol,
        "revision": session.revision,
        "at": session.at.astimezone(UTC).isoformat(timespec="seconds"),
        "state": session.state,
        "tags": sorted(session.tags),
        "area": _hidden(session.area),
        "adjustments": {name: _adjustment(each) for name, each in session.adjustments.items()},
    }


def _adjustment(decision: Adjustment) -> Facts:
    """What was decided; why stands with the session, where it can be erased."""
    facts = {
        "off": decision.off,
        "holds": decision.holds and str(decision.holds),
        "at": decision.at and f"{decision.at:%H:%M}",
    }
    return _given(facts)


def reminder_decided(
    action: Action, before: Reminder, after: Reminder, by: str, at: datetime
) -> list[Entry]:
    """The entry for what staff decided about one reminder."""
    what = _what("rem", before.id)
    was = {"state": before.state, "reason": before.reason}
    now = {"state": after.state, "reason": after.reason}
    return [Entry(at, by, action, what, before.patient_id, before=was, after=now)]


# What of it is told -----------------------------------------------------------------------------


def _what(kind: str, number: int | None) -> str:
    return public_id(kind, number) or ""


def _hidden(fact: object) -> str | None:
    return NOT_KEPT if fact else None


def _given(facts: Facts) -> Facts:
    return {name: fact for name, fact in facts.items() if fact}


def _only(names: Sequence[str], facts: Facts) -> Facts:
    return {name: facts[name] for name in names}


def _differing(names: Iterable[str], before: object, after: object) -> list[str]:
    """Compared as they are: of what is hidden, both sides would be told alike."""
    return [each for each in names if getattr(before, each) != getattr(after, each)]
