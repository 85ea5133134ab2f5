"""Where nothing can be recorded nothing is sent; what was sent is recorded once there is room.

The file may not grow (`max_page_count`): SQLite then says the same as on a full disk. A real
one is in `tests/engines/test_full_disk.py`.
"""

import logging
from collections.abc import Callable

import pytest

from reminderd.dispatch import Dispatch
from reminderd.engines.health import Health
from reminderd.errors import CredentialsRefused, TryAgainLater
from reminderd.lanes import Means
from reminderd.model import Message
from reminderd.resting import resting
from tests.core.build import at
from tests.core.desk import Desk

MORNING, DUE = "2026-03-10 10:00", "2026-03-10 11:00"
LONG = "x" * 20_000  # an id or a text that needs pages of its own


def several(desk: Desk, count: int) -> None:
    desk.several(count, MORNING)
    desk.clock.move_to(at(DUE))


def room(desk: Desk, *, more: bool) -> None:
    """Whether the file may grow."""
    execute = desk.outbox.connection.execute
    pages = execute("PRAGMA page_count").fetchone()[0]
    execute(f"PRAGMA max_page_count = {1_000_000 if more else pages}").fetchone()


def sender(desk: Desk, alive: Callable[[], None] = lambda: None) -> Dispatch:
    house = desk.house
    means = Means(desk.outbox, house.practice, house.renderer, desk.clock, lambda: 0.0, alive=alive)
    return Dispatch(means, {"console": desk.sms, "file": desk.email})


def fills_the_disk(desk: Desk) -> Callable[[Message], object]:
    """Accepted, and in that very moment there is no room any more."""
    return lambda message: room(desk, more=False)


def accepts_with_long_ids(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    send = desk.sms.send
    monkeypatch.setattr(desk.sms, "send", lambda message: f"{send(message)}-{LONG}")


def states(desk: Desk) -> set[str]:
    return {each.state.value for each in desk.reminders()}


def test_nothing_is_sent_without_a_claim_on_the_disk(desk: Desk) -> None:
    several(desk, 300)
    room(desk, more=False)
    with pytest.raises(TryAgainLater, match="disk is full"):
        desk.drain()
    assert desk.sms.sent == []
    assert states(desk) == {"scheduled"}
    room(desk, more=True)
    desk.drain()
    assert len(desk.sms.sent) == len({each.id for each in desk.sms.sent}) == 300


def test_nothing_is_sent_without_a_mark_on_the_disk(desk: Desk) -> None:
    desk.template("note", "{% block sms %}" + LONG + "{% endblock %}")
    several(desk, 3)
    dispatch = sender(desk, alive=lambda: room(desk, more=False))
    with pytest.raises(TryAgainLater, match="disk is full"):
        dispatch.drain(desk.now)
    assert desk.sms.sent == []
    assert states(desk) == {"sending"}
    room(desk, more=True)
    desk.dispatch().inherit(dispatch)
    dispatch.close()
    desk.drain()
    assert len(desk.sms.sent) == 3
    assert states(desk) == {"sent"}


def test_what_left_while_the_disk_filled_up_is_recorded_later_and_sent_once(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    several(desk, 3)
    accepts_with_long_ids(desk, monkeypatch)
    desk.sms.script(fills_the_disk(desk))
    for _ in range(3):
        with pytest.raises(TryAgainLater):
            desk.drain()
        assert len(desk.sms.sent) == 1
        assert states(desk) == {"sending"}
    room(desk, more=True)
    desk.drain()
    assert len(desk.sms.sent) == len({each.id for each in desk.sms.sent}) == 3
    assert states(desk) == {"sent"}
    assert [each.attempts for each in desk.reminders()] == [1, 1, 1]


def test_who_takes_over_after_a_reload_records_what_left_before(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    several(desk, 2)
    accepts_with_long_ids(desk, monkeypatch)
    desk.sms.script(fills_the_disk(desk))
    with pytest.raises(TryAgainLater):
        desk.drain()
    successor = sender(desk)
    successor.inherit(desk.dispatch())
    desk.dispatch().close()
    assert "not recorded" not in caplog.text
    room(desk, more=True)
    while successor.drain(desk.now).more:
        pass
    successor.close()
    assert len(desk.sms.sent) == 2
    assert states(desk) == {"sent"}


def test_a_process_that_has_to_stop_says_what_it_could_not_record_and_the_next_doubts_it(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    several(desk, 2)
    accepts_with_long_ids(desk, monkeypatch)
    desk.sms.script(fills_the_disk(desk))
    with pytest.raises(TryAgainLater):
        desk.drain()
    desk.dispatch().close()
    assert "rem-1: accepted provider-msg-1" in caplog.text
    assert "not recorded: in doubt at the next start" in caplog.text
    assert "rem-2" not in caplog.text
    room(desk, more=True)
    with desk.outbox.transaction():
        assert desk.outbox.recover(desk.now) == ([2], 1)
    assert [each.state.value for each in desk.reminders()] == ["sending", "scheduled"]


def test_a_transport_rests_at_once_and_that_is_recorded_later(desk: Desk) -> None:
    several(desk, 2)
    why = f"they do not know us {LONG}"

    def refuses(message: Message) -> object:
        room(desk, more=False)
        raise CredentialsRefused(why)

    desk.sms.script(refuses)
    with pytest.raises(TryAgainLater):
        desk.drain()
    assert desk.dispatch().lanes["console"].circuit.rests_until is not None
    room(desk, more=True)
    desk.drain()
    assert [each.why for each in resting(desk.outbox, ["console"], desk.now)] == [why]
    assert desk.sms.sent == []
    assert states(desk) == {"scheduled"}


def test_trouble_that_lasts_is_told_now_and_then_and_its_end_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.WARNING)
    health = Health()
    for _ in range(40):
        health.unwell("0", "the disk is full")
    health.well("0")
    health.well("0")
    said = [each.message for each in caplog.records]
    assert said == ["the next beat tries again: the disk is full"] * 2 + ["it works again"]
