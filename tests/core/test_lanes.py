"""What becomes of a message when the provider does not simply take it."""

import threading
from datetime import timedelta

import pytest

from reminderd.errors import (
    AtCapacity,
    CredentialsRefused,
    InDoubt,
    OptedOut,
    Rejected,
    SenderRefused,
    Temporary,
    TransportError,
    WrongAddress,
)
from reminderd.model import Channel, Message, Outcome, State
from reminderd.pace import Pace
from reminderd.resting import Rest, resting
from tests.core.build import at, local, state
from tests.core.desk import NOTE, Desk, Post, rule

MORNING, DUE = "2026-03-10 10:00", "2026-03-10 11:00"


def outcomes(desk: Desk, reminder: int = 1) -> list[str]:
    return [each.outcome.value for each in desk.outbox.attempts(reminder)]


def several(desk: Desk, count: int) -> None:
    for _ in range(count):
        desk.treat(desk.patient(), MORNING)


# Temporary ----------------------------------------------------------------------------------------


def test_a_temporary_error_is_tried_again_after_pauses_that_grow_until_it_is_accepted(
    desk: Desk,
) -> None:
    desk.treat(desk.patient(), MORNING)
    desk.sms.script(*(Temporary("not now") for _ in range(3)))
    desk.drain(DUE)
    pauses = []
    while state(desk.the()) == "scheduled":
        wake_at = desk.dispatch().next_wake_at(desk.now)
        assert wake_at is not None
        pauses.append((wake_at - desk.now).total_seconds())
        desk.drain(wake_at)
    assert pauses == [30, 60, 120]
    assert (state(desk.the()), desk.the().attempts) == ("sent", 4)
    assert outcomes(desk) == ["temporary"] * 3 + ["accepted"]


def test_what_never_gets_through_expires_as_late_and_is_not_tried_after_that(desk: Desk) -> None:
    desk.protocol(rule("note", after="1h", expires="8h"))
    desk.treat(desk.patient(), MORNING)
    desk.sms.script(*(Temporary("not now") for _ in range(100)))
    desk.drain(DUE)
    expires_at = desk.the().expires_at
    while (wake_at := desk.dispatch().next_wake_at(desk.now)) is not None:
        assert desk.now < expires_at
        desk.drain(wake_at)
    assert state(desk.the()) == "expired/late"
    assert desk.email.asked == 0


def test_the_night_counts_for_a_new_try_too(desk: Desk) -> None:
    desk.protocol(rule("note", after="10h", expires="20h"))
    desk.treat(desk.patient(), MORNING)
    desk.sms.script(Temporary("not now", retry_after=timedelta(hours=2)))
    desk.drain("2026-03-10 20:00")
    desk.drain("2026-03-10 22:00")
    assert local(desk.the().wake_at) == "2026-03-11 08:00"
    desk.drain("2026-03-11 08:00")
    assert state(desk.the()) == "sent"


def test_the_providers_own_wish_is_the_least_pause(desk: Desk) -> None:
    desk.treat(desk.patient(), MORNING)
    desk.sms.script(Temporary("slow down", retry_after=timedelta(minutes=7)))
    desk.drain(DUE)
    assert desk.dispatch().next_wake_at(desk.now) == desk.now + timedelta(minutes=7)
    desk.later(minutes=6, seconds=59)
    assert desk.sms.asked == 1
    desk.later(seconds=1)
    assert state(desk.the()) == "sent"


@pytest.mark.parametrize("error", [Temporary, InDoubt])
def test_many_failures_in_a_row_rest_the_transport_instead_of_using_up_everybody(
    desk: Desk, error: type[TransportError]
) -> None:
    several(desk, 12)
    desk.sms.script(*(error("down") for _ in range(12)))
    desk.drain(DUE)
    assert desk.sms.asked == 5
    assert [each.state for each in desk.reminders()].count(State.SCHEDULED) >= 7
    assert desk.dispatch().next_wake_at(desk.now) == desk.now + timedelta(seconds=30)


# The address, or the person -----------------------------------------------------------------------

REFUSALS = pytest.mark.parametrize("error", [WrongAddress, OptedOut])


@REFUSALS
def test_what_the_phone_cannot_get_goes_by_mail_at_once(
    desk: Desk, error: type[TransportError]
) -> None:
    desk.treat(desk.patient(), MORNING)
    desk.sms.script(error("no", code="30005"))
    desk.drain(DUE)
    assert (state(desk.the()), desk.the().channel, desk.the().attempts) == ("sent", "email", 2)
    assert [each.to for each in desk.email.sent] == ["vera@example.org"]
    assert [(each.channel, each.code) for each in desk.outbox.attempts(1)] == [
        ("sms", "30005"),
        ("email", None),
    ]
    patient = desk.intake.patient("pat-1")
    if error is WrongAddress:
        assert patient.bad_addresses == {Channel.SMS}
        assert patient.consents(Channel.SMS)
    else:
        assert patient.consent[Channel.SMS].source == "console 30005"
        assert not patient.consents(Channel.SMS)
        assert not patient.bad_addresses


