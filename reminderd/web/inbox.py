"""Where what providers tell is written down before they hear that it was."""

import asyncio
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime
from typing import NamedTuple

from reminderd.clock import Clock
from reminderd.errors import TryAgainLater
from reminderd.interfaces import Outbox

Write = Callable[[Outbox, datetime], object]
AT_ONCE = 200


class _Slip(NamedTuple):
    write: Write
    done: "Future[None]"


class Inbox:
    """Writes in a thread that has a connection of its own; what waits together, in one transaction.

    The thread that sends applies it: it looks whenever something was committed.
    """

    def __init__(self, outbox: Outbox, clock: Clock) -> None:
        self._outbox = outbox
        self._clock = clock
        self._waiting: deque[_Slip] = deque()
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="inbox")

    async def keep(self, write: Write) -> None:
        """Return once what `write` wrote is durable; raises TryAgainLater."""
        slip = _Slip(write, Future())
        self._waiting.append(slip)
        self._writer.submit(self._write_waiting)
        await asyncio.wrap_future(slip.done)

    def close(self) -> None:
        """Finish what is being written."""
        self._writer.submit(self._outbox.close).result()
        self._writer.shutdown()

    def _write_waiting(self) -> None:
        slips: list[_Slip] = []
        while self._waiting and len(slips) < AT_ONCE:
            slips.append(self._waiting.popleft())
        if not slips:
            return
        try:
            self._write(slips)
        except Exception as error:
            if isinstance(error, TryAgainLater) or len(slips) == 1:
                _fail(slips, error)
                return
            for each in slips:  # whose fault it was keeps nobody else from being heard
                self._write_alone(each)

    def _write_alone(self, slip: _Slip) -> None:
        try:
            self._write([slip])
        except Exception as error:
            _fail([slip], error)

    def _write(self, slips: list[_Slip]) -> None:
        with self._outbox.transaction():
            for each in slips:
                each.write(self._outbox, self._clock.now())
        for each in slips:
            each.done.set_result(None)


def _fail(slips: list[_Slip], error: Exception) -> None:
    for each in slips:
        each.done.set_exception(error)
