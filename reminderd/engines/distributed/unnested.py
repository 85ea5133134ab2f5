"""Statements that write a list of rows at once: all of them are one parameter, a JSON text.

Arrays would do, one for each column; to write them down takes the client several times as long.
"""

import json
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

Row = tuple[Any, ...]
Statement = tuple[str, tuple[str]]

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
    return f"INSERT INTO {table} ({columns}) {_unfolded(columns)}", (json.dumps(rows),)


def update(table: str, columns: str, rows: Sequence[Row]) -> Statement:
    """Set all columns but `id`, by which the rows are found."""
    changes = ", ".join(f"{name} = new.{name}" for name in columns.split(", ") if name != "id")
    # Made first: where a policy guards the table, no index is used for what is computed by the way.
    return (
        f"WITH new AS MATERIALIZED ({_unfolded(columns)}) "
        f"UPDATE {table} SET {changes} FROM new WHERE {table}.id = new.id",
        (json.dumps(rows),),
    )


@lru_cache(maxsize=64)
def _unfolded(columns: str) -> str:
    values = (
        f"(row ->> {place})::{_type(name)} AS {name}"
        for place, name in enumerate(columns.split(", "))
    )
    return f"SELECT {', '.join(values)} FROM jsonb_array_elements(%s::jsonb) AS row"


def _type(name: str) -> str:
    if name in _BIGINT:
        return "bigint"
    return "integer" if name in _INTEGER else "smallint" if name in _SMALLINT else "text"
