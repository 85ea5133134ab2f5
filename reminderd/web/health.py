"""Whether reminders can leave: a few plain reasons where they cannot, none where all is well."""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TypeVar

from reminderd.clock import Clock
from reminderd.errors import ReminderdError
from reminderd.holding import held
from reminderd.interfaces import Outbox
from reminderd.model import Channel
from reminderd.pulse import Pulse
from reminderd.resting import Rest, resting

OLDEST_BEAT_SECONDS = 60.0
OVERDUE = timedelta(minutes=5)
PATIENCE_SECONDS = 5.0

Answer = TypeVar("Answer")
Routes = Mapping[tuple[str, Channel], str]


class Health:
    """Asks the database in a thread of its own; `routes` are the transports in use.

    `trouble` tells why this process sends nothing though others may.
    """

    def __init__(
        self,
        outbox: Outbox,
        clock: Clock,
        pulse: Pulse,
        routes: Routes,
        trouble: Callable[[], str],
    ) -> None:
        self.outbox = outbox
        self.clock = clock
        self.pulse = pulse
        self._routes = routes
        self._trouble = trouble
        self._asker = ThreadPoolExecutor(1, thread_name_prefix="health")

    async def ask(self, question: Callable[[], Answer]) -> Answer:
        """The answer, found in that thread; raises TimeoutError where that takes too long."""
        asked = asyncio.get_running_loop().run_in_executor(self._asker, question)
        return await asyncio.wait_for(asked, PATIENCE_SECONDS)

    async def reasons(self) -> list[str]:
        """Why it is not ready; empty where it is."""
        try:
            return [*self._silence(), *self._own(), *await self.ask(self._troubles)]
        except TimeoutError:
            return [*self._silence(), f"the database took more than {PATIENCE_SECONDS:.0f} s"]
        except ReminderdError as error:
            return [*self._silence(), f"the database cannot be used: {error.message}"]

    def resting(self) -> list[Rest]:
        """The transports that rest now."""
        return resting(self.outbox, self._routes.values(), self.clock.now())

    def close(self) -> None:
        """Finish what is being asked."""
        self._asker.submit(self.outbox.close).result()
        self._asker.shutdown()

    def _silence(self) -> Iterator[str]:
        age = self.pulse.age_seconds()
        if age is None:
            yield "nobody has looked yet for what is due"
        elif age > OLDEST_BEAT_SECONDS:
            yield f"the last look for what is due was {age:.0f} s ago"

    def _own(self) -> Iterator[str]:
        if trouble := self._trouble():
            yield f"nothing is sent from here: {trouble}"

    def _troubles(self) -> list[str]:
        with self.outbox.beside():  # waits for its turn to write, as everybody does
            found = [f"nothing is sent: {each.why}" for each in held(self.outbox)]
            return found or list(self._overdue())

    def _overdue(self) -> Iterator[str]:
        """What could leave, and has not."""
        now, idle = self.clock.now(), {each.transport for each in self.resting()}
        without = [route for route, transport in self._routes.items() if transport in idle]
        due = self.outbox.next_due(without)
        if due is not None and due < now - OVERDUE:
            yield f"something that could leave is {(now - due).total_seconds() // 60:.0f} min late"
