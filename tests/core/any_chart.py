"""Charts of any kind, to draw from: any zone, any protocol, any number of sessions.

Every strategy is put together once: that takes longer than to draw from it.
"""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from functools import partial
from importlib import resources
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from reminderd.model import (
    CareProtocol,
    Channel,
    Chart,
    Course,
    CourseLead,
    Duration,
    Elapsed,
    Kind,
    Milestone,
    OnDays,
    Patient,
    QuietHours,
    QuietPolicy,
    Session,
    SessionState,
)
from tests.core.build import adjusted, chart, clinic, patient, protocol, session

ZONES = sorted(resources.files("tzdata").joinpath("zones").read_text("utf-8").split())
times = st.builds(time, st.integers(0, 23), st.integers(0, 59))
instants = st.datetimes(datetime(1990, 1, 1), datetime(2037, 12, 31), timezones=st.just(UTC))
topics = st.sets(st.sampled_from(["shower", "heat", "touch", "sun"]), min_size=1, max_size=3)
durations = st.one_of(
    st.builds(Duration, st.integers(1, 5000), st.just("m")),
    st.builds(Duration, st.integers(1, 96), st.just("h")),
    st.builds(Duration, st.integers(1, 30), st.just("d")),
)
quiet_hours = st.one_of(
    st.just(QuietHours(time(21), time(8))), st.builds(QuietHours, start=times, end=times)
)
days_before = st.tuples(st.integers(-5, -1), st.integers(-5, -1)).map(sorted)
days_from = st.tuples(st.integers(0, 20), st.integers(0, 4)).map(lambda each: [each[0], sum(each)])
on_days = st.builds(lambda days, at: OnDays(*days, at), days_before | days_from, times)
timings = st.integers(-4000, 8000).map(lambda each: Elapsed(timedelta(minutes=each))) | on_days


def milestones(kind: Kind) -> st.SearchStrategy[Milestone]:
    """Of that kind, and not numbered yet."""
    restricts = kind is Kind.RESTRICTION
    return st.builds(
        Milestone,
        id=st.just(""),
        kind=st.just(kind),
        topics=topics.map(
            lambda about: frozenset(sorted(about)[:1] if kind is Kind.RELEASE else about)
        ),
        timing=st.builds(CourseLead, st.integers(-9, 9), times) if kind is Kind.COURSE else timings,
        template=st.sampled_from(["ice", "sun"]),
        holds=durations if restricts else st.none(),
        expires=st.none() | durations if restricts else durations,
        quiet=st.sampled_from(QuietPolicy),
        channels=st.sampled_from([None, (Channel.SMS,), (Channel.EMAIL,)]),
        only_for=st.sampled_from([frozenset(), frozenset(), frozenset({"face"})]),
    )


def numbered(rules: list[Milestone]) -> list[Milestone]:
    return [replace(each, id=f"m{number}") for number, each in enumerate(rules)]


protocols = st.builds(
    lambda rules, intervals, maximum: protocol(
        *numbered(rules), course=Course(tuple(intervals), None, maximum)
    ),
    st.lists(st.one_of(*map(milestones, Kind)), min_size=1, max_size=5),
    st.lists(st.builds(Duration, st.integers(1, 30), st.just("d")), min_size=1, max_size=4),
    st.none() | st.just(2),
)
adjustments = st.dictionaries(
    st.sampled_from(["m0", "m1"]),
    st.sampled_from([adjusted(off=True), adjusted(holds="72h"), adjusted(at="23:30")]),
)
visits = st.fixed_dictionaries(
    {
        "after": st.integers(0, 6000).map(lambda each: timedelta(minutes=each)),
        "protocol": st.sampled_from(["care", "other"]),
        "before": st.integers(0, 3).map(lambda each: timedelta(days=each)),
        "state": st.sampled_from(SessionState),
        "tags": st.sampled_from([frozenset(), frozenset({"face"})]),
        "adjustments": adjustments,
        "withheld_by": st.sampled_from([None, None, 7]),
    }
)


def session_of(
    number: int, start: datetime, *, after: timedelta, before: timedelta, **facts: Any
) -> Session:
    """A visit, so long after `start`, and recorded before it."""
    return session(start + after, id=number, recorded_at=start - before, **facts)


def chart_of(
    start: datetime,
    booked: list[dict[str, Any]],
    care: tuple[CareProtocol, CareProtocol],
    who: Patient,
    quiet: QuietHours,
) -> Chart:
    all_sessions = [session_of(number, start, **each) for number, each in enumerate(booked, 1)]
    names = dict(zip(("care", "other"), care, strict=True))
    return chart(
        all_sessions, {each.id: names[each.protocol] for each in all_sessions},
        patient=who, clinic=replace(clinic(), quiet_hours=quiet),
    )  # fmt: skip


patients = st.builds(
    patient,
    channels=st.sampled_from(["sms email", "email sms", "sms"]),
    consent=st.sampled_from(["sms email", "sms email", "email"]),
    timezone=st.sampled_from(ZONES),
    paused=st.sampled_from([False, False, True]),
)
charts = st.builds(
    chart_of,
    instants,
    st.lists(visits, min_size=1, max_size=3),
    st.tuples(protocols, protocols),
    patients,
    quiet_hours,
)


def nows(of: Chart) -> st.SearchStrategy[datetime]:
    """Instants around the sessions, before and after."""
    first = min(each.at for each in of.sessions)
    return st.integers(-10_000, 40_000).map(lambda each: first + timedelta(minutes=each))


charts_and_nows = charts.flatmap(lambda each: st.tuples(st.just(each), nows(each)))
examples = partial(settings, deadline=None, suppress_health_check=[HealthCheck.too_slow])
