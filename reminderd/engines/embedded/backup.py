"""Backups: one verified file each, taken beside a running daemon; and the way back.

A copy is written under a temporary name, verified, flushed to the disk and only then given its own.
"""

from collections.abc import Mapping
from contextlib import closing
from datetime import UTC, datetime
from itertools import chain, count
from pathlib import Path

from reminderd.engines.embedded import schema
from reminderd.engines.embedded.connection import (
    Connection,
    DatabaseError,
    connect,
    is_full,
    translated,
)
from reminderd.engines.unfinished import clear, in_place, unfinished
from reminderd.errors import ConfigurationError, FaultsFound, InvalidInput, NotFound, Refused

REMEDY = "Take another backup: this one cannot be relied on."


def beside(database: Path, purpose: str, now: datetime) -> Path:
    """The name of a copy that stands beside the database, with the instant in UTC."""
    return database.with_name(f"{database.name}.{purpose}-{now.astimezone(UTC):%Y%m%dT%H%M%SZ}")


def free(path: Path) -> Path:
    """That name, or the next one with a number that no file has."""
    others = (path.with_name(f"{path.name}-{number}") for number in count(2))
    return next(each for each in chain([path], others) if not each.exists())


def back_up(database: Path, target: Path, *, force: bool = False) -> Mapping[str, int]:
    """Write a verified copy to `target`, readable by this user alone; returns rows by table.

    Raises Refused where there is a file already, unless `force`; FaultsFound where the copy does
    not hold what the database held.
    """
    if target.exists():
        if not force:
            raise Refused(
                f"{target}: there is a file of that name",
                remedy="Name another one, or write over it with --force.",
            )
        if target.samefile(database):
            raise InvalidInput(f"{target}: that is the database itself", remedy="Name another one.")
    clear(database)
    with unfinished(target) as copy:
        counts = copy_verified(database, copy)
        in_place(copy, target)
    return counts


def copy_verified(source: Path, copy: Path) -> Mapping[str, int]:
    """Copy one state of a database that may be in use; returns its rows by table.

    Raises as `verify` does.
    """
    try:
        with (
            closing(connect(source, read_only=True)) as origin,
            closing(connect(copy, durable=False, create=True)) as target,
        ):
            origin.execute("BEGIN")  # what is counted is what is copied
            refuse_newer(source, origin.execute("PRAGMA user_version").fetchone()[0])
            counts = _counts(origin)
            origin.backup(target)
            target.execute("PRAGMA journal_mode = DELETE")  # one file, not three
    except DatabaseError as error:
        raise translated(error, copy if is_full(copy.parent) else source) from error
    verify(copy, counts)
    return counts


def _counts(connection: Connection) -> Mapping[str, int]:
    tables = connection.execute(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite\\_%' "
        "ESCAPE '\\' ORDER BY name"
    ).fetchall()
    return {
        name: connection.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0]
        for (name,) in tables
    }


def verify(copy: Path, counts: Mapping[str, int] | None = None) -> None:
    """Raises FaultsFound where a copy is damaged or does not hold `counts`.

    Raises ConfigurationError where it is no database of reminderd, or of a newer one.
    """
    with closing(connect(copy, read_only=True)) as opened:
        try:
            version = opened.execute("PRAGMA user_version").fetchone()[0]
            found = _counts(opened)
            verdict = [row[0] for row in opened.execute("PRAGMA integrity_check").fetchall()]
            orphans = opened.execute("PRAGMA foreign_key_check").fetchall()
        except DatabaseError as error:
            raise FaultsFound([f"{copy}: is damaged: {error}"], remedy=REMEDY) from error
    if version == 0 or not {"patients", "reminders", "attempts", "notes"} <= found.keys():
        raise ConfigurationError(
            [f"{copy}: not a database of reminderd"], remedy="Name a backup that reminderd took."
        )
    refuse_newer(copy, version)
    if verdict != ["ok"] or orphans:
        why = verdict[0] if verdict != ["ok"] else f"{len(orphans)} rows belong to nothing"
        raise FaultsFound([f"{copy}: is damaged: {why}"], remedy=REMEDY)
    if counts is not None and found != counts:
        raise FaultsFound([f"{copy}: does not hold what the database holds"], remedy=REMEDY)


def refuse_newer(path: Path, version: int) -> None:
    """Raises ConfigurationError where a newer reminderd has written the database."""
    if version > schema.VERSION:
        raise ConfigurationError(
            [f"{path}: written by a newer reminderd (schema {version})"],
            remedy="Upgrade reminderd, or restore a backup that fits this version.",
        )


def existing(copy: Path) -> Path:
    """Raises NotFound where there is no such file."""
    if not copy.is_file():
        raise NotFound(f"{copy}: there is no such file", remedy="Name a backup.")
    return copy
