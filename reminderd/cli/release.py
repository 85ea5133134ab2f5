"""`release`: the operator's word that sending goes on, with what it will let go."""

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING

import click
from click.exceptions import Exit

from reminderd.cli.context import Desk, pass_desk
from reminderd.cli.options import as_json as json_option

if TYPE_CHECKING:
    from reminderd.holding import Hold
    from reminderd.stopped_texts import StoppedText


@click.command("release")
@click.option("--by", metavar="NAME", help="Who says so; otherwise who is logged in.")
@click.option(
    "--moved", is_flag=True, help="Also a database that was moved: of the new one nothing was sent."
)
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
@pass_desk
def command(desk: Desk, by: str | None, moved: bool, yes: bool, as_json: bool) -> None:
    """Let sending go on where it is held; says why it is, and what would leave now.

    Texts that a provider refused leave again too.
    """
    from reminderd import holding, rehearsal, stopped_texts
    from reminderd.cli import adjusting, output

    outbox, now, author = desk.house.outbox, desk.clock.now(), adjusting.author(desk, by)
    refused = stopped_texts.stopped(outbox, desk.house.practice.texts)
    holds = [*holding.held(outbox), *map(_as_hold, refused)]
    if not moved:
        _refuse_moved(holds)
    leaving = rehearsal.leaving_now(desk.settings, now) if holds else {}
    for line in _lines(holds, leaving, desk.timezone):
        output.note(line)
    if holds and not (yes or _agreed()):
        output.note("Still held: nothing is sent.")
        raise Exit(1)
    with outbox.transaction():
        # What came up since it was shown stays: nobody has seen why.
        for each in holds:
            holding.release(outbox, each.cause, author, now)
        stopped_texts.resume(outbox, refused, author, now)
    if holds:
        output.note("Released: sending goes on.")
    if as_json:
        shown = [hold_data(each, desk.timezone) for each in holds]
        output.emit({"released": shown, "leaving": leaving})


def _refuse_moved(holds: "list[Hold]") -> None:
    from reminderd.errors import Refused
    from reminderd.holding import MOVED

    for each in holds:
        if each.cause == MOVED:
            raise Refused(
                f"nothing is sent from this database: {each.why}",
                remedy="Set database.url to that one. Only where nothing was ever sent from it, "
                "and never will be: reminderd release --moved",
            )


def _as_hold(text: "StoppedText") -> "Hold":
    from reminderd.holding import Hold

    why = f"text {text.template} refused by {text.why}"
    return Hold("refused-text", why, text.since)


def _lines(holds: "list[Hold]", leaving: Mapping[str, int], zone: str) -> list[str]:
    from reminderd.cli.output import instant

    if not holds:
        return ["Nothing is held: sending goes on."]
    counts = ", ".join(f"{count} by {channel}" for channel, count in sorted(leaving.items()))
    return [
        *(f"Held since {instant(each.since, zone)}: {each.why}" for each in holds),
        f"Messages that would leave now: {counts or 'none'}.",
    ]


def _agreed() -> bool:
    if not sys.stdin.isatty():
        raise click.UsageError("there is no terminal to ask at; if you mean it, add --yes")
    return click.confirm("Let them go?", err=True)


def hold_data(hold: "Hold", zone: str) -> dict[str, str | None]:
    """A hold as JSON has it."""
    from reminderd.cli.output import instant

    return {"cause": hold.cause, "why": hold.why, "since": instant(hold.since, zone)}
