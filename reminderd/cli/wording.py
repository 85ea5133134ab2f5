"""States and reasons in words for people at the desk."""

from reminderd.model import Reason, Reminder, State

REASONS = {
    Reason.PAST: "its time was over when it was entered",
    Reason.QUIET_HOURS: "the night comes first, and after it it would be too late",
    Reason.SUPERSEDED: "another restriction is still in force then",
    Reason.CONFLICT: "a restriction forbids it then",
    Reason.DUPLICATE: "another session's reminder says the same that day",
    Reason.BOOKED: "the next session is booked already",
    Reason.NOT_APPLICABLE: "not meant for this session",
    Reason.OVERRIDE: "staff changed it for this session",
    Reason.NO_ADDRESS: "no phone or email that it could go to",
    Reason.NO_CONSENT: "no consent for a channel that it could take",
    Reason.UNAPPROVED: "the protocol is not approved",
    Reason.PAUSED: "the patient is paused",
    Reason.UNCONFIRMED: "the session is not marked done",
    Reason.SESSION_CANCELLED: "the session was called off",
    Reason.OPTED_OUT: "the patient opted out",
    Reason.BY_STAFF: "staff called it off",
    Reason.ERASED: "the patient's data were erased",
    Reason.CHANGED: "the protocol no longer has it",
    Reason.LATE: "it could not go out in time",
    Reason.REJECTED: "the provider refused it",
    Reason.TEMPLATE: "its template could not be rendered",
}

_STATES = {
    State.SCHEDULED: "goes out",
    State.HELD: "held",
    State.SENDING: "is being sent",
    State.SENT: "sent",
    State.FAILED: "failed",
    State.UNKNOWN: "in doubt: it may or may not have arrived",
    State.EXPIRED: "not sent",
    State.CANCELLED: "called off",
    State.SKIPPED: "left out",
}


def fate(reminder: Reminder) -> str:
    """`held: the patient is paused`."""
    said = _STATES[reminder.state]
    return f"{said}: {REASONS[reminder.reason]}" if reminder.reason else said
