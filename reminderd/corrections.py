"""What has been said to a patient and has become false since, and what holds instead. Pure.

A text becomes false where staff change what it spoke of (the session's time, how long a restriction
holds, whether the session takes place at all), or where it allowed what a session forbids again.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

from reminderd.hours import add, local_date, resolve, zone
from reminderd.model import Chart, Kind, Milestone, Reason, Reminder, Session, State
from reminderd.timing import Ban, ban_on, holds, next_in_course, next_session_at, turned_off

# A restriction that ends this much sooner or later is not worth a nurse's call; of one that holds
# for a week or longer, the day counts.
HARDLY = timedelta(minutes=15)
LONG = 7  # days


class Cause(StrEnum):
    """Why a text is no longer true; the comments say what `was` and `now` of it are."""

    CALLED_OFF = "called-off"  # the session's instant, and None
    MOVED = "moved"  # the session's instants
    ZONE = "zone"  # the same, by the clocks of another zone: as read there, and as it is
    CHANGED = "changed"  # when what it speaks of ends or falls due; None: not at all any more
    FORBIDDEN_AGAIN = "forbidden-again"  # when it allowed it, and the end of what forbids it


class Untrue(NamedTuple):
    """One reminder whose words no longer hold.

    `until` is what would be spoken of today: an end, or when the next session is due; None where
    there is nothing to say. `since` is when that begins, where it lies ahead. `ban` is what forbids
    the topics today where the reminder's own restriction does not.
    """

    reminder: Reminder
    cause: Cause
    was: datetime
    now: datetime | None
    until: datetime | None = None
    since: datetime | None = None
    ban: Ban | None = None


def untrue(
    chart: Chart, planned: Sequence[Reminder], bans: Sequence[Ban], now: datetime
) -> list[Untrue]:
    """Of the reminders that have left, or may have, those whose words are false and matter yet."""
    if not chart.changes and not chart.zones and len(chart.sessions) < 2:
        return []
    known = _Known(chart, planned, bans, now)
    found = (known.changed(each) or known.forbidden(each) for each in known.told())
    return [each for each in found if each is not None]


@dataclass(frozen=True, slots=True)
class _Known:
    """What is known at `now`."""

    chart: Chart
    planned: Sequence[Reminder]
    bans: Sequence[Ban]
    now: datetime

    def told(self) -> list[Reminder]:
        return [each for each in self.planned if each.state in (State.SENT, State.UNKNOWN)]

    # What it spoke of is another instant today --------------------------------------------------

    def changed(self, reminder: Reminder) -> Untrue | None:
        then = _as_told(self.chart, reminder)
        meant, today = _said(then, reminder), _said(self.chart, reminder)
        said = meant and _as_read(meant, then.timezone, self.chart.timezone)
        if said is None or self.still_so(reminder, said, today):
            return None
        if not self.matters(reminder, said, today):
            return None
        before = _session(then, reminder.session_id)
        session = _session(self.chart, reminder.session_id)
        if not session.stands:
            cause, was, at = Cause.CALLED_OFF, before.at, None
        elif meant == today:
            cause, was, at = Cause.ZONE, said, today
        elif before.at != session.at and today is not None:
            cause, was, at = Cause.MOVED, before.at, session.at
        else:
            cause, was, at = Cause.CHANGED, said, today
        return self.with_what_holds(Untrue(reminder, cause, was, at, today))

    def still_so(self, reminder: Reminder, said: datetime, today: datetime | None) -> bool:
        """Whether it is true all the same, if by another session or to the minute only."""
        milestone = _milestone(_as_told(self.chart, reminder), reminder)
        if today is not None and (self.same(milestone, said, today) or today > said):
            return self.same(milestone, said, today)
        if milestone.kind is Kind.RESTRICTION:
            ends = [each.end for each in self.bans if each.topics >= reminder.topics]
            return any(self.same(milestone, said, each) for each in ends)
        return milestone.is_pre_care and any(
            each.stands and (each.protocol, each.at) == (reminder.protocol, said)
            for each in self.chart.sessions
        )

    def same(self, milestone: Milestone, said: datetime, other: datetime) -> bool:
        """Whether a patient who was told the one instant does right by the other."""
        zone = self.chart.timezone
        length = milestone.holds
        is_long = length is not None and length.unit == "d" and length.amount >= LONG
        if milestone.kind is Kind.COURSE or is_long:
            return local_date(zone, said) == local_date(zone, other)
        return said == other if milestone.is_pre_care else abs(said - other) < HARDLY

    def matters(self, reminder: Reminder, said: datetime, today: datetime | None) -> bool:
        """Whether the patient can still go wrong by it."""
        milestone = _milestone(_as_told(self.chart, reminder), reminder)
        if milestone.is_pre_care:
            return (today or said) > self.now
        end = max(said, today or said)
        if milestone.kind is Kind.COURSE:
            session = _session(self.chart, reminder.session_id)
            return end > self.now and next_in_course(self.chart.sessions, session) is None
        return end > self.now and not self.said_elsewhere(reminder, end)

    def said_elsewhere(self, reminder: Reminder, end: datetime) -> bool:
        """Whether another text forbids all of it as long, and is true."""
        return any(
            other.kind is Kind.RESTRICTION
            and other.key != reminder.key
            and other.topics >= reminder.topics
            and self.says_truly(other, end)
            for other in self.told()
        )

    def says_truly(self, reminder: Reminder, end: datetime) -> bool:
        then = _as_told(self.chart, reminder)
        meant, today = _said(then, reminder), _said(self.chart, reminder)
        said = meant and _as_read(meant, then.timezone, self.chart.timezone)
        return said is not None and said >= end and self.still_so(reminder, said, today)

    def with_what_holds(self, false: Untrue) -> Untrue:
        """With what it would say today; of what no longer holds, what another session forbids."""
        reminder, until = false.reminder, false.until
        if reminder.kind is not Kind.RESTRICTION:
            return false
        if until is None or until <= self.now:
            other = ban_on(self.bans, reminder.topics, self.now)
        else:
            whole = [each for each in self.bans if each.topics >= reminder.topics]
            begun = [each for each in whole if each.start <= self.now]
            other = ban_on(begun, reminder.topics, until)
        if other is not None:
            return false._replace(until=other.end, ban=other)
        own = (each.start for each in self.bans if _speaks_of(reminder, each))
        return false._replace(since=next((each for each in own if each > self.now), None))

    # What it allowed is forbidden again ---------------------------------------------------------

    def forbidden(self, reminder: Reminder) -> Untrue | None:
        """A release that is the last word on what is forbidden at `now`."""
        if reminder.kind is not Kind.RELEASE:
            return None
        ban, told_at = ban_on(self.bans, reminder.topics, self.now), _told_at(self.chart, reminder)
        if ban is None or self.is_told_by_itself(ban) or self.was_known(reminder, ban):
            return None
        if any(self.speaks_after(each, reminder, told_at) for each in self.told()):
            return None
        return Untrue(reminder, Cause.FORBIDDEN_AGAIN, told_at, ban.end, ban.end, ban=ban)

    def is_told_by_itself(self, ban: Ban) -> bool:
        """Whether the restriction's own message is about to leave, or waits for its session."""
        return any(
            each.state in (State.SCHEDULED, State.SENDING) or each.reason is Reason.UNCONFIRMED
            for each in self.planned
            if _speaks_of(each, ban)
        )

    def speaks_after(self, other: Reminder, release: Reminder, told_at: datetime) -> bool:
        """Whether a later text is about the same: a restriction, or another all-clear."""
        if other.sent_at is None or other.topics.isdisjoint(release.topics):
            return False
        if other.kind is Kind.RESTRICTION:
            return other.sent_at >= told_at
        return other.kind is Kind.RELEASE and other.sent_at > told_at

    def was_known(self, reminder: Reminder, ban: Ban) -> bool:
        """Whether staff, when they told the patient how things are, knew of this very ban."""
        corrected_at = self.chart.corrected.get(reminder.id)
        if corrected_at is None:
            return False
        recorded_at = _session(self.chart, ban.session_id).recorded_at
        changed_since = (
            each.was.id == ban.session_id and each.at > corrected_at for each in self.chart.changes
        )
        return recorded_at <= corrected_at and not any(changed_since)


