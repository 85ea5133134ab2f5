"""What the process is told from outside, by signals."""

import signal
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from queue import SimpleQueue
from types import FrameType
from typing import Protocol


class Flag(Protocol):
    def set(self) -> None: ...


@contextmanager
def raising(flags: Mapping[signal.Signals, Flag]) -> Iterator[None]:
    """Signals set flags, and a loop acts on them; only the main thread can listen.

    A handler runs in the middle of whatever the main thread does, which may hold the very lock that
    a flag takes: it only drops a note, and another thread sets the flag.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    arrived: SimpleQueue[int | None] = SimpleQueue()

    def drop_note(number: int, _: FrameType | None) -> None:
        arrived.put(number)

    def raise_flags() -> None:
        while (number := arrived.get()) is not None:
            flags[signal.Signals(number)].set()

    listener = threading.Thread(target=raise_flags, name="signals", daemon=True)
    listener.start()
    before = {each: signal.signal(each, drop_note) for each in flags}
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
        arrived.put(None)
        listener.join()
