"""When a protocol means to speak, and what it forbids until when (contract, section 3). Pure.

Nothing here knows of quiet hours, other sessions' wishes or the present instant: that is `plan`.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from reminderd.hours import ONE_DAY, add, local_date, resolve
from reminderd.model import (
    CareProtocol,
    Chart,
    Course,
    Duration,
    Elapsed,
    Kind,
    Milestone,
    OnDays,
    Session,
)
from reminderd.steps import Rule, Step


@dataclass(frozen=True, slots=True)
class Treatment:
    """A session with what its timing depends on; `day` is its date in the patient's zone."""

    session: Session
    protocol: CareProtocol
    zone: str
    day: date
    place: int

    @classmethod
    def of(cls, chart: Chart, session: Session) -> "Treatment":
        """The session as it stands in the patient's chart."""
        zone = chart.timezone
        place = place_in_course(chart.sessions, session)
        day = local_date(zone, session.at)
        return cls(session, chart.protocols[session.id], zone, day, place)


def treatments(chart: Chart) -> list[Treatment]:
    """What took place or is still going to, in the order of time, then of recording."""
    standing = [each for each in chart.sessions if each.stands]
    return [Treatment.of(chart, each) for each in sorted(standing, key=_in_order)]


def _in_order(session: Session) -> tuple[datetime, datetime, int]:
    return (session.at, session.recorded_at, session.id or 0)


def place_in_course(sessions: Sequence[Session], session: Session) -> int:
    """The session's number in its course, counting from 1."""
    return sum(
        1
        for each in sessions
        if each.stands and each.protocol == session.protocol and each.at <= session.at
    )


def next_session_at(chart: Chart, session: Session) -> datetime | None:
    """When the next session of the course falls due: its date, at this session's local time."""
    course = chart.protocols[session.id].course
    if course is None:
        return None
    place = place_in_course(chart.sessions, session)
    return next_due(course, place, session.at, chart.timezone)


def next_due(course: Course, place: int, at: datetime, zone: str) -> datetime:
    """As `next_session_at`, for a session at that instant and place in its course."""
    return add(zone, at, course.interval_after(place))


def next_in_course(sessions: Sequence[Session], session: Session) -> Session | None:
    """The session of the course that follows, booked or done: by time, then by recording."""
    later = (
        each
        for each in sessions
        if each.stands
        and each.protocol == session.protocol
        and _in_order(each) > _in_order(session)
    )
    return min(later, key=_in_order, default=None)


# Nominal instant and expiry --------------------------------------------------------------------


def nominal(
    treatment: Treatment, milestone: Milestone, occurrence: int
) -> tuple[datetime, list[Step]]:
    """The instant that the protocol means, before quiet hours, and how it arrives there."""
    session = treatment.session
    instant = _timed(treatment, milestone, occurrence)
    steps = [Step(Rule.NOMINAL, instant, milestone.timing)]
    if milestone.kind is Kind.RELEASE and session.adjustments:
        instant = _moved_with_restriction(treatment, milestone, instant, steps)
    if instant < session.at and not milestone.is_pre_care:
        steps.append(Step(Rule.AT_TREATMENT, session.at))
        return session.at, steps
    return instant, steps


def _timed(treatment: Treatment, milestone: Milestone, occurrence: int) -> datetime:
    timing = milestone.timing
    if isinstance(timing, Elapsed):
        return treatment.session.at + timing.offset
    if isinstance(timing, OnDays):
        day = treatment.day + (timing.first + occurrence - 1) * ONE_DAY
    else:
        day = _next_date(treatment) + timing.days * ONE_DAY
    adjustment = treatment.session.adjustments.get(milestone.id)
    return resolve(treatment.zone, day, (adjustment and adjustment.at) or timing.at)


def _next_date(treatment: Treatment) -> date:
    course = treatment.protocol.course
    assert course is not None, "a file with a course milestone and no course is refused"
    return treatment.day + course.interval_after(treatment.place).amount * ONE_DAY


