"""`report`: figures of what was planned and what became of it, and who is overdue."""

from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from reminderd.cli.context import Desk, pass_desk
from reminderd.cli.options import as_json as json_option
from reminderd.cli.options import read_bound

if TYPE_CHECKING:
    from reminderd.bootstrap import House
    from reminderd.interfaces import ReportFilter

_SHOWN = 20


@click.command("report")
@click.option("--from", "start", metavar="T", help="Only what falls due at that instant or later.")
@click.option("--until", "end", metavar="T", help="Only what falls due before that instant.")
@click.option("--protocol", metavar="KEY", help="Only of this protocol.")
@click.option("--overdue", "only_overdue", is_flag=True, help="Only who is overdue, all of them.")
@json_option
@pass_desk
def command(
    desk: Desk,
    start: str | None,
    end: str | None,
    protocol: str | None,
    only_overdue: bool,
    as_json: bool,
) -> None:
    """Show what became of the reminders, and who is overdue for the next session.

    The figures are by protocol, milestone and channel; those of check-ins by protocol. Overdue is
    who should have come back by yesterday and has not booked.
    """
    from reminderd.cli import check_in_figures, comeback, figures, output
    from reminderd.interfaces import ReportFilter
    from reminderd.overdue import overdue

    house, zone = desk.house, desk.timezone
    wanted = ReportFilter(
        protocol=desk.protocol_key(protocol) if protocol is not None else None,
        start=read_bound("--from", start, zone) if start is not None else None,
        end=read_bound("--until", end, zone) if end is not None else None,
    )
    now = desk.clock.now()
    late = overdue(house.outbox, house.practice, wanted, now)
    if as_json:
        numbers = {} if only_overdue else _figures(house, wanted, now)
        about = _about(wanted, zone)
        output.emit({**about, **numbers, "overdue": [comeback.data(each) for each in late]})
        return
    if not only_overdue:
        figures.tell(figures.counted(house.outbox, wanted))
        check_in_figures.tell(check_in_figures.counted(house.outbox.questions(wanted), now))
    comeback.tell(late, None if only_overdue else _SHOWN, now)


def _figures(house: "House", wanted: "ReportFilter", now: datetime) -> dict[str, Any]:
    from reminderd.cli import check_in_figures, figures

    check_ins = check_in_figures.counted(house.outbox.questions(wanted), now)
    return {
        **figures.data(figures.counted(house.outbox, wanted)),
        "check_ins": check_in_figures.data(check_ins),
    }


def _about(wanted: "ReportFilter", zone: str) -> dict[str, Any]:
    from reminderd.cli.output import instant

    return {
        "from": instant(wanted.start, zone),
        "until": instant(wanted.end, zone),
        "protocol": wanted.protocol,
    }
