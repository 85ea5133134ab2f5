"""What holds for every plan: any zone, any night, any protocol, any number of sessions."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reminderd.explain import sentences
from reminderd.hours import quiet_period, zone
from reminderd.model import Chart, Clinic, Kind, QuietPolicy, Reason, Reminder, State
from reminderd.plan import changes, plan, sort_key, still_true
from reminderd.rules import REASSURING
from reminderd.timing import bans, treatments
from tests.core.any_chart import ZONES, charts_and_nows, examples, session_of, visits
from tests.core.build import (
    chart,
    clinic,
    inform,
    protocol,
    release,
    remembered,
    restriction,
    rows,
    session,
)

FUTURE = frozenset({State.SCHEDULED, State.HELD})


def policy(of: Chart, reminder: Reminder) -> QuietPolicy:
    found = of.protocols[reminder.session_id].milestone(reminder.milestone)
    assert found is not None
    return found.quiet


@examples(max_examples=200)
@given(charts_and_nows)
def test_whatever_is_planned_keeps_the_promises_about_its_instants(
    case: tuple[Chart, datetime],
) -> None:
    of, now = case
    for each in rows(of, now):
        if each.state not in FUTURE:
            continue
        assert each.due_at is not None
        assert each.channel is not None
        assert each.due_at < each.expires_at
        quiet = quiet_period(of.timezone, of.clinic.quiet_hours, each.due_at)
        assert quiet is None or policy(of, each) is QuietPolicy.IGNORE
        if each.kind is Kind.RELEASE:
            assert each.due_at >= each.nominal_at


@examples(max_examples=100)
@given(charts_and_nows)
def test_aftercare_is_never_before_its_treatment_and_pre_care_never_after_it(
    case: tuple[Chart, datetime],
) -> None:
    of, now = case
    treated_at = {each.id: each.at for each in of.sessions}
    for each in rows(of, now):
        milestone = of.protocols[each.session_id].milestone(each.milestone)
        assert milestone is not None
        if milestone.is_pre_care:
            assert each.expires_at <= treated_at[each.session_id]
        else:
            assert (each.due_at or each.nominal_at) >= treated_at[each.session_id]


@examples(max_examples=100)
@given(charts_and_nows)
def test_nothing_forbidden_is_said(case: tuple[Chart, datetime]) -> None:
    of, now = case
    in_force = bans(treatments(of))
    for each in rows(of, now):
        if each.state in FUTURE and each.kind in (Kind.RELEASE, Kind.ROUTINE):
            said_at = max(each.due_at or now, now)
            assert not any(ban.forbids(each.topics, said_at) for ban in in_force)


@examples(max_examples=150)
@given(charts_and_nows)
def test_while_a_red_flag_is_open_what_would_reassure_waits_and_nothing_else_changes(
    case: tuple[Chart, datetime],
) -> None:
    of, now = case
    withheld = {each.id for each in of.sessions if each.withheld_by is not None}
    free = replace(of, sessions=tuple(replace(each, withheld_by=None) for each in of.sessions))
    without = {each.key: each for each in rows(free, now)}
    for each in rows(of, now):
        if each.kind not in REASSURING:
            assert each == without[each.key]
        elif each.session_id in withheld:
            assert each.state is not State.SCHEDULED
            if without[each.key].state is State.SCHEDULED:
                assert (each.state, each.reason) == (State.HELD, Reason.PAUSED)
                assert not still_true(of, without[each.key], each.due_at or now)


@examples(max_examples=100)
@given(charts_and_nows, st.randoms(use_true_random=False))
def test_the_order_of_the_sessions_and_of_the_rows_does_not_matter(
    case: tuple[Chart, datetime], random: Random
) -> None:
    of, now = case
    of = remembered(of, now)
    shuffled, stored = list(of.sessions), list(of.reminders)
    random.shuffle(shuffled)
    random.shuffle(stored)
    other = replace(of, sessions=tuple(shuffled), reminders=tuple(stored))
    assert plan(other, now) == plan(of, now) == plan(of, now)


@examples(max_examples=150)
@given(charts_and_nows)
def test_planning_again_at_once_changes_nothing(case: tuple[Chart, datetime]) -> None:
    of, now = case
    stored = remembered(of, now)
    assert changes(stored, now) == []
    assert list(stored.reminders) == sorted(stored.reminders, key=sort_key)


@examples(max_examples=150)
@given(charts_and_nows, st.data())
def test_whatever_happens_later_what_left_stays_and_a_second_look_changes_nothing(
    case: tuple[Chart, datetime], data: st.DataObject
) -> None:
    of, now = case
    before = remembered(of, now)
    left = frozenset(data.draw(st.sets(st.sampled_from(range(30)))))
    done = tuple(
        each._replace(state=State.SENT, reason=None, sent_at=now, needs_staff=False)
        if place in left
        else each
        for place, each in enumerate(before.reminders)
    )
    moved = tuple(
        session_of(number, each.at, **data.draw(visits))
        for number, each in enumerate(of.sessions, 1)
    )
    later = now + timedelta(minutes=data.draw(st.integers(0, 9000)))
    care = {each.id: of.protocols[old.id] for each, old in zip(moved, of.sessions, strict=True)}
    after = replace(before, sessions=moved, reminders=done, protocols=care)
    planned = {each.id: each for each in rows(after, later) if each.id is not None}
    assert planned.keys() == {each.id for each in before.reminders}
    for each in done:
        if each.state is State.SENT:
            after_all = planned[each.id]
            assert after_all._replace(needs_staff=False) == each  # its words may be false by now
    assert changes(remembered(after, later), later) == []


@examples(max_examples=60)
@given(charts_and_nows, st.integers(0, 9000))
def test_every_reminder_can_be_explained(case: tuple[Chart, datetime], minutes: int) -> None:
    of, now = case
    later = remembered(of, now)
    for each in [*plan(of, now), *plan(later, now + timedelta(minutes=minutes))]:
        told = sentences(each, of)
        assert len(told) >= 2
        assert not [text for text in told if "{" in text or "None" in text]


# Every zone, by the quarter of an hour ------------------------------------------------------------


def clock_changes(zone_name: str, year: int) -> Iterator[datetime]:
    """The instants, to the hour, at which the zone's offset changes in that year."""
    hour = datetime(year, 1, 1, tzinfo=UTC)
    offset = hour.astimezone(zone(zone_name)).utcoffset()
    while hour.year == year:
        step = timedelta(days=1) if same_tomorrow(zone_name, hour) else timedelta(hours=1)
        hour += step
        after = hour.astimezone(zone(zone_name)).utcoffset()
        if after != offset:
            yield hour
        offset = after


