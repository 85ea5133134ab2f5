"""`db prune`: says what would go, asks, and clears it."""

import sys
from typing import NamedTuple

import click

from reminderd.cli.context import Desk
from reminderd.model import Duration

PARTLY_DONE = 3
_LONGEST_DAYS = 36500


class Wanted(NamedTuple):
    """What the options ask for."""

    dry_run: bool
    by: str | None
    yes: bool
    as_json: bool


def prune(desk: Desk, older_than: str, wanted: Wanted) -> None:
    """Clear the words of old messages; exits with 3 where the file could not be made smaller."""
    from reminderd.cli import adjusting, output
    from reminderd.cli.options import read

    days = read("--older-than", _days, older_than)
    outbox, now = desk.house.outbox, desk.clock.now()
    found = outbox.prunable(days, now)
    count = len(found.messages)
    what = (
        f"{count} messages and {len(found.replies)} replies"
        if found.replies
        else f"{count} messages"
    )
    by = adjusting.author(desk, wanted.by)
    if not (wanted.dry_run or wanted.yes):
        _ask(what, days)
    is_clean = wanted.dry_run or outbox.prune(found, days, by, now)
    if wanted.as_json:
        facts = {
            "messages": count,
            "replies": len(found.replies),
            "kept": found.kept,
            "dry_run": wanted.dry_run,
        }
        output.emit({**facts, "file_is_clean": None if wanted.dry_run else is_clean})
    else:
        would = "would be cleared" if wanted.dry_run else "cleared"
        click.echo(f"Words of messages older than {days} days: {count} {would}.")
        if found.replies:
            click.echo(
                f"Words of replies as old, of those that wait for nobody: {len(found.replies)}."
            )
        if found.kept:
            click.echo(f"As old, and kept: {found.kept}; something of their treatment is open.")
    if not is_clean:
        output.note(
            "Another process was in the way: the file keeps its size, and old bytes may still be in"
            " it. Say the same again."
        )
        click.get_current_context().exit(PARTLY_DONE)


def _days(text: str) -> int:
    length = Duration.parse(text.strip())
    if length.unit != "d" or length.amount > _LONGEST_DAYS:
        raise ValueError(f'"{text}" is not a number of days; write for example "365d"')
    return length.amount


def _ask(what: str, days: int) -> None:
    if not sys.stdin.isatty():
        raise click.UsageError("what is cleared is gone: say --yes to go on without a question")
    said = f"Clear the words of {what} older than {days} days, for good?"
    click.confirm(said, abort=True, err=True)
