"""What patients say by text message, as the tests say it."""

from datetime import datetime, timedelta

from reminderd.model import Channel
from reminderd.wishes import Wishes
from tests.core.desk import Desk

NUMBER, OTHER = "+34600000001", "+34600000002"
SMS, EMAIL = Channel.SMS, Channel.EMAIL


def wishes(desk: Desk) -> Wishes:
    return Wishes(desk.outbox, desk.house.practice)


def stop(desk: Desk, number: str = NUMBER, said_at: datetime | None = None) -> list[int | None]:
    """Who is stopped by it."""
    made = wishes(desk).withdraw_number(number, "STOP", said_at or desk.now, desk.now)
    return [each.chart.patient.id for each in made]


def start(desk: Desk, number: str = NUMBER, said_at: datetime | None = None) -> list[int | None]:
    """For whom it opens."""
    made = wishes(desk).restore_number(number, "START", said_at or desk.now, desk.now)
    return [each.chart.patient.id for each in made]


def agrees(desk: Desk, patient: int = 1, channel: Channel = SMS) -> bool:
    return desk.intake.patient(f"pat-{patient}").consents(channel)


def staff_say(desk: Desk, *, granted: bool, channel: Channel = SMS) -> None:
    desk.intake.record_consent("pat-1", [channel], granted=granted, source="form", now=desk.now)


def wait(desk: Desk, minutes: float = 10) -> datetime:
    desk.clock.move(timedelta(minutes=minutes))
    return desk.now
