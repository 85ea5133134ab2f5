"""One daemon a database, whichever name or link it is reached by."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from reminderd.errors import TryAgainLater


@contextmanager
def only_daemon(database: Path) -> Iterator[None]:
    """Be the only one that sends from this database; raises TryAgainLater where another does.

    The lock is on the file itself, so that links and other paths lead to the same one. It is
    flock(2), which SQLite does not use, and its descriptor is closed only after all connections
    are: closing any descriptor of the file gives up the locks that SQLite holds on it.
    """
    descriptor = os.open(database, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise TryAgainLater(
            f"{database}: another reminderd is already sending from this database",
            remedy="Stop that one first (systemctl stop reminderd), or let it do the work.",
        ) from None
    try:
        yield
    finally:
        os.close(descriptor)
