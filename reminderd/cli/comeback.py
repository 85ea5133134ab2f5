"""Who is overdue for the next session of a course, for the person who picks up the phone."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from reminderd import wording
from reminderd.cli import output
from reminderd.ids import public_id
from reminderd.model import Reason, Reminder, Session, SessionState, State
from reminderd.overdue import Overdue
from reminderd.plan import WAITING, expired

_COLUMNS = ("Days", "Patient", "Ref", "Name", "Phone", "Session", "Last", "Due", "Reminder")


def data(overdue: Overdue) -> dict[str, Any]:
    """One patient after one session; its instants in the patient's zone."""
    patient, session, standing = overdue.last.patient, overdue.last.session, overdue.standing
    return {
        "patient": public_id("pat", patient.id),
        "ref": patient.ref,
        "given_name": patient.given_name,
        "family_name": patient.family_name,
        "phone": patient.phone,
        "protocol": session.protocol,
        "place": standing.place,
        "minimum": standing.course.minimum,
        "maximum": standing.course.maximum,
        "session": public_id("ses", session.id),
        "session_at": output.instant(session.at, overdue.zone),
        "session_state": session.state,
        "next_due_at": output.instant(overdue.next_due_at, overdue.zone),
        "days_overdue": overdue.days,
        "reminders": [_reminder(each, overdue.zone) for each in overdue.reminders],
    }


def _reminder(reminder: Reminder, zone: str) -> dict[str, Any]:
    return {
        "id": public_id("rem", reminder.id),
        "milestone": reminder.milestone,
        "state": reminder.state,
        "reason": reminder.reason,
        "channel": reminder.channel,
        "sent_at": output.instant(reminder.sent_at, zone),
    }


def tell(overdue: Sequence[Overdue], limit: int | None, now: datetime) -> None:
    """A table, the longest overdue first; of the first `limit`, where that is not None."""
    if not overdue:
        output.note("Nobody is overdue for the next session.")
        return
    patients = {each.last.patient.id for each in overdue}
    output.note(f"\n{len(patients)} overdue for the next session:")
    output.table(_COLUMNS, (_row(each, now) for each in overdue[:limit]))
    if limit is not None and len(overdue) > limit:
        output.note(f"… {len(overdue) - limit} more: reminderd report --overdue")


def _row(overdue: Overdue, now: datetime) -> Sequence[object]:
    patient, session = overdue.last.patient, overdue.last.session
    return (
        overdue.days,
        public_id("pat", patient.id),
        patient.ref,
        f"{patient.given_name} {patient.family_name}".strip(),
        patient.phone,
        f"{session.protocol} {wording.place(overdue.standing)}",
        wording.day(session.at, overdue.zone) + _unless_done(session),
        wording.day(overdue.next_due_at, overdue.zone),
        "; ".join(_told(each, overdue.zone, now) for each in overdue.reminders)
        or "none is planned",
    )


def _unless_done(session: Session) -> str:
    return "" if session.state is SessionState.DONE else " (not marked done)"


def _told(reminder: Reminder, zone: str, now: datetime) -> str:
    """`sent 2026-03-27`, `not sent: it could not be sent in time`."""
    if reminder.state is State.SENT and reminder.sent_at is not None:
        return f"sent {wording.day(reminder.sent_at, zone)}"
    if reminder.reason is Reason.BOOKED:
        return "left out: a session was booked, and called off too late for it"
    if reminder.state in WAITING and reminder.expires_at <= now:
        reminder = expired(reminder)  # as the daemon will, once it runs
    return wording.fate(reminder)
