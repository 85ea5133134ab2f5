"""Patients, sessions and reminders as JSON data (contract, section 6): exactly these keys."""

from datetime import datetime
from typing import Any

from reminderd.answerbook import Answer, AnswerBook
from reminderd.cli.output import instant
from reminderd.consents import Statement
from reminderd.courses import Standing, standing_in
from reminderd.ids import public_id
from reminderd.interfaces import Callback, StoredReply
from reminderd.model import Chart, Clinic, Patient, Reminder, Session
from reminderd.outbox_values import Incident
from reminderd.questions import Question


def reminder_data(reminder: Reminder, zone: str) -> dict[str, Any]:
    """A reminder; its instants in `zone`, the patient's."""
    return {
        "id": public_id("rem", reminder.id),
        "patient": public_id("pat", reminder.patient_id),
        "session": public_id("ses", reminder.session_id),
        "protocol": reminder.protocol,
        "revision": reminder.revision,
        "milestone": reminder.milestone,
        "occurrence": reminder.occurrence,
        "kind": reminder.kind,
        "topics": sorted(reminder.topics),
        "channel": reminder.channel,
        "nominal_at": instant(reminder.nominal_at, zone),
        "due_at": instant(reminder.due_at, zone),
        "expires_at": instant(reminder.expires_at, zone),
        "state": reminder.state,
        "reason": reminder.reason,
        "attempts": reminder.attempts,
        "sent_at": instant(reminder.sent_at, zone),
        "provider_id": reminder.provider_id,
        "receipt": reminder.receipt,
    }


def told_data(at: datetime, told: Callback, zone: str) -> dict[str, Any]:
    """What a provider told of a message by itself."""
    return {
        "at": instant(at, zone),
        "receipt": told.receipt,
        "provider_id": told.provider_id,
        "code": told.code,
    }


def statement_data(said: Statement, zone: str) -> dict[str, Any]:
    """What was said about being written to; `channel` is null where it is about all of them."""
    return {
        "at": instant(said.at, zone),
        "channel": said.channel,
        "wish": said.wish,
        "address": said.address,
        "how": said.how,
        "by": said.by,
        "source": said.source,
        "words": said.words,
        "recorded_at": instant(said.recorded_at, zone),
    }


def reply_data(stored: StoredReply, zone: str, book: AnswerBook) -> dict[str, Any]:
    """What somebody wrote to us, what was decided, the check-in that it belongs to, and what was
    answered to it automatically.
    """
    decision, answer = stored.decision, book.answer_to(stored.id)
    return {
        "id": public_id("rep", stored.id),
        "sent_at": instant(stored.reply.sent_at, zone),
        "received_at": instant(stored.received_at, zone),
        "from": stored.reply.sender,
        "to": stored.reply.recipient,
        "text": stored.reply.text,
        "media": stored.reply.media,
        "patients": [public_id("pat", each) for each in stored.patients],
        "transport": stored.transport,
        "provider_id": stored.reply.provider_id,
        "decision": decision.word if decision else None,
        "why": decision.why if decision else None,
        "check_in": public_id("rem", stored.question),
        "answer": stored.answer,
        "handled_at": instant(stored.handled_at, zone),
        "waits": bool(decision and decision.for_staff),
        "done_at": instant(stored.done_at, zone),
        "done_by": stored.done_by,
        "automatic_answer": answer and answer_data(answer, zone),
    }


def answer_data(answer: Answer, zone: str) -> dict[str, Any]:
    """What whoever wrote was told at once, and how far that has come."""
    return {
        "id": public_id("ans", answer.id),
        "kind": answer.kind,
        "state": answer.state,
        "language": answer.language,
        "text": answer.text,
        "transport": answer.transport,
        "created_at": instant(answer.created_at, zone),
        "expires_at": instant(answer.expires_at, zone),
        "sent_at": instant(answer.sent_at, zone),
        "tries": answer.tries,
        "provider_id": answer.provider_id,
        "receipt": answer.receipt,
        "code": answer.code,
        "error": answer.error,
    }


def incident_data(incident: Incident, zone: str) -> dict[str, Any]:
    """A red flag and how far somebody has seen to it, without anybody's words."""
    return {
        "id": public_id("inc", incident.id),
        "state": incident.state,
        "severity": incident.severity,
        "number": incident.number,
        "patients": [public_id("pat", each) for each in incident.patients],
        "replies": [public_id("rep", each) for each in incident.replies],
        "sessions": [public_id("ses", each) for each in incident.sessions],
        "opened_at": instant(incident.opened_at, zone),
        "raised_at": instant(incident.raised_at, zone),
        "acknowledged_at": instant(incident.acknowledged_at, zone),
        "acknowledged_by": incident.acknowledged_by,
        "closed_at": instant(incident.closed_at, zone),
        "closed_by": incident.closed_by,
        "why": incident.why,
    }


def question_data(question: Question, zone: str) -> dict[str, Any]:
    """A check-in that was asked."""
    return {
        "reminder": public_id("rem", question.reminder_id),
        "patient": public_id("pat", question.patient_id),
        "session": public_id("ses", question.session_id),
        "protocol": question.protocol,
        "milestone": question.milestone,
        "asked_at": instant(question.asked_at, zone),
        "answer": question.answer,
        "replies": [public_id("rep", each.reply_id) for each in question.responses],
    }


def patient_data(patient: Patient, clinic: Clinic) -> dict[str, Any]:
    """A patient, with the clinic's zone and language where there is no own one."""
    zone = patient.timezone or clinic.timezone
    return {
        "id": public_id("pat", patient.id),
        "ref": patient.ref,
        "given_name": patient.given_name,
        "family_name": patient.family_name,
        "phone": patient.phone,
        "email": patient.email,
        "timezone": zone,
        "language": patient.language or clinic.language,
        "channels": list(patient.channels),
        "consent": {
            channel: {
                "state": "granted" if consent.granted else "withdrawn",
                "at": instant(consent.at, zone),
                "source": consent.source,
            }
            for channel, consent in patient.consent.items()
        },
        "clinic": patient.clinic,
    }


def session_data(session: Session, zone: str, standing: Standing | None) -> dict[str, Any]:
    """A session and where it stands in its course; its instants in `zone`, the patient's."""
    return {
        "id": public_id("ses", session.id),
        "patient": public_id("pat", session.patient_id),
        "protocol": session.protocol,
        "revision": session.revision,
        "at": instant(session.at, zone),
        "state": session.state,
        "tags": sorted(session.tags),
        "area": session.area,
        "recorded_at": instant(session.recorded_at, zone),
        "place": standing.place if standing else None,
        "next_due_at": instant(standing.next_due_at if standing else None, zone),
    }


def session_in(chart: Chart, session: Session) -> dict[str, Any]:
    """As `session_data`, of a session in its patient's chart."""
    return session_data(session, chart.timezone, standing_in(chart, session))
