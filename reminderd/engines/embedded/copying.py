"""A throw-away copy of the database, for what must not change it: dry runs, simulations."""

import os
from pathlib import Path

from reminderd.engines.embedded.connection import DatabaseError, connect, translated


def copy_database(source: Path, target: Path) -> None:
    """Write a consistent copy of a database that may be in use; readable by this user alone."""
    os.close(os.open(target, os.O_CREAT | os.O_WRONLY, 0o600))
    origin = connect(source, read_only=True)
    try:
        copy = connect(target, durable=False, create=True)
        try:
            origin.backup(copy)
        finally:
            copy.close()
    except DatabaseError as error:
        raise translated(error, source) from error
    finally:
        origin.close()
