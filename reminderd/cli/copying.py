"""`db copy`: everything goes over into another database, and people are told what to do then."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from reminderd.cli.context import Desk
from reminderd.errors import InvalidInput

if TYPE_CHECKING:
    from reminderd.engine import Copied


def copy(desk: Desk, to: str, *, as_json: bool) -> None:
    """Copy, compare, hold the one that it was, and say what to write into the configuration."""
    from reminderd import engines
    from reminderd.cli import output
    from reminderd.database_urls import is_distributed, masked, place_of

    try:
        target = place_of(to, Path.cwd())
    except ValueError as error:
        raise InvalidInput(f"--to: {error}") from None
    done = engines.copy(desk.settings.given, target, desk.clock.now(), output.note)
    url = masked(target) if is_distributed(target) else f"sqlite:///{target}"
    for name in done.replaced:
        output.note(f"{name}: holds U+0000, which PostgreSQL cannot keep; it is U+FFFD there")
    if as_json:
        tables = [each._asdict() for each in done.tables]
        output.emit(
            {"from": done.source, "to": done.target, "tables": tables,
             "replaced": list(done.replaced), "url": url}
        )  # fmt: skip
    else:
        _tell(done)
    output.note(f'Now set it in {desk.settings.path}, and start:\n\n[database]\nurl = "{url}"\n')
    output.note(f"{done.source} sends nothing any more. Keep it as you keep a backup.")


def _tell(done: "Copied") -> None:
    from reminderd.cli import output

    if not done.tables:
        click.echo(f"{done.target}: was a whole copy already")
        return
    output.table(("table", "rows", "digest"), done.tables)
    click.echo(f"{done.target}: a whole copy of {done.source}, each table read back from both")
