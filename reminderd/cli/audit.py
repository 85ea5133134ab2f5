"""`audit`: who did what to whom, and whether the record of it is whole."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from reminderd.cli.context import Desk, pass_desk
from reminderd.cli.options import as_json as json_option
from reminderd.cli.options import read_bound

if TYPE_CHECKING:
    from reminderd.audit import Broken, Head, Recorded

BROKEN = 1


@click.command("audit")
@click.option("--patient", metavar="PATIENT", help="Only what is about this patient.")
@click.option("--since", metavar="T", help="Only what was done at T or later.")
@click.option("--verify", is_flag=True, help="List nothing; only look whether the trail is whole.")
@json_option
@pass_desk
def command(
    desk: Desk, patient: str | None, since: str | None, verify: bool, as_json: bool
) -> None:
    """Show who did what to whom, and look whether the trail is whole.

    Exit code 1 where an entry was changed, taken out or added by another way.
    """
    outbox = desk.house.outbox
    start = read_bound("--since", since, desk.timezone) if since is not None else None
    wanted = [] if verify else outbox.trail(_number(desk, patient), start)
    with outbox.transaction():  # nobody adds to it meanwhile
        head = outbox.trail_head()
        fault = outbox.trail_fault()
    if as_json:
        _emit(wanted, head, fault, desk.timezone, with_entries=not verify)
    else:
        _print(wanted, head, fault, desk.timezone)
    if fault is not None:
        click.get_current_context().exit(BROKEN)


def _number(desk: Desk, patient: str | None) -> int | None:
    """The id behind what was typed; the trail also knows those who were erased."""
    from reminderd.ids import internal_id

    if patient is None:
        return None
    number = internal_id("pat", patient)
    return desk.house.intake.patient(patient).id if number is None else number


def data(recorded: "Recorded", zone: str) -> dict[str, Any]:
    """An entry for scripts."""
    from reminderd.cli.output import instant

    entry = recorded.entry
    return {
        "number": recorded.number,
        "at": instant(entry.at, zone),
        "by": entry.by,
        "action": entry.action,
        "what": entry.what,
        "before": entry.before,
        "after": entry.after,
        "digest": recorded.digest,
    }


def _emit(
    wanted: "Sequence[Recorded]",
    head: "Head",
    fault: "Broken | None",
    zone: str,
    *,
    with_entries: bool,
) -> None:
    from reminderd.cli.output import emit

    entries = {"entries": [data(each, zone) for each in wanted]} if with_entries else {}
    said = {"number": fault.number, "why": fault.why} if fault else None
    emit({**entries, "entries_in_all": head.number, "digest": head.digest, "broken": said})


def _print(wanted: "Sequence[Recorded]", head: "Head", fault: "Broken | None", zone: str) -> None:
    from reminderd.cli.output import instant, note, table

    if wanted:
        rows = (
            (
                each.number,
                instant(each.entry.at, zone),
                each.entry.by,
                each.entry.action,
                each.entry.what,
                _told(each.entry.before, each.entry.after),
            )
            for each in wanted
        )
        table(("No", "At", "By", "Action", "What", "Change"), rows)
    if fault is None:
        entries = "1 entry" if head.number == 1 else f"{head.number} entries"
        note(f"The trail is whole: {entries}, digest {head.digest[:16] or 'none'}.")
        return
    note(f"The trail is broken: entry {fault.number} {fault.why}.")
    note("Compare with the newest backup whose trail is whole: reminderd audit --json")


def _told(before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    """`timezone: Europe/Madrid → Europe/London; phone: (not kept) → none`."""
    names = dict.fromkeys([*before, *after])
    return "; ".join(
        f"{name}: {_fact(before[name])} → {_fact(after.get(name))}"
        if name in before
        else f"{name}: {_fact(after[name])}"
        for name in names
    )


def _fact(value: object) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_fact(each)}" for name, each in value.items()) or "none"
    if isinstance(value, list):
        return ", ".join(map(_fact, value)) or "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "none" if value is None else str(value)
