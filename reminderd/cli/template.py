"""`template`: list, check."""

from pathlib import Path

import click
from click.exceptions import Exit

from reminderd.cli.context import Desk, pass_desk
from reminderd.cli.options import as_json
from reminderd.cli.output import emit, note, table


@click.group("template")
def command() -> None:
    """Templates: the texts of messages, the clinic's own before the packaged ones."""


@command.command("list")
@as_json
@pass_desk
def list_templates(desk: Desk, as_json: bool) -> None:
    """List every template in every language."""
    from reminderd.bootstrap import renderer

    listed = [
        {"name": text.name, "language": text.language, "path": str(text.path)}
        for text in renderer(desk.settings_if_any).texts.list_templates()
    ]
    if as_json:
        emit({"templates": listed})
    else:
        table(("Name", "Language", "File"), [list(each.values()) for each in listed])


@command.command("check")
@as_json
@pass_desk
def check(desk: Desk, as_json: bool) -> None:
    """Find every mistake in templates by writing each, in every language, to awkward names."""
    from reminderd import proofread
    from reminderd.bootstrap import renderer

    texts = renderer(desk.settings_if_any)
    keys = desk.library.keys()
    protocols = [desk.protocol(key) for key in keys]
    said = proofread.check(texts, protocols)
    warnings = [each for each in said if ": warning: " in each]
    faults = [each for each in said if each not in warnings]
    if as_json:
        emit({"faults": faults, "warnings": warnings})
    else:
        for each in said:
            click.echo(_shortened(each))
        if not faults:
            note(f"✓ {len(texts.texts.list_templates())} templates can be sent to anybody")
    if faults:
        raise Exit(1)


def _shortened(fault: str) -> str:
    """The path as seen from here, where that is shorter."""
    here = f"{Path.cwd()}/"
    return fault.removeprefix(here)
