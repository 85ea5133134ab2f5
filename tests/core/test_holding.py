"""While sending is held nothing leaves, and once it is released what is still valid does."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from reminderd import holding, rehearsal
from tests.core.build import at
from tests.core.desk import NOTE, Desk, rule

MORNING = "2026-03-10 10:00"


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path, at(MORNING))
    desk.protocol(NOTE, rule("soon", after="30m", expires="1h"))
    desk.treat(desk.patient(), MORNING)
    yield desk
    desk.close()


def hold(desk: Desk, cause: str = "clock", why: str = "the clock has jumped") -> bool:
    with desk.outbox.transaction():
        return holding.hold(desk.outbox, cause, why, desk.now)


def release(desk: Desk, cause: str | None = None) -> list[str]:
    with desk.outbox.transaction():
        return [each.cause for each in holding.release(desk.outbox, cause, "Alba", desk.now)]


def test_nothing_leaves_while_it_is_held_and_what_is_too_late_expires(desk: Desk) -> None:
    assert hold(desk)
    desk.drain("2026-03-10 12:00")
    assert desk.sms.sent == []
    assert desk.states() == {"soon": "expired/late", "note": "scheduled"}


def test_whoever_waits_for_the_next_due_instant_is_not_woken_in_vain(desk: Desk) -> None:
    hold(desk)
    desk.drain("2026-03-10 12:00")
    assert desk.dispatch().next_wake_at(desk.now) is None


def test_once_released_it_leaves(desk: Desk) -> None:
    hold(desk)
    desk.drain("2026-03-10 12:00")
    assert release(desk) == ["clock"]
    desk.drain()
    assert [each.text for each in desk.sms.sent] == ["note for Vera"]


def test_a_hold_says_why_and_since_when_and_stays_as_it_was_first_told(desk: Desk) -> None:
    hold(desk)
    since = desk.now
    desk.clock.move_to(at("2026-03-10 13:00"))
    assert not hold(desk, why="it has jumped again")
    assert holding.held(desk.outbox) == [holding.Hold("clock", "the clock has jumped", since)]


def test_two_causes_are_released_each_by_itself(desk: Desk) -> None:
    hold(desk)
    hold(desk, "volume", "5,000 at once")
    assert release(desk, "clock") == ["clock"]
    assert [each.cause for each in holding.held(desk.outbox)] == ["volume"]
    desk.drain("2026-03-10 12:00")
    assert desk.sms.sent == []
    assert release(desk, "clock") == []
    assert release(desk) == ["volume"]


def test_what_would_leave_is_counted_and_stays(desk: Desk) -> None:
    desk.patient("Paco", channels="email", email="paco@example.org")
    hold(desk)
    desk.clock.move_to(at("2026-03-10 11:10"))
    assert rehearsal.leaving_now(desk.settings, desk.now) == {"sms": 1}
    assert holding.held(desk.outbox)
    assert desk.states() == {"soon": "scheduled", "note": "scheduled"}
