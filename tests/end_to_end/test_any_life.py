"""Whatever happens to a patient, in whatever order: what left is right, and what is not is seen."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reminderd.corrections import HARDLY
from reminderd.errors import Refused
from reminderd.hours import local_date
from reminderd.model import Adjustment, Channel, Chart, Duration, Kind, Reminder, State
from reminderd.plan import no_longer_true
from reminderd.timing import ban_on, bans, treatments
from tests.core.build import local
from tests.end_to_end.life import PROTOCOLS, Life

ZONES = [None, "America/New_York", "Australia/Lord_Howe", "Pacific/Pago_Pago", "Asia/Kolkata"]
STARTS = ["2026-03-10 09:00", "2026-03-27 16:00", "2026-10-23 07:30", "2026-11-01 23:10"]
Event = tuple[str, Any, Any]
SMS, EMAIL = Channel.SMS, Channel.EMAIL

hours = st.integers(-200, 300) | st.integers(-3, 3)
numbers = st.integers(1, 3)
events = st.one_of(
    st.tuples(st.just("add"), st.sampled_from(PROTOCOLS), hours),
    st.tuples(st.just("move"), numbers, hours),
    st.tuples(st.just("nudge"), numbers, st.integers(-20, 20)),
    st.tuples(st.just("done"), numbers, st.integers(-40, 0)),
    st.tuples(st.just("call off"), numbers, st.booleans()),
    st.tuples(st.just("hold"), numbers, st.sampled_from(["12h", "72h", "5d"])),
    st.tuples(st.just("turn off"), numbers, st.booleans()),
    st.tuples(st.just("zone"), st.sampled_from(ZONES), st.none()),
    st.tuples(st.just("clinic"), st.sampled_from(["main", "second"]), st.none()),
    st.tuples(st.just("pause"), st.booleans(), st.none()),
    st.tuples(st.just("consent"), st.sampled_from([SMS, EMAIL]), st.booleans()),
    st.tuples(st.just("order"), st.sampled_from([(SMS, EMAIL), (EMAIL, SMS), (SMS,)]), st.none()),
    st.tuples(st.just("language"), st.sampled_from(["es", "ar", "de"]), st.none()),
)
steps = st.lists(st.tuples(st.integers(0, 60), events), min_size=1, max_size=8)


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    return (tmp_path_factory.mktemp("life") for _ in count())


@settings(
    max_examples=40, deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)  # fmt: skip
@given(st.sampled_from(STARTS), st.sampled_from(PROTOCOLS), hours, steps)
def test_whatever_happens_the_plan_stays_right(
    folders: Iterator[Path],
    start: str,
    protocol: str,
    ahead: int,
    happened: list[tuple[int, Event]],
) -> None:
    life = Life(next(folders), start)
    try:
        happens(life, ("add", protocol, ahead))
        for wait, event in happened:
            life.until(life.now + timedelta(hours=wait))
            happens(life, event)
            what_is_false_is_seen(life)
        life.until(life.now + timedelta(days=200))
        assert not any(each.state is State.SCHEDULED for each in life.chart.reminders)
        assert life.untrue() == {}
    finally:
        life.close()


def happens(life: Life, event: Event) -> None:
    """One change at the desk, with its preview; what the desk refuses changes nothing."""
    before = life.chart
    try:
        enter(life, *event)
    except Refused:
        assert life.chart == before


def enter(life: Life, what: str, one: Any, other: Any) -> None:
    intake, name = life.house.intake, f"ses-{one}"
    of_a_session = what in ("move", "nudge", "done", "call off", "hold", "turn off")
    if of_a_session and not any(each.id == one and each.stands for each in life.chart.sessions):
        return
    match what:
        case "add" if len(life.chart.sessions) < 3:
            life.book(str(one), from_now(life, other))
        case "move":
            life.move(from_now(life, other), one)
        case "nudge":
            session = intake.session(name)
            to = local(session.at + timedelta(minutes=other), life.zone)
            life.move(to or "", one)
        case "done":
            life.done(one, from_now(life, other))
        case "call off":
            life.call_off(one, no_show=other)
        case "hold" | "turn off":
            adjust(life, name, other)
        case "zone":
            life.edit(timezone=one)
        case "clinic":
            life.edit(clinic=one)
        case "pause":
            life.edit(paused=one)
        case "consent":
            life.consent(one, granted=other)
        case "order":
            life.edit(channels=one)
        case "language":
            life.edit(language=one)


def from_now(life: Life, hours: int) -> str:
    return local(life.now + timedelta(hours=hours), life.zone) or ""


def adjust(life: Life, name: str, how: object) -> None:
    session = life.house.intake.session(name)
    rules = life.chart.protocols[session.id].milestones
    rule = next(each for each in rules if each.kind is Kind.RESTRICTION and not each.is_pre_care)
    holds = Duration.parse(how) if isinstance(how, str) else None
    decision = Adjustment("Ana", "swollen", off=how is True, holds=holds)
    if holds or how is True:
        life.change(lambda: life.house.intake.adjust_session(name, rule.id, decision, life.now))


# Judged by what the texts spoke of as they left ---------------------------------------------------


def what_is_false_is_seen(life: Life) -> None:
    """A restriction that ends otherwise than it said is flagged, and nothing that is as it said."""
    chart, now = life.chart, life.now
    flagged = {each.reminder.id for each in no_longer_true(chart, now)}
    in_force = bans(treatments(chart))
    for each in chart.reminders:
        if each.state is not State.SENT:
            continue
        if each.kind is Kind.RELEASE:
            ban = ban_on(in_force, each.topics, now)
            assert ban is not None or each.id not in flagged, each
        elif each.kind is Kind.RESTRICTION:
            said, own = life.end_spoken_of(each), end_today(chart, each)
            if said == own:
                assert each.id not in flagged, each
            elif misleads(chart, each, said, own, now) and not said_by_another(life, each, own):
                assert each.id in flagged, each
    assert not flagged or life.correction()


def end_today(chart: Chart, reminder: Reminder) -> datetime | None:
    bans_now = bans(treatments(chart))
    return next((b.end for b in bans_now if (b.session_id, b.milestone) == reminder.key[:2]), None)


def misleads(
    chart: Chart, reminder: Reminder, said: datetime, own: datetime | None, now: datetime
) -> bool:
    """Whether the patient can still go wrong by what was said, and by more than some minutes."""
    milestone = chart.protocols[reminder.session_id].milestone(reminder.milestone)
    if milestone.is_pre_care:
        return (own or said) > now and said != own
    if max(said, own or said) <= now:
        return False
    long = milestone.holds.unit == "d" and milestone.holds.amount >= 7
    if own is not None and long:
        return local_date(chart.timezone, said) != local_date(chart.timezone, own)
    return own is None or abs(said - own) >= HARDLY


def said_by_another(life: Life, reminder: Reminder, own: datetime | None) -> bool:
    """Whether another session forbids the same, so that the patient does right by that."""
    said = life.end_spoken_of(reminder)
    others = [each for each in bans(treatments(life.chart)) if each.topics >= reminder.topics]
    if own is not None and own > said:
        others = [each for each in others if each.end >= own]
    return any(
        (each.session_id, each.milestone) != reminder.key[:2] and each.end > life.now
        for each in others
    )
