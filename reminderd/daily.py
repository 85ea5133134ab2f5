"""No more than so many messages to one patient on one day, by the patient's calendar. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, time, timedelta

from reminderd.hours import local_date, resolve
from reminderd.interfaces import NewMessage
from reminderd.model import Chart, Reminder

LONGEST_DAY = timedelta(hours=26)  # the hours of a date, with any clock change in it

Wanted = tuple[Chart, NewMessage]


def within_the_day(
    wanted: Iterable[Wanted],
    left: Mapping[int, Sequence[datetime]],
    most: int,
    now: datetime,
) -> tuple[list[Wanted], list[Wanted]]:
    """The messages that may leave at `now`, and those that are one too many.

    `left` has by patient when messages left in the last `LONGEST_DAY`.
    """
    may, too_many = [], []
    taken: dict[int, int] = {}
    for chart, message in wanted:
        patient_id = message.patient_id
        if patient_id not in taken:
            taken[patient_id] = left_today(chart.timezone, left.get(patient_id, ()), now)
        if taken[patient_id] < most:
            taken[patient_id] += 1
            may.append((chart, message))
        else:
            too_many.append((chart, message))
    return may, too_many


def left_today(zone_name: str, left: Iterable[datetime], now: datetime) -> int:
    """How many of these instants are on the patient's present date."""
    today = local_date(zone_name, now)
    return sum(local_date(zone_name, each) == today for each in left)


def tomorrow(chart: Chart, reminder: Reminder, now: datetime) -> Reminder:
    """The reminder once it waits for the patient's next date, or for its expiry before that."""
    next_date = local_date(chart.timezone, now) + timedelta(days=1)
    begins = resolve(chart.timezone, next_date, time())
    return reminder._replace(wake_at=min(begins, reminder.expires_at))
