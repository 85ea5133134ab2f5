"""What a simulation starts from, and what it must not touch."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from reminderd.clock import VirtualClock
from reminderd.interfaces import ReminderFilter
from reminderd.lanes import Delivery
from reminderd.rehearsal import house_on_a_copy, plan_afresh, play
from tests.core.build import at
from tests.core.desk import Desk, rule

MORNING = "2026-03-10 10:00"


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path, at(MORNING))
    desk.protocol(*(rule(f"after-{hours}", after=f"{hours}h") for hours in (1, 2, 3)))
    yield desk
    desk.close()


def simulated(desk: Desk, start: str, until: str) -> list[str]:
    """`after-1 11:00` for each reminder that is told."""
    told: list[Delivery] = []
    with house_on_a_copy(desk.settings, nothing_leaves=True) as house:
        plan_afresh(house, at(start))
        play(house, VirtualClock(at(start)), at(until), told.append)
    return [each.milestone for delivery in told for each in delivery.reminders]


def test_a_booked_session_is_taken_as_done(desk: Desk) -> None:
    desk.book(desk.patient(), "2026-03-12 10:00")
    told = simulated(desk, "2026-03-11 10:00", "2026-03-13 10:00")
    assert told == ["after-1", "after-2", "after-3"]
    assert {each.state for each in desk.reminders()} == {"held"}


def test_what_was_sent_before_it_starts_stays_sent_and_the_rest_is_told_again(desk: Desk) -> None:
    desk.treat(desk.patient(), MORNING)
    desk.drain("2026-03-10 11:00")
    desk.drain("2026-03-10 12:00")
    assert simulated(desk, "2026-03-10 11:30", "2026-03-10 23:00") == ["after-2", "after-3"]


def test_what_staff_called_off_is_not_told(desk: Desk) -> None:
    desk.treat(desk.patient(), MORNING)
    desk.intake.cancel_reminder("rem-2", desk.now)
    assert simulated(desk, MORNING, "2026-03-10 23:00") == ["after-1", "after-3"]


def test_it_ends_before_the_instant_at_which_it_is_to_end(desk: Desk) -> None:
    desk.treat(desk.patient(), MORNING)
    assert simulated(desk, MORNING, "2026-03-10 12:00") == ["after-1"]


def test_the_copy_is_gone_and_the_original_as_it_was(desk: Desk) -> None:
    desk.treat(desk.patient(), MORNING)
    before = desk.reminders()
    with house_on_a_copy(desk.settings, nothing_leaves=True) as house:
        copy = house.outbox.path
        assert copy.stat().st_mode & 0o077 == 0
        plan_afresh(house, desk.now + timedelta(days=9))
        assert house.outbox.count_reminders(ReminderFilter()) == 3
    assert not copy.parent.exists()
    assert desk.reminders() == before
