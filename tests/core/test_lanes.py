"""Side by side, at a pace, and each message on the record before it leaves."""

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from reminderd import daemon, lanes
from reminderd.clock import VirtualClock
from reminderd.errors import Temporary
from reminderd.interfaces import NewMessage
from reminderd.model import Channel, Message, Outcome
from reminderd.pace import OwnPace
from tests.core.build import at, local, state
from tests.core.desk import NOTE, Desk, Post, rule

MORNING, DUE = "2026-03-10 10:00", "2026-03-10 11:00"


# Side by side -------------------------------------------------------------------------------------


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
    desk.several(4, MORNING)
    before = desk.reminders()
    desk.sms.script(lambda _: None, lambda _: desk.dispatch().request_stop())
    desk.drain(DUE)
    assert [state(each) for each in desk.reminders()] == ["sent"] * 2 + ["scheduled"] * 2
    assert desk.reminders()[2:] == before[2:]
    assert len(desk.sms.sent) == 2


def test_a_dispatch_that_was_told_to_stop_takes_nothing_more(desk: Desk) -> None:
    desk.several(1, MORNING)
    desk.dispatch().request_stop()
    desk.drain(DUE)
    assert desk.outcomes() == []


def test_never_more_attempts_are_open_than_the_transport_takes_side_by_side(desk: Desk) -> None:
    desk.sms = Post(concurrency=3)
    desk.several(10, MORNING)
    seen: list[int] = []

    def look(_: Message) -> None:
        sql = "SELECT count(*) FROM attempts WHERE outcome = 'marked'"
        seen.append(desk.outbox.query(sql)[0][0])
        desk.outbox.close()

    desk.sms.script(*[look] * 10)
    desk.drain(DUE)
    assert len(seen) == 10
    assert max(seen) == 3
    assert set(desk.outcomes()) == {Outcome.ACCEPTED}


def test_those_who_share_a_transport_hand_over_no_more_at_once_than_it_takes(desk: Desk) -> None:
    serving = {"console": Post(concurrency=5)}
    sharing = [desk.house.dispatch(desk.clock, serving, sharing=2) for _ in range(2)]
    assert [each.lanes["console"].group_size for each in sharing] == [2, 2]


@pytest.mark.parametrize(
    ("concurrency", "max_per_second", "senders"), [(4, None, 2), (1, None, 1), (4, 10.0, 1)]
)
def test_a_worker_of_a_cluster_sends_by_two_threads_where_it_need_not_wait_for_a_provider(
    concurrency: int, max_per_second: float | None, senders: int
) -> None:
    worker: Any = SimpleNamespace(engine=SimpleNamespace(senders=2))
    transport = Post(concurrency=concurrency, max_per_second=max_per_second)
    assert daemon._senders(worker, transport) == senders


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


def test_a_clock_that_steps_in_the_middle_of_a_batch_stops_the_rest_of_it(desk: Desk) -> None:
    desk.sms = Post(concurrency=1)
    desk.several(4, MORNING)
    looks = iter((True, True, False, False))
    desk.time_is_right = lambda: next(looks)
    desk.clock.move_to(at(DUE))
    desk.dispatch().drain(desk.now)
    assert [state(each) for each in desk.reminders()] == ["sent"] * 2 + ["scheduled"] * 2


# The pace -----------------------------------------------------------------------------------------


def test_a_seconds_worth_may_leave_at_once_and_then_no_more_than_the_pace() -> None:
    pace = OwnPace(10)
    assert pace.wait_seconds(10, 0.0) == 0
    assert pace.wait_seconds(10, 0.0) == pytest.approx(1)
    assert pace.wait_seconds(1, 1.0) == pytest.approx(0.1)


def test_a_rest_does_not_save_up_more_than_a_second() -> None:
    pace = OwnPace(10)
    pace.wait_seconds(10, 0.0)
    assert pace.wait_seconds(10, 3600.0) == 0
    assert pace.wait_seconds(1, 3600.0) == pytest.approx(0.1)


def test_less_than_one_a_second_is_a_pace_too() -> None:
    pace = OwnPace(0.5)
    assert pace.wait_seconds(1, 0.0) == 0
    assert pace.wait_seconds(1, 0.0) == pytest.approx(2)


def test_no_more_are_under_way_than_may_leave_in_a_second(desk: Desk) -> None:
    desk.sms = Post(concurrency=16, max_per_second=4)
    desk.several(4, MORNING)
    together = threading.Barrier(4)
    desk.sms.script(*[lambda _: together.wait(5)] * 4)
    desk.drain(DUE)
    assert len(desk.sms.sent) == 4


