"""States, reasons and places in a course, in words for people at the desk."""

from collections.abc import Sequence
from datetime import datetime

from reminderd.answerbook import REPLACED, Answer
from reminderd.courses import Standing
from reminderd.explain import REASONS
from reminderd.hours import zone as rules
from reminderd.model import Patient, Reminder, State
from reminderd.words import NOT_DELIVERED, AnswerState, Receipt

_STATES = {
    State.SCHEDULED: "goes out",
    State.HELD: "held",
    State.SENDING: "is being sent",
    State.SENT: "sent",
    State.FAILED: "failed",
    State.UNKNOWN: "in doubt, it may have arrived",
    State.EXPIRED: "not sent",
    State.CANCELLED: "withdrawn",
    State.SKIPPED: "left out",
}


_ANSWERS = {
    AnswerState.WAITING: "waits to leave",
    AnswerState.MARKED: "is being sent",
    AnswerState.SENT: "sent",
    AnswerState.UNKNOWN: "in doubt, it may have arrived",
    AnswerState.FAILED: "failed",
    AnswerState.EXPIRED: "not sent, too late",
}


def answered(answer: Answer) -> str:
    """`sent`: how far an automatic answer has come."""
    if answer.code == REPLACED:
        return "not sent, another took its place"
    if answer.receipt in NOT_DELIVERED:
        return f"did not arrive ({answer.code or answer.receipt})"
    if answer.receipt is Receipt.DELIVERED:
        return "delivered"
    return _ANSWERS[answer.state]


def fate(reminder: Reminder) -> str:
    """`left out: the next session is booked already`."""
    said = _STATES[reminder.state]
    return f"{said}: {REASONS[reminder.reason]}" if reminder.reason else said


def place(standing: Standing) -> str:
    """`3 of 3-10`; `3` where the course has no usual number of sessions."""
    fewest, most = standing.course.minimum, standing.course.maximum
    if most is None:
        return str(standing.place)
    return f"{standing.place} of {most if fewest == most else f'{fewest}-{most}'}"


def course(standing: Standing, zone: str) -> str:
    """`session 2 of 3-10, next due about 2026-04-12`."""
    due_at = standing.next_due_at
    due = f", next due about {day(due_at, zone)}" if due_at else ""
    return f"session {place(standing)}{due}"


def day(instant: datetime, zone: str) -> str:
    """`2026-04-12`: the date there at that instant."""
    return f"{instant.astimezone(rules(zone)):%Y-%m-%d}"


def answer(said: str) -> str:
    """`4 of 5`, or `all good`: what a patient answered to a check-in."""
    return f"{said} of 5" if said.isdigit() else said.replace("-", " ")


def noted(patient: Patient) -> str:
    """`clotting disorder, pregnancy`: what calls for caution, for the staff alone."""
    return ", ".join(each.replace("-", " ") for each in sorted(patient.screening))


def counted(names: Sequence[str]) -> str:
    """`ice, massage (3)`: each name once, with how often it is there."""
    counts = {name: names.count(name) for name in names}
    return ", ".join(name if count == 1 else f"{name} ({count})" for name, count in counts.items())
