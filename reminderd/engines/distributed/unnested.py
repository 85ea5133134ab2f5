"""Statements that write a list of rows at once: each column is one parameter, an array."""

from collections.abc import Sequence
from typing import Any

Row = tuple[Any, ...]
Statement = tuple[str, list[list[Any]]]

_BIGINT = frozenset(
    (
        "id", "patient", "session", "reminder", "message", "worker", "created_at", "claimed_at",
        "marked_at", "settled_at", "look_at", "nominal_at", "due_at", "wake_at", "expires_at",
        "first_planned_at", "sent_at",
    )
)  # fmt: skip
_INTEGER = frozenset(("revision", "occurrence", "attempts", "segments", "looks"))
_SMALLINT = frozenset(("needs_staff",))


def insert(table: str, columns: str, rows: Sequence[Row]) -> Statement:
    """Add the rows, whose values are in the order of the columns."""
    names = columns.split(", ")
    return (
        f"INSERT INTO {table} ({columns}) SELECT * FROM unnest({_arrays(names)})",
        _turned(names, rows),
    )


def update(table: str, columns: str, rows: Sequence[Row]) -> Statement:
    """Set all columns but `id`, by which the rows are found."""
    names = columns.split(", ")
    changes = ", ".join(f"{name} = new.{name}" for name in names if name != "id")
    return (
        f"UPDATE {table} SET {changes} FROM unnest({_arrays(names)}) AS new ({columns}) "
        f"WHERE {table}.id = new.id",
        _turned(names, rows),
    )


def _arrays(names: Sequence[str]) -> str:
    return ", ".join(f"%s::{_type(each)}[]" for each in names)


def _type(name: str) -> str:
    if name in _BIGINT:
        return "bigint"
    return "integer" if name in _INTEGER else "smallint" if name in _SMALLINT else "text"


def _turned(names: Sequence[str], rows: Sequence[Row]) -> list[list[Any]]:
    return [list(column) for column in zip(*rows, strict=True)] or [[] for _ in names]
