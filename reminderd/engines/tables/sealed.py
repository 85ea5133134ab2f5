"""Whether a database and the configured key belong together. A note in it says which key it was."""

from collections.abc import Iterator
from typing import NamedTuple

from reminderd.engines.tables.store import Statements
from reminderd.engines.tables.whole import refuse_unfinished
from reminderd.errors import ConfigurationError
from reminderd.sealing import Places, Row, Seal, Sealed, places

SEALED_BY = "sealed-by"  # the note with the id of the key; absent: not encrypted
UNSCRUBBED = "unscrubbed"  # the note that is there until nothing of how it was is in the file
ROWS_AT_ONCE = 1000
_NOTE = f"SELECT value FROM notes WHERE key = '{SEALED_BY}'"


def sealed_by(opened: Statements) -> str | None:
    """The id of the key with which the database is encrypted; None where it is not."""
    rows = opened.query(_NOTE)
    return str(rows[0][0]) if rows else None


def id_of(seal: Seal | None) -> str | None:
    """The id of a configured key; None without one."""
    return None if seal is None else seal.key_id


def note_key(opened: Statements, seal: Seal | None) -> None:
    """Remember with which key everything in the database is encrypted from now on."""
    if seal is None:
        opened.execute("DELETE FROM notes WHERE key = ?", (SEALED_BY,))
    else:
        opened.execute(
            "INSERT INTO notes (key, value) VALUES (?, ?) "
            "ON CONFLICT (key) DO UPDATE SET value = excluded.value",
            (SEALED_BY, seal.key_id),
        )


def unscrubbed(opened: Statements) -> bool:
    """Whether something of how the database was under another key, or none, may be in its file."""
    return bool(opened.query("SELECT 1 FROM notes WHERE key = ?", (UNSCRUBBED,)))


def refuse_unfit(path: object, opened: Statements, seal: Seal | None) -> None:
    """Raises ConfigurationError where the database is not encrypted with just this key, or at all
    without one; or is a copy that is not whole."""
    refuse_unfinished(path, opened)
    found = sealed_by(opened)
    if found == id_of(seal):
        return
    if seal is None:
        raise ConfigurationError(
            [f"{path}: is encrypted, and no key is configured"],
            remedy=f"Give database.encryption_key_file with the key {found}; see `reminderd db "
            "encrypt --help`.",
        )
    if found is None:
        raise ConfigurationError(
            [f"{path}: is not encrypted, and a key is configured ({seal.origin})"],
            remedy="Encrypt it while no daemon runs: reminderd db encrypt. Or take "
            "encryption_key out of the configuration.",
        )
    raise ConfigurationError(
        [f"{path}: the key in {seal.origin} is {seal.key_id}, and not {found}, by which this"
         " database was encrypted"],
        remedy=f"Give database.encryption_key_file with the key {found}.",
    )  # fmt: skip


class Kept(NamedTuple):
    """A row of a table as it is stored: what names it first, then what is sealed of it."""

    name: str
    row: Row
    at: Places


def kept(opened: Statements, table: Sealed) -> Iterator[list[Kept]]:
    """All rows of which something is sealed, a page at a time; a page may be changed meanwhile."""
    key = ", ".join(table.row)
    names = f"{key}, {', '.join(table.columns)}"
    at, width = places(table.table, names), len(table.row)
    marks = ", ".join("?" * width)
    after, last = "TRUE", ()
    while True:
        rows = opened.query(
            f"SELECT {names} FROM {table.table} WHERE {table.only} AND {after} "
            f"ORDER BY {key} LIMIT {ROWS_AT_ONCE}",
            last,
        )
        if not rows:
            return
        yield [Kept("/".join(map(str, row[:width])), row, at) for row in rows]
        after, last = f"({key}) > ({marks})", rows[-1][:width]