@REFUSALS
def test_where_there_is_no_other_way_it_has_failed_and_staff_see_it(
    desk: Desk, error: type[TransportError]
) -> None:
    desk.protocol(NOTE, rule("later", after="3h"))
    desk.treat(desk.patient(channels="sms"), MORNING)
    desk.sms.script(error("no"))
    desk.drain(DUE)
    assert state(desk.the()) == "failed/rejected"
    assert (desk.the().channel, desk.the().wake_at) == ("sms", None)
    assert [each.milestone for each in desk.reminders(needs_staff=True)] == ["note"]
    assert state(desk.the("later")) in ("skipped/no-address", "skipped/no-consent")


@REFUSALS
def test_a_milestone_for_texts_alone_does_not_go_by_mail(
    desk: Desk, error: type[TransportError]
) -> None:
    desk.protocol(rule("note", after="1h", channels=["sms"]))
    desk.treat(desk.patient(), MORNING)
    desk.sms.script(error("no"))
    desk.drain(DUE)
    assert (state(desk.the()), desk.email.asked) == ("failed/rejected", 0)


@REFUSALS
def test_there_is_no_second_way_once_it_is_too_late(
    desk: Desk, error: type[TransportError]
) -> None:
    desk.treat(desk.patient(), MORNING)

    def slow(_: Message) -> None:
        desk.clock.move(timedelta(hours=13))
        raise error("no")

    desk.sms.script(slow)
    desk.drain(DUE)
    assert (state(desk.the()), desk.email.asked) == ("expired/late", 0)


# The text, or who we are --------------------------------------------------------------------------


def test_a_refused_message_has_failed_and_is_not_sent_another_way(desk: Desk) -> None:
    desk.treat(desk.patient(), MORNING)
    desk.sms.script(Rejected("no such route", code="21612"))
    desk.drain(DUE)
    desk.later(hours=1)
    assert (state(desk.the()), desk.email.asked, desk.sms.asked) == ("failed/rejected", 0, 1)
    assert len(desk.reminders(needs_staff=True)) == 1


def test_many_refusals_in_a_row_rest_the_transport_instead_of_failing_everybody(
    desk: Desk,
) -> None:
    several(desk, 12)
    desk.sms.script(*(Rejected("?", code="99999") for _ in range(12)))
    desk.drain(DUE)
    assert [each.state for each in desk.reminders()].count(State.SCHEDULED) >= 7


@pytest.mark.parametrize("wish", [None, timedelta(minutes=7)])
def test_a_provider_without_room_rests_the_transport_and_burns_nothing(
    desk: Desk, wish: timedelta | None
) -> None:
    several(desk, 3)
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


# The time -----------------------------------------------------------------------------------------


def test_a_clock_that_steps_in_the_middle_of_a_batch_stops_the_rest_of_it(desk: Desk) -> None:
    desk.sms = Post(concurrency=1)
    several(desk, 4)
    looks = iter((True, True, False, False))
    desk.time_is_right = lambda: next(looks)
    desk.clock.move_to(at(DUE))
    desk.dispatch().drain(desk.now)
    assert [state(each) for each in desk.reminders()] == ["sent"] * 2 + ["scheduled"] * 2


@pytest.mark.parametrize("error", [CredentialsRefused("who are you"), SenderRefused("not yours")])
def test_a_refused_account_or_sender_rests_the_transport_and_burns_nothing(
    desk: Desk, error: TransportError
) -> None:
    several(desk, 3)
    desk.sms.script(error)
    desk.clock.move_to(at(DUE))
    desk.dispatch().drain(desk.now)
    assert desk.sms.asked == 1
    assert {(state(each), each.attempts) for each in desk.reminders()} == {("scheduled", 0)}
    wake_at = desk.dispatch().next_wake_at(desk.now)
    assert wake_at == desk.now + timedelta(minutes=5)
    told = Rest("console", wake_at, str(error))
    assert resting(desk.outbox, ["console", "file"], desk.now) == [told]
    desk.drain(wake_at)
    assert {state(each) for each in desk.reminders()} == {"sent"}
    assert resting(desk.outbox, ["console", "file"], desk.now) == []


# In doubt -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("error", [InDoubt("timeout"), ValueError("boom"), TransportError("?")])
def test_what_may_have_been_accepted_is_unknown_and_never_sent_again_by_itself(
    desk: Desk, error: Exception
) -> None:
    vera = desk.patient()
    desk.treat(vera, MORNING)
    desk.sms.script(error)
    desk.drain(DUE)
    desk.later(hours=1)
    desk.intake.pause(f"pat-{vera.id}", desk.now, paused=False)
    desk.later(days=2)
    assert (state(desk.the()), desk.sms.asked, desk.email.asked) == ("unknown", 1, 0)
    assert outcomes(desk) == ["in-doubt"]
    assert len(desk.reminders(needs_staff=True)) == 1


# Side by side -------------------------------------------------------------------------------------


