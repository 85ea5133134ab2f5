"""What is looked at again at the instant of sending."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from reminderd.model import Channel, Chart, Milestone, SessionState
from reminderd.plan import put_off_until, still_true
from tests.core.build import (
    at,
    chart,
    check_in,
    clinic,
    inform,
    local,
    patient,
    protocol,
    release,
    remembered,
    restriction,
    routine,
    row,
    session,
    with_session,
)

T = at("2026-03-10 14:30")
BRUISING = inform(day=1)
NIGHT, DAY = at("2026-03-11 03:00"), at("2026-03-11 10:00")


def planned(rule: Milestone = BRUISING, **facts: object) -> Chart:
    return remembered(chart(session(T), protocol(rule), **facts), T)


def may_leave(chart: Chart, now: datetime = DAY) -> bool:
    return still_true(chart, chart.reminders[0], now)


def test_what_was_planned_and_is_still_so_may_leave() -> None:
    assert may_leave(planned())


@pytest.mark.parametrize(
    "changed",
    [
        {"paused": True},
        {"consent": "email"},
        {"phone": None},
        {"bad_addresses": frozenset({Channel.SMS})},
    ],
    ids=["paused", "no consent", "no address", "wrong address"],
)
def test_a_fact_about_the_patient_may_have_changed(changed: dict[str, object]) -> None:
    assert not may_leave(replace(planned(), patient=patient(**changed)))


@pytest.mark.parametrize("state", [SessionState.CANCELLED, SessionState.NO_SHOW])
def test_nothing_leaves_for_a_session_that_was_called_off(state: SessionState) -> None:
    assert not may_leave(with_session(planned(), state=state))


def test_nothing_leaves_for_a_session_that_is_gone_or_on_no_channel() -> None:
    assert not may_leave(replace(planned(), sessions=()))
    chart = planned(patient=patient(consent=""))
    assert not may_leave(chart)


def test_nothing_unsigned_leaves_the_machine() -> None:
    leaving = clinic(leaving=[Channel.SMS])
    assert not may_leave(replace(planned(), clinic=leaving))
    assert may_leave(replace(planned(), clinic=leaving, approved=frozenset({1})))


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (release(after="12h", quiet="ignore"), False),
        (routine("bath", "shower"), False),
        (check_in(after="12h"), True),
        (inform(after="12h"), True),
    ],
    ids=["release", "routine", "check", "inform"],
)
def test_what_a_new_session_forbids_is_not_said(rule: Milestone, expected: bool) -> None:
    before = planned(rule)
    both = replace(
        before,
        sessions=(*before.sessions, session(T + timedelta(hours=15), id=2)),
        protocols={**before.protocols, 2: protocol(restriction(holds="12h"))},
    )
    assert may_leave(both, T + timedelta(hours=20)) is expected
    assert may_leave(both, T + timedelta(hours=27))
    assert may_leave(both, T + timedelta(hours=14))


def test_what_may_not_leave_is_planned_otherwise() -> None:
    """Or sending would look at it again and again."""
    for facts in ({"paused": True}, {"consent": ""}, {"phone": None}):
        changed = replace(planned(), patient=patient(**facts))
        assert row(changed, "bruising", DAY) != changed.reminders[0]


# Quiet hours -----------------------------------------------------------------------------------


def put_off(quiet: str, now: datetime, **facts: object) -> str | None:
    chart = planned(inform(after="1h", quiet=quiet, expires="48h"), **facts)
    return local(put_off_until(chart, chart.reminders[0], now))


@pytest.mark.parametrize("quiet", ["defer", "advance", "drop", "ignore"])
def test_by_day_nothing_is_put_off(quiet: str) -> None:
    assert put_off(quiet, DAY) is None
    assert put_off(quiet, at("2026-03-11 08:00")) is None


@pytest.mark.parametrize("quiet", ["defer", "advance"])
def test_what_is_overdue_in_the_night_waits_for_the_morning(quiet: str) -> None:
    assert put_off(quiet, NIGHT) == "2026-03-11 08:00"
    assert put_off(quiet, at("2026-03-10 21:00")) == "2026-03-11 08:00"


def test_what_would_be_dropped_in_the_night_is_put_off_for_good() -> None:
    chart = planned(inform(after="1h", quiet="drop", expires="48h"))
    assert put_off_until(chart, chart.reminders[0], NIGHT) == chart.reminders[0].expires_at


def test_what_ignores_the_night_leaves_in_it() -> None:
    assert put_off("ignore", NIGHT) is None


def test_the_night_is_the_patients() -> None:
    abroad = patient(timezone="Asia/Tokyo")
    assert put_off("defer", DAY, patient=abroad) is None  # six in the evening
    assert put_off("defer", at("2026-03-11 13:00"), patient=abroad) == "2026-03-12 00:00"


def test_what_lost_its_milestone_waits_for_the_morning_too() -> None:
    chart = replace(planned(), protocols={1: protocol()})
    assert local(put_off_until(chart, chart.reminders[0], NIGHT)) == "2026-03-11 08:00"
