"""`today`: what goes out in each patient's present day, and what waits for a person."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import groupby
from typing import TYPE_CHECKING, Any

import click

from reminderd.cli.context import Desk, pass_desk
from reminderd.cli.options import as_json as json_option

if TYPE_CHECKING:
    from reminderd.bootstrap import House
    from reminderd.model import Reminder

# The present day of whoever is furthest, with a clock change in it.
_LONGEST_DAY = timedelta(hours=26)


@click.command("today")
@json_option
@pass_desk
def command(desk: Desk, as_json: bool) -> None:
    """Show what goes out today, and what waits for a person."""
    from reminderd.cli import in_doubt, output, staff

    house, now = desk.house, desk.clock.now()
    messages = list(_messages(house, now))
    waiting, doubts = staff.waiting(house, now), in_doubt.facts(house, desk.timezone, now)
    if as_json:
        output.emit({"messages": messages, "in_doubt": doubts, "staff": waiting})
        return
    if messages:
        keys = ("at", "patient", "name", "channel", "state")
        output.table(
            [key.capitalize() for key in (*keys, "reminders")],
            ([*(each[key] for key in keys), ", ".join(each["milestones"])] for each in messages),
        )
    else:
        output.note("Nothing goes out today.")
    if doubts["messages"]:
        output.note(f"\nIn doubt: {in_doubt.line(doubts)}")
    if waiting:
        output.note(f"\n{len(waiting)} waiting for a person:")
        output.table(
            ("What", "Patient", "Why", "Do"),
            ((each["id"], each["patient"], each["why"], each["do"]) for each in waiting),
        )


def _messages(house: "House", now: datetime) -> Iterator[dict[str, Any]]:
    """What has left or will leave: what is due at once on one channel is one message."""
    from reminderd.cli import output
    from reminderd.ids import public_id

    patients = {each.id: each for each in house.outbox.patients()}
    for (at, patient_id, channel, state), group in groupby(_todays(house, now), key=_message):
        reminders, patient = list(group), patients[patient_id]
        zone = patient.timezone or house.practice.clinic_of(patient).timezone
        yield {
            "at": output.instant(at, zone),
            "patient": public_id("pat", patient_id),
            "name": f"{patient.given_name} {patient.family_name}".strip(),
            "channel": channel or None,
            "state": state,
            "milestones": [each.milestone for each in reminders],
            "reminders": [public_id("rem", each.id) for each in reminders],
        }


def _todays(house: "House", now: datetime) -> "list[Reminder]":
    """Whatever is due, or was sent, on the patient's present date; skipped ones are not."""
    from reminderd.cli import rows
    from reminderd.hours import local_date
    from reminderd.interfaces import ReminderFilter
    from reminderd.plan import HISTORY, WAITING

    wanted = ReminderFilter(
        states=WAITING | HISTORY, due_from=now - _LONGEST_DAY, due_until=now + _LONGEST_DAY
    )
    zone_of = rows.zones(house)

    def is_today(reminder: "Reminder") -> bool:
        zone = zone_of(reminder.patient_id)
        return local_date(zone, _message(reminder)[0]) == local_date(zone, now)

    return sorted(filter(is_today, house.outbox.reminders(wanted)), key=_message)


def _message(reminder: "Reminder") -> tuple[datetime, int, str, str]:
    at = reminder.sent_at or reminder.due_at or reminder.nominal_at
    return (at, reminder.patient_id or 0, reminder.channel or "", reminder.state)
