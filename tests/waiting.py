"""Waiting for what happens beside the test, in another thread or process."""

import time
from collections.abc import Callable
from typing import Any

PATIENCE = 20.0  # seconds; only what is broken takes this long


def until(condition: Callable[[], Any], what: str) -> Any:
    """What the condition gives once it is true; AssertionError where it never is.

    Looks again and again: nobody tells what somebody else writes into a database or a log.
    """
    deadline = time.monotonic() + PATIENCE
    while not (found := condition()):
        assert time.monotonic() < deadline, f"never came: {what}"
        time.sleep(0.01)
    return found
