"""How the day stands: what goes out, what went wrong since yesterday, and who waits for whom."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from reminderd.ids import public_id
from reminderd.interfaces import ReminderFilter
from reminderd.model import Reason, Reminder, State
from reminderd.staff import items, today
from reminderd.vocabulary import Counted, DigestWords

if TYPE_CHECKING:
    from reminderd.bootstrap import House

SINCE = timedelta(days=1)
SHOWN = 10
# What expires may have been due long before: as long as any milestone of a course waits.
DUE_WITHIN = timedelta(days=120)
_UNDER_WAY = (State.SCHEDULED, State.SENDING, State.SENT)


def digest(house: "House", now: datetime) -> DigestWords:
    """Numbers and ids of everybody's; no names."""
    waiting = items.waiting(house, now)
    sessions = [each["id"] for each in waiting if each["what"] == "session"]
    incidents = (public_id("inc", each.id) for each in house.outbox.incidents(open_only=True))
    return DigestWords(
        messages=sum(each.state in _UNDER_WAY for each in today.messages(house, now)),
        waiting=len(waiting),
        incidents=_counted(incidents),
        failed=_reminders(house, State.FAILED, now),
        expired=_reminders(house, State.EXPIRED, now),
        unanswered=_counted(_silent(house, now)),
        unknown=_of(house.outbox.reminders(ReminderFilter(states=frozenset({State.UNKNOWN})))),
        consent=_counted(_without_a_way(house, now)),
        unconfirmed=_counted(sessions),
    )


def _reminders(house: "House", state: State, now: datetime) -> Counted:
    """Those that came to that end since yesterday."""
    wanted = ReminderFilter(states=frozenset({state}), due_from=now - DUE_WITHIN, due_until=now)
    found = house.outbox.reminders(wanted)
    return _of(each for each in found if _ended_at(each) > now - SINCE)


def _ended_at(reminder: Reminder) -> datetime:
    if reminder.state is State.EXPIRED:
        return reminder.expires_at
    return reminder.due_at or reminder.nominal_at


def _without_a_way(house: "House", now: datetime) -> Iterable[str | None]:
    """Patients of whom something lies ahead that they will not get."""
    states = frozenset({State.SKIPPED, State.CANCELLED})
    reasons = frozenset({Reason.NO_CONSENT, Reason.NO_ADDRESS, Reason.OPTED_OUT})
    wanted = ReminderFilter(states=states, reasons=reasons)
    found = house.outbox.reminders(wanted)
    patients = {each.patient_id or 0 for each in found if each.expires_at > now}
    return (public_id("pat", each) for each in sorted(patients))


def _silent(house: "House", now: datetime) -> Iterable[str | None]:
    """Check-ins that nobody has answered."""
    return (public_id("rem", each.reminder_id) for each in house.outbox.silent_check_ins(now))


def _of(reminders: Iterable[Reminder]) -> Counted:
    return _counted(public_id("rem", each.id) for each in reminders)


def _counted(ids: Iterable[str | None]) -> Counted:
    known = [each for each in ids if each]
    more = ", …" if len(known) > SHOWN else ""
    return Counted(len(known), ", ".join(known[:SHOWN]) + more)