def test_nothing_is_marked_while_it_waits_for_its_turn(desk: Desk) -> None:
    desk.sms = Post(concurrency=1, max_per_second=20)
    desk.several(22, MORNING)
    open_while_waiting: list[int] = []
    lane = desk.dispatch().lanes["console"]

    def look(_: float) -> bool:
        sql = "SELECT count(*) FROM attempts WHERE outcome = 'marked'"
        open_while_waiting.append(desk.outbox.query(sql)[0][0])
        return False

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lane._stopping, "wait", look)
        patch.setattr(lanes, "time", SimpleNamespace(monotonic=lambda: 0.0))  # none passes
        desk.drain(DUE)
    assert open_while_waiting
    assert set(open_while_waiting) == {0}
    assert len(desk.sms.sent) == 22


# What changes at the last moment ------------------------------------------------------------------

CHANGES: dict[str, Callable[[Desk], object]] = {
    "consent withdrawn": lambda desk: desk.intake.record_consent(
        "pat-1", list(Channel), granted=False, source="said so", now=desk.now
    ),
    "paused": lambda desk: desk.intake.pause("pat-1", desk.now, paused=True),
    "called off": lambda desk: desk.intake.cancel_session("ses-1", desk.now),
    "another number": lambda desk: desk.intake.edit_patient(
        "pat-1", lambda each: replace(each, phone="+34600000099"), desk.now
    ),
    "another time": lambda desk: desk.intake.move_session("ses-1", desk.now, desk.now),
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_is_committed_before_a_message_is_marked_counts(desk: Desk, change: str) -> None:
    desk.treat(desk.patient(), MORNING)

    def after_the_claim() -> bool:
        desk.time_is_right = lambda: True
        CHANGES[change](desk)
        return True

    desk.time_is_right = after_the_claim
    desk.drain(DUE)
    assert desk.email.sent == []
    if change == "another number":
        assert [each.to for each in desk.sms.sent] == ["+34600000099"]
    else:
        assert desk.sms.sent == []
        assert not state(desk.the()).startswith(("sending", "unknown", "failed"))


def test_what_comes_back_goes_by_the_plan_of_now(desk: Desk) -> None:
    desk.treat(desk.patient(), MORNING)

    def moved_meanwhile(_: Message) -> None:
        desk.intake.move_session("ses-1", desk.now + timedelta(days=1), desk.now)
        raise Temporary("not now")

    desk.sms.script(moved_meanwhile)
    desk.drain(DUE)
    assert local(desk.the().due_at) == "2026-03-11 12:00"
    assert state(desk.the()) == "held/unconfirmed"


def test_what_a_crash_puts_back_goes_by_the_plan_of_now(desk: Desk) -> None:
    session = desk.treat(desk.patient(), MORNING)
    reminder = desk.the()
    message = NewMessage(reminder.patient_id or 0, Channel.SMS, "console", (reminder,))
    with desk.outbox.transaction():
        desk.outbox.claim([message], at(DUE))
    desk.intake.move_session(f"ses-{session.id}", at("2026-03-12 10:00"), at(DUE))
    daemon._start(desk.house, VirtualClock(at(DUE)), [])
    assert local(desk.the().due_at) == "2026-03-12 11:00"


def test_staff_may_cancel_what_is_claimed_and_has_not_left(desk: Desk) -> None:
    desk.treat(desk.patient(), MORNING)
    cancelled: list[str] = []

    def after_the_claim() -> bool:
        desk.time_is_right = lambda: True
        (differs,) = desk.intake.cancel_reminder("rem-1", desk.now).chart.reminders
        cancelled.append(state(differs))
        return True

    desk.time_is_right = after_the_claim
    desk.drain(DUE)
    assert [*cancelled, state(desk.the())] == ["cancelled/by-staff"] * 2
    assert (desk.sms.sent, desk.email.sent) == ([], [])


def test_what_staff_have_cancelled_stays_so_where_its_template_fails(desk: Desk) -> None:
    desk.template("note", "{% block line %}{{ nobody.knows }}{% endblock %}")
    desk.treat(desk.patient(), MORNING)

    def after_the_claim() -> bool:
        desk.time_is_right = lambda: True
        desk.intake.cancel_reminder("rem-1", desk.now)
        return True

    desk.time_is_right = after_the_claim
    desk.drain(DUE)
    assert (state(desk.the()), desk.sms.asked) == ("cancelled/by-staff", 0)


def test_a_change_says_what_becomes_of_what_is_claimed(desk: Desk) -> None:
    desk.treat(desk.patient(), MORNING)
    told: list[str] = []

    def after_the_claim() -> bool:
        desk.time_is_right = lambda: True
        told.extend(
            state(each) for each in desk.intake.pause("pat-1", desk.now, paused=True).reminders
        )
        return True

    desk.time_is_right = after_the_claim
    desk.drain(DUE)
    assert told == ["held/paused"]
    assert desk.sms.sent == []
