"""One incident in full: whom to call, what they wrote, what is withheld, what to do next."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from reminderd.cli import changes, output, view
from reminderd.cli.context import Desk
from reminderd.ids import public_id
from reminderd.staff.alarms import about
from reminderd.wording import answered, counted

if TYPE_CHECKING:
    from reminderd.incidents import Closed
    from reminderd.interfaces import StoredReply
    from reminderd.model import Chart, Reminder
    from reminderd.outbox_values import Incident

Plans = Mapping[int | None, "Sequence[Reminder]"]


def data(desk: Desk, incident: "Incident") -> dict[str, Any]:
    """For scripts. `later` is what came from that number since then and is no red flag."""
    zone = desk.timezone
    return {
        "incident": view.incident_data(incident, zone),
        "patients": [
            view.patient_data(each.patient, each.clinic) for each in _charts(desk, incident)
        ],
        "replies": [_reply(desk, each) for each in _red_flags(desk, incident)],
        "later": [_reply(desk, each) for each in _later(desk, incident)],
        "withheld": [
            view.reminder_data(each, zone) for each in desk.house.incidents.withheld(incident)
        ],
        "told": _told(desk, incident),
        "too_late": [
            view.reminder_data(each, zone) for each in desk.house.incidents.too_late(incident)
        ],
    }


def _reply(desk: Desk, reply: "StoredReply") -> dict[str, Any]:
    return view.reply_data(reply, desk.timezone, desk.house.outbox)


def tell(desk: Desk, incident: "Incident") -> None:
    """For people."""
    for name, fact in _facts(desk, incident):
        click.echo(f"{name:13}{fact}")
    for title, replies in (("", _red_flags(desk, incident)), ("Since: ", _later(desk, incident))):
        for each in replies:
            word = each.decision.word if each.decision else "not read yet"
            when = output.instant(each.received_at, desk.timezone)
            click.echo(f"\n{title}{public_id('rep', each.id)}  {when}  {word}")
            click.echo(output.quoted(each.reply.text))
            answer = desk.house.outbox.answer_to(each.id)
            if answer is not None:
                click.echo(f"answered by itself: {answered(answer)}")
    told = [_told_in_words(each) for each in _told(desk, incident)]
    if told:
        click.echo("\n" + "\n".join(told))
    held = desk.house.incidents.withheld(incident)
    if held:
        click.echo(f"\nWithheld: {counted([each.milestone for each in held])}")
    for line in too_late(desk, incident):
        click.echo(f"\n{line}")
    if incident.is_open:
        output.note("")
    for line in _next(incident):
        output.note(line)


def _told(desk: Desk, incident: "Incident") -> list[dict[str, Any]]:
    """Who at the clinic was told of it, and when; what has failed, with why."""
    return [
        {
            "recipient": each.recipient,
            "since": output.instant(each.created_at, desk.timezone),
            "told_at": output.instant(each.sent_at, desk.timezone),
            "error": each.error,
        }
        for each in desk.house.outbox.alerts(about(incident))
    ]


def _told_in_words(alert: Mapping[str, Any]) -> str:
    if alert["told_at"]:
        return f"Told: {alert['recipient']}  {alert['told_at']}"
    return f"Not told: {alert['recipient']}: {alert['error'] or 'not yet'}"


def _facts(desk: Desk, incident: "Incident") -> Iterator[tuple[str, str]]:
    def when(name: str, by: str | None = None) -> str:
        at = output.instant(getattr(incident, name), desk.timezone)
        return " by ".join(filter(None, [at, by])) or "-"

    yield public_id("inc", incident.id) or "", f"{incident.severity}, {incident.state}"
    yield "call", incident.number or "- (erased)"
    for facts in desk.house.outbox.facts(incident.patients):
        who = facts.patient
        parts = (public_id("pat", who.id), who.ref, who.given_name, who.family_name)
        yield "patient", " ".join(filter(None, parts))
    if not incident.patients:
        yield "patient", "nobody has that number"
    yield "opened", when("opened_at")
    yield "last", when("raised_at")
    yield "taken on", when("acknowledged_at", incident.acknowledged_by)
    if not incident.is_open:
        yield "closed", when("closed_at", incident.closed_by)
        yield "why", incident.why or "-"


def _next(incident: "Incident") -> Iterator[str]:
    name = public_id("inc", incident.id)
    if incident.is_open and incident.acknowledged_at is None:
        yield f"Take it on: reminderd incident ack {name}"
    if incident.is_open:
        yield (
            f"Once it is seen to: reminderd incident close {name} --why TEXT --texts resume,"
            " or stop: nothing that is withheld goes out"
        )


def _charts(desk: Desk, incident: "Incident") -> "list[Chart]":
    """But of whom no clinic is configured any more."""
    house = desk.house
    found = house.outbox.facts(incident.patients)
    ours = [each for each in found if each.patient.clinic in house.practice.clinics]
    return house.practice.charts(ours, house.outbox.approvals())


def _red_flags(desk: Desk, incident: "Incident") -> "list[StoredReply]":
    found = [desk.house.outbox.reply(each) for each in incident.replies]
    return [each for each in found if each is not None]


def _later(desk: Desk, incident: "Incident") -> "list[StoredReply]":
    """The rest of the conversation, in order."""
    return [
        each
        for each in reversed(desk.house.outbox.replies())
        if each.reply.sender == incident.number != ""
        and each.id > max(incident.replies[:1], default=0)
        and each.id not in incident.replies
    ]


def too_late(desk: Desk, incident: "Incident") -> Iterator[str]:
    """What nobody tells the patient any more, unless a person does."""
    lost = [each.milestone for each in desk.house.incidents.too_late(incident)]
    if lost:
        yield f"Withheld until it was too late, so tell the patient: {counted(lost)}"


# Closing -----------------------------------------------------------------------------------------


def plans(desk: Desk, incident: "Incident") -> Plans:
    """The reminders of each patient as they are now."""
    return {each.patient.id: each.reminders for each in _charts(desk, incident)}


def closed_data(desk: Desk, closed: "Closed", before: Plans) -> dict[str, Any]:
    """For scripts: the incident, and what became of the reminders."""
    return {
        "incident": view.incident_data(closed.incident, desk.timezone),
        "changes": [
            line
            for each in closed.changes
            for line in changes.data(before[each.chart.patient.id], each)
        ],
    }


def still_held(closed: "Closed") -> Iterator[str]:
    """Who gets nothing all the same, and what decides that."""
    for each in closed.changes:
        if each.chart.patient.paused:
            name = public_id("pat", each.chart.patient.id)
            yield f"{name} is paused. To go on: reminderd patient resume {name}"
