"""When a transport rests, what that burns, and what goes on meanwhile."""

from datetime import timedelta

import pytest

from reminderd.errors import (
    AtCapacity,
    CredentialsRefused,
    InDoubt,
    Rejected,
    SenderRefused,
    Temporary,
    TransportError,
)
from reminderd.model import State
from reminderd.resting import Rest, resting
from tests.core.build import at, state
from tests.core.desk import NOTE, Desk, rule

MORNING, DUE = "2026-03-10 10:00", "2026-03-10 11:00"


@pytest.mark.parametrize("error", [Temporary, InDoubt])
def test_many_failures_in_a_row_rest_the_transport_instead_of_using_up_everybody(
    desk: Desk, error: type[TransportError]
) -> None:
    desk.several(12, MORNING)
    desk.sms.script(*(error("down") for _ in range(12)))
    desk.drain(DUE)
    assert desk.sms.asked == 5
    assert [each.state for each in desk.reminders()].count(State.SCHEDULED) >= 7
    assert desk.dispatch().next_wake_at(desk.now) == desk.now + timedelta(seconds=30)


def test_many_refusals_in_a_row_rest_the_transport_instead_of_failing_everybody(
    desk: Desk,
) -> None:
    desk.several(12, MORNING)
    desk.sms.script(*(Rejected("?", code="99999") for _ in range(12)))
    desk.drain(DUE)
    assert [each.state for each in desk.reminders()].count(State.SCHEDULED) >= 7


@pytest.mark.parametrize("wish", [None, timedelta(seconds=6), timedelta(minutes=7)])
def test_a_provider_without_room_rests_the_transport_and_burns_nothing(
    desk: Desk, wish: timedelta | None
) -> None:
    desk.several(3, MORNING)
    wake_at = at(DUE)
    for pause in (wish or timedelta(seconds=30), wish or timedelta(minutes=1)):
        desk.sms.script(AtCapacity("too many at once", code="20429", retry_after=wish))
        desk.drain(wake_at)
        assert {(state(each), each.attempts) for each in desk.reminders()} == {("scheduled", 0)}
        wake_at = desk.now + pause
        assert desk.dispatch().next_wake_at(desk.now) == wake_at
        (rests,) = resting(desk.outbox, ["console", "file"], desk.now)
        assert rests == Rest("console", wake_at, "too many at once")
    desk.drain(wake_at)
    assert {state(each) for each in desk.reminders()} == {"sent"}


@pytest.mark.parametrize("error", [CredentialsRefused("who are you"), SenderRefused("not yours")])
def test_a_refused_account_or_sender_rests_the_transport_and_burns_nothing(
    desk: Desk, error: TransportError
) -> None:
    desk.several(3, MORNING)
    desk.sms.script(error)
    desk.clock.move_to(at(DUE))
    desk.dispatch().drain(desk.now)
    assert desk.sms.asked == 1
    assert {(state(each), each.attempts) for each in desk.reminders()} == {("scheduled", 0)}
    wake_at = desk.dispatch().next_wake_at(desk.now)
    assert wake_at == desk.now + timedelta(minutes=5)
    told = Rest("console", wake_at, str(error), needs_staff=True)
    assert resting(desk.outbox, ["console", "file"], desk.now) == [told]
    desk.drain(wake_at)
    assert {state(each) for each in desk.reminders()} == {"sent"}
    assert resting(desk.outbox, ["console", "file"], desk.now) == []


def test_a_transport_that_rests_does_not_stop_the_other(desk: Desk) -> None:
    desk.protocol(NOTE, rule("letter", after="2h", channels=["email"]))
    desk.several(2, MORNING)
    desk.sms.script(CredentialsRefused("who are you"))
    desk.drain(DUE)
    desk.later(minutes=2)
    assert len(desk.email.sent) == 0
    desk.drain("2026-03-10 12:00")
    assert len(desk.email.sent) == 2


def test_what_waits_for_a_resting_transport_leaves_no_trace_of_tries(desk: Desk) -> None:
    desk.protocol(NOTE, rule("letter", after="61m", channels=["email"]))
    desk.treat(desk.patient(), MORNING)
    desk.sms.script(CredentialsRefused("who are you"))
    desk.drain(DUE)
    desk.later(minutes=1)
    assert len(desk.email.sent) == 1
    assert desk.outcomes(desk.the().id or 0) == ["credentials"]
