"""`protocol`: list, show, check, schema, approve, diff, migrate."""

import json
from typing import Any

import click

from reminderd.cli.context import Desk, pass_desk
from reminderd.cli.options import as_json
from reminderd.cli.output import emit, note, table
from reminderd.cli.protocol_check import check, refuse_unfit
from reminderd.cli.protocol_diff import diff
from reminderd.cli.protocol_migrate import migrate
from reminderd.cli.revisions import in_use, of_revision, of_session
from reminderd.protocol_changes import when


@click.group("protocol")
def command() -> None:
    """Protocols: aftercare rules as files, the clinic's own before the packaged ones."""


command.add_command(check)
command.add_command(diff)
command.add_command(migrate)


@command.command("list")
@as_json
@pass_desk
def list_protocols(desk: Desk, as_json: bool) -> None:
    """List every protocol, with its approval and the revisions that sessions are under."""
    keys = desk.library.keys()
    listed = [_listed(desk, key) for key in keys]
    if as_json:
        emit({"protocols": listed})
        return
    columns = ("key", "revision", "title", "approved_by")
    rows = [
        [*(each[column] for column in columns), _counted(each["in_use"]), each["path"]]
        for each in listed
    ]
    table(("Key", "Revision", "Title", "Approved by", "Sessions", "File"), rows)
    for each in listed:
        if each["mistakes"]:
            key = each["key"]
            note(f"{key}: {each['mistakes']} mistakes; see: reminderd protocol check {key}")
        elif desk.house_if_any:
            _tell_who_waits(desk, each["key"])


def _listed(desk: Desk, key: str) -> dict[str, Any]:
    from reminderd.cli.output import instant
    from reminderd.errors import FaultsFound

    data: dict[str, Any] = dict.fromkeys(("key", "title", "revision", "approved_by", "approved_at"))
    data |= {"key": key, "path": str(desk.library.path(key)), "mistakes": 0}
    house = desk.house_if_any
    try:
        protocol = desk.library.find(key).protocol
    except FaultsFound as error:
        used = in_use(house, key, None) if house else []
        return data | {"mistakes": len(error.faults), "in_use": used}
    data["in_use"] = in_use(house, key, protocol.digest) if house else []
    approval = house.intake.approval_of(protocol) if house else None
    if approval is not None:
        data |= {"approved_by": approval.by, "approved_at": instant(approval.at, desk.timezone)}
    return data | {"title": protocol.title, "revision": protocol.revision}


def _counted(in_use: list[dict[str, Any]]) -> str:
    """`12 of revision 1, 3 of revision 2`."""
    return ", ".join(f"{each['sessions']} of revision {each['revision']}" for each in in_use)


@command.command("show")
@click.argument("name", metavar="PROTOCOL")
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "html", "md"]),
    default="text",
    help="A table, or a leaflet in HTML or Markdown.",
)
@click.option("--revision", type=int, metavar="N", help="As it was in that revision.")
@click.option("--session", metavar="SESSION", help="As it is for that session.")
@click.option("--language", metavar="L", help="Of the leaflet; else the clinic's.")
@click.option("--at", metavar="T", help="When the session is; else lines to write on.")
@click.option("--timezone", metavar="Z", help="Where the patient lives; else the clinic's zone.")
@click.option("--clinic", metavar="C", help="The clinic on the leaflet; else the first.")
@click.option("--tag", "tags", multiple=True, metavar="X", help="A tag of the session; repeatable.")
@as_json
@pass_desk
def show(
    desk: Desk,
    /,
    name: str,
    form: str,
    revision: int | None,
    session: str | None,
    as_json: bool,
    **wishes: Any,
) -> None:
    """Show the milestones of a protocol, or print a leaflet of it to hand over.

    PROTOCOL is a key or a .toml file. A leaflet has the words of the messages themselves.
    """
    from reminderd.cli.leaflet import Wishes, print_leaflet

    if (revision is not None) + (session is not None) + (form != "text") > 1:
        raise click.UsageError("--revision, --session and --format exclude each other")
    if form != "text":
        if as_json:
            raise click.UsageError(f"--json and --format {form} exclude each other")
        print_leaflet(desk, name, Wishes(**wishes), as_html=form == "html")
        return
    Wishes(**wishes).refuse()
    _show_table(*_document(desk, name, revision, session), as_json)


def _document(
    desk: Desk, name: str, revision: int | None, session: str | None
) -> tuple[dict[str, Any], str]:
    """What the protocol says, and where that stands."""
    if revision is not None or session is not None:
        pinned = (
            of_session(desk.house, session, name)
            if session is not None
            else of_revision(desk.house, name, revision or 0)
        )
        return json.loads(pinned.document), f"as it is kept; sessions under it: {pinned.sessions}"
    desk.protocol(name)  # with every mistake, where there are any
    found = desk.library.find(name)
    return json.loads(found.document), f"from {found.path}"


def _show_table(data: dict[str, Any], where: str, as_json: bool) -> None:
    if as_json:
        emit(data)
        return
    note(f"{data['title']}, revision {data['revision']}, {where}")
    columns = ("Id", "Kind", "Topics", "When", "Holds", "Expires", "Quiet", "Only for", "Source")
    table(columns, [_row(each) for each in data["milestones"]])


def _row(milestone: dict[str, Any]) -> tuple[object, ...]:
    return (
        milestone["id"],
        milestone["kind"],
        ", ".join(milestone["topics"]),
        when(milestone),
        milestone.get("holds"),
        milestone.get("expires"),
        milestone.get("quiet", "defer"),
        ", ".join(milestone.get("only_for", ())),
        milestone.get("source"),
    )


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
    templates needs a new one. One in which the check finds errors is refused.
    """
    from reminderd.cli.output import instant

    refuse_unfit(desk, key)
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
        # Sessions under older rules are not helped by a signature under today's.
        _tell_who_waits(desk, approval.protocol)


def _tell_who_waits(desk: Desk, key: str) -> None:
    """Where reminders wait for a signature: how many, why, and what helps."""
    from reminderd.interfaces import ReminderFilter
    from reminderd.model import Reason, State

    unapproved = ReminderFilter(
        protocol=key, states=frozenset({State.HELD}), reasons=frozenset({Reason.UNAPPROVED})
    )
    count = desk.house.outbox.count_reminders(unapproved)
    if count:
        waits = desk.house.signatures.why_waiting(key)
        note(f"{key}: {count} reminders wait: {waits.why}. See: {waits.do}")
