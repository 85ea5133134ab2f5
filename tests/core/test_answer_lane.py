"""How an automatic answer leaves: once, soon, and whatever becomes of it is known."""

import json
from collections.abc import Callable
from datetime import UTC, timedelta

import pytest

from reminderd.clock import VirtualClock
from reminderd.engines.high_water import hold_restored
from reminderd.errors import (
    AtCapacity,
    ContentRefused,
    CredentialsRefused,
    InDoubt,
    OptedOut,
    Rejected,
    SenderRefused,
    Temporary,
    TransportError,
    TryAgainLater,
    WrongAddress,
)
from reminderd.holding import MOVED, hold, release
from reminderd.model import Channel, Message, Receipt
from reminderd.outbox_values import Callback
from reminderd.rehearsal import house_on_a_copy, play
from reminderd.replies.words import ReplyRules
from reminderd.staff.items import waiting
from reminderd.triage import Triage
from reminderd.words import AnswerState
from tests.core.answered import RED_FLAG, STRANGER, VERA, desk, keeps, passes, state, writes
from tests.core.desk import Desk, rule

__all__ = ["desk"]


def stranded(desk: Desk) -> list[tuple[object, object]]:
    return [(each["id"], each["why"]) for each in waiting(desk.house, desk.now)
            if each["what"] == "answer"]  # fmt: skip


def test_it_leaves_at_once_to_the_number_that_wrote(desk: Desk) -> None:
    writes(desk, RED_FLAG)
    passes(desk, seconds=2)
    desk.drain()
    (message,) = desk.sms.sent
    assert (message.to, message.channel, message.recipient_name) == (VERA, Channel.SMS, "")
    assert message.id == f"ans-1-{desk.outbox.note('installation')}"
    assert message.valid_for == timedelta(hours=12) - timedelta(seconds=2)
    answer = desk.outbox.answer_to(1)
    assert answer is not None
    assert message.attempt == answer.token
    assert answer.state is AnswerState.SENT
    assert answer.text == message.text
    assert (answer.sent_at, answer.tries) == (desk.now, 1)
    assert answer.provider_id == f"provider-{message.id}"
    desk.drain()
    assert desk.sms.asked == 1


def test_the_mark_is_durable_before_the_request(desk: Desk) -> None:
    seen: list[str] = []
    desk.sms.script(lambda _: seen.append(state(desk)))
    writes(desk, RED_FLAG)
    desk.drain()
    assert seen == ["marked"]


def test_sending_is_woken_for_it(desk: Desk) -> None:
    desk.dispatch()
    assert desk.dispatch().next_wake_at(desk.now) is None
    writes(desk, RED_FLAG)
    assert desk.dispatch().next_wake_at(desk.now) == desk.now


@pytest.mark.parametrize("pause", [None, timedelta(minutes=7)])
def test_what_did_not_reach_the_provider_is_tried_again_until_it_is_too_late(
    desk: Desk, pause: timedelta | None
) -> None:
    desk.sms.script(*[Temporary("gone", retry_after=pause) for _ in range(200)])
    writes(desk, RED_FLAG)
    desk.drain()
    again_at = desk.dispatch().next_wake_at(desk.now)
    assert again_at == desk.now + (pause or timedelta(seconds=30))
    tries = 1
    while state(desk) == "waiting":
        desk.drain(desk.dispatch().next_wake_at(desk.now) or desk.now + timedelta(hours=1))
        tries += 1
    assert state(desk) == "expired"
    assert desk.sms.sent == []
    assert stranded(desk) == [("ans-1", "the automatic answer to rep-1: not sent, too late")]


@pytest.mark.parametrize(
    "error",
    [WrongAddress("a"), OptedOut("b"), Rejected("c"), ContentRefused("d")],
    ids=lambda each: type(each).__name__,
)
def test_what_the_provider_refuses_has_failed_and_staff_see_it(
    desk: Desk, error: TransportError
) -> None:
    desk.patient()
    desk.sms.script(error)
    writes(desk, RED_FLAG)
    desk.drain()
    desk.later(hours=2)
    assert desk.sms.asked == 1
    assert state(desk) == "failed"
    assert stranded(desk) == [("ans-1", "the automatic answer to rep-1: failed")]
    with desk.outbox.transaction():
        desk.outbox.reply_done(1, "Ana", desk.now)
    assert stranded(desk) == []


