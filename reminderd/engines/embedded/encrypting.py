"""Encrypting a database that is there, decrypting it, and giving it another key: all or nothing."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from reminderd.engines.embedded import schema
from reminderd.engines.embedded.connection import (
    PATIENCE_SECONDS,
    Connection,
    DatabaseError,
    Statements,
    connect,
    translated,
)
from reminderd.engines.embedded.scrubbing import scrub
from reminderd.engines.tables.resealing import reseal
from reminderd.engines.tables.sealed import UNSCRUBBED, refuse_unfit, sealed_by, unscrubbed
from reminderd.errors import ConfigurationError, ReminderdError
from reminderd.sealing import Seal


def key_of(path: Path) -> str | None:
    """The id of the key by which the database is encrypted; None where it is not.

    Raises ConfigurationError where it is no database.
    """
    with closing(connect(path, read_only=True)) as connection:
        try:
            return sealed_by(Statements(connection))
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
                refuse_unfit(path, Statements(connection), old)
                reseal(Statements(connection), old, new)
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


def finish(path: Path, *, patience_seconds: float = PATIENCE_SECONDS) -> bool:
    """Write the file anew after `convert`, so that nothing of how it was stays in it.

    False where another process was in the way.
    """
    with closing(connect(path, patience_seconds=patience_seconds)) as connection:
        if unscrubbed(Statements(connection)):
            if not scrub(connection, path):
                return False
            connection.execute("DELETE FROM notes WHERE key = ?", (UNSCRUBBED,))
        return True


def otherwise(database: Path, key: str | None) -> Iterator[str]:
    """Copies beside the database that are encrypted with another key, or not at all."""
    for copy in sorted(database.parent.glob(f"{database.name}.*")):
        try:
            if key_of(copy) != key:
                yield str(copy)
        except ReminderdError:
            continue  # it is something else
