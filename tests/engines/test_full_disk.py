"""The loop on a real disk that is full: nothing leaves or is lost, and it goes on by itself."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from reminderd.engines.embedded import loop
from reminderd.engines.embedded.loop import EmbeddedLoop
from tests.core.build import at
from tests.core.desk import NOTE, Desk
from tests.fakes.small_disk import SmallDisk, small_disk
from tests.waiting import until

MORNING, DUE = "2026-03-10 10:00", "2026-03-10 11:00"


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    with small_disk(tmp_path / "disk") as disk:
        yield disk


@pytest.fixture
def desk(disk: SmallDisk, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    """Three patients to whom a text is due."""
    monkeypatch.setattr(loop, "LOOK_OUT_SECONDS", 0.02)
    monkeypatch.setattr(loop, "TURNS_A_BEAT", 2)
    desk = Desk(disk.folder, at(MORNING))
    desk.protocol(NOTE)
    for _ in range(3):
        desk.treat(desk.patient(), MORNING)
    desk.clock.move_to(at(DUE))
    yield desk
    desk.close()


@contextmanager
def running(desk: Desk) -> Iterator[None]:
    stop = threading.Event()
    beats = EmbeddedLoop(desk.outbox, [desk.dispatch()], desk.clock, lambda: desk.now)
    thread = threading.Thread(target=beats.run, args=(stop, lambda: None))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def states(desk: Desk) -> list[str]:
    return [each.state.value for each in desk.reminders()]


def test_sending_stops_while_the_disk_is_full_and_goes_on_by_itself(
    desk: Desk, disk: SmallDisk, caplog: pytest.LogCaptureFixture
) -> None:
    desk.outbox.query("PRAGMA wal_checkpoint(TRUNCATE)")  # no room in the log either
    disk.fill()
    with running(desk):
        until(lambda: "the disk is full" in caplog.text, "a word about the disk")
        assert states(desk) == ["scheduled"] * 3
        assert desk.sms.sent == []
        disk.make_room()
        until(lambda: states(desk) == ["sent"] * 3, "the end of sending")
    assert len(desk.sms.sent) == 3
    assert "it works again" in caplog.text


def test_what_left_as_the_disk_filled_up_is_recorded_and_not_sent_again(
    desk: Desk, disk: SmallDisk, caplog: pytest.LogCaptureFixture
) -> None:
    desk.sms.script(lambda _: disk.fill())
    with running(desk):
        until(lambda: "the disk is full" in caplog.text, "a word about the disk")
        assert len(desk.sms.sent) == 1
        assert states(desk) == ["sending"] * 3
        disk.make_room()
        until(lambda: states(desk) == ["sent"] * 3, "the end of sending")
    assert len({each.id for each in desk.sms.sent}) == len(desk.sms.sent) == 3
