"""A lock that is given in the order in which it was asked for.

One of Python's own goes to whoever comes first once it is free, and that is mostly the thread that
has just given it back: in a flood of calls those who send would wait for many turns of others.
"""

import threading
from collections import deque


class Turns:
    """Used by `with`; not to be taken twice by one thread."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._waiting: deque[threading.Lock] = deque()
        self._is_taken = False

    def __enter__(self) -> None:
        with self._guard:
            if not self._is_taken:
                self._is_taken = True
                return
            turn = threading.Lock()
            turn.acquire()
            self._waiting.append(turn)
        turn.acquire()

    def __exit__(self, *_: object) -> None:
        with self._guard:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._is_taken = False
