"""What a person's word makes of a message in doubt. Pure."""

from reminderd.model import Outcome, Reason, Reminder, Resolution, State
from reminderd.outbox_values import Doubt, Settlement

OUTCOMES = {
    Resolution.SENT: Outcome.ACCEPTED,
    Resolution.DROP: Outcome.IN_DOUBT,  # nobody knows, and nobody asks any more
    Resolution.RESEND: Outcome.TEMPORARY,  # it was not accepted
}


def resolved(doubt: Doubt, resolution: Resolution, by: str) -> Settlement:
    """The attempt and its reminders as they are from now on; the record names who said so."""
    said = f"{by} resolved it: {resolution}"
    return Settlement(
        doubt.attempt_id,
        OUTCOMES[resolution],
        tuple(_after(each, doubt, resolution) for each in doubt.reminders),
        code=doubt.code,
        error=f"{doubt.error}; {said}" if doubt.error else said,
        looks=doubt.looks,
    )


def _after(reminder: Reminder, doubt: Doubt, resolution: Resolution) -> Reminder:
    match resolution:
        case Resolution.SENT:
            return reminder._replace(state=State.SENT, sent_at=doubt.marked_at)
        case Resolution.DROP:
            return reminder._replace(state=State.CANCELLED, reason=Reason.BY_STAFF)
        case Resolution.RESEND:
            # As `expired` it is planned afresh, and the plan says whether it may still leave.
            return reminder._replace(state=State.EXPIRED, reason=Reason.LATE)
