"""What becomes of every milestone for a session at each minute of a day, by trying. Pure.

The planner's own timing and rules decide. What cannot come out differently is decided once:
milestones that differ in name alone, and a reminder to which the session's minute does not matter.
"""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from itertools import groupby
from operator import itemgetter
from typing import NamedTuple

from reminderd.hours import ONE_DAY, Period, local_date, quiet_periods, resolve, zone
from reminderd.model import (
    CareProtocol,
    Channel,
    Chart,
    Clinic,
    Consent,
    Course,
    Duration,
    Elapsed,
    Kind,
    Milestone,
    Patient,
    QuietPolicy,
    Reason,
    Session,
)
from reminderd.rules import ONE_MINUTE, REASON_WHERE_FORBIDDEN, Draft, Scene, apply_rules
from reminderd.steps import Step
from reminderd.timing import Ban, Treatment, bans, expiry, nominal

_LONG_BEFORE = timedelta(days=800)  # every reminder was thought of in good time
_SINCE = datetime(2000, 1, 1, tzinfo=UTC)
_REACHABLE = Patient(
    clinic="",
    given_name="",
    phone="+34600000000",
    email="m@example.org",
    consent={each: Consent(True, _SINCE, "sample") for each in Channel},
)


class TrialDay(NamedTuple):
    """A date on which sessions are tried, and what is special about it, if anything."""

    date: date
    about: str | None = None

    @property
    def told(self) -> str:
        """In front of a time of day: nothing for an ordinary day."""
        when = f"{self.date.day} {self.date:%B %Y}"
        return f"on {when}, {self.about}, " if self.about else ""


def trial_days(zone_name: str, now: datetime) -> list[TrialDay]:
    """An ordinary day; and of the next clock change each way, the day before and the day itself."""
    today = local_date(zone_name, now)
    changes: dict[str, date] = {}
    for day in (today + days * ONE_DAY for days in range(1, 367)):
        start, end = _ends(zone_name, day)
        if end - start != ONE_DAY:
            changes.setdefault("forward" if end - start < ONE_DAY else "back", day)
    found = sorted(changes.items(), key=lambda change: change[1])
    # As far from both as can be, so that what is wrong there is wrong on most days.
    ordinary = found[0][1] + (found[-1][1] - found[0][1]) // 2 if len(found) > 1 else today
    days = [TrialDay(ordinary)]
    for way, day in found:
        days.append(TrialDay(day - ONE_DAY, f"the day before clocks go {way}"))
        days.append(TrialDay(day, f"the day on which clocks go {way}"))
    return days


def _ends(zone_name: str, day: date) -> tuple[datetime, datetime]:
    return resolve(zone_name, day, time(0)), resolve(zone_name, day + ONE_DAY, time(0))


class Outcome(NamedTuple):
    """When a reminder goes out; or the reason why it never does, and which restriction forbids it.

    `forbidden_by` counts in the list that `forbidding` gives.
    """

    due_at: datetime | None
    reason: Reason | None = None
    forbidden_by: int | None = None


@dataclass(frozen=True, eq=False)
class Column:
    """What becomes of one reminder, for a session at each minute of the day in turn."""

    outcomes: Sequence[Outcome]

    @cached_property
    def dues(self) -> tuple[datetime | None, ...]:
        """When it goes out; None where it never does."""
        return tuple(None if each.reason else each.due_at for each in self.outcomes)

    @cached_property
    def span(self) -> tuple[datetime, datetime] | None:
        """The earliest and the latest instant at which it goes out; None where it never does."""
        sent = {due for due in self.dues if due is not None}
        return (min(sent), max(sent)) if sent else None


@dataclass(frozen=True)
class Profile:
    """A protocol as a session gets it that carries this tag, or none."""

    tag: str | None
    protocol: CareProtocol

    @property
    def whose(self) -> str:
        """Which sessions these are, where not all."""
        return f' tagged "{self.tag}"' if self.tag else ""


def profiles(protocol: CareProtocol) -> list[Profile]:
    """The protocol as it is without a tag first, then with each tag that a milestone asks for."""
    tags = sorted({tag for each in protocol.milestones for tag in each.only_for})
    return [Profile(tag, _applying(protocol, tag)) for tag in (None, *tags)]


