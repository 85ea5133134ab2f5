"""Open connections that wait for their next message, each for one caller at a time."""

from collections import deque
from collections.abc import Callable
from time import monotonic
from typing import Generic, TypeVar

Connection = TypeVar("Connection")


class Pool(Generic[Connection]):
    """Keeps idle connections, the freshest on top; what has been idle for `keep` seconds is closed.

    Safe to use from several threads: whoever takes a connection has it alone.
    """

    def __init__(self, close: Callable[[Connection], None], keep: float = 20) -> None:
        self._close = close
        self._keep = keep
        self._idle: deque[tuple[float, Connection]] = deque()

    def take(self) -> Connection | None:
        """The freshest idle connection, or None where a new one has to be opened."""
        while True:
            try:
                since, connection = self._idle.pop()
            except IndexError:
                return None
            if monotonic() - since < self._keep:
                return connection
            self._close(connection)

    def give(self, connection: Connection) -> None:
        """Put a connection back that is ready for another message."""
        self._idle.append((monotonic(), connection))

    def close(self) -> None:
        """Close everything that is idle."""
        while self._idle:
            self._close(self._idle.pop()[1])
