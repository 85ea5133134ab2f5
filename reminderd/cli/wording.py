"""States and reasons in words for people at the desk."""

from collections.abc import Sequence

from reminderd.explain import REASONS
from reminderd.model import Patient, Reminder, State

_STATES = {
    State.SCHEDULED: "goes out",
    State.HELD: "held",
    State.SENDING: "is being sent",
    State.SENT: "sent",
    State.FAILED: "failed",
    State.UNKNOWN: "in doubt, it may have arrived",
    State.EXPIRED: "not sent",
    State.CANCELLED: "called off",
    State.SKIPPED: "left out",
}


def fate(reminder: Reminder) -> str:
    """`left out: the next session is booked already`."""
    said = _STATES[reminder.state]
    return f"{said}: {REASONS[reminder.reason]}" if reminder.reason else said


def noted(patient: Patient) -> str:
    """`clotting disorder, pregnancy`: what calls for caution, for the staff alone."""
    return ", ".join(each.replace("-", " ") for each in sorted(patient.screening))


def counted(names: Sequence[str]) -> str:
    """`ice, massage (3)`: each name once, with how often it is there."""
    counts = {name: names.count(name) for name in names}
    return ", ".join(name if count == 1 else f"{name} ({count})" for name, count in counts.items())
