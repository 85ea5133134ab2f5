"""Two who send from one database without the lock that forbids it: every message leaves once."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from reminderd import bootstrap
from reminderd.dispatch import Dispatch
from reminderd.lanes import Means
from reminderd.model import Message
from tests.core.build import at
from tests.core.desk import Desk, Post

MORNING, DUE = "2026-03-10 10:00", "2026-03-10 11:00"


def patients(desk: Desk, count: int) -> None:
    desk.several(count, MORNING)
    desk.clock.move_to(at(DUE))


class Other:
    """Another process: a house of its own on the same database."""

    def __init__(self, desk: Desk) -> None:
        self.sms = Post()
        self.outbox = bootstrap.open_house(desk.settings, durable=False).outbox
        house = desk.house
        means = Means(self.outbox, house.practice, house.renderer, desk.clock, lambda: 0.0)
        self.dispatch = Dispatch(means, {"console": self.sms, "file": Post()})
        self._desk = desk

    def starts(self) -> None:
        """As a daemon does: what is open it takes for what a crash left behind."""
        with self.outbox.transaction():
            self.outbox.recover(self._desk.now)
            self.outbox.give_up({"console", "file"}, self._desk.now)
        self.drains()

    def drains(self) -> None:
        try:
            while self.dispatch.drain(self._desk.now).more:
                pass
        finally:
            self.dispatch.close()
            self.outbox.close()


def recipients(*posts: Post) -> list[str]:
    """Who got a message, by the words that name them."""
    return sorted(message.id.split("-")[1] for post in posts for message in post.sent)


def test_two_who_drain_at_once_send_each_message_once(desk: Desk) -> None:
    patients(desk, 60)
    others = [Other(desk) for _ in range(4)]
    start = threading.Barrier(4)

    def drain(other: Other) -> None:
        start.wait()
        other.drains()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(drain, others))
    ids = recipients(*(each.sms for each in others))
    assert len(ids) == len(set(ids)) == 60
    assert {each.state.value for each in desk.reminders()} == {"sent"}
    assert {each.attempts for each in desk.reminders()} == {1}


def test_who_starts_while_another_sends_takes_over_what_has_not_left(desk: Desk) -> None:
    patients(desk, 3)
    other = Other(desk)
    desk.sms.script(lambda _: other.starts())
    desk.drain()
    names = {message.text for message in [*desk.sms.sent, *other.sms.sent]}
    assert names == {"note for Vera"}
    assert (len(desk.sms.sent), len(other.sms.sent)) == (1, 2)
    assert [each.state.value for each in desk.reminders()] == ["sent"] * 3
    assert [each.attempts for each in desk.reminders()] == [1] * 3


def test_who_is_told_to_stop_puts_back_nothing_that_another_has_sent(desk: Desk) -> None:
    patients(desk, 3)
    other = Other(desk)

    def taken_over_and_stopped(_: Message) -> None:
        other.starts()
        desk.dispatch().request_stop()

    desk.sms.script(taken_over_and_stopped)
    desk.drain()
    assert [each.state.value for each in desk.reminders()] == ["sent"] * 3
    third = Other(desk)
    desk.clock.move_to(desk.now + timedelta(minutes=5))
    third.drains()
    assert third.sms.sent == []
