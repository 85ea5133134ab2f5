"""`protocol`: list, show, check, schema, approve."""

import json
from typing import Any

import click

from reminderd.cli.context import Desk, pass_desk
from reminderd.cli.options import as_json
from reminderd.cli.output import emit, note, table
from reminderd.cli.protocol_check import check


@click.group("protocol")
def command() -> None:
    """Protocols: aftercare rules as files, the clinic's own before the packaged ones."""


command.add_command(check)


@command.command("list")
@as_json
@pass_desk
def list_protocols(desk: Desk, as_json: bool) -> None:
    """List every protocol, with its approval."""
    keys = desk.library.keys()
    listed = [_listed(desk, key) for key in keys]
    if as_json:
        emit({"protocols": listed})
        return
    columns = ("key", "revision", "title", "approved_by", "path")
    rows = [[each[column] for column in columns] for each in listed]
    table(("Key", "Revision", "Title", "Approved by", "File"), rows)
    for each in listed:
        if each["mistakes"]:
            key = each["key"]
            note(f"{key}: {each['mistakes']} mistakes; see: reminderd protocol check {key}")


def _listed(desk: Desk, key: str) -> dict[str, Any]:
    from reminderd.cli.output import instant
    from reminderd.errors import FaultsFound

    data: dict[str, Any] = dict.fromkeys(("key", "title", "revision", "approved_by", "approved_at"))
    data |= {"key": key, "path": str(desk.library.path(key)), "mistakes": 0}
    try:
        protocol = desk.library.find(key).protocol
    except FaultsFound as error:
        return data | {"mistakes": len(error.faults)}
    house = desk.house_if_any
    approval = house.intake.approval_of(protocol) if house else None
    if approval is not None:
        data |= {"approved_by": approval.by, "approved_at": instant(approval.at, desk.timezone)}
    return data | {"title": protocol.title, "revision": protocol.revision}


@command.command("show")
@click.argument("name", metavar="PROTOCOL")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "html", "md"]),
    default="text",
    help="A table, or a leaflet in HTML or Markdown.",
)
@click.option("--language", metavar="L", help="Of the leaflet; else the clinic's.")
@click.option("--at", metavar="T", help="When the session is; else lines to write on.")
@click.option("--timezone", metavar="Z", help="Where the patient lives; else the clinic's zone.")
@click.option("--clinic", metavar="C", help="The clinic on the leaflet; else the first.")
@click.option("--tag", "tags", multiple=True, metavar="X", help="A tag of the session; repeatable.")
@as_json
@pass_desk
def show(desk: Desk, /, name: str, form: str, as_json: bool, **wishes: Any) -> None:
    """Show the milestones of a protocol, or print a leaflet of it to hand over.

    PROTOCOL is a key or a .toml file. A leaflet has the words of the messages themselves.
    """
    from reminderd.cli.leaflet import Wishes, print_leaflet

    if form != "text":
        if as_json:
            raise click.UsageError(f"--json and --format {form} exclude each other")
        print_leaflet(desk, name, Wishes(**wishes), as_html=form == "html")
        return
    Wishes(**wishes).refuse()
    _show_table(desk, name, as_json)


def _show_table(desk: Desk, name: str, as_json: bool) -> None:
    desk.protocol(name)  # with every mistake, where there are any
    found = desk.library.find(name)
    data = json.loads(found.document)
    if as_json:
        emit(data)
        return
    note(f"{data['title']}, revision {data['revision']}, from {found.path}")
    columns = ("Id", "Kind", "Topics", "When", "Holds", "Expires", "Quiet", "Only for", "Source")
    table(columns, [_row(each) for each in data["milestones"]])


def _row(milestone: dict[str, Any]) -> tuple[object, ...]:
    return (
        milestone["id"],
        milestone["kind"],
        ", ".join(milestone["topics"]),
        _when(milestone),
        milestone.get("holds"),
        milestone.get("expires"),
        milestone.get("quiet", "defer"),
        ", ".join(milestone.get("only_for", ())),
        milestone.get("source"),
    )


def _when(milestone: dict[str, Any]) -> str:
    match milestone:
        case {"after": after}:
            return f"{after} after"
        case {"before": before}:
            return f"{before} before"
        case {"lead": lead, "at": at}:
            return f"{lead} from the next session, {at}"
        case {"days": [first, last], "at": at}:
            return f"days {first} to {last}, {at}"
    return f"day {milestone['day']}, {milestone['at']}"


@command.command("schema")
def schema() -> None:
    """Print the JSON Schema of protocol files, for editors."""
    from reminderd.protocols import json_schema

    emit(json_schema())


@command.command("approve")
@click.argument("key")
@click.option("--by", required=True, metavar="NAME", help="Who signs.")
@as_json
@pass_desk
def approve(desk: Desk, key: str, by: str, as_json: bool) -> None:
    """Sign a protocol with its texts as they are now, so that its messages may leave.

    What waited for the signature goes out when it is due. A change of the protocol or of one of its
    templates needs a new one.
    """
    from reminderd.cli.output import instant

    desk.protocol(key)  # with every mistake, where there are any
    approval = desk.house.intake.approve(key, by, desk.clock.now())
    at = instant(approval.at, desk.timezone)
    if as_json:
        emit(
            {
                "protocol": approval.protocol,
                "revision": approval.revision,
                "digest": approval.digest,
                "approved_by": approval.by,
                "approved_at": at,
            }
        )
    else:
        note(f"{approval.protocol}, revision {approval.revision}, approved by {approval.by}.")
