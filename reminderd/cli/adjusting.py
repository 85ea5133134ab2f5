"""What staff type to decide otherwise for one session, read with its mistakes."""

from typing import NamedTuple

import click

from reminderd.charts import Change
from reminderd.cli.context import Desk
from reminderd.cli.options import read
from reminderd.cli.output import note
from reminderd.errors import shown
from reminderd.hours import quiet_period
from reminderd.model import Adjustment, Duration, local_time
from reminderd.plan import WAITING

_LONGEST_DAYS = 365  # nothing in aftercare holds for as long


class Typed(NamedTuple):
    """The options of `session adjust`."""

    off: bool
    holds: str | None
    at: str | None
    reset: bool
    why: str
    by: str | None


def decision(desk: Desk, typed: Typed) -> Adjustment | None:
    """What staff decided; None for the protocol again. Wrong usage where it is unclear."""
    if not (typed.off or typed.holds or typed.at or typed.reset):
        raise click.UsageError("say what to change: --off, --holds 72h, --at 20:00 or --reset")
    if (typed.off or typed.reset) and (typed.holds or typed.at or (typed.off and typed.reset)):
        raise click.UsageError("--off and --reset stand alone: without --holds, --at or each other")
    if typed.reset:
        return None
    return Adjustment(
        by=author(desk, typed.by),
        why=reason(typed.why),
        off=typed.off,
        holds=read("--holds", _length, typed.holds) if typed.holds else None,
        at=read("--at", local_time, typed.at) if typed.at else None,
    )


def tell_where_asleep(change: Change, milestone: str) -> None:
    """Warn on stderr where the time that staff chose is one at which nobody is disturbed."""
    session, chart = change.session, change.chart
    decided = session.adjustments.get(milestone) if session else None
    if session is None or decided is None or decided.at is None:
        return
    own = (each for each in chart.reminders if each.key[:2] == (session.id, milestone))
    nominal = next((each.nominal_at for each in own if each.state in WAITING), None)
    quiet = chart.clinic.quiet_hours
    if nominal is not None and quiet_period(chart.timezone, quiet, nominal) is not None:
        note(f"{decided.at:%H:%M} is within quiet hours {quiet}: the change shows when it leaves.")


def author(desk: Desk, by: str | None) -> str:
    """Who decides: as typed, else who is logged in."""
    return desk.house.intake.by if by is None else _said("--by", by, "such as: Dr. Alba")


def reason(why: str) -> str:
    """Why, as it is kept for the record."""
    return _said("--why", why, "such as: strong swelling today")


def _said(option: str, text: str, example: str) -> str:
    from reminderd.entries import plain

    if not text.strip():
        raise click.BadParameter(f"is empty; write it, {example}", param_hint=option)
    return read(option, plain, text.strip())


def _length(text: str) -> Duration:
    length = Duration.parse(text.strip())
    if length.amount < 0:
        raise ValueError(f'{shown(text)} lies in the past; write for example "72h"')
    if length.amount > _LONGEST_DAYS * {"d": 1, "h": 24, "m": 24 * 60}[length.unit]:
        raise ValueError(
            f'{shown(text)} is more than a year ({_LONGEST_DAYS}d); write for example "72h"'
        )
    return length
