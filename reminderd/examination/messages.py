"""What a careful nurse finds in the messages of one session: too close, too many, together."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import combinations

from reminderd.examination.every_minute import Profile, Trials, profiles
from reminderd.findings import Remark, Severity
from reminderd.hours import ONE_DAY, local_date
from reminderd.model import CareProtocol, Channel, Kind, Milestone

ONE_HOUR = timedelta(hours=1)
AT_ONCE = timedelta(0)
# In the morning, at noon and in the evening: who hears more often in a day stops reading.
MOST_MESSAGES_A_DAY = 3

Dues = tuple[datetime | None, ...]


@dataclass(frozen=True, eq=False)
class Slot:
    """Milestones that always leave as one message: at `dues`, one for each minute of the trial."""

    channel: Channel
    dues: Dues
    span: tuple[datetime, datetime]
    milestones: tuple[Milestone, ...]

    @property
    def anchor(self) -> Milestone:
        """The milestone to speak of: the one that comes most often."""
        return max(self.milestones, key=lambda each: each.occurrences)

    @property
    def names(self) -> str:
        """All of it in words."""
        return " + ".join(each.id for each in self.milestones)


@dataclass(frozen=True)
class Timetable:
    """All messages of a session of that profile on that day, in the order of time."""

    profile: Profile
    trial: Trials
    slots: tuple[Slot, ...]


def timetables(protocol: CareProtocol, trials: Sequence[Trials]) -> list[Timetable]:
    """Of every profile and day, those without tags and of the ordinary day first."""
    return [
        Timetable(profile, trial, _slots(profile.protocol, trial))
        for profile in profiles(protocol)
        for trial in trials
    ]


def _slots(protocol: CareProtocol, trial: Trials) -> tuple[Slot, ...]:
    together: dict[tuple[Channel, Dues], list[Milestone]] = {}
    spans: dict[Dues, tuple[datetime, datetime]] = {}
    for milestone in protocol.milestones:
        channel = next(each for each in Channel if each in (milestone.channels or Channel))
        for occurrence in range(1, milestone.occurrences + 1):
            column = trial.column(protocol, milestone, occurrence)
            if column.span is not None:
                spans[column.dues] = column.span
                together.setdefault((channel, column.dues), []).append(milestone)
    slots = (
        Slot(channel, dues, spans[dues], tuple(milestones))
        for (channel, dues), milestones in together.items()
    )
    return tuple(sorted(slots, key=lambda each: each.span))


# Too close -------------------------------------------------------------------------------------


def close_pairs(tables: Iterable[Timetable]) -> Iterator[Remark]:
    """Messages that leave less than an hour apart and could be one; each pair is named once."""
    told: set[frozenset[str]] = set()
    for table in tables:
        for one, other in _within(table, ONE_HOUR):
            pair = frozenset({one.anchor.id, other.anchor.id})
            if pair not in told and (minutes := _minutes_apart(one, other)):
                told.add(pair)
                yield _close_pair(table, one, other, minutes)


def _within(table: Timetable, span: timedelta) -> Iterator[tuple[Slot, Slot]]:
    """Slots of one channel that can come within that span of each other."""
    for one, other in combinations(table.slots, 2):
        if other.span[0] - one.span[1] <= span and one.channel is other.channel:
            yield one, other


def _minutes_apart(one: Slot, other: Slot) -> list[int]:
    """The minutes of the session after which the two leave at different times of one hour."""
    return [
        minute
        for minute, (due, after) in enumerate(zip(one.dues, other.dues, strict=True))
        if due is not None and after is not None and AT_ONCE < abs(after - due) < ONE_HOUR
    ]


def _close_pair(table: Timetable, one: Slot, other: Slot, minutes: Sequence[int]) -> Remark:
    trial = table.trial
    share = round(100 * len(minutes) / len(trial.minutes))
    some = f" ({max(1, share)} % of the day)" if share < 100 else ""
    return Remark(
        Severity.HINT,
        one.anchor.id,
        f"{one.names} and {other.names} leave within one hour after a session{table.profile.whose}"
        f" {trial.day.told}{trial.told(minutes)}{some}",
        "Give them the same time and they are one message, or let more time pass between them.",
    )


# Too many --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Day:
    """What one session brings on one local date."""

    table: Timetable
    minute: int
    date: date
    sent: dict[datetime, list[str]]


def crowded_days(tables: Iterable[Timetable]) -> Iterator[Remark]:
    """The fullest local date that one session can bring, where that is too full."""
    days = [day for table in tables for day in _crowded(table)]
    if days:
        yield _crowded_day(max(days, key=lambda day: len(day.sent)))


def _crowded(table: Timetable) -> Iterator[_Day]:
    for day in _dates(table):
        reaching = [each for each in table.slots if _reaches(table.trial, each, day)]
        if len(reaching) > MOST_MESSAGES_A_DAY:
            for minute in range(len(table.trial.minutes)):
                sent = _sent_on(table.trial, reaching, minute, day)
                if len(sent) > MOST_MESSAGES_A_DAY:
                    yield _Day(table, minute, day, sent)


def _dates(table: Timetable) -> Iterator[date]:
    """Every local date on which anything can be sent."""
    if table.slots:
        day = local_date(table.trial.zone, table.slots[0].span[0])
        last = max(local_date(table.trial.zone, each.span[1]) for each in table.slots)
        while day <= last:
            yield day
            day += ONE_DAY


def _reaches(trial: Trials, slot: Slot, day: date) -> bool:
    first, last = slot.span
    return local_date(trial.zone, first) <= day <= local_date(trial.zone, last)


def _sent_on(
    trial: Trials, slots: Iterable[Slot], minute: int, day: date
) -> dict[datetime, list[str]]:
    """The names of what is sent on that date, by the instant."""
    sent: dict[datetime, list[str]] = {}
    for slot in slots:
        due = slot.dues[minute]
        if due is not None and local_date(trial.zone, due) == day:
            sent.setdefault(due, []).append(slot.names)
    return sent


def _crowded_day(day: _Day) -> Remark:
    trial = day.table.trial
    at = trial.local(day.minute)
    number = (day.date - trial.day.date).days
    messages = ", ".join(" + ".join(names) for _, names in sorted(day.sent.items()))
    return Remark(
        Severity.WARNING,
        next(iter(day.sent.values()))[0].partition(" + ")[0],
        f"{len(day.sent)} messages on one date, day {number}, after a session"
        f"{day.table.profile.whose} on {at.day} {at:%B %Y} at {at:%H:%M}: {messages}",
        f"{MOST_MESSAGES_A_DAY} a day are plenty; give some of them the same time.",
    )


# Together --------------------------------------------------------------------------------------


def bundles(tables: Iterable[Timetable]) -> list[tuple[Milestone, ...]]:
    """All sets of milestones that can leave as one message, in the order of a message."""
    found: dict[frozenset[str], tuple[Milestone, ...]] = {}
    for table in tables:
        for slots in _together(table):
            once = {each.id: each for slot in slots for each in slot.milestones}
            ordered = sorted(once.values(), key=lambda each: list(Kind).index(each.kind))
            found.setdefault(frozenset(once), tuple(ordered))
    return [each for each in found.values() if len(each) > 1]


def _together(table: Timetable) -> Iterable[tuple[Slot, ...]]:
    """Slots that leave at the same instant for some session, and each by itself, in order."""
    meeting: dict[tuple[int, Channel, datetime], list[Slot]] = {}
    for one, other in _within(table, AT_ONCE):
        for minute, (due, after) in enumerate(zip(one.dues, other.dues, strict=True)):
            if due is not None and due == after:
                known = meeting.setdefault((minute, one.channel, due), [])
                known += [each for each in (one, other) if each not in known]
    return dict.fromkeys([*map(tuple, meeting.values()), *((each,) for each in table.slots)])
