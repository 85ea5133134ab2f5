"""Red flags that wait for a person, before everything else."""

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING

from reminderd.hours import zone
from reminderd.ids import public_id
from reminderd.outbox_values import Incident
from reminderd.staff.reminders import Item

if TYPE_CHECKING:
    from reminderd.bootstrap import House


def items(house: "House") -> Iterator[Item]:
    """Open incidents: first what nobody has taken on, and of that emergencies first."""
    local = next(iter(house.practice.clinics.values())).timezone
    for each in sorted(house.outbox.incidents(open_only=True), key=_in_order):
        name, whom = public_id("inc", each.id), [public_id("pat", one) for one in each.patients]
        yield {
            "what": "incident",
            "id": name,
            "patient": whom[0] if whom else None,
            "why": why(each, local),
            "do": f"reminderd incident show {name}, then incident ack {name}"
            if each.acknowledged_at is None
            else f"reminderd incident close {name} --why TEXT --texts resume|stop",
        }


def why(incident: Incident, local: str) -> str:
    """How serious, from whom, since when, and who has taken it on, by the clocks of that zone."""
    whom = ", ".join(public_id("pat", each) or "" for each in incident.patients)
    said = f"{incident.severity} from {whom or 'an unknown number'}"
    since = f"since {_clock(incident.opened_at, local)}"
    if incident.raised_at > incident.opened_at:
        since += f", again {_clock(incident.raised_at, local)}"
    if incident.acknowledged_at is None:
        return f"{said} {since}: nobody has taken it on"
    return f"{said} {since}: {incident.acknowledged_by} has taken it on"


def _clock(instant: datetime, local: str) -> str:
    return f"{instant.astimezone(zone(local)):%Y-%m-%d %H:%M}"


def _in_order(incident: Incident) -> tuple[bool, str, int]:
    return (incident.acknowledged_at is not None, incident.severity.value, incident.id)
