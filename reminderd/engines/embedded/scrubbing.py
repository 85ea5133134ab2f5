"""How no byte of what was removed or replaced stays in the database's files."""

from pathlib import Path

from reminderd.engines.embedded.connection import Connection, DatabaseError, translated
from reminderd.engines.unfinished import clear
from reminderd.errors import TryAgainLater


def scrub(connection: Connection, path: Path) -> bool:
    """Write the file anew and empty its journal, outside a transaction.

    Copies that killed processes have left go too. False where another process was in the way.
    """
    clear(path)
    # Old versions of a row lie in free space until something overwrites them; VACUUM writes
    # the file anew without any, and emptying the journal removes them from there.
    try:
        connection.execute("PRAGMA secure_delete = ON")
        connection.execute("VACUUM")
        busy = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
    except DatabaseError as error:
        fault = translated(error, path)
        if isinstance(fault, TryAgainLater):
            return False
        raise fault from error
    return not busy
