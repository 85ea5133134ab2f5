"""What of a message its row does not hold otherwise, so that the very same can be sent again. Pure.

Only kept where a second copy is recognised as the same: for mail.
"""

import json
from datetime import datetime, timedelta
from typing import TypedDict

from reminderd.calendar_file import Calendar, Event
from reminderd.model import Channel, Message
from reminderd.outbox_values import Doubt


class _KeptCalendar(TypedDict):
    """A calendar as `sealed` writes it: of each event its uid, start, end and summary."""

    name: str
    events: list[tuple[str, str, str, str]]


def sealed(message: Message) -> str:
    """The envelope of a message, to be kept with its text."""
    calendar = message.calendar
    events = [
        [each.uid, each.start.isoformat(), each.end.isoformat(), each.summary]
        for each in (calendar.events if calendar else ())
    ]
    return json.dumps(
        {
            "id": message.id,
            "recipient_name": message.recipient_name,
            "clinic_name": message.clinic_name,
            "at": message.at.isoformat(),
            "unsubscribe": message.unsubscribe,
            "calendar": {"name": calendar.name, "events": events} if calendar else None,
        }
    )


def opened(doubt: Doubt, valid_for: timedelta) -> Message | None:
    """The message as it left; None where its envelope was not kept."""
    if doubt.envelope is None:
        return None
    kept = json.loads(doubt.envelope)
    return Message(
        id=kept["id"],
        channel=Channel(doubt.channel),
        to=doubt.to,
        recipient_name=kept["recipient_name"],
        clinic_name=kept["clinic_name"],
        language=doubt.language,
        subject=doubt.subject,
        text=doubt.text,
        html=doubt.html,
        valid_for=valid_for,
        at=datetime.fromisoformat(kept["at"]),
        calendar=_calendar(kept["calendar"]),
        unsubscribe=kept.get("unsubscribe"),
    )


def _calendar(kept: _KeptCalendar | None) -> Calendar | None:
    if kept is None:
        return None
    return Calendar(
        kept["name"],
        tuple(
            Event(uid, datetime.fromisoformat(start), datetime.fromisoformat(end), summary)
            for uid, start, end, summary in kept["events"]
        ),
    )
