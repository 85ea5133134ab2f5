"""Encrypting a database that is there, decrypting it, and giving it another key: all or nothing."""

from contextlib import closing
from pathlib import Path

from reminderd.engines.embedded import lookup, schema
from reminderd.engines.embedded.connection import (
    PATIENCE_SECONDS,
    Connection,
    DatabaseError,
    connect,
    translated,
)
from reminderd.engines.embedded.scrubbing import scrub
from reminderd.engines.embedded.sealed import (
    UNSCRUBBED,
    kept,
    note_key,
    refuse_unfit,
    sealed_by,
    unscrubbed,
)
from reminderd.errors import ConfigurationError
from reminderd.sealing import TABLES, Seal, Sealed, closed, opened


def key_of(path: Path) -> str | None:
    """The id of the key by which the database is encrypted; None where it is not.

    Raises ConfigurationError where it is no database.
    """
    with closing(connect(path, read_only=True)) as connection:
        try:
            return sealed_by(connection)
        except DatabaseError as error:
            raise translated(error, path) from error


def convert(path: Path, old: Seal | None, new: Seal | None) -> None:
    """What is sealed with `old` is sealed with `new` from now on; None is: with nothing.

    One transaction. `finish` is to be called next. Raises ConfigurationError where `old` does not
    fit the database, SealBroken where a value of it does not open; nothing is changed then.
    """
    with closing(connect(path)) as connection:
        try:
            connection.execute("BEGIN IMMEDIATE")
            try:
                _refuse_old_schema(path, connection)
                refuse_unfit(path, connection, old)
                for each in TABLES:
                    _reseal(connection, each, old, new)
                lookup.fill(connection, new)
                note_key(connection, new)
                connection.execute(
                    "INSERT OR REPLACE INTO notes (key, value) VALUES (?, '')", (UNSCRUBBED,)
                )
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise
        except DatabaseError as error:
            raise translated(error, path) from error


def _refuse_old_schema(path: Path, connection: Connection) -> None:
    found = connection.execute("PRAGMA user_version").fetchone()[0]
    if found != schema.VERSION:
        raise ConfigurationError(
            [f"{path}: has schema {found}, not {schema.VERSION}"],
            remedy="Bring it up to date first: reminderd db migrate",
        )


def _reseal(connection: Connection, table: Sealed, old: Seal | None, new: Seal | None) -> None:
    columns = ", ".join(f"{name} = ?" for name in table.columns)
    row = " AND ".join(f"{name} = ?" for name in table.row)
    width = len(table.row)
    for page in kept(connection, table):
        changed = [
            closed(opened(each.row, each.at, each.name, old), each.at, each.name, new)
            for each in page
        ]
        connection.executemany(
            f"UPDATE {table.table} SET {columns} WHERE {row}",
            [(*each[width:], *each[:width]) for each in changed],
        )


def finish(path: Path, *, patience_seconds: float = PATIENCE_SECONDS) -> bool:
    """Write the file anew after `convert`, so that nothing of how it was stays in it.

    False where another process was in the way.
    """
    with closing(connect(path, patience_seconds=patience_seconds)) as connection:
        if unscrubbed(connection):
            if not scrub(connection, path):
                return False
            connection.execute("DELETE FROM notes WHERE key = ?", (UNSCRUBBED,))
        return True