def _moved_with_restriction(
    treatment: Treatment, release: Milestone, instant: datetime, steps: list[Step]
) -> datetime:
    """A release at the end of restrictions that staff changed goes to the latest new end."""
    session, zone = treatment.session, treatment.zone
    ends = [
        (add(zone, session.at, holds(session, each)), each.id)
        for each in treatment.protocol.milestones
        if each.holds is not None
        and holds(session, each) != each.holds
        and not each.topics.isdisjoint(release.topics)
        and add(zone, session.at, each.holds) == instant
    ]
    if not ends:
        return instant
    moved, milestone_id = max(ends)
    steps.append(Step(Rule.LONGER_HOLD, moved, milestone_id))
    return moved


def expiry(treatment: Treatment, milestone: Milestone, nominal_at: datetime) -> datetime:
    """When it is pointless to send it: by `expires`, else when the restriction is over.

    One that staff have shortened is not told when it is over, whatever its `expires`.
    """
    session, zone = treatment.session, treatment.zone
    if milestone.expires is None:
        expires = add(zone, session.at, holds(session, milestone))
    else:
        expires = add(zone, nominal_at, milestone.expires)
        if milestone.holds is not None and holds(session, milestone) != milestone.holds:
            expires = min(expires, add(zone, session.at, holds(session, milestone)))
    return min(expires, session.at) if milestone.is_pre_care else expires


def speaks_until(treatment: Treatment) -> datetime:
    """From when on the protocol has nothing more to say about the session and forbids nothing."""
    return max(end for each in treatment.protocol.milestones for end in _ends(treatment, each))


def _ends(treatment: Treatment, milestone: Milestone) -> Iterator[datetime]:
    """When its last reminder expires, and when what it forbids is allowed again."""
    last, _ = nominal(treatment, milestone, milestone.occurrences)
    yield expiry(treatment, milestone, last)
    if milestone.holds is not None:
        session = treatment.session
        yield add(treatment.zone, session.at, holds(session, milestone))


# In force -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Ban:
    """A restriction in force: its topics are forbidden during `[start, end)`."""

    topics: frozenset[str]
    start: datetime
    end: datetime
    session_id: int | None
    milestone: str

    def forbids(self, topics: frozenset[str], at: datetime) -> bool:
        """Whether any of these topics is forbidden at that instant."""
        return self.start <= at < self.end and not self.topics.isdisjoint(topics)


def bans(treatments: Iterable[Treatment]) -> tuple[Ban, ...]:
    """What these sessions forbid and when, whatever becomes of the reminders about it."""
    return tuple(
        _ban(treatment, milestone)
        for treatment in treatments
        for milestone in treatment.protocol.milestones
        if milestone.kind is Kind.RESTRICTION
        and applies(treatment.session, milestone)
        and not turned_off(treatment.session, milestone)
    )


def ban_on(bans: Iterable[Ban], topics: frozenset[str], at: datetime) -> Ban | None:
    """The ban on any of these topics that lasts longest, of those in force at that instant."""
    return max(
        (each for each in bans if each.forbids(topics, at)), key=lambda ban: ban.end, default=None
    )


def is_forbidden(chart: Chart, topics: frozenset[str], at: datetime) -> bool:
    """Whether any of these topics is forbidden at that instant by a session of the patient."""
    is_about = any(
        milestone.kind is Kind.RESTRICTION and not milestone.topics.isdisjoint(topics)
        for protocol in chart.protocols.values()
        for milestone in protocol.milestones
    )
    return is_about and ban_on(bans(treatments(chart)), topics, at) is not None


def _ban(treatment: Treatment, milestone: Milestone) -> Ban:
    session = treatment.session
    start = _timed(treatment, milestone, 1) if milestone.is_pre_care else session.at
    end = add(treatment.zone, session.at, holds(session, milestone))
    return Ban(milestone.topics, min(start, session.at), end, session.id, milestone.id)


def holds(session: Session, milestone: Milestone) -> Duration:
    """How long a restriction holds after this session, staff's adjustment included."""
    adjustment = session.adjustments.get(milestone.id)
    duration = (adjustment and adjustment.holds) or milestone.holds
    assert duration is not None, "only restrictions hold, and a file without is refused"
    return duration


def applies(session: Session, milestone: Milestone) -> bool:
    """Whether the session carries a tag that the milestone asks for, if it asks for any."""
    return not milestone.only_for or not milestone.only_for.isdisjoint(session.tags)


def turned_off(session: Session, milestone: Milestone) -> bool:
    """Whether staff turned the milestone off for this session."""
    adjustment = session.adjustments.get(milestone.id)
    return adjustment is not None and adjustment.off
