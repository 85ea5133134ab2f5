"""The messages of the present day, as each patient's clocks have it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import TYPE_CHECKING

from reminderd.hours import local_date
from reminderd.interfaces import ReminderFilter
from reminderd.model import Channel, Patient, Reminder, State
from reminderd.plan import HISTORY, WAITING

if TYPE_CHECKING:
    from reminderd.bootstrap import House

# The present day of whoever is furthest, with a clock change in it.
_LONGEST_DAY = timedelta(hours=26)


@dataclass(frozen=True, slots=True)
class TodaysMessage:
    """What has left, or will leave, to one patient at one instant; `zone` is the patient's."""

    at: datetime
    zone: str
    patient: Patient
    channel: Channel | None
    state: State
    reminders: tuple[Reminder, ...]


def messages(house: "House", now: datetime) -> Iterator[TodaysMessage]:
    """In order; what is due at once on one channel is one message. Skipped ones are not there."""
    patients = {each.id: each for each in house.outbox.patients()}

    def zone_of(reminder: Reminder) -> str:
        patient = patients[reminder.patient_id]
        return patient.timezone or house.practice.clinic_of(patient).timezone

    for (at, patient_id, _, state), group in groupby(_todays(house, zone_of, now), key=_message):
        reminders = tuple(group)
        first = reminders[0]
        yield TodaysMessage(
            at, zone_of(first), patients[patient_id], first.channel, State(state), reminders
        )


def _todays(house: "House", zone_of: Callable[[Reminder], str], now: datetime) -> list[Reminder]:
    wanted = ReminderFilter(
        states=WAITING | HISTORY, due_from=now - _LONGEST_DAY, due_until=now + _LONGEST_DAY
    )

    def is_today(reminder: Reminder) -> bool:
        zone = zone_of(reminder)
        return local_date(zone, _message(reminder)[0]) == local_date(zone, now)

    return sorted(filter(is_today, house.outbox.reminders(wanted)), key=_message)


def _message(reminder: Reminder) -> tuple[datetime, int, str, str]:
    at = reminder.sent_at or reminder.due_at or reminder.nominal_at
    return (at, reminder.patient_id or 0, reminder.channel or "", reminder.state)