def _speaks_of(reminder: Reminder, ban: Ban) -> bool:
    return (reminder.session_id, reminder.milestone) == (ban.session_id, ban.milestone)


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


def _as_read(instant: datetime, told_in: str, read_in: str) -> datetime:
    """What was told by the clocks of one zone, as somebody reads it who lives by another."""
    if told_in == read_in:
        return instant
    local = instant.astimezone(zone(told_in))
    return resolve(read_in, local.date(), local.time())


def _milestone(chart: Chart, reminder: Reminder) -> Milestone:
    milestone = chart.protocols[reminder.session_id].milestone(reminder.milestone)
    assert milestone is not None, "what was said is said by a milestone"
    return milestone


def _session(chart: Chart, session_id: int | None) -> Session:
    return next(each for each in chart.sessions if each.id == session_id)


def _told_at(chart: Chart, reminder: Reminder) -> datetime:
    """When the patient last heard how things are: from the reminder, or from staff after it."""
    left_at = reminder.sent_at or reminder.due_at or reminder.nominal_at
    return chart.corrected.get(reminder.id, left_at)


def _as_told(chart: Chart, reminder: Reminder) -> Chart:
    """The chart as it was when the patient last heard: as before all later changes."""
    instant = _told_at(chart, reminder)
    lived_in = next((each.was for each in chart.zones if each.at > instant), chart.timezone)
    undone = [each for each in reversed(chart.changes) if each.at > instant]
    sessions = {each.id: each for each in chart.sessions} | {
        each.was.id: each.was for each in undone
    }
    protocols = {**chart.protocols} | {each.was.id: each.protocol for each in undone}
    there = tuple(
        each
        for each in sessions.values()
        if each.recorded_at <= instant or each.id == reminder.session_id
    )
    patient = replace(chart.patient, timezone=lived_in)
    return replace(chart, patient=patient, sessions=there, protocols=protocols)
