"""`incident`: red flags, and what staff have done about them."""

from typing import TYPE_CHECKING

import click

from reminderd.cli.context import Desk, pass_desk
from reminderd.cli.options import as_json as json_option

if TYPE_CHECKING:
    from reminderd.outbox_values import Incident


@click.group("incident")
def command() -> None:
    """Red flags that need a person: list, show, ack, close. INCIDENT is an id such as inc-1."""


@command.command("list")
@click.option("--all", "everything", is_flag=True, help="Those that are closed, too.")
@json_option
@pass_desk
def list_incidents(desk: Desk, everything: bool, as_json: bool) -> None:
    """List the red flags that are open, in the order in which they came."""
    from reminderd.cli import output
    from reminderd.cli.view import incident_data

    found = desk.house.outbox.incidents(not everything)
    rows = [incident_data(each, desk.timezone) for each in found]
    if as_json:
        output.emit({"incidents": rows})
        return
    if not rows:
        output.note("No red flag is open.")
        return
    output.table(
        ("Id", "State", "Severity", "Number", "Patients", "Opened", "Last", "Taken on by"),
        ([each["id"], each["state"], each["severity"], each["number"],
          ", ".join(each["patients"]), each["opened_at"], each["raised_at"],
          each["acknowledged_by"]] for each in rows),
    )  # fmt: skip


@command.command("show")
@click.argument("incident", metavar="INCIDENT")
@json_option
@pass_desk
def show(desk: Desk, incident: str, as_json: bool) -> None:
    """Show one: whom to call, the patient's words, what is withheld, who does something about it.

    It shows patients' words.
    """
    from reminderd.cli import incident_page, output

    found = desk.house.incidents.incident(incident)
    if as_json:
        output.emit(incident_page.data(desk, found))
    else:
        incident_page.tell(desk, found)


@command.command("ack")
@click.argument("incident", metavar="INCIDENT")
@click.option("--by", metavar="NAME", help="Who takes it on; else who is logged in.")
@json_option
@pass_desk
def acknowledge(desk: Desk, incident: str, by: str | None, as_json: bool) -> None:
    """Take it on: nobody else is called for it. A worse red flag asks for it again."""
    from reminderd.cli import adjusting, output

    done = desk.house.incidents.acknowledge(incident, adjusting.author(desk, by), desk.clock.now())
    if as_json:
        _emit(desk, done)
        return
    name, when = _name(done), output.instant(done.acknowledged_at, desk.timezone)
    output.note(f"{name}: {done.acknowledged_by} has taken it on ({when}).")
    output.note(f"Once it is seen to: reminderd incident close {name} --why TEXT --texts …")


@command.command("close")
@click.argument("incident", metavar="INCIDENT")
@click.option("--why", required=True, metavar="TEXT", help="What was found, and done.")
@click.option(
    "--texts", required=True, type=click.Choice(["resume", "stop"]),
    help="What was withheld: goes out as far as it is still valid, or never.",
)  # fmt: skip
@click.option("--by", metavar="NAME", help="Who has seen to it; else who is logged in.")
@json_option
@pass_desk
def close(desk: Desk, incident: str, why: str, texts: str, by: str | None, as_json: bool) -> None:
    """It is seen to: its replies leave the inbox, and what was withheld is decided."""
    from reminderd.cli import adjusting, changes, incident_page, output
    from reminderd.words import Aftermath

    told = adjusting.reason(why)
    incidents, now = desk.house.incidents, desk.clock.now()
    before = incident_page.plans(desk, incidents.incident(incident))
    done = incidents.close(incident, told, Aftermath(texts), adjusting.author(desk, by), now)
    if as_json:
        output.emit(incident_page.closed_data(desk, done, before))
        return
    for each in done.changes:
        changes.tell(before[each.chart.patient.id], each)
    output.note(f"{_name(done.incident)} is closed by {done.incident.closed_by}.")
    for line in (*incident_page.too_late(desk, done.incident), *incident_page.still_held(done)):
        output.note(line)


def _emit(desk: Desk, incident: "Incident") -> None:
    from reminderd.cli import output
    from reminderd.cli.view import incident_data

    output.emit({"incident": incident_data(incident, desk.timezone)})


def _name(incident: "Incident") -> str:
    from reminderd.ids import public_id

    return public_id("inc", incident.id) or ""
