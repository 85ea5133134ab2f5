"""The daemon with another clock, on a copy of the database: nothing leaves, nothing is changed."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from reminderd.bootstrap import House, engine, open_house
from reminderd.clock import VirtualClock
from reminderd.holding import lift
from reminderd.lanes import Delivery
from reminderd.model import SessionState
from reminderd.settings import Settings
from reminderd.stopped_texts import forget
from reminderd.transports.nowhere import Nowhere


@contextmanager
def house_on_a_copy(settings: Settings, *, nothing_leaves: bool) -> Iterator[House]:
    """Everything wired on a throw-away copy, which is gone afterwards, and where nothing is held.

    `nothing_leaves` plans as if no signature were needed, because nothing leaves the machine.
    """
    with TemporaryDirectory(prefix="reminderd-") as folder:
        copy = Path(folder) / "copy.db"
        engine(settings).copy(copy)
        house = open_house(settings, database=copy, durable=False, nothing_leaves=nothing_leaves)
        try:
            with house.outbox.transaction():
                lift(house.outbox)
                forget(house.outbox)
            yield house
        finally:
            house.outbox.close()


def play(
    house: House, clock: VirtualClock, until: datetime, observe: Callable[[Delivery], None]
) -> None:
    """Let the real loop's drain run from the clock's instant to just before `until`.

    `observe` hears of the messages in order of time, of one instant in order of the patients.
    """
    serving = {name: Nowhere() for name in set(house.practice.routes.values())}
    heard: list[Delivery] = []
    dispatch = house.dispatch(clock, serving, observe=heard.append)
    try:
        while clock.now() < until:
            while dispatch.drain(clock.now()).more:
                pass
            for delivery in sorted(heard, key=_by_patient):
                observe(delivery)
            heard.clear()
            wake_at = dispatch.next_wake_at(clock.now())
            if wake_at is None or wake_at >= until:
                return
            clock.move_to(wake_at)
    finally:
        dispatch.close()


def leaving_now(settings: Settings, now: datetime) -> Counter[str]:
    """How many messages would leave at `now`, by channel, were nothing held."""
    counts: Counter[str] = Counter()

    def count(delivery: Delivery) -> None:
        counts[delivery.message.channel.value] += 1

    with house_on_a_copy(settings, nothing_leaves=False) as house:
        play(house, VirtualClock(now), now + timedelta.resolution, count)
    return counts


def _by_patient(delivery: Delivery) -> tuple[datetime, int, str]:
    return (delivery.at, delivery.chart.patient.id or 0, delivery.message.channel)


def plan_afresh(house: House, start: datetime) -> None:
    """Make the copy what it would be had every session been recorded, and taken place, by `start`.

    What was sent before `start` stays; everything else is planned again.
    """
    outbox = house.outbox
    with outbox.transaction():
        for session in outbox.sessions():
            if session.stands:
                recorded_at = min(session.recorded_at, start)
                outbox.update_session(
                    replace(session, state=SessionState.DONE, recorded_at=recorded_at)
                )
        outbox.forget_after(start)
    ids = [each.id for each in outbox.patients() if each.id is not None]
    house.intake.plan_again(ids, start)
