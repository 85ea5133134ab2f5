"""`db`: the database file: whole, kept, put back, brought up to date."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from reminderd.cli.context import Desk, pass_desk
from reminderd.cli.options import as_json as json_option

if TYPE_CHECKING:
    from collections.abc import Mapping

FILE = click.Path(dir_okay=False, path_type=Path)


@click.group("db")
def command() -> None:
    """The database: check, backup, restore, migrate, copy, prune, encrypt."""


@command.command("check")
@json_option
@pass_desk
def check(desk: Desk, as_json: bool) -> None:
    """Look for damage, and for rows that contradict each other; works beside the daemon."""
    from reminderd.cli.findings import report

    report(desk.engine.examine(), as_json=as_json)


@command.command("backup")
@click.argument("file", required=False, type=FILE)
@click.option("--force", is_flag=True, help="Write over a file of that name.")
@json_option
@pass_desk
def backup(desk: Desk, file: Path | None, force: bool, as_json: bool) -> None:
    """Write a verified copy to FILE, beside the running daemon.

    Without FILE it stands beside the database, with the instant in UTC in its name.
    """
    from reminderd.cli import output

    done = desk.engine.back_up(file, desk.clock.now(), force=force)
    if as_json:
        output.emit({"file": str(done.file), "rows": done.rows})
    else:
        click.echo(f"wrote {done.file}, verified: {_told(done.rows)}")


def _told(counts: "Mapping[str, int]") -> str:
    shown = ("patients", "sessions", "reminders", "messages")
    return ", ".join(f"{counts[each]} {each}" for each in shown)


@command.command("restore")
@click.argument("file", type=FILE)
@json_option
@pass_desk
def restore(desk: Desk, file: Path, as_json: bool) -> None:
    """Put a copy of the backup FILE in the place of the database; the present one is kept.

    Not while the daemon runs. Sending is held afterwards, because the backup does not know what was
    sent since and would send it again: see `reminderd release`.
    """
    from reminderd.cli import output
    from reminderd.hours import zone

    kept = desk.engine.restore(file, desk.clock.now(), zone(desk.timezone))
    if as_json:
        output.emit({"file": str(file), "kept": None if kept is None else str(kept), "held": True})
        return
    if kept is not None:
        click.echo(f"kept     {kept}, the database that was there")
    click.echo(f"restored {desk.engine.where}, from {file}")
    output.note(
        "Sending is held: what was sent since that backup would be sent again. Cancel what must"
        " not go out, then: reminderd release"
    )


@command.command("migrate")
@json_option
@pass_desk
def migrate(desk: Desk, as_json: bool) -> None:
    """Bring the schema up to date, all or nothing; a copy of what was stays beside it."""
    from reminderd.cli import output

    engine = desk.engine
    done = engine.migrate()
    if as_json:
        output.emit({"schema": engine.schema, "changed": done is not None})
    elif done is not None:
        click.echo(f"{engine.where}: {done}")
    else:
        click.echo(f"{engine.where} has schema {engine.schema}, the present one")


@command.command("copy")
@click.option(
    "--to", required=True, metavar="URL", help="postgresql://USER@HOST/NAME, or the file of SQLite."
)
@json_option
@pass_desk
def copy(desk: Desk, to: str, as_json: bool) -> None:
    """Move to PostgreSQL, or back to a file; not while anybody sends.

    Everything goes over as it is, is read back and compared. The database that it was then sends
    nothing any more. If it is cut short, say the same again: it goes on where it was.
    """
    from reminderd.cli import copying

    copying.copy(desk, to, as_json=as_json)


@command.command("prune")
@click.option("--older-than", required=True, metavar="DAYS", help="Such as 365d; at least 30d.")
@click.option("--dry-run", is_flag=True, help="Say how many, and change nothing.")
@click.option("--by", metavar="NAME", help="Who says so; otherwise who is logged in.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
@pass_desk
def prune(
    desk: Desk, older_than: str, dry_run: bool, by: str | None, yes: bool, as_json: bool
) -> None:
    """Clear the words of old messages: text, subject, number or address; works beside the daemon.

    Only of treatments of which nothing is open: nothing waits, is in doubt, or needs a person. What
    was sent when and by which way stays, as do figures, receipts and the audit trail. Copies stay
    as they are: backups, files, and what providers keep.
    """
    from reminderd.cli import pruning

    pruning.prune(desk, older_than, pruning.Wanted(dry_run, by, yes, as_json))


@command.command("encrypt")
@click.option(
    "--new-key-file", type=FILE, help="From the configured key to the one in this file instead."
)
@json_option
@pass_desk
def encrypt(desk: Desk, new_key_file: Path | None, as_json: bool) -> None:
    """Encrypt what is personal, with the key of the configuration; not while the daemon runs.

    All or nothing. Afterwards no old byte is in the file. Copies stay as they are, and are named.
    """
    from reminderd.cli import encrypting

    encrypting.encrypt(desk, new_key_file, as_json=as_json)


@command.command("decrypt")
@json_option
@pass_desk
def decrypt(desk: Desk, as_json: bool) -> None:
    """Undo `db encrypt`, with the key of the configuration; not while the daemon runs."""
    from reminderd.cli import encrypting

    encrypting.decrypt(desk, as_json=as_json)
