"""How data reaches people and scripts: JSON, tables, notes."""

import json
import sys
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import click


def emit(data: Any) -> None:
    """One JSON document, indented for eyes only."""
    _write_json(data, 2 if sys.stdout.isatty() else None)


def emit_line(data: Any) -> None:
    """One line of JSON Lines, out at once."""
    _write_json(data, None)


def _write_json(data: Any, indent: int | None) -> None:
    # As bytes, because JSON is UTF-8 whatever the terminal speaks.
    click.echo(json.dumps(data, ensure_ascii=False, indent=indent).encode())


def table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """A drawn table on a terminal; tab-separated lines under a header in a pipe."""
    if sys.stdout.isatty():
        _draw(columns, rows)
        return
    header = [each.lower() for each in columns]
    click.echo("\n".join("\t".join(map(_cell, row)) for row in (header, *rows)))


def _draw(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    drawn = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        drawn.add_column(column, overflow="fold")
    for row in rows:
        drawn.add_row(*(Text(_cell(each)) for each in row))
    Console().print(drawn)


def _cell(value: object) -> str:
    return "" if value is None else printable(str(value))


def printable(words: str) -> str:
    """Somebody's words on one line, and nothing in them that a terminal would obey."""
    return " ".join("".join(each if each.isprintable() else " " for each in words).split())


def quoted(words: str) -> str:
    """Somebody's words in their own lines, and nothing in them that a terminal would obey."""
    return "\n".join(map(printable, words.splitlines()))


def note(text: str) -> None:
    """Something for the person, not for the pipe."""
    click.echo(text, err=True)


def instant(at: datetime | None, zone: str) -> str | None:
    """RFC 3339 to the second, with the zone's offset at that instant; None stays None."""
    from reminderd.hours import zone as rules

    return None if at is None else at.astimezone(rules(zone)).isoformat(timespec="seconds")
