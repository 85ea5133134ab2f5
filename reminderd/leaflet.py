"""What a leaflet of a protocol says, and when: every milestone once, in groups to read. Pure.

Paper is not sent: quiet hours, consent and the patient's other sessions do not matter here.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from reminderd.durations import Duration
from reminderd.hours import add, local_date
from reminderd.model import CareProtocol, CourseLead, Elapsed, Kind, Milestone, OnDays, Session
from reminderd.timing import Treatment, applies, holds, nominal

BEFORE = "before"  # the group of what is said before the treatment, whatever its kind
GROUPS = (BEFORE, "restriction", "release", "routine", "inform", "check", "course")


class Form(StrEnum):
    """How a row says when."""

    FOR = "for"
    SINCE = "since"
    BEFORE = "before"
    TODAY = "today"
    AFTER = "after"
    DAY = "day"
    DAYS = "days"
    NEXT = "next"


@dataclass(frozen=True, slots=True)
class Time:
    """When a milestone holds or is wanted, in relation to the treatment and as instants.

    `lengths` are several only where the next session may be so or so far away; `first` and `last`
    are days after the treatment; what does not belong to the form is None.
    """

    form: Form
    lengths: tuple[Duration, ...] = ()
    first: int | None = None
    last: int | None = None
    at: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """A sentence of the leaflet: the milestone whose template has it, and when it counts."""

    milestone: Milestone
    times: tuple[Time, ...]
    until: datetime | None = None
    next_at: datetime | None = None


def leaflet(treatment: Treatment) -> dict[str, list[Row]]:
    """The rows of each group, in the order in which they count.

    A template that several milestones of a group use is one row with several times. The tags of the
    session decide what it prints that is `only_for` some.
    """
    rows: dict[tuple[str, str], Row] = {}
    for milestone in _in_order(treatment):
        group = BEFORE if milestone.is_pre_care else milestone.kind.value
        row = _row(treatment, milestone)
        known = rows.setdefault((group, milestone.template), row)
        times = dict.fromkeys((*known.times, *row.times))
        rows[group, milestone.template] = replace(known, times=tuple(times))
    return {name: [row for (group, _), row in rows.items() if group == name] for name in GROUPS}


def treatment_of(protocol: CareProtocol, session: Session, zone: str) -> Treatment:
    """The session as the first of its course."""
    return Treatment(session, protocol, zone, local_date(zone, session.at), 1)


def _in_order(treatment: Treatment) -> list[Milestone]:
    """By when each ends, of what is forbidden; by when it begins, of the rest."""
    session = treatment.session

    def key(milestone: Milestone) -> datetime:
        if milestone.kind is Kind.RESTRICTION and not milestone.is_pre_care:
            return _end(treatment, milestone)
        return nominal(treatment, milestone, 1)[0]

    applicable = [each for each in treatment.protocol.milestones if applies(session, each)]
    return sorted(applicable, key=key)


def _row(treatment: Treatment, milestone: Milestone) -> Row:
    restricts = milestone.kind is Kind.RESTRICTION
    return Row(
        milestone,
        tuple(_times(treatment, milestone)),
        until=_end(treatment, milestone) if restricts else None,
        next_at=_next_at(treatment) if milestone.kind is Kind.COURSE else None,
    )


def _times(treatment: Treatment, milestone: Milestone) -> Iterator[Time]:
    if milestone.kind is not Kind.RESTRICTION:
        yield _told(treatment, milestone)
        return
    length, end = holds(treatment.session, milestone), _end(treatment, milestone)
    told = _told(treatment, milestone)
    if told.form is Form.DAY and length.unit == "d":
        yield replace(told, form=Form.DAYS, last=length.amount, until=end)
        return
    if told.form is not Form.TODAY:
        yield told
    if length.amount:
        yield Time(Form.FOR, (_in_days(length),), until=end)


def _told(treatment: Treatment, milestone: Milestone) -> Time:
    """When it is said, or from when on it counts."""
    at = nominal(treatment, milestone, 1)[0]
    match milestone.timing:
        case Elapsed(offset):
            return _elapsed(milestone, offset, at)
        case OnDays(first, last) if last < 0:
            lasts = first < last or milestone.kind is Kind.RESTRICTION
            return Time(Form.SINCE if lasts else Form.BEFORE, (Duration(-first, "d"),), at=at)
        case OnDays(0, 0):
            return Time(Form.TODAY, at=at)
        case OnDays(first, last) if first == last:
            if milestone.kind is Kind.RELEASE:  # allowed from an instant, not from midnight
                return Time(Form.AFTER, (Duration(first, "d"),), at=at)
            return Time(Form.DAY, first=first, at=at)
        case OnDays(first, last):
            end = nominal(treatment, milestone, milestone.occurrences)[0]
            return Time(Form.DAYS, first=first, last=last, at=at, until=end)
        case CourseLead():
            return Time(Form.NEXT, _intervals(treatment), at=_next_at(treatment))
    raise AssertionError("there is no other timing")


def _elapsed(milestone: Milestone, offset: timedelta, at: datetime) -> Time:
    if not offset:
        return Time(Form.TODAY, at=at)
    length = (_in_days(Duration(abs(offset) // timedelta(minutes=1), "m")),)
    if offset > timedelta(0):
        return Time(Form.AFTER, length, at=at)
    return Time(Form.SINCE if milestone.kind is Kind.RESTRICTION else Form.BEFORE, length, at=at)


def _in_days(length: Duration) -> Duration:
    """As a person says it: 90 minutes, 48 hours, but 7 days."""
    if length.unit == "d":
        return length
    hours, minutes = divmod(length.amount if length.unit == "m" else length.amount * 60, 60)
    if minutes:
        return Duration(hours * 60 + minutes, "m")
    return Duration(hours // 24, "d") if hours > 72 and hours % 24 == 0 else Duration(hours, "h")


def _end(treatment: Treatment, milestone: Milestone) -> datetime:
    session = treatment.session
    return add(treatment.zone, session.at, holds(session, milestone))


def _intervals(treatment: Treatment) -> tuple[Duration, ...]:
    course = treatment.protocol.course
    assert course is not None, "a file with a course milestone and no course is refused"
    return tuple(dict.fromkeys(course.intervals))


def _next_at(treatment: Treatment) -> datetime | None:
    """When the next session is due; None where that depends on how many there have been."""
    intervals = _intervals(treatment)
    if len(intervals) > 1:
        return None
    return add(treatment.zone, treatment.session.at, intervals[0])
