"""Why a reminder that is scheduled is not sent yet, beside what its plan says, for people."""

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING

from reminderd.daily import LONGEST_DAY, left_today, tomorrow
from reminderd.hours import zone
from reminderd.model import Chart, Reminder, State
from reminderd.resting import resting
from reminderd.stopped_texts import stopped

if TYPE_CHECKING:
    from reminderd.bootstrap import House


def reasons(house: "House", chart: Chart, reminder: Reminder, now: datetime) -> list[str]:
    """The day's limit, a refused text and a transport that rests, each a sentence where it is so.

    Instants are on the clocks of the patient's zone.
    """
    if reminder.state is not State.SCHEDULED:
        return []
    told = (_limit, _text, _rest)
    return [each for why in told for each in why(house, chart, reminder, now)]


def _limit(house: "House", chart: Chart, reminder: Reminder, now: datetime) -> Iterator[str]:
    if reminder.wake_at != tomorrow(chart, reminder, now).wake_at:
        return
    patient_id = chart.patient.id or 0
    left = house.outbox.left_since([patient_id], now - LONGEST_DAY).get(patient_id, ())
    if left_today(chart.timezone, left, now) >= house.practice.most_per_day:
        yield "the patient has had as many messages today as may be: it waits for tomorrow"


def _text(house: "House", _: Chart, reminder: Reminder, now: datetime) -> Iterator[str]:
    for each in stopped(house.outbox, house.practice.texts):
        if (each.template, each.channel) == (reminder.template, reminder.channel):
            yield f"its text waits, refused by {each.why}"


def _rest(house: "House", chart: Chart, reminder: Reminder, now: datetime) -> Iterator[str]:
    """Only where the rest lasts beyond the instant for which it is due."""
    if reminder.channel is None or reminder.due_at is None:
        return
    name = house.practice.routes.get((chart.clinic.key, reminder.channel))
    for each in resting(house.outbox, [name] if name else [], now):
        if reminder.due_at < each.until:
            until = each.until.astimezone(zone(chart.timezone))
            yield f"{each.transport} rests until {until:%H:%M}: {each.why}"
