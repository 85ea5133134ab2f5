"""What a person's word makes of a message in doubt. Pure."""

from datetime import datetime, tzinfo

from reminderd.doubt import LOOKS, next_look_at
from reminderd.model import Outcome, Reason, Reminder, Resolution, State
from reminderd.outbox_values import Doubt, Settlement

OUTCOMES = {
    Resolution.SENT: Outcome.ACCEPTED,
    # Nobody knows, and nobody asks any more; later evidence may still come.
    Resolution.DROP: Outcome.IN_DOUBT,
    Resolution.RESEND: Outcome.IN_DOUBT,
}


def still_looked_for(doubt: Doubt, now: datetime, zone: tzinfo) -> str | None:
    """When evidence is looked for next and when a person may say, on the clocks of that zone.

    None where nobody looks any more.
    """
    if all(each.state is State.UNKNOWN for each in doubt.reminders):
        return None
    at, unknown_at = next_look_at(doubt.marked_at, doubt.looks), doubt.marked_at + LOOKS[-1]
    if at is None or at <= now:
        return "evidence is looked for as soon as the daemon runs"
    then, end = (each.astimezone(zone) for each in (at, unknown_at))
    return (
        f"evidence is looked for next at {then:%H:%M:%S}; without any it is unknown at {end:%H:%M}"
    )


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
