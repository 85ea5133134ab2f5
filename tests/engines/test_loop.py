"""What the loop promises to whoever watches over it."""

import threading
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path

import pytest

from reminderd.engines.embedded import loop
from reminderd.engines.embedded.loop import EmbeddedLoop
from reminderd.errors import TryAgainLater
from tests.core.answered import RED_FLAG, VERA, keeps
from tests.core.build import at
from tests.core.desk import Desk
from tests.waiting import PATIENCE


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path, at("2026-03-10 10:00"))
    yield desk
    desk.close()


def held() -> datetime | None:
    return None


def nothing_can_be_recorded() -> datetime | None:
    raise TryAgainLater("the disk is full")


@pytest.mark.parametrize("send_at", [held, nothing_can_be_recorded])
def test_it_shows_life_also_while_nothing_may_leave(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, send_at: Callable[[], datetime | None]
) -> None:
    monkeypatch.setattr(loop, "LOOK_OUT_SECONDS", 0.01)
    monkeypatch.setattr(loop, "TURNS_A_BEAT", 2)
    signs = threading.Semaphore(0)
    dispatch = desk.house.dispatch(desk.clock, {}, alive=signs.release)
    stop = threading.Event()
    beats = EmbeddedLoop(desk.outbox, [dispatch], desk.clock, send_at)
    thread = threading.Thread(target=beats.run, args=(stop, lambda: None))
    thread.start()
    seen = [signs.acquire(timeout=PATIENCE) for _ in range(3)]
    stop.set()
    thread.join()
    assert all(seen)


def test_whoever_writes_of_a_red_flag_while_sending_is_held_is_answered(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "LOOK_OUT_SECONDS", 0.01)
    keeps(desk, RED_FLAG)
    dispatch = desk.house.dispatch(desk.clock, {"console": desk.sms})
    stop = threading.Event()
    desk.sms.script(lambda _: stop.set())
    beats = EmbeddedLoop(desk.outbox, [dispatch], desk.clock, held)
    too_late = threading.Timer(PATIENCE, stop.set)
    too_late.start()
    beats.run(stop, lambda: None)
    too_late.cancel()
    assert [each.to for each in desk.sms.sent] == [VERA]