def test_it_keeps_its_random_id_through_every_try(desk: Desk) -> None:
    seen: list[str | None] = []
    desk.sms.script(Temporary("gone"), lambda message: seen.append(message.attempt))
    writes(desk, RED_FLAG)
    desk.drain()
    found = desk.outbox.answer_to(1)
    assert found is not None
    assert found.token
    desk.drain(desk.dispatch().next_wake_at(desk.now) or desk.now)
    assert seen == [found.token]


def test_what_the_provider_speaks_of_during_the_request_has_left_whatever_the_request_says(
    desk: Desk,
) -> None:
    def speaks(message: Message) -> None:
        with desk.outbox.transaction():
            desk.outbox.keep_callback(Callback(message.attempt, "SM7", Receipt.SENT), desk.now)
        raise InDoubt("cut")

    desk.sms.script(speaks)
    writes(desk, RED_FLAG)
    desk.drain()
    found = desk.outbox.answer_to(1)
    assert found is not None
    assert (found.state, found.provider_id, found.receipt) == (AnswerState.SENT, "SM7", "sent")
    assert (found.tries, found.sent_at, found.error) == (1, desk.now, None)
    assert stranded(desk) == []


@pytest.mark.parametrize("error", [InDoubt("cut"), ValueError("a stranger's")])
def test_what_may_have_left_is_never_sent_twice(desk: Desk, error: Exception) -> None:
    desk.sms.script(error)
    writes(desk, RED_FLAG)
    desk.drain()
    desk.later(hours=3)
    assert desk.sms.asked == 1
    assert stranded(desk) == [
        ("ans-1", "the automatic answer to rep-1: in doubt, it may have arrived")
    ]


@pytest.mark.parametrize(
    "error", [CredentialsRefused("who?"), SenderRefused("from?"), AtCapacity("full")]
)
def test_where_nothing_can_leave_it_waits_and_no_try_is_counted(
    desk: Desk, error: TransportError
) -> None:
    desk.sms.script(error)
    writes(desk, RED_FLAG)
    desk.drain()
    assert state(desk) == "waiting"
    desk.drain()
    assert desk.sms.asked == 1
    desk.later(minutes=6)
    answer = desk.outbox.answer_to(1)
    assert answer is not None
    assert (answer.state, answer.tries, len(desk.sms.sent)) == (AnswerState.SENT, 1, 1)


def test_that_a_transport_rests_is_known_to_the_staff_at_once(desk: Desk) -> None:
    desk.sms.script(CredentialsRefused("who?"))
    writes(desk, RED_FLAG)
    desk.drain()
    assert "transport" in [each["what"] for each in waiting(desk.house, desk.now)]


def test_a_red_flag_goes_before_a_question_and_before_reminders(desk: Desk) -> None:
    desk.protocol(rule("note", kind="restriction", after="1h", holds="12h"))
    desk.treat(desk.patient(), "2026-03-10 10:00")
    desk.clock.move(timedelta(hours=1))
    writes(desk, "AYUDA", STRANGER)
    writes(desk, RED_FLAG)
    desk.drain()
    assert [each.to for each in desk.sms.sent] == [VERA, STRANGER, VERA]
    assert "112" in desk.sms.sent[0].text
    assert desk.sms.sent[2].text == "note for Vera"


def test_only_the_transport_that_brought_the_reply_answers_it(desk: Desk) -> None:
    writes(desk, RED_FLAG)
    desk.drain()
    assert (len(desk.sms.sent), len(desk.email.sent)) == (1, 0)


# Holds --------------------------------------------------------------------------------------------


def held(desk: Desk, cause: str) -> None:
    with desk.outbox.transaction():
        hold(desk.outbox, cause, "because", desk.now)


@pytest.mark.parametrize("cause", ["unusual-volume", "clock-stepped", "clock-behind"])
def test_no_doubt_about_the_clock_or_the_volume_keeps_an_answer_back(
    desk: Desk, cause: str
) -> None:
    held(desk, cause)
    keeps(desk, RED_FLAG)
    desk.dispatch()._replies._decide = desk.house.decide
    desk.dispatch().hear(desk.now)
    assert len(desk.sms.sent) == 1


