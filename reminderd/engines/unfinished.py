"""Files that are being written: complete before they get their name, and gone if they never do.

Who writes one holds flock(2) on it, so that what a killed process has left is told from what a
living one writes, whatever their numbers.
"""

import fcntl
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from reminderd.errors import InvalidInput

JOURNALS = ("-wal", "-shm", "-journal")

log = logging.getLogger(__name__)


@contextmanager
def unfinished(target: Path) -> Iterator[Path]:
    """A new, private file beside `target`, which is gone afterwards if it was not put in place."""
    copy = target.with_name(f".{target.name}.unfinished-{os.getpid()}")
    try:
        descriptor = os.open(copy, os.O_CREAT | os.O_WRONLY | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise InvalidInput(
            f"{target}: cannot be written: {error.strerror}",
            remedy="Name a file in a folder that exists and is yours.",
        ) from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield copy
    finally:
        _remove(copy)
        os.close(descriptor)


def clear(database: Path) -> None:
    """Remove the copies of the database that killed processes have left beside it; the log has it.

    Such a copy holds everything, also what is erased or encrypted in the database since.
    """
    for each in sorted(database.parent.glob(f".{database.name}*.unfinished-*[0-9]")):
        try:
            # One without a byte may be about to be written.
            if each.stat().st_size and _is_left(each):
                _remove(each)
                log.warning("%s: removed, a killed process had left it unfinished", each)
        except FileNotFoundError:
            continue  # it is finished
        except OSError as error:
            log.warning("%s: left by a killed process, delete it: %s", each, error.strerror)


def in_place(copy: Path, target: Path) -> None:
    """Give a finished copy its name; both it and its name are on the disk afterwards."""
    flush(copy)
    copy.replace(target)
    flush(target.parent)


def flush(path: Path) -> None:
    """Have a file, or the names in a folder, on the disk."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _is_left(copy: Path) -> bool:
    descriptor = os.open(copy, os.O_RDONLY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(descriptor)
    return True


def _remove(copy: Path) -> None:
    for ending in ("", *JOURNALS):
        copy.with_name(f"{copy.name}{ending}").unlink(missing_ok=True)
