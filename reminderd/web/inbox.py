"""Where what providers tell is written down before they hear that it was."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

from reminderd.clock import Clock
from reminderd.interfaces import Callback, Outbox


class Inbox:
    """Writes one after the other, in a thread that has a connection of its own.

    The thread that sends applies it: it looks whenever something was committed.
    """

    def __init__(self, outbox: Outbox, clock: Clock) -> None:
        self._outbox = outbox
        self._clock = clock
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="inbox")

    async def keep(self, callback: Callback) -> None:
        """Return once it is durable, or about nothing of ours; raises TryAgainLater."""
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(self._writer, self._write, callback)

    def close(self) -> None:
        """Finish what is being written."""
        self._writer.submit(self._outbox.close).result()
        self._writer.shutdown()

    def _write(self, callback: Callback) -> None:
        with self._outbox.transaction():
            self._outbox.keep_callback(callback, self._clock.now())
