"""A machine whose clock is off sends nothing, and the others go on."""

from datetime import datetime, timedelta

import pytest

from reminderd import holding
from reminderd.clock import boottime_seconds
from reminderd.clock_guard import Reading
from reminderd.engines.distributed.clocks import SharedClock
from reminderd.errors import TryAgainLater
from reminderd.interfaces import Outbox
from reminderd.watch import Watch, refuse_wrong_time
from tests.engines.rows import NOW

AHEAD = "the clock of this machine is 7 s ahead of the database's"


class Clocks:
    """A wall clock that can be set, and one that nobody can set."""

    def __init__(self) -> None:
        self.wall, self.ran = NOW, 1000.0

    def now(self) -> datetime:
        return self.wall

    def seconds(self) -> float:
        return self.ran

    def pass_by(self, **span: float) -> None:
        self.wall += timedelta(**span)
        self.ran += timedelta(**span).total_seconds()

    def reading(self) -> Reading:
        return Reading(self.wall, self.ran)


@pytest.fixture
def clocks() -> Clocks:
    return Clocks()


@pytest.fixture
def shared(clocks: Clocks) -> SharedClock:
    """The database has just said that it is the same time there."""
    shared = SharedClock()
    shared.measured(NOW, clocks.ran, clocks.ran)
    return shared


@pytest.mark.parametrize(
    ("seconds", "why"),
    [
        (4.9, ""),
        (-4.9, ""),
        (7, AHEAD),
        (-3600, "the clock of this machine is 3600 s behind the database's"),
    ],
)
def test_more_than_five_seconds_are_wrong(
    clocks: Clocks, shared: SharedClock, seconds: float, why: str
) -> None:
    clocks.wall += timedelta(seconds=seconds)
    assert shared.wrong(clocks.reading()) == why
    clocks.pass_by(hours=3)
    assert shared.wrong(clocks.reading()) == why


def test_an_answer_that_was_slow_to_come_says_less(clocks: Clocks, shared: SharedClock) -> None:
    asked = clocks.ran
    clocks.pass_by(seconds=8)
    shared.measured(NOW, asked, clocks.ran)
    assert shared.wrong(clocks.reading()) == ""
    shared.measured(NOW - timedelta(seconds=14), asked, clocks.ran)
    assert "14 s ahead" in shared.wrong(clocks.reading())


def test_it_is_told_when_it_begins_and_when_it_is_over(
    clocks: Clocks, shared: SharedClock, caplog: pytest.LogCaptureFixture
) -> None:
    for step in (7, 0, -7, 0):
        clocks.wall += timedelta(seconds=step)
        shared.wrong(clocks.reading())
    said = [each.getMessage() for each in caplog.records]
    assert said == [
        f"this worker sends nothing: {AHEAD}",
        "the clock agrees with the database's again: sending goes on",
    ]


def test_nobody_starts_by_a_wrong_clock(clocks: Clocks) -> None:
    ran = boottime_seconds()
    shared = SharedClock()
    shared.measured(NOW, ran, ran + 60)
    refuse_wrong_time(shared, clocks)
    refuse_wrong_time(None, clocks)
    clocks.wall += timedelta(hours=1)
    with pytest.raises(TryAgainLater, match="ahead of the database's"):
        refuse_wrong_time(shared, clocks)
    refuse_wrong_time(None, clocks)


def test_before_the_database_was_asked_nobody_knows_better(clocks: Clocks) -> None:
    assert SharedClock().wrong(clocks.reading()) == ""


def test_one_machine_s_clock_holds_nobody_but_itself(
    clocks: Clocks, shared: SharedClock, outbox: Outbox
) -> None:
    watch = Watch(outbox, clocks, 10, clocks.seconds, shared)
    assert (watch.now(), watch.trouble()) == (NOW, "")
    clocks.wall += timedelta(seconds=7)
    assert (watch.now(), watch.time_is_right(), watch.trouble()) == (None, False, AHEAD)
    assert holding.held(outbox) == []
    clocks.wall -= timedelta(seconds=7)  # the machine has asked for the time
    assert (watch.now(), watch.trouble()) == (NOW, "")
