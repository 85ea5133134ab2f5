"""`patient erase`: asked for twice, for it cannot be undone."""

import sys
from typing import TYPE_CHECKING, NamedTuple

import click

from reminderd.cli.context import Desk

if TYPE_CHECKING:
    from reminderd.erasing import Erased

PARTLY_DONE = 3


class Wanted(NamedTuple):
    """What the options ask for."""

    by: str
    why: str | None
    yes: bool
    as_json: bool


def erase_patient(desk: Desk, name: str, wanted: Wanted) -> None:
    """Ask, remove, say what stays; exits with 3 where the file could not be cleaned."""
    from reminderd.cli import adjusting, output
    from reminderd.erasing import erase

    by = adjusting.author(desk, wanted.by)
    why = adjusting.reason(wanted.why) if wanted.why is not None else None
    if not wanted.yes:
        _ask(name)
    erased = erase(desk.house.outbox, name, by, why, desk.clock.now())
    if wanted.as_json:
        output.emit(
            {
                "patient": erased.patient,
                "reminders_cancelled": erased.cancelled,
                "objections_kept": list(erased.objections),
                "file_is_clean": erased.is_clean,
            }
        )
    else:
        _tell(erased)
    if not erased.is_clean:
        output.note(
            "Another process uses the database: old versions may still lie in its file. "
            f"Run the same again: reminderd patient erase {erased.patient} --by … --yes"
        )
        click.get_current_context().exit(PARTLY_DONE)


def _ask(name: str) -> None:
    if not sys.stdin.isatty():
        raise click.UsageError("an erasure cannot be undone: say --yes to go on without a question")
    click.confirm(f"Remove everything personal of {name}, for good?", abort=True, err=True)


def _tell(erased: "Erased") -> None:
    from reminderd.cli.output import note

    reminders = "1 reminder" if erased.cancelled == 1 else f"{erased.cancelled} reminders"
    click.echo(f"{erased.patient} is erased; {reminders} cancelled.")
    if erased.objections:
        channels = " and ".join(erased.objections)
        note(f"That consent for {channels} was withdrawn is kept, by a keyed hash of the address.")
    note("Not erased: backups of the database, what the provider keeps of messages that left,")
    note("and messages as files, where the transport `file` wrote any.")