def test_by_a_clock_that_may_be_wrong_only_what_presses_is_decided(desk: Desk) -> None:
    desk.patient()
    keeps(desk, "STOP")
    keeps(desk, RED_FLAG)
    desk.time_is_right = lambda: False
    dispatch, triage = desk.dispatch(), desk.house.decide
    dispatch._replies._decide, dispatch._presses = triage, triage.presses
    dispatch.hear(desk.now)
    assert len(desk.sms.sent) == 1
    assert [each.reply.text for each in desk.outbox.waiting_replies(None, 9)] == ["STOP"]
    desk.time_is_right = lambda: True
    dispatch.hear(desk.now)
    assert desk.outbox.waiting_replies(None, 9) == []


def test_what_nobody_can_read_presses_too(desk: Desk) -> None:
    def broken() -> ReplyRules:
        raise ValueError

    number = keeps(desk, "Hello")
    house = desk.house
    reply = house.outbox.reply(number)
    assert reply is not None
    assert not house.decide.presses(reply)
    assert replace_rules(house.decide, broken).presses(reply)


def replace_rules(triage: Triage, rules: Callable[[], ReplyRules]) -> Triage:
    triage._rules = rules
    return triage


def test_a_database_older_than_it_was_answers_nobody_until_somebody_says_so(desk: Desk) -> None:
    hold_restored(desk.outbox, "put back", None, desk.now, UTC)
    writes(desk, RED_FLAG)
    desk.drain()
    desk.dispatch().hear(desk.now)
    assert desk.sms.asked == 0
    with desk.outbox.transaction():
        release(desk.outbox, None, "Ana", desk.now)
    desk.drain()
    assert len(desk.sms.sent) == 1


def test_a_database_that_was_moved_answers_nobody(desk: Desk) -> None:
    there = {"to": "a server", "at": desk.now.isoformat(), "copy": "a"}
    with desk.outbox.transaction():
        desk.outbox.set_note(MOVED, json.dumps(there))
    writes(desk, RED_FLAG)
    desk.drain()
    desk.dispatch().hear(desk.now)
    assert desk.sms.asked == 0
    with desk.outbox.transaction():
        assert release(desk.outbox, None, "Ana", desk.now) == []
    desk.drain()
    assert desk.sms.asked == 0


# Crashes ------------------------------------------------------------------------------------------


class Unplugged(BaseException):
    """The power fails."""


def test_what_was_marked_at_a_crash_is_in_doubt_and_stays_so(desk: Desk) -> None:
    def unplug(_: Message) -> None:
        raise Unplugged

    desk.sms.script(unplug)
    writes(desk, RED_FLAG)
    with pytest.raises(Unplugged):
        desk.drain()
    desk.reload()
    with desk.outbox.transaction():
        desk.outbox.recover(desk.now)
    desk.drain()
    assert (desk.sms.asked, state(desk)) == (1, "unknown")


def test_what_cannot_be_recorded_now_is_recorded_later_also_by_a_successor(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    writes(desk, RED_FLAG)
    with monkeypatch.context() as broken:
        broken.setattr(desk.outbox, "save_answers", full)
        with pytest.raises(TryAgainLater):
            desk.drain()
        before = desk.dispatch()
        desk._dispatch = None
        desk.dispatch().inherit(before)
        before.close()
    desk.drain()
    assert (desk.sms.asked, state(desk)) == (1, "sent")


def full(*_: object) -> None:
    raise TryAgainLater("the disk is full")


def test_after_a_request_to_stop_nothing_leaves(desk: Desk) -> None:
    writes(desk, RED_FLAG)
    desk.dispatch().request_stop()
    desk.dispatch().hear(desk.now)
    desk.drain()
    assert (desk.sms.asked, state(desk)) == (0, "waiting")


# Rehearsals ---------------------------------------------------------------------------------------


def test_a_simulation_answers_nobody_and_tells_of_no_answer(desk: Desk) -> None:
    writes(desk, "AYUDA", STRANGER)
    keeps(desk, RED_FLAG)
    told: list[object] = []
    with house_on_a_copy(desk.settings, nothing_leaves=True) as house:
        play(house, VirtualClock(desk.now), desk.now + timedelta(days=1), told.append)
    assert told == []
    assert (desk.sms.asked, state(desk), desk.outbox.answer_to(2)) == (0, "waiting", None)
