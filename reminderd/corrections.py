"""What has been said to a patient and has become false since, and what holds instead. Pure.

A text becomes false where staff change what it spoke of (the session's time, how long a restriction
holds, whether the session takes place at all), or where it allowed what a session forbids again.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from reminderd.hours import add
from reminderd.model import Chart, Kind, Reminder, Session, State
from reminderd.timing import Ban, ban_on, holds, next_session_at, turned_off


class Cause(StrEnum):
    """Why a text is no longer true; the comments say what `was` and `now` of it are."""

    CALLED_OFF = "called-off"  # the session's instant, and None
    MOVED = "moved"  # the session's instants
    CHANGED = "changed"  # when what it speaks of ends or falls due; None: not at all any more
    FORBIDDEN_AGAIN = "forbidden-again"  # when it allowed it, and the end of what forbids it


class Untrue(NamedTuple):
    """One reminder whose words no longer hold.

    `until` is what it would speak of today: an end, or when the next session is due; None where it
    would not be said. `ban` is what forbids again what a release allowed.
    """

    reminder: Reminder
    cause: Cause
    was: datetime
    now: datetime | None
    until: datetime | None = None
    ban: Ban | None = None


def untrue(
    chart: Chart, planned: Sequence[Reminder], bans: Sequence[Ban], now: datetime
) -> list[Untrue]:
    """Of the reminders that have left, or may have, those whose words are false and matter yet."""
    if not chart.changes and len(chart.sessions) < 2:
        return []
    gone = [each for each in planned if each.state in (State.SENT, State.UNKNOWN)]
    found = (_changed(chart, each, now) or _forbidden(chart, each, planned, bans, now)
             for each in gone)  # fmt: skip
    return [each for each in found if each is not None]


def _changed(chart: Chart, reminder: Reminder, now: datetime) -> Untrue | None:
    """A reminder that spoke of an instant which is another one today, where either lies ahead."""
    then = _as_of(chart, _told_at(chart, reminder))
    said, holds_now = _said(then, reminder), _said(chart, reminder)
    if said is None or said == holds_now or max(said, holds_now or said) <= now:
        return None
    before, today = _session(then, reminder.session_id), _session(chart, reminder.session_id)
    if not today.stands:
        return Untrue(reminder, Cause.CALLED_OFF, before.at, None)
    if before.at != today.at:
        return Untrue(reminder, Cause.MOVED, before.at, today.at, holds_now)
    return Untrue(reminder, Cause.CHANGED, said, holds_now, holds_now)


def _said(chart: Chart, reminder: Reminder) -> datetime | None:
    """The instant that the text speaks of: an end, the treatment, the next session; None: none."""
    session = _session(chart, reminder.session_id)
    milestone = chart.protocols[session.id].milestone(reminder.milestone)
    if milestone is None or not session.stands or turned_off(session, milestone):
        return None
    if milestone.kind is Kind.RESTRICTION:
        return add(chart.timezone, session.at, holds(session, milestone))
    if milestone.kind is Kind.COURSE:
        return next_session_at(chart, session)
    return session.at if milestone.is_pre_care else None


def _forbidden(
    chart: Chart,
    reminder: Reminder,
    planned: Iterable[Reminder],
    bans: Iterable[Ban],
    now: datetime,
) -> Untrue | None:
    """A release of what is forbidden at `now`, and nothing that has left since then says so."""
    if reminder.kind is not Kind.RELEASE:
        return None
    ban, told_at = ban_on(bans, reminder.topics, now), _told_at(chart, reminder)
    if ban is None or _is_told(ban, planned, told_at) or _was_known(chart, reminder, ban):
        return None
    return Untrue(reminder, Cause.FORBIDDEN_AGAIN, told_at, ban.end, ban.end, ban)


def _is_told(ban: Ban, planned: Iterable[Reminder], since: datetime) -> bool:
    """Whether the restriction's own message has left since then, or is about to."""
    return any(
        each.state in (State.SCHEDULED, State.SENDING)
        or (each.sent_at is not None and each.sent_at >= since)
        for each in planned
        if (each.session_id, each.milestone) == (ban.session_id, ban.milestone)
    )


def _was_known(chart: Chart, reminder: Reminder, ban: Ban) -> bool:
    """Whether staff, when they told the patient how things are, knew of this very ban."""
    corrected_at = chart.corrected.get(reminder.id)
    if corrected_at is None:
        return False
    recorded_at = _session(chart, ban.session_id).recorded_at
    changed_since = (
        each.was.id == ban.session_id and each.at > corrected_at for each in chart.changes
    )
    return recorded_at <= corrected_at and not any(changed_since)


def _told_at(chart: Chart, reminder: Reminder) -> datetime:
    """When the patient last heard how things are: from the reminder, or from staff after it."""
    left_at = reminder.sent_at or reminder.due_at or reminder.nominal_at
    return chart.corrected.get(reminder.id, left_at)


def _session(chart: Chart, session_id: int | None) -> Session:
    return next(each for each in chart.sessions if each.id == session_id)


def _as_of(chart: Chart, instant: datetime) -> Chart:
    """The chart as it was at that instant: every session as before the first change after it."""
    undone = [each for each in reversed(chart.changes) if each.at > instant]
    sessions = {each.id: each for each in chart.sessions} | {
        each.was.id: each.was for each in undone
    }
    protocols = {**chart.protocols} | {each.was.id: each.protocol for each in undone}
    return replace(chart, sessions=tuple(sessions.values()), protocols=protocols)
