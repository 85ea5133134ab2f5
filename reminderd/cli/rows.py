"""Reminders of several patients as rows, each in its patient's zone."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from reminderd.cli import output, view
from reminderd.ids import public_id
from reminderd.model import Chart, Reminder

if TYPE_CHECKING:
    from reminderd.bootstrap import House

COLUMNS = ("Id", "Due", "Patient", "Session", "Reminder", "Channel", "State", "Reason")


def zones(house: "House") -> Callable[[int | None], str]:
    """The zone of a patient by the id; all of them are read once, for lists."""
    known = {
        each.id: each.timezone or house.practice.clinic_of(each).timezone
        for each in house.outbox.patients()
    }
    return lambda patient_id: known[patient_id]


def table(reminders: Iterable[Reminder], zone_of: Callable[[int | None], str]) -> None:
    """Print one row for each; `zone_of` a patient's id is the zone of its instants."""
    output.table(COLUMNS, (_row(each, zone_of(each.patient_id)) for each in reminders))


def _row(reminder: Reminder, zone: str) -> tuple[object, ...]:
    return (
        public_id("rem", reminder.id),
        output.instant(reminder.due_at, zone),
        public_id("pat", reminder.patient_id),
        public_id("ses", reminder.session_id),
        reminder.milestone,
        reminder.channel,
        reminder.state,
        reminder.reason,
    )


def of_chart(chart: Chart) -> list[dict[str, Any]]:
    """All of a patient's reminders as JSON data, in the order of `reminder list`."""
    from reminderd.plan import sort_key

    ordered = sorted(chart.reminders, key=sort_key)
    return [view.reminder_data(each, chart.timezone) for each in ordered]
