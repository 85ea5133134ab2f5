"""A message to send in these tests."""

from datetime import UTC, datetime, timedelta
from typing import Any

from reminderd.calendar_file import Calendar, Event
from reminderd.model import Channel, Message

PHONE = "+34600123456"
ADDRESS = "ana.prueba@example.com"
_TREATED_AT = datetime(2026, 3, 28, 14, 30, tzinfo=UTC)
CALENDAR = Calendar(
    "Aftercare, Alba Skin Clinic",
    (
        Event(
            "rem-1.main.abc", _TREATED_AT, _TREATED_AT + timedelta(hours=12), "Sin duchas, أو غسل"
        ),
    ),
)


def sms(**changes: Any) -> Message:
    fields: dict[str, Any] = {
        "id": "msg-12",
        "channel": Channel.SMS,
        "to": PHONE,
        "recipient_name": "Ana Prueba",
        "clinic_name": "Alba Skin Clinic",
        "language": "en",
        "subject": None,
        "text": "Please do not shower until 02:30.",
        "html": None,
        "valid_for": timedelta(hours=12),
        "at": _TREATED_AT,
    }
    return Message(**{**fields, **changes})


def email(**changes: Any) -> Message:
    fields: dict[str, Any] = {
        "channel": Channel.EMAIL,
        "to": ADDRESS,
        "subject": "Your skin tonight",
        "html": "<p>Please do not shower until <b>02:30</b>.</p>",
    }
    return sms(**{**fields, **changes})
