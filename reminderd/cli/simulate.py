"""`simulate`: the daemon's coming days on a copy of the database and a virtual clock."""

import click

from reminderd.cli.context import Desk, pass_desk
from reminderd.cli.messages import Teller
from reminderd.cli.options import as_json, read_bound
from reminderd.cli.output import note


@click.command("simulate")
@click.option(
    "--from",
    "start",
    metavar="T",
    help="Where the virtual clock starts: an instant or a date; now by default.",
)
@click.option("--until", required=True, metavar="T", help="Where it ends: an instant or a date.")
@as_json
@pass_desk
def command(desk: Desk, start: str | None, until: str, as_json: bool) -> None:
    """Let the daemon's days pass on a copy of the database.

    The copy is planned afresh at --from, every session in it taken as done and as recorded by then.
    Nothing leaves the machine and the database stays as it is. With --json, one line a message.
    """
    from reminderd.clock import VirtualClock
    from reminderd.rehearsal import house_on_a_copy, plan_afresh, play

    start_at = read_bound("--from", start, desk.timezone) if start else desk.clock.now()
    until_at = read_bound("--until", until, desk.timezone)
    if until_at <= start_at:
        raise click.BadParameter("must be later than --from", param_hint="--until")
    tell = Teller(as_json=as_json)
    with house_on_a_copy(desk.settings, nothing_leaves=True) as house:
        plan_afresh(house, start_at)
        play(house, VirtualClock(start_at), until_at, tell)
    if not as_json:
        note(f"{tell.summary()}; nothing has left this machine.")
