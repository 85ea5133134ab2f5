"""`run`: the daemon, for good, once, or as a dry run."""

import click

from reminderd.cli.context import Desk, pass_desk
from reminderd.cli.messages import Teller
from reminderd.cli.options import as_json


@click.command("run")
@click.option("--dry-run", is_flag=True, help="Print what falls due; send and change nothing.")
@click.option("--once", is_flag=True, help="Send what is due now, then end.")
@as_json
@pass_desk
def command(desk: Desk, dry_run: bool, once: bool, as_json: bool) -> None:
    """Send what falls due: the daemon.

    Stops cleanly on Ctrl-C or SIGTERM; reads protocols and templates again on SIGHUP. A dry run
    works beside it, opens no connection to any provider, and prints one message as it falls due;
    with --json one line each.
    """
    from reminderd import daemon
    from reminderd.cli.log import log_to_stderr

    if as_json and not dry_run:
        raise click.UsageError("--json goes with --dry-run; the daemon itself prints no data")
    log_to_stderr()
    if dry_run:
        daemon.dry_run(desk.settings, desk.clock, Teller(as_json=as_json), once=once)
    else:
        daemon.run(desk.settings, once=once)
