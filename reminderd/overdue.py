"""Whose next session has fallen due, and nobody has booked it."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from reminderd.courses import Standing, last_standing
from reminderd.hours import local_date
from reminderd.interfaces import LastSession, Outbox, ReportFilter
from reminderd.model import Reminder
from reminderd.practice import Practice


class Overdue(NamedTuple):
    """A patient after the last session of a course; `days` are since the next one's date.

    `reminders` are those that were to bring the patient back, in the order of time.
    """

    last: LastSession
    standing: Standing
    next_due_at: datetime
    zone: str
    days: int
    reminders: tuple[Reminder, ...] = ()


def overdue(
    outbox: Outbox, practice: Practice, wanted: ReportFilter, now: datetime
) -> list[Overdue]:
    """Everybody whose date is past, the longest overdue first."""
    found = sorted(
        _overdue(outbox, practice, wanted, now),
        key=lambda each: (-each.days, each.next_due_at, each.last.session.id or 0),
    )
    sessions = [each.last.session.id for each in found if each.last.session.id is not None]
    reminders: defaultdict[int | None, list[Reminder]] = defaultdict(list)
    for reminder in outbox.course_reminders(sessions):
        reminders[reminder.session_id].append(reminder)
    return [each._replace(reminders=tuple(reminders[each.last.session.id])) for each in found]


def _overdue(
    outbox: Outbox, practice: Practice, wanted: ReportFilter, now: datetime
) -> Iterator[Overdue]:
    for last in outbox.last_sessions(wanted.protocol):
        zone = last.patient.timezone or practice.clinic_of(last.patient).timezone
        standing = last_standing(last.session, last.place, last.protocol, zone)
        due_at = standing and standing.next_due_at
        if standing is None or due_at is None or not _is_in(due_at, wanted):
            continue
        days = (local_date(zone, now) - local_date(zone, due_at)).days
        if days > 0:
            yield Overdue(last, standing, due_at, zone, days)


def _is_in(instant: datetime, wanted: ReportFilter) -> bool:
    after_start = wanted.start is None or instant >= wanted.start
    return after_start and (wanted.end is None or instant < wanted.end)
