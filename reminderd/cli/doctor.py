"""`doctor`: the machine that reminderd runs on."""

import click

from reminderd.cli.context import Desk, pass_desk
from reminderd.cli.options import as_json


@click.command("doctor")
@as_json
@pass_desk
def command(desk: Desk, as_json: bool) -> None:
    """Look at this machine: versions, database, permissions, clock, disk, daemon."""
    from reminderd import machine
    from reminderd.cli.findings import report

    report(machine.examine(desk.settings_if_any, desk.clock.now()), as_json=as_json)
