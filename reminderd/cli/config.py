"""`config`: show, check, schema."""

import json

import click

from reminderd.cli.context import Desk, pass_desk
from reminderd.cli.options import as_json
from reminderd.cli.output import emit, note


@click.group("config")
def command() -> None:
    """The configuration: clinics, transports, database."""


@command.command("show")
@click.option("--origin", is_flag=True, help="Say where each value comes from.")
@as_json
@pass_desk
def show(desk: Desk, origin: bool, as_json: bool) -> None:
    """Show every setting in force; secrets are masked."""
    shown = desk.settings.show()
    if as_json:
        emit({"settings": [each._asdict() for each in shown]})
        return
    for each in shown:
        line = f"{each.path} = {json.dumps(each.value, ensure_ascii=False)}"
        click.echo(f"{line}  # {each.origin}" if origin else line)


@command.command("check")
@as_json
@pass_desk
def check(desk: Desk, as_json: bool) -> None:
    """Find every mistake in the configuration; exit code 78 where there is one."""
    path = str(desk.settings.path)
    if as_json:
        emit({"path": path, "faults": []})
    else:
        note(f"✓ {path}")


@command.command("schema")
def schema() -> None:
    """Print the JSON Schema of the configuration, for editors."""
    from reminderd.bootstrap import transport_models
    from reminderd.settings import json_schema

    emit(json_schema(transport_models()))
