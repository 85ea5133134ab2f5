"""What waits for a person at the clinic, each with what to do about it."""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING

from reminderd.ids import public_id
from reminderd.interfaces import ReminderFilter
from reminderd.model import Reason, Reminder, State

if TYPE_CHECKING:
    from reminderd.bootstrap import House

Item = dict[str, str | int | None]


def waiting(house: "House", now: datetime) -> list[Item]:
    """Everything, most pressing first: `what`, `id`, `patient`, `why` and `do` of each."""
    return [*_reminders(house), *_sessions(house, now), *_protocols(house)]


def _reminders(house: "House") -> Iterator[Item]:
    for each in house.outbox.reminders(ReminderFilter(needs_staff=True)):
        name = public_id("rem", each.id)
        yield {
            "what": "reminder",
            "id": name,
            "patient": public_id("pat", each.patient_id),
            "why": f"{each.milestone}: {_why(each)}",
            "do": _do(each),
        }


def _why(reminder: Reminder) -> str:
    from reminderd.cli.wording import fate

    if reminder.reason is Reason.SUPERSEDED:
        return "no all-clear follows: tell the patient when it is allowed again"
    if reminder.receipt in ("undelivered", "failed"):
        return f"sent, and then {reminder.receipt}"
    return fate(reminder)


def _do(reminder: Reminder) -> str:
    name = public_id("rem", reminder.id)
    if reminder.state is State.FAILED:
        return f"reminderd reminder retry {name}"
    if reminder.reason is Reason.UNCONFIRMED:
        return f"reminderd session show {public_id('ses', reminder.session_id)}"
    return f"reminderd reminder explain {name}"


def _sessions(house: "House", now: datetime) -> Iterator[Item]:
    """Treatments whose time is over and that nobody has marked done."""
    wanted = ReminderFilter(
        states=frozenset({State.HELD}), reasons=frozenset({Reason.UNCONFIRMED}), due_until=now
    )
    late = Counter((each.patient_id, each.session_id) for each in house.outbox.reminders(wanted))
    for (patient_id, session_id), count in late.items():
        name = public_id("ses", session_id)
        yield {
            "what": "session",
            "id": name,
            "patient": public_id("pat", patient_id),
            "why": f"not marked done: {count} due and held",
            "do": f"reminderd session done {name}",
        }


def _protocols(house: "House") -> Iterator[Item]:
    """Protocols that keep reminders waiting for a signature."""
    wanted = ReminderFilter(states=frozenset({State.HELD}), reasons=frozenset({Reason.UNAPPROVED}))
    for key, count in Counter(each.protocol for each in house.outbox.reminders(wanted)).items():
        yield {
            "what": "protocol",
            "id": key,
            "patient": None,
            "why": f"not approved: {count} held",
            "do": f"reminderd protocol approve {key} --by NAME",
        }
