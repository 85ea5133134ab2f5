"""`check`: everything that would stop a message, all at once."""

import os

import click

from reminderd.cli.context import Desk, pass_desk
from reminderd.cli.options import as_json


@click.command("check")
@as_json
@pass_desk
def command(desk: Desk, as_json: bool) -> None:
    """Find everything that would stop a message, all at once.

    Looks at the configuration, transports, database, protocols, templates and approvals; reaches
    out to nobody (`reminderd transport test NAME` does).
    """
    from reminderd import checkup
    from reminderd.cli.findings import report

    report(checkup.check(desk.config_path, os.environ, desk.clock.now()), as_json=as_json)
