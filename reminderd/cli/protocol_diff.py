"""`protocol diff`: what has changed since a protocol was signed."""

import json
from typing import TYPE_CHECKING, Any

import click
from click.exceptions import Exit

from reminderd.cli.context import Desk, pass_desk
from reminderd.cli.options import as_json as json_option
from reminderd.cli.output import emit, instant, note

if TYPE_CHECKING:
    from reminderd.protocol_changes import Difference, TextDifference
    from reminderd.protocols import Found
    from reminderd.signatures import Since


@click.command("diff")
@click.argument("name", metavar="PROTOCOL")
@click.option(
    "--from", "revision", type=int, metavar="N", help="Its rules since that revision instead."
)
@json_option
@pass_desk
def diff(desk: Desk, name: str, revision: int | None, as_json: bool) -> None:
    """Show what has changed in a protocol and its texts since it was last signed.

    PROTOCOL is a key or a .toml file. The exit code is 0 where the signature stands, and 1 where
    something has changed or nobody has signed.
    """
    desk.protocol(name)  # with every mistake, where there are any
    found = desk.library.find(name)
    if revision is not None:
        _since_revision(desk, found, revision, as_json)
        return
    since = desk.house.signatures.since(found)
    if as_json:
        emit(_data(desk, found, since))
    else:
        _print(desk, found, since)
    if not since.stands:
        raise Exit(1)


def _since_revision(desk: Desk, found: "Found", revision: int, as_json: bool) -> None:
    from reminderd import protocol_changes
    from reminderd.cli.revisions import of_revision

    pinned = of_revision(desk.house, found.protocol.key, revision)
    rules = protocol_changes.rules(json.loads(pinned.document), json.loads(found.document))
    if as_json:
        emit({**_head(found), "from_revision": revision, "rules": _rules_data(rules)})
    else:
        _print_rules(rules)
        note("" if rules else f"{found.protocol.key} reads as in revision {revision}.")
    if rules:
        raise Exit(1)


# For people -------------------------------------------------------------------------------------


def _print(desk: Desk, found: "Found", since: "Since") -> None:
    key, approval = found.protocol.key, since.approval
    if approval is None:
        note(f"{key}: nobody has signed it yet. Read it all: reminderd protocol show {key}")
    else:
        at = instant(approval.at, desk.timezone)
        state = "and nothing has changed since" if since.stands else "and changed since"
        note(f"{key}: signed by {approval.by} on {at}, revision {approval.revision}, {state}.")
        if since.rules is None or since.texts is None:
            note("What was signed then was not kept, so it cannot be compared. Read it all anew.")
    _print_rules(since.rules or [])
    _print_texts(desk, since.texts or [])
    if not since.stands:
        note(f"\nOnce it is right: reminderd protocol approve {key} --by NAME")


def _print_rules(rules: "list[Difference]") -> None:
    for each in rules:
        click.echo(str(each))
    if rules and all(each.what != "revision" for each in rules):
        note("The revision is the same: raise it, so that people can tell the two apart.")


def _print_texts(desk: Desk, texts: "list[TextDifference]") -> None:
    for each in texts:
        click.echo(f"\n{_place(desk, each.name)}: {each.fate}")
        for line in each.lines:
            click.echo(f"  {line}")


def _place(desk: Desk, name: str) -> str:
    """The file of a template that is there; the name of one that is not."""
    language, _, template = name.partition("/")
    try:
        return str(desk.house.practice.texts.get(language, template).path)
    except KeyError:
        return f"{name}.j2"


# For scripts ------------------------------------------------------------------------------------


def _head(found: "Found") -> dict[str, Any]:
    return {"protocol": found.protocol.key, "revision": found.protocol.revision}


def _data(desk: Desk, found: "Found", since: "Since") -> dict[str, Any]:
    approval = since.approval
    signed = approval and {
        "by": approval.by,
        "at": instant(approval.at, desk.timezone),
        "revision": approval.revision,
    }
    return {
        **_head(found),
        "signed": signed,
        "stands": since.stands,
        "rules": None if since.rules is None else _rules_data(since.rules),
        "texts": None if since.texts is None else [_text_data(desk, each) for each in since.texts],
    }


def _rules_data(rules: "list[Difference]") -> list[dict[str, Any]]:
    return [{**each._asdict(), "text": str(each)} for each in rules]


def _text_data(desk: Desk, text: "TextDifference") -> dict[str, Any]:
    return {
        "name": text.name,
        "path": _place(desk, text.name),
        "change": text.fate,
        "diff": list(text.lines),
    }
