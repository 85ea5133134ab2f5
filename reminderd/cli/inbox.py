"""`inbox`: what people wrote to the clinic's number, and what was decided."""

from typing import TYPE_CHECKING

import click

from reminderd.cli.context import Desk, pass_desk
from reminderd.cli.options import as_json as json_option

if TYPE_CHECKING:
    from reminderd.answerbook import Answer
    from reminderd.bootstrap import House
    from reminderd.interfaces import StoredReply


@click.group("inbox")
def command() -> None:
    """What patients wrote: list, show, explain, done, silent."""


@command.command("list")
@click.option("--patient", metavar="PATIENT", help="Only those of one patient.")
@click.option("--all", "everything", is_flag=True, help="Those that somebody has read, too.")
@json_option
@pass_desk
def list_replies(desk: Desk, patient: str | None, everything: bool, as_json: bool) -> None:
    """List what waits for a person, the latest first. It shows patients' words."""
    from reminderd import wording
    from reminderd.cli import output
    from reminderd.cli.view import reply_data

    house = desk.house
    patient_id = house.intake.patient(patient).id if patient else None
    found = house.outbox.replies(patient_id=patient_id, for_staff=not everything)
    rows = [reply_data(each, desk.timezone, house.outbox) for each in found]
    if as_json:
        output.emit({"replies": rows})
        return
    if not rows:
        output.note("Nothing waits to be read.")
        return
    output.table(
        ("Id", "At", "From", "Patients", "Decided", "Check-in", "Text"),
        ([each["id"], each["received_at"], each["from"], ", ".join(each["patients"]),
          each["decision"], wording.answer(each["answer"] or ""), each["text"]] for each in rows),
    )  # fmt: skip


@command.command("show")
@click.argument("reply", metavar="REPLY")
@json_option
@pass_desk
def show(desk: Desk, reply: str, as_json: bool) -> None:
    """Show one reply in full: the words, and what was decided."""
    from reminderd.cli import output
    from reminderd.cli.view import reply_data

    found = _found(desk.house, reply)
    data = reply_data(found, desk.timezone, desk.house.outbox)
    if as_json:
        output.emit(data)
        return
    names = ("id", "received_at", "from", "patients", "media", "decision", "check_in", "answer")
    for name in (*names, "done_by"):
        value = data[name]
        told = ", ".join(value) if isinstance(value, list) else value
        click.echo(f"{name.replace('_', ' '):13}{'-' if told in (None, '', {}) else told}")
    click.echo(f"\n{output.quoted(data['text'])}")
    answer = desk.house.outbox.answer_to(found.id)
    if answer is not None:
        _print_answer(answer, desk.timezone)
    output.note(f"\nWhy: reminderd inbox explain {data['id']}")
    incident = desk.house.incidents.awaiting(found.id)
    if incident:
        output.note(
            f"It is a red flag, and a person has to act: reminderd incident show {incident}"
        )
    elif data["waits"]:
        output.note(f"Once it is seen to: reminderd inbox done {data['id']}")


@command.command("explain")
@click.argument("reply", metavar="REPLY")
@json_option
@pass_desk
def explain(desk: Desk, reply: str, as_json: bool) -> None:
    """Why it was decided so: what was found in it, and which question it belongs to."""
    from reminderd.cli import reply_explaining

    reply_explaining.tell(desk, _found(desk.house, reply), as_json)


@command.command("silent")
@json_option
@pass_desk
def silent(desk: Desk, as_json: bool) -> None:
    """List the check-ins of the last week that nobody has replied to for a day."""
    from reminderd.cli import silence

    silence.tell(desk, as_json)


def _print_answer(answer: "Answer", zone: str) -> None:
    from reminderd.cli.output import instant
    from reminderd.wording import answered

    at = f" {instant(answer.sent_at, zone)}" if answer.sent_at else ""
    why = f" ({answer.error})" if answer.error else ""
    click.echo(f"\nAutomatic answer ({answer.kind}), {answered(answer)}{at}{why}:\n{answer.text}")


@command.command("done")
@click.argument("reply", metavar="REPLY")
@click.option("--by", metavar="NAME", help="Who has seen to it; else who is logged in.")
@pass_desk
def done(desk: Desk, reply: str, by: str | None) -> None:
    """A person has read it and done what it asks for: it leaves the staff's list."""
    from reminderd.audit import Action, Entry
    from reminderd.cli.output import note
    from reminderd.ids import public_id

    house, now = desk.house, desk.clock.now()
    with house.outbox.transaction():
        found, who = _found(house, reply), by or house.intake.by
        name = public_id("rep", found.id) or ""
        waits = found.decision is not None and found.decision.for_staff
        if waits:
            house.outbox.reply_done(found.id, who, now)
            patient = found.patients[0] if found.patients else None
            house.outbox.record([Entry(now, who, Action.REPLY_DONE, name, patient)])
    note(f"{name}: {who} has seen to it." if waits else f"{name} waits for nobody.")
    incident = house.incidents.awaiting(found.id)
    if incident:
        note(f"{incident} is open all the same: reminderd incident show {incident}")


def _found(house: "House", name: str) -> "StoredReply":
    from reminderd.errors import NotFound, shown
    from reminderd.ids import internal_id

    number = internal_id("rep", name)
    found = None if number is None else house.outbox.reply(number)
    if found is None:
        raise NotFound(
            f"there is no reply {shown(name)}", remedy="See them all: reminderd inbox list --all"
        )
    return found
