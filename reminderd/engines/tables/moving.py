"""Which rows a database has, and how they go over into another one, whichever it is."""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from itertools import zip_longest
from typing import NamedTuple, Protocol

from reminderd.engines.tables.store import Row, Statements
from reminderd.engines.tables.whole import COPY
from reminderd.errors import ReminderdError
from reminderd.holding import MOVED

EMPTY_ONE = "Name a database with nothing in it, or a file that does not exist yet."
PAGE = 5000


class Table(NamedTuple):
    """A table, what names a row of it, and which rows are a database's own and stay there."""

    name: str
    key: tuple[str, ...] = ("id",)
    only: str = "TRUE"


# All that belong to the outbox; whatever a row refers to comes before it.
TABLES = (
    Table("patients"),
    Table("consents", ("patient", "channel")),
    Table("consent_ledger"),
    Table("protocol_versions"),
    Table("approvals"),
    Table("sessions"),
    Table("session_changes"),
    Table("zone_changes"),
    Table("reminders"),
    Table("corrections", ("reminder",)),
    Table("messages"),
    Table("message_reminders", ("reminder", "message")),
    Table("attempts"),
    Table("callbacks"),
    Table("replies"),
    Table("reply_patients", ("patient", "reply")),
    Table("check_replies", ("reply",)),
    Table("answers"),
    Table("incidents"),
    Table("incident_patients", ("patient", "incident")),
    Table("incident_replies", ("incident", "reply")),
    Table("alerts"),
    Table("objections", ("address",)),
    Table("audit"),
    Table("notes", ("key",), f"key NOT IN ('{COPY}', '{MOVED}')"),
)


class RowsRefused(ReminderdError):
    """A database does not take rows as they are; the message says why, without their values."""


class End(Statements, Protocol):
    """One of the two databases while rows go over."""

    where: str

    def transaction(self) -> AbstractContextManager[None]:
        """All or nothing; what goes wrong is told to a person."""
        ...

    def columns(self, table: str) -> list[str]:
        """The names of the columns that a table has here."""
        ...

    def put(self, table: str, columns: Sequence[str], rows: Sequence[Row]) -> None:
        """Add rows; raises RowsRefused, and the transaction is lost."""
        ...

    def counters(self) -> Mapping[str, int]:
        """The highest number that was ever given, by table."""
        ...

    def count_on(self, counters: Mapping[str, int]) -> None:
        """Give only higher numbers than these from now on."""
        ...


class Sum(NamedTuple):
    """How many rows a table has, and a digest over all that is in them."""

    rows: int
    digest: str


def shared(source: End, target: End, table: Table) -> list[str]:
    """The columns that both have, those that name a row first.

    What one has beyond the other is the engine's own: who works on a row, where it is found.
    """
    there = target.columns(table.name)
    both = [each for each in source.columns(table.name) if each in there]
    return [*table.key, *(each for each in both if each not in table.key)]


def pages(
    end: Statements, table: Table, columns: Sequence[str], after: Row = ()
) -> Iterator[list[Row]]:
    """The rows behind that one, in the order of what names them."""
    key, marks = ", ".join(table.key), ", ".join("?" * len(table.key))
    while True:
        behind = f"({key}) > ({marks})" if after else "TRUE"
        rows = end.query(
            f"SELECT {', '.join(columns)} FROM {table.name} "
            f"WHERE {table.only} AND {behind} ORDER BY {key} LIMIT {PAGE}",
            after,
        )
        if not rows:
            return
        yield rows
        after = rows[-1][: len(table.key)]


def without_nul(row: Row) -> Row:
    """The row as every database can keep it: PostgreSQL has no place for U+0000."""
    if not any(type(each) is str and "\x00" in each for each in row):
        return row
    return tuple(each.replace("\x00", "\ufffd") if isinstance(each, str) else each for each in row)


def sum_of(end: Statements, table: Table, columns: Sequence[str]) -> tuple[Sum, list[str]]:
    """What a table holds, read back, and the names of the rows that hold U+0000."""
    digest, count, replaced, width = hashlib.sha256(), 0, [], len(table.key)
    for rows in pages(end, table, columns):
        text = json.dumps(rows)
        if "\\u0000" in text:
            clean = [without_nul(each) for each in rows]
            changed = [row for row, kept in zip(rows, clean, strict=True) if row is not kept]
            replaced += [f"{table.name} {named(each[:width])}" for each in changed]
            text = json.dumps(clean)
        digest.update(f"{text[1:-1]}, ".encode())  # the same, however the rows are paged
        count += len(rows)
    return Sum(count, digest.hexdigest()), replaced


def first_other(one: Statements, other: Statements, table: Table, columns: Sequence[str]) -> str:
    """What names the first row in which two databases are not the same."""
    width = len(table.key)
    both = zip_longest(*(_each_row(end, table, columns) for end in (one, other)))
    here, there = next(pair for pair in both if pair[0] != pair[1])
    return named(min(each[:width] for each in (here, there) if each is not None))


def _each_row(end: Statements, table: Table, columns: Sequence[str]) -> Iterator[Row]:
    for rows in pages(end, table, columns):
        yield from map(without_nul, rows)


def named(key: Row) -> str:
    """What names a row, as in `17` or `17/sms`."""
    return "/".join(map(str, key))
