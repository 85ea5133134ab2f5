"""`status`: how things stand, on one screen or in one JSON document."""

from collections import Counter
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from reminderd.cli.context import Desk, pass_desk
from reminderd.cli.options import as_json as json_option

if TYPE_CHECKING:
    from reminderd.bootstrap import House
    from reminderd.model import Reason, State


@click.command("status")
@json_option
@pass_desk
def command(desk: Desk, as_json: bool) -> None:
    """Show how things stand: the daemon, what is due, what waits for a person."""
    from reminderd.cli import output
    from reminderd.staff import items

    running = desk.engine.is_running()  # before this process opens the file
    house, now = desk.house, desk.clock.now()
    facts = {"daemon": "running" if running else "not running", **_facts(house, desk, now)}
    waiting = items.waiting(house, now)
    if as_json:
        output.emit({**facts, "staff": waiting})
        return
    for name, fact in facts.items():
        if name == "workers" and not fact:
            continue
        click.echo(f"{name.replace('_', ' '):12}{_told(fact)}")
    click.echo(f"{'staff':12}{len(waiting)} waiting for a person")
    for each in waiting[:10]:
        click.echo(f"{'':12}{each['id']}: {each['why']} → {each['do']}")
    if len(waiting) > 10:
        click.echo(f"{'':12}… see all with: reminderd today")


def _facts(house: "House", desk: Desk, now: datetime) -> dict[str, Any]:
    from reminderd.cli import in_doubt
    from reminderd.cli.output import instant
    from reminderd.cli.release import hold_data
    from reminderd.holding import held
    from reminderd.interfaces import ReminderFilter
    from reminderd.model import State
    from reminderd.resting import resting

    tally = house.outbox.tally()
    counts: Counter[str] = Counter()
    for (state, _), count in tally.items():
        counts[state] += count
    overdue = ReminderFilter(states=frozenset({State.SCHEDULED}), due_until=now)
    return {
        "database": house.engine.where,
        "workers": _workers(house),
        "holds": [hold_data(each, desk.timezone) for each in held(house.outbox)],
        "resting": [
            {
                "transport": each.transport,
                "until": instant(each.until, desk.timezone),
                "why": each.why,
            }
            for each in resting(house.outbox, house.practice.routes.values(), now)
        ],
        "reminders": {state.value: counts[state] for state in State},
        "next_due": instant(house.outbox.next_due(()), desk.timezone),
        "overdue": house.outbox.count_reminders(overdue),
        "in_doubt": in_doubt.facts(house, desk.timezone, now),
        "held": _by_reason(tally, State.HELD),
        "unapproved": [each.key for each in house.signatures.unsigned()],
        "expired": _by_reason(tally, State.EXPIRED),
    }


def _workers(house: "House") -> list[dict[str, str]]:
    """Who sends together, and which of them sends nothing and why; nobody on one machine."""
    return [{"worker": each.name, "why": each.trouble} for each in house.outbox.workers()]


def _by_reason(
    tally: "Mapping[tuple[State, Reason | None], int]", wanted: "State"
) -> dict[str, int]:
    return {reason: count for (state, reason), count in tally.items() if state is wanted and reason}


def _told(fact: object) -> str:
    from reminderd.cli import in_doubt

    if isinstance(fact, dict) and "next_look" in fact:
        return in_doubt.line(fact)
    if isinstance(fact, dict):
        return ", ".join(f"{count} {name}" for name, count in fact.items() if count) or "none"
    if isinstance(fact, list):
        return ", ".join(each if isinstance(each, str) else _why(each) for each in fact) or "none"
    return "-" if fact is None else str(fact)


def _why(fact: dict[str, str]) -> str:
    """Why nothing is sent, or nothing by one transport or worker."""
    if "worker" in fact:
        return f"{fact['worker']} ({fact['why']})" if fact["why"] else fact["worker"]
    if "transport" in fact:
        return f"{fact['transport']} until {fact['until']}: {fact['why']}"
    return fact["why"]
