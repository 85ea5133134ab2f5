"""What a careful nurse finds in the milestones of a protocol, each by itself and beside others."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from reminderd.examination.every_minute import Outcome, Profile, Trials, forbidding, profiles
from reminderd.findings import Remark, Severity
from reminderd.model import (
    CareProtocol,
    Duration,
    Elapsed,
    Kind,
    Milestone,
    OnDays,
    QuietPolicy,
    Reason,
)

_DAY = timedelta(days=1)

# What is never sent ----------------------------------------------------------------------------


@dataclass(frozen=True)
class _Cause:
    """Why a reminder is never sent; `by` is the restriction that forbids it, if one does."""

    reason: Reason
    by: str | None


Minutes = Mapping[int, Sequence[int]]  # of the day, by occurrence
_Lost = dict[_Cause, dict[Trials, dict[int, list[int]]]]


def never_sent(protocol: CareProtocol, trials: Sequence[Trials]) -> Iterator[Remark]:
    """Milestones that some session times, or all, would never deliver."""
    listed = profiles(protocol)
    for milestone in protocol.milestones:
        having = [each for each in listed if milestone in each.protocol.milestones]
        is_ever_sent = any(_is_sent(each, milestone, trials) for each in having)
        told: set[_Cause] = set()
        for profile in having:
            for cause, lost in _lost(profile, milestone, trials).items():
                if cause not in told:
                    told.add(cause)
                    yield _never_sent(profile, milestone, cause, lost, is_ever_sent)


def _is_sent(profile: Profile, milestone: Milestone, trials: Sequence[Trials]) -> bool:
    return any(
        trial.column(profile.protocol, milestone, occurrence).span
        for trial in trials
        for occurrence in range(1, milestone.occurrences + 1)
    )


def _lost(profile: Profile, milestone: Milestone, trials: Sequence[Trials]) -> _Lost:
    lost: _Lost = {}
    by = [each.id for each in forbidding(profile.protocol, milestone)]
    for trial in trials:
        for occurrence in range(1, milestone.occurrences + 1):
            column = trial.column(profile.protocol, milestone, occurrence)
            if None in column.dues:
                for minute, outcome in enumerate(column.outcomes):
                    if outcome.reason is not None:
                        cause = _Cause(outcome.reason, _named(outcome, by))
                        days = lost.setdefault(cause, {}).setdefault(trial, {})
                        days.setdefault(occurrence, []).append(minute)
    return lost


def _named(outcome: Outcome, by: Sequence[str]) -> str | None:
    return None if outcome.forbidden_by is None else by[outcome.forbidden_by]


def _never_sent(
    profile: Profile,
    milestone: Milestone,
    cause: _Cause,
    lost: Mapping[Trials, Minutes],
    is_ever_sent: bool,
) -> Remark:
    trial = next(iter(lost))
    why, remedy = _why(milestone, cause, trial)
    when, *otherwise = _told_days(milestone, lost)
    if is_ever_sent:
        chosen = cause.reason is Reason.QUIET_HOURS and milestone.quiet is QuietPolicy.DROP
        severity = Severity.HINT if chosen else Severity.WARNING
        what = f"a session{profile.whose} {when} never gets it: {why}"
    else:
        severity = Severity.ERROR
        what = f"no session{profile.whose} ever gets it: {why}"
    if otherwise:
        what = f"{what}; {'; '.join(otherwise)}"
    example = trial.local(next(iter(lost[trial].values()))[0])
    tag = f" --tag {profile.tag}" if profile.tag else ""
    see = f"reminderd plan {profile.protocol.key} --at {example:%Y-%m-%dT%H:%M}{tag}"
    return Remark(severity, milestone.id, what, f"{remedy} See: {see}")


def _why(milestone: Milestone, cause: _Cause, trial: Trials) -> tuple[str, str]:
    """Why it is never sent, and what to do about it."""
    topics = " and ".join(sorted(milestone.topics))
    quiet = f"quiet hours ({trial.quiet})"
    if cause.reason is Reason.SUPERSEDED:
        return (
            f"{cause.by} still forbids {topics} then, and the all-clear is withheld",
            f"Time it with `after`, for when {cause.by} is over.",
        )
    if cause.reason is Reason.CONFLICT:
        return (
            f"{cause.by} forbids {topics} then",
            f"Begin when {cause.by} is over, or name another topic.",
        )
    if cause.reason is Reason.NOT_APPLICABLE:
        return "the course is complete before it", "Raise the most sessions of the course."
    if milestone.quiet is QuietPolicy.DROP:
        return f"it falls into {quiet} and is dropped", 'Should it come later: quiet = "defer".'
    end = "until the treatment" if milestone.is_pre_care else "until it has expired"
    moves = '"ignore"' if milestone.kind is Kind.RELEASE else '"advance" or "ignore"'
    return (
        f"{quiet} put it off {end}",
        f"Choose another time, a longer `expires`, or quiet = {moves}.",
    )


def _told_days(milestone: Milestone, lost: Mapping[Trials, Minutes]) -> list[str]:
    """At which times of an ordinary day, and on which other days at others."""
    told: dict[str, str] = {}
    for trial, minutes in lost.items():
        times = _told_occurrences(milestone, trial, minutes)
        told.setdefault(times, f"{trial.day.told}{times}")
    return list(told.values())


def _told_occurrences(milestone: Milestone, trial: Trials, minutes: Minutes) -> str:
    by_times: dict[str, list[int]] = {}
    for occurrence, lost in minutes.items():
        by_times.setdefault(trial.told(lost), []).append(occurrence)
    if not isinstance(milestone.timing, OnDays) or milestone.occurrences == 1:
        return next(iter(by_times))
    before = milestone.timing.first - 1
    return " and ".join(
        f"{times} (day {_told_numbers([before + each for each in numbers])})"
        for times, numbers in by_times.items()
    )


def _told_numbers(numbers: Sequence[int]) -> str:
    """`1`, `1 to 3`, or number by number where one is left out."""
    if len(numbers) > 1 and numbers[-1] - numbers[0] == len(numbers) - 1:
        return f"{numbers[0]} to {numbers[-1]}"
    return ", ".join(map(str, numbers))


# Restrictions and releases -----------------------------------------------------------------------


def without_counterpart(protocol: CareProtocol) -> Iterator[Remark]:
    """Restrictions that nobody lifts, and all-clears for what nobody forbade."""
    for milestone in protocol.milestones:
        if milestone.kind is Kind.RESTRICTION:
            yield from _never_lifted(protocol, milestone)
        elif milestone.kind is Kind.RELEASE:
            yield from _nothing_to_lift(protocol, milestone)


def _never_lifted(protocol: CareProtocol, restriction: Milestone) -> Iterator[Remark]:
    ends_with_treatment = restriction.holds is not None and restriction.holds.amount == 0
    if ends_with_treatment or restriction.note:
        return
    missing = sorted(
        topic
        for topic in restriction.topics
        if not _has_beside(protocol, restriction, Kind.RELEASE, topic)
    )
    if missing:
        yield Remark(
            Severity.WARNING,
            restriction.id,
            f"nobody tells the patient when it is over: no release for {' and '.join(missing)}",
            "Add a release for each topic, or say in its `note` why none is needed.",
        )


def _nothing_to_lift(protocol: CareProtocol, release: Milestone) -> Iterator[Remark]:
    for topic in release.topics:
        if not _has_beside(protocol, release, Kind.RESTRICTION, topic):
            yield Remark(
                Severity.WARNING,
                release.id,
                f"gives an all-clear for {topic}, which no restriction forbids",
                "Name the topic of the restriction that it ends, or leave it out.",
            )


def told_too_late(protocol: CareProtocol) -> Iterator[Remark]:
    """Restrictions whose own message may leave when they no longer hold."""
    for milestone in protocol.milestones:
        if milestone.holds is None or milestone.expires is None or milestone.is_pre_care:
            continue
        over = _length(milestone.holds)
        soonest, latest = _told_after_treatment(milestone)
        if soonest >= over:
            what = f"is told when it is over: it holds {milestone.holds} from the treatment on"
            remedy = "Tell it earlier, or let it hold longer."
            yield Remark(Severity.ERROR, milestone.id, what, remedy)
        elif latest + _length(milestone.expires) > over:
            what = f"may be told when it is over: it holds {milestone.holds} from the treatment on"
            remedy = "Leave `expires` out: then it is told only while it holds."
            yield Remark(Severity.WARNING, milestone.id, what, remedy)


def _told_after_treatment(milestone: Milestone) -> tuple[timedelta, timedelta]:
    """How long after the treatment it is said, by the time of day of that: soonest and latest."""
    timing = milestone.timing
    if isinstance(timing, Elapsed):
        return timing.offset, timing.offset
    at = timedelta(hours=timing.at.hour, minutes=timing.at.minute)
    first, last = (timing.first, timing.last) if isinstance(timing, OnDays) else (0, 0)
    return max((first - 1) * _DAY + at, timedelta(0)), last * _DAY + at


def _length(duration: Duration) -> timedelta:
    """Of days too, as they are where no clock changes."""
    return duration.amount * _DAY if duration.unit == "d" else duration.elapsed


def _has_beside(protocol: CareProtocol, milestone: Milestone, kind: Kind, topic: str) -> bool:
    """Whether a session that gets this milestone can get one of that kind on the topic too."""
    return any(
        each.kind is kind and topic in each.topics and _meet(each.only_for, milestone.only_for)
        for each in protocol.milestones
    )


def _meet(tags: frozenset[str], others: frozenset[str]) -> bool:
    return not tags or not others or not tags.isdisjoint(others)