def same_tomorrow(zone_name: str, hour: datetime) -> bool:
    tz = zone(zone_name)
    tomorrow = (hour + timedelta(days=1)).astimezone(tz)
    return tomorrow.utcoffset() == hour.astimezone(tz).utcoffset()


NIGHTS = ("21:00-08:00", "00:00-06:30", "02:30-03:15", "23:45-01:15", "03:15-02:30")
QUARTERS = tuple(
    inform(f"quarter-{minutes}", after=f"{minutes}m", expires="48h", quiet=quiet)
    for minutes, quiet in zip(range(0, 1800, 15), ["defer", "advance", "drop"] * 40, strict=True)
)
CARE = protocol(restriction(holds="12h", quiet="ignore"), release(quiet="defer"), *QUARTERS)


@pytest.mark.parametrize("initial", sorted({each[0] for each in ZONES}))
def test_around_every_clock_change_of_2026_nothing_is_due_in_the_night(initial: str) -> None:
    for zone_name in ZONES:
        if zone_name.startswith(initial):
            for change in clock_changes(zone_name, 2026):
                for night in NIGHTS:
                    assert_nothing_is_due_in_the_night(change, clinic(night, zone_name))


def assert_nothing_is_due_in_the_night(change: datetime, where: Clinic) -> None:
    planned = rows(chart(session(change - timedelta(hours=15)), CARE, clinic=where))
    assert len(planned) == len(CARE.milestones)
    for each in planned:
        if each.milestone != "no-shower" and each.due_at is not None:
            assert quiet_period(where.timezone, where.quiet_hours, each.due_at) is None, each
