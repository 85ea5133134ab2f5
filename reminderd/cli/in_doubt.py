"""What may or may not have been accepted, while evidence is looked for: how much, and one of it."""

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from reminderd.cli.output import instant
from reminderd.doubt import LOOKS, next_look_at
from reminderd.hours import zone
from reminderd.ids import public_id
from reminderd.model import Chart, Reminder, State
from reminderd.resolving import still_looked_for

if TYPE_CHECKING:
    from reminderd.bootstrap import House


def facts(house: "House", clinic_zone: str, now: datetime) -> dict[str, Any]:
    """How many messages are in doubt, and when evidence is looked for next."""
    transports = set(house.practice.routes.values())
    doubts = house.outbox.doubts(now + LOOKS[-1], transports)  # whichever look comes next
    looks = [next_look_at(each.marked_at, each.looks) for each in doubts]
    next_at = min((each for each in looks if each is not None), default=None)
    return {"messages": len(doubts), "next_look": instant(next_at, clinic_zone)}


def line(fact: Mapping[str, Any]) -> str:
    """The same for people."""
    messages = fact["messages"]
    return f"{messages}, next look {fact['next_look']}" if messages else "none"


def reasons(house: "House", chart: Chart, reminder: Reminder, now: datetime) -> list[str]:
    """When it left, when evidence is looked for next, and what may be done; empty: no doubt.

    Instants are on the clocks of the patient's zone.
    """
    if reminder.id is None or reminder.state not in (State.SENDING, State.UNKNOWN):
        return []
    local = zone(chart.timezone)
    resolve = f"reminderd reminder resolve {public_id('rem', reminder.id)}"
    told = []
    for each in house.outbox.doubts_of(reminder.id):
        name, left_at = public_id("msg", each.message_id), each.marked_at.astimezone(local)
        told.append(f"{name} left at {left_at:%H:%M:%S}, and whether it was accepted is in doubt")
        when = still_looked_for(each, now, local)
        if when is None:
            told.append(f"say what became of it: {resolve} --sent, --resend or --drop")
        else:
            told += [when, f"who knows better may say so: {resolve} --sent or --drop"]
    return told
