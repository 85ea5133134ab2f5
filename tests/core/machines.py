"""A clinic with several machines that send from one database, each with a house of its own."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from functools import cached_property
from itertools import count
from pathlib import Path
from typing import Any

from reminderd import bootstrap
from reminderd.bootstrap import House
from reminderd.clock import VirtualClock
from reminderd.dispatch import Dispatch
from reminderd.interfaces import Outbox, Transport
from reminderd.lanes import Means
from reminderd.settings import Settings
from tests.configuration import configuration
from tests.core.build import at
from tests.core.desk import NOTE, Desk, Post, rule

NOW = "2026-03-10 08:00"
CHECK = rule("check-in", kind="check", after="2h")


class Machine:
    """One of them: what it sends by, and what sends."""

    def __init__(self, house: House, clock: VirtualClock, sms: Transport, email: Transport) -> None:
        self.house, self.clock = house, clock
        self.outbox: Any = house.outbox
        self.sms: Any = sms
        self.email: Any = email
        self._serving = {"console": sms, "file": email}

    @cached_property
    def dispatch(self) -> Dispatch:
        house = self.house
        means = Means(
            house.outbox, house.practice, house.renderer, self.clock, lambda: 0.0,
            decide=house.decide,
        )  # fmt: skip
        return Dispatch(means, self._serving)

    def drain(self) -> None:
        """Send whatever is due."""
        while self.dispatch.drain(self.clock.now()).more:
            pass

    def first(
        self, act: Callable[[], object], *, before: str = "transaction", after: int = 0
    ) -> None:
        """The next time that this one begins such a unit of work, another has just been there; or
        so many units after that."""
        begin, turns = getattr(self.outbox, before), count()

        def begun() -> object:
            if next(turns) == after:
                act()
            return begin()

        setattr(self.outbox, before, begun)

    def close(self) -> None:
        if "dispatch" in self.__dict__:
            self.dispatch.close()


class Clinic:
    """Two machines, and a desk on the same database; `open_outbox` opens that once more."""

    def __init__(self, folder: Path, on: str | None) -> None:
        self._opened = ExitStack()
        self._on = on
        self.desk = Desk(folder, at(NOW), config=configuration())
        self.desk.protocol(NOTE, CHECK)
        self.desk.__dict__["house"] = self.opened(self.desk.settings, "desk")

    def machine(self, sms: Transport | None = None, email: Transport | None = None) -> Machine:
        """One more of them."""
        house = self.opened(self.desk.settings, "machine")
        # Turns are for peace: here nobody keeps to them, and nothing must depend on that.
        house.outbox.__dict__["turn"] = lambda *_: nullcontext(True)
        machine = Machine(house, self.desk.clock, sms or Post(), email or Post())
        self._opened.callback(machine.close)
        return machine

    def opened(self, settings: Settings, name: str) -> House:
        engine = bootstrap.engine(settings)
        if self._on is None:
            outbox: Outbox = engine.open(durable=False)
            self._opened.callback(outbox.close)
        else:
            outbox = self._joined(self._on, name)
        return bootstrap.house_on(settings, engine, outbox)

    def _joined(self, url: str, name: str) -> Outbox:
        from reminderd.engines.distributed.outbox import DistributedOutbox

        outbox = DistributedOutbox(url)
        self._opened.callback(outbox.close_all)
        self._opened.enter_context(outbox.on_duty(name))
        return outbox

    def close(self) -> None:
        self._opened.close()


@contextmanager
def clinic_on(folder: Path, url: str | None) -> Iterator[Clinic]:
    """With its database in a file, or on that server."""
    clinic = Clinic(folder, url)
    try:
        yield clinic
    finally:
        clinic.close()