def test_a_transport_that_rests_does_not_stop_the_other(desk: Desk) -> None:
    desk.protocol(NOTE, rule("letter", after="2h", channels=["email"]))
    several(desk, 2)
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
    assert outcomes(desk, desk.the().id or 0) == ["credentials"]


def test_a_transport_that_hangs_does_not_keep_the_other_from_sending(desk: Desk) -> None:
    desk.protocol(NOTE, rule("letter", after="1h", channels=["email"]))
    desk.treat(desk.patient(), MORNING)
    mailed = threading.Event()
    desk.email.script(lambda _: mailed.set())
    desk.sms.script(lambda _: mailed.wait(10))
    desk.drain(DUE)
    assert mailed.is_set()
    assert desk.states() == {"note": "sent", "letter": "sent"}


def test_stopping_in_the_middle_puts_the_rest_back_as_if_it_had_never_been_taken(
    desk: Desk,
) -> None:
    several(desk, 4)
    before = desk.reminders()
    desk.sms.script(lambda _: None, lambda _: desk.dispatch().request_stop())
    desk.drain(DUE)
    assert [state(each) for each in desk.reminders()] == ["sent"] * 2 + ["scheduled"] * 2
    assert desk.reminders()[2:] == before[2:]
    assert len(desk.sms.sent) == 2


def test_a_dispatch_that_was_told_to_stop_takes_nothing_more(desk: Desk) -> None:
    several(desk, 1)
    desk.dispatch().request_stop()
    desk.drain(DUE)
    assert outcomes(desk) == []


def test_never_more_attempts_are_open_than_the_transport_takes_side_by_side(desk: Desk) -> None:
    desk.sms = Post(concurrency=3)
    several(desk, 10)
    seen: list[int] = []

    def look(_: Message) -> None:
        sql = "SELECT count(*) FROM attempts WHERE outcome = 'marked'"
        seen.append(desk.outbox.query(sql)[0][0])
        desk.outbox.close()

    desk.sms.script(*[look] * 10)
    desk.drain(DUE)
    assert len(seen) == 10
    assert max(seen) == 3
    assert set(outcomes(desk)) == {Outcome.ACCEPTED}


def test_what_leaves_is_on_the_record_before_it_leaves(desk: Desk) -> None:
    desk.treat(desk.patient(), MORNING)
    seen = []
    desk.sms.script(lambda message: seen.append((message.text, desk.outbox.left(1)[0].text)))
    desk.drain(DUE)
    assert seen == [("note for Vera", "note for Vera")]


def test_no_transaction_is_open_while_a_transport_is_called(desk: Desk) -> None:
    desk.treat(desk.patient(), MORNING)

    def enrol_meanwhile(_: Message) -> None:
        thread = threading.Thread(target=lambda: (desk.patient("Paco"), desk.outbox.close()))
        thread.start()
        thread.join(5)
        assert not thread.is_alive()

    desk.sms.script(enrol_meanwhile)
    desk.drain(DUE)
    assert len(desk.outbox.patients()) == 2
    assert state(desk.the()) == "sent"


# The pace -----------------------------------------------------------------------------------------


def test_a_seconds_worth_may_leave_at_once_and_then_no_more_than_the_pace() -> None:
    pace = Pace(10)
    assert pace.wait_seconds(10, 0.0) == 0
    assert pace.wait_seconds(10, 0.0) == pytest.approx(1)
    assert pace.wait_seconds(1, 1.0) == pytest.approx(0.1)


def test_a_rest_does_not_save_up_more_than_a_second() -> None:
    pace = Pace(10)
    pace.wait_seconds(10, 0.0)
    assert pace.wait_seconds(10, 3600.0) == 0
    assert pace.wait_seconds(1, 3600.0) == pytest.approx(0.1)


def test_less_than_one_a_second_is_a_pace_too() -> None:
    pace = Pace(0.5)
    assert pace.wait_seconds(1, 0.0) == 0
    assert pace.wait_seconds(1, 0.0) == pytest.approx(2)


def test_no_more_are_under_way_than_may_leave_in_a_second(desk: Desk) -> None:
    desk.sms = Post(concurrency=16, max_per_second=4)
    several(desk, 4)
    together = threading.Barrier(4)
    desk.sms.script(*[lambda _: together.wait(5)] * 4)
    desk.drain(DUE)
    assert len(desk.sms.sent) == 4


def test_nothing_is_marked_while_it_waits_for_its_turn(desk: Desk) -> None:
    desk.sms = Post(concurrency=1, max_per_second=20)
    several(desk, 22)
    open_while_waiting: list[int] = []
    lane = desk.dispatch().lanes["console"]
    wait = lane._stopping.wait

    def look(seconds: float) -> bool:
        sql = "SELECT count(*) FROM attempts WHERE outcome = 'marked'"
        open_while_waiting.append(desk.outbox.query(sql)[0][0])
        return wait(seconds)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lane._stopping, "wait", look)
        desk.drain(DUE)
    assert open_while_waiting
    assert set(open_while_waiting) == {0}
    assert len(desk.sms.sent) == 22
