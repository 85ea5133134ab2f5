"""`preview`: the texts of a protocol or a template, as patients will read them."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import click

from reminderd.cli.context import Desk, pass_desk
from reminderd.cli.options import as_json, read_language
from reminderd.cli.output import emit

if TYPE_CHECKING:
    from reminderd.model import Clinic
    from reminderd.render import Item, Renderer
    from reminderd.segments import SmsSize


@click.command("preview")
@click.argument("name", metavar="PROTOCOL|TEMPLATE")
@click.option("--language", metavar="L", help="Such as en or es; else the clinic's.")
@as_json
@pass_desk
def command(desk: Desk, name: str, language: str | None, as_json: bool) -> None:
    """Show the texts of a protocol or a template.

    Each message alone, then what falls due together as the one message that it becomes; with the
    encoding, the segments and the length of every SMS. The patient and the dates are invented.
    """
    from reminderd.bootstrap import renderer
    from reminderd.sample import CLINIC
    from reminderd.texts import ANSWERS

    texts = renderer(desk.settings_if_any)
    clinic = desk.clinic_if_any or CLINIC
    chosen = read_language(texts, language or clinic.language)
    if name in ANSWERS:
        shown = list(_answers(texts, name, clinic, chosen))
    else:
        shown = [
            _text(texts, together, planned, clinic, chosen)
            for together, planned in _messages(desk, texts, name)
        ]
    if as_json:
        emit({"language": chosen, "texts": shown})
        return
    for text in shown:
        _print(text)


def _messages(
    desk: Desk, texts: "Renderer", name: str
) -> "Iterator[tuple[Sequence[Item], Sequence[Item]]]":
    """Each template once, then every different bundle; or the one template of that name.

    With it, as it really leaves, all that is planned.
    """
    from reminderd import sample
    from reminderd.errors import NotFound, shown

    try:
        items = sample.items(desk.protocol(name))
    except NotFound:
        if name not in {text.name for text in texts.texts.list_templates()}:
            raise NotFound(
                f"there is no protocol or template {shown(name)}",
                remedy="See them with: reminderd protocol list, reminderd template list",
            ) from None
        yield [sample.item_of(name)], []
        return
    leaving = sample.bundles(items)
    for each in _once(items).values():
        yield [each], items if [each] in leaving else []
    bundles = {tuple(_once(each)): each for each in leaving if len(each) > 1}
    yield from ((each, items) for each in bundles.values())


def _answers(
    texts: "Renderer", name: str, clinic: "Clinic", language: str
) -> Iterator[dict[str, Any]]:
    """What whoever wrote is told at once, each different text once."""
    from reminderd.answer_page import TEMPLATES, answer

    kind = next(each for each, template in TEMPLATES.items() if template == name)
    said = {}
    for is_emergency in (True, False):
        page = answer(texts, kind, clinic, language, is_emergency=is_emergency)
        said[page.text] = page
    for page in said.values():
        sms = _sms(page.text, page.size)
        yield {"templates": [name], "language": language, "sms": sms, "email": None}


def _once(items: "Sequence[Item]") -> "dict[str, Item]":
    """The first item of each template: the days of one milestone differ in a number only."""
    return {each.milestone.template: each for each in reversed(items)}


def _text(
    texts: "Renderer",
    items: "Sequence[Item]",
    planned: "Sequence[Item]",
    clinic: "Clinic",
    language: str,
) -> dict[str, Any]:
    from reminderd.model import Channel
    from reminderd.opening import plan_to_copy
    from reminderd.sample import PATIENT, patient

    reader = patient(PATIENT.given_name, language)
    sms = texts.compose(items, reader, clinic, Channel.SMS)
    mail = texts.compose(items, reader, clinic, Channel.EMAIL, plan_to_copy(items, planned))
    assert sms.size is not None
    return {
        "templates": [each.milestone.template for each in items],
        "language": sms.language,
        "sms": _sms(sms.text, sms.size),
        "email": {"subject": mail.subject, "text": mail.text, "html": mail.html},
    }


def _sms(text: str, size: "SmsSize") -> dict[str, Any]:
    from reminderd.segments import culprits

    return {
        "text": text,
        "encoding": size.encoding,
        "segments": size.segments,
        "length": size.units,
        "not_gsm": list(culprits(text)),
    }


def _print(text: dict[str, Any]) -> None:
    sms, mail = text["sms"], text["email"]
    click.secho(" + ".join(text["templates"]), bold=True, underline=True)
    forced = f", because of {' '.join(sms['not_gsm'])}" if sms["not_gsm"] else ""
    count = f"{sms['segments']} segment{'s' if sms['segments'] > 1 else ''}"
    click.secho(f"\nSMS, {sms['length']} units in {sms['encoding']}, {count}{forced}", dim=True)
    click.echo(_indented(sms["text"]))
    if mail is None:
        click.echo()
        return
    click.secho("\nEmail", dim=True)
    click.echo(_indented(f"{mail['subject']}\n\n{mail['text']}") + "\n")


def _indented(text: str) -> str:
    return "\n".join(f"  {line}".rstrip() for line in text.splitlines())
