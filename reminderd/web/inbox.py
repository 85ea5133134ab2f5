"""Where what providers tell is written down before they hear that it was."""

import asyncio
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from typing import NamedTuple

from reminderd.clock import Clock
from reminderd.errors import TryAgainLater
from reminderd.interfaces import Outbox

Write = Callable[[Outbox, datetime], object]
AT_ONCE = 200
PATIENCE_SECONDS = 10.0  # whoever calls is cut off after 15, and is to hear an answer


class _Slip(NamedTuple):
    write: Write
    done: "asyncio.Future[None]"


class Inbox:
    """Writes in a thread that has a connection of its own; what waits together, in one transaction.

    The thread that sends applies it: it looks whenever something was committed.
    """

    def __init__(self, outbox: Outbox, clock: Clock) -> None:
        self._outbox = outbox
        self._clock = clock
        self._waiting: deque[_Slip] = deque()
        self._is_told = False  # that something waits
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="inbox")

    async def keep(self, write: Write) -> None:
        """Return once what `write` wrote is durable; raises TryAgainLater."""
        loop = asyncio.get_running_loop()
        slip = _Slip(write, loop.create_future())
        self._waiting.append(slip)
        if not self._is_told:
            self._is_told = True
            self._writer.submit(self._write_waiting, loop)
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                await slip.done
        except TimeoutError as error:
            raise TryAgainLater(f"the database took more than {PATIENCE_SECONDS:g} s") from error

    def close(self) -> None:
        """Finish what is being written."""
        self._writer.submit(self._outbox.close).result()
        self._writer.shutdown()

    def _write_waiting(self, loop: asyncio.AbstractEventLoop) -> None:
        self._is_told = False  # before it looks: what comes later is told anew
        while self._waiting:
            slips: list[_Slip] = []
            while self._waiting and len(slips) < AT_ONCE:
                slips.append(self._waiting.popleft())
            errors = self._written(slips)
            # To all of them at once: to wake the other thread costs as much as to write one down.
            loop.call_soon_threadsafe(_tell, slips, errors)

    def _written(self, slips: list[_Slip]) -> list[Exception | None]:
        """What kept each from being written, if anything."""
        try:
            self._write(slips)
        except Exception as error:
            if isinstance(error, TryAgainLater) or len(slips) == 1:
                return [error] * len(slips)
            # Whose fault it was keeps nobody else from being heard.
            return [each for slip in slips for each in self._written([slip])]
        return [None] * len(slips)

    def _write(self, slips: list[_Slip]) -> None:
        with self._outbox.beside():
            for each in slips:
                each.write(self._outbox, self._clock.now())


def _tell(slips: list[_Slip], errors: list[Exception | None]) -> None:
    for slip, error in zip(slips, errors, strict=True):
        if slip.done.done():
            continue  # nobody waits any more
        if error is None:
            slip.done.set_result(None)
        else:
            slip.done.set_exception(error)
