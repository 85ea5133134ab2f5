"""`today`: what goes out in each patient's present day, and what waits for a person."""

from typing import TYPE_CHECKING, Any

import click

from reminderd.cli.context import Desk, pass_desk
from reminderd.cli.options import as_json as json_option

if TYPE_CHECKING:
    from reminderd.staff.today import TodaysMessage


@click.command("today")
@json_option
@pass_desk
def command(desk: Desk, as_json: bool) -> None:
    """Show what goes out today, and what waits for a person."""
    from reminderd.cli import in_doubt, output, silence
    from reminderd.staff import items, today

    house, now = desk.house, desk.clock.now()
    messages = [_message(each) for each in today.messages(house, now)]
    waiting, doubts = items.waiting(house, now), in_doubt.facts(house, desk.timezone, now)
    silent = len(house.outbox.silent_check_ins(now))
    if as_json:
        output.emit(
            {
                "messages": messages,
                "in_doubt": doubts,
                "silent_check_ins": silent,
                "staff": waiting,
            }
        )
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
    if silent:
        output.note(f"\n{silence.line(silent)}")
    if waiting:
        output.note(f"\n{len(waiting)} waiting for a person:")
        output.table(
            ("What", "Patient", "Why", "Do"),
            ((each["id"], each["patient"], each["why"], each["do"]) for each in waiting),
        )


def _message(message: "TodaysMessage") -> dict[str, Any]:
    from reminderd.cli import output
    from reminderd.ids import public_id

    patient = message.patient
    return {
        "at": output.instant(message.at, message.zone),
        "patient": public_id("pat", patient.id),
        "name": f"{patient.given_name} {patient.family_name}".strip(),
        "channel": message.channel,
        "state": message.state,
        "milestones": [each.milestone for each in message.reminders],
        "reminders": [public_id("rem", each.id) for each in message.reminders],
    }