def _applying(protocol: CareProtocol, tag: str | None) -> CareProtocol:
    milestones = (each for each in protocol.milestones if not each.only_for or tag in each.only_for)
    return replace(protocol, milestones=tuple(milestones))


def forbidding(protocol: CareProtocol, milestone: Milestone) -> tuple[Milestone, ...]:
    """The restrictions on its topics, where being forbidden can stop a milestone."""
    if milestone.kind not in REASON_WHERE_FORBIDDEN:
        return ()
    return tuple(
        each
        for each in protocol.milestones
        if each.kind is Kind.RESTRICTION and not each.topics.isdisjoint(milestone.topics)
    )


class Trials:
    """One day in a clinic's zone and quiet hours, on which protocols are tried."""

    def __init__(self, clinic: Clinic, day: TrialDay) -> None:
        self.day = day
        self.zone = clinic.timezone
        self.quiet = clinic.quiet_hours
        start, end = _ends(self.zone, day.date)
        self.minutes = [start + n * ONE_MINUTE for n in range((end - start) // ONE_MINUTE)]
        self._planned_at = start - _LONG_BEFORE
        self._chart = Chart(_REACHABLE, replace(clinic, leaving=frozenset()), (), {})
        self._sessions = [Session(None, "", 1, at, self._planned_at) for at in self.minutes]
        self._alone = self._treatments(_protocol())
        self._channels: dict[tuple[Channel, ...] | None, Step] = {}
        self._known: dict[object, Column] = {}

    def column(self, protocol: CareProtocol, milestone: Milestone, occurrence: int) -> Column:
        """All outcomes of one occurrence; every milestone of `protocol` is taken to apply."""
        tried = _Tried(
            _nameless(milestone),
            occurrence,
            tuple(
                _nameless(each, name=str(number))
                for number, each in enumerate(forbidding(protocol, milestone))
            ),
            protocol.course if milestone.kind is Kind.COURSE else None,
        )
        known = self._known.get(tried)
        if known is None:
            known = self._known[tried] = Column(self._outcomes(tried))
        return known

    def told(self, minutes: Sequence[int]) -> str:
        """Those minutes of the day in words, such as `between 19:30 and 20:59`."""
        if len(minutes) == len(self.minutes):
            return "at any time of day"
        runs: list[list[int]] = []
        for minute in minutes:
            if runs and runs[-1][1] == minute - 1:
                runs[-1][1] = minute
            else:
                runs.append([minute, minute])
        return " or ".join(self._told_run(first, last) for first, last in runs)

    def _told_run(self, first: int, last: int) -> str:
        start, end = (f"{self.local(each):%H:%M}" for each in (first, last))
        return f"at {start}" if first == last else f"between {start} and {end}"

    def local(self, minute: int) -> datetime:
        """That minute by the clocks of the zone."""
        return self.minutes[minute].astimezone(zone(self.zone))

    def _treatments(self, protocol: CareProtocol) -> list[Treatment]:
        return [Treatment(each, protocol, self.zone, self.day.date, 1) for each in self._sessions]

    def _outcomes(self, tried: "_Tried") -> list[Outcome]:
        treatments = self._alone
        if not tried.stands_alone:
            treatments = self._treatments(_protocol(tried.restrictions, tried.course))
        if tried.is_same_all_day(treatments[0], treatments[-1]):
            return self._between(tried, treatments)
        outcomes: list[Outcome] = []
        meant = [nominal(each, tried.milestone, tried.occurrence)[0] for each in treatments]
        nights = self._nights(tried.milestone, meant)
        for night, run in groupby(zip(nights, treatments, meant, strict=True), itemgetter(0)):
            if night is None and tried.stands_alone:
                # What nothing moves is due when it is meant: no file lets that reach the expiry.
                outcomes += [Outcome(nominal_at) for _, _, nominal_at in run]
            elif night is not None and tried.turns_once:
                outcomes += self._between(tried, [each for _, each, _ in run])
            else:
                outcomes += [self._outcome(tried, each) for _, each, _ in run]
        return outcomes

    def _between(self, tried: "_Tried", treatments: Sequence[Treatment]) -> list[Outcome]:
        """The outcomes of minutes in a row, where one at both ends is the one of all."""
        outcome = self._outcome(tried, treatments[0])
        if outcome == self._outcome(tried, treatments[-1]):
            return [outcome] * len(treatments)
        return [self._outcome(tried, each) for each in treatments]

    def _nights(self, milestone: Milestone, meant: Sequence[datetime]) -> Iterator[Period | None]:
        """The quiet hours that each of these instants falls into, where they are anything to it."""
        if milestone.quiet is QuietPolicy.IGNORE:
            yield from (None for _ in meant)
            return
        nights = quiet_periods(self.zone, self.quiet, min(meant), max(meant))
        starts = [start for start, _ in nights]
        for instant in meant:
            last = nights[bisect_right(starts, instant) - 1] if nights else None
            yield last if last and last[0] <= instant < last[1] else None

    def _outcome(self, tried: "_Tried", treatment: Treatment) -> Outcome:
        milestone = tried.milestone
        nominal_at, steps = nominal(treatment, milestone, tried.occurrence)
        draft = Draft(
            treatment, milestone, tried.occurrence, None, self._planned_at,
            nominal_at, expiry(treatment, milestone, nominal_at), steps,
        )  # fmt: skip
        apply_rules(draft, self._scene(treatment))
        detail = draft.steps[-1].detail
        by = int(detail.milestone) if isinstance(detail, Ban) else None
        return Outcome(draft.due_at, draft.reason, by)

    def _scene(self, treatment: Treatment) -> Scene:
        standing = (treatment,)
        in_force = bans(standing) if treatment.protocol.milestones else ()
        return Scene(self._chart, self.zone, self._planned_at, standing, in_force, self._channels)


@dataclass(frozen=True)
class _Tried:
    """One occurrence of a milestone with everything else that its outcome can depend on."""

    milestone: Milestone
    occurrence: int
    restrictions: tuple[Milestone, ...]
    course: Course | None

    @property
    def stands_alone(self) -> bool:
        """Whether nothing but quiet hours and its expiry can stop it."""
        return not self.restrictions and self.course is None

    @property
    def turns_once(self) -> bool:
        """Whether one outcome at both ends of a row of minutes is the outcome of all of them.

        The nominal instants of the row are one instant, or lie in one night: then the reminder is
        due at one of two fixed instants. Which one, and whether before its expiry, can only change
        once in the row, because session and expiry go forward with the minutes. An expiry counted
        in days may not, where clocks change.
        """
        lasts = self.milestone.expires or self.milestone.holds
        return not self.restrictions and lasts is not None and lasts.unit != "d"

    def is_same_all_day(self, first: Treatment, last: Treatment) -> bool:
        """Whether that holds for the whole day, because it is meant for one instant.

        At a time of the calendar, nominal is the later of that and the session: the same at both
        ends, it is the same between them.
        """
        milestone = self.milestone
        if isinstance(milestone.timing, Elapsed) or self.restrictions:
            return False
        if milestone.expires is None and not milestone.is_pre_care:
            return False
        at_first, at_last = (nominal(each, milestone, self.occurrence)[0] for each in (first, last))
        return at_first == at_last


_IT = frozenset({"it"})
_SOME_TIME = Duration(1, "d")


def _nameless(milestone: Milestone, name: str = "") -> Milestone:
    """The milestone without what no outcome depends on."""
    kind, holds, expires = milestone.kind, milestone.holds, milestone.expires
    if kind not in (Kind.RELEASE, Kind.ROUTINE, Kind.COURSE, Kind.RESTRICTION):
        kind = Kind.INFORM
    elif kind is Kind.RESTRICTION and not name:
        kind, holds = Kind.INFORM, None if expires else holds
    if milestone.quiet is QuietPolicy.IGNORE and not name:
        holds, expires = None, _SOME_TIME  # whatever it is, the file leaves time to be sent
    return Milestone(
        name, kind, _IT, milestone.timing, "", holds, expires, milestone.quiet, milestone.channels
    )


def _protocol(milestones: tuple[Milestone, ...] = (), course: Course | None = None) -> CareProtocol:
    return CareProtocol("", "", 1, milestones, course=course)
