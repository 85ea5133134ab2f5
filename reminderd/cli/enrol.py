"""`enrol`: patient, consent and session in one step, for the moment after a treatment."""

import sys

import click

from reminderd.cli.context import Desk, pass_desk
from reminderd.cli.fields import (
    CONSENT_OPTION,
    PATIENT_OPTIONS,
    SESSION_OPTIONS,
    given,
    tag_option,
    typed,
)
from reminderd.cli.options import as_json as json_option

_ASKED = {
    "given_name": "Given name",
    "phone": "Phone",
    "email": "Email",
    "protocol": "Protocol",
    "at": "Session at (such as 2026-03-28T14:30)",
}


@click.command("enrol")
@typed(PATIENT_OPTIONS | CONSENT_OPTION | SESSION_OPTIONS)
@tag_option
@json_option
@pass_desk
def command(desk: Desk, /, tags: tuple[str, ...], as_json: bool, **options: str | None) -> None:
    """Take in a patient, the consent and a session in one step.

    Shows what will go out. On a terminal it asks for what is missing.
    """
    from reminderd.cli import fields, notices, output, rows, view
    from reminderd.ids import public_id

    form = given(**options)
    if sys.stdin.isatty() and not as_json:
        _ask(form)
    house, now = desk.house, desk.clock.now()
    patient, faults = fields.read_patient(house, form, now, "enrol")
    zone = _zone(desk, patient.clinic, patient.timezone) if patient else desk.timezone
    session, more = fields.read_session(house, form, tags, zone, now)
    if patient is None or session is None:
        raise fields.refuse(house, form, [*faults, *more])
    change = house.intake.enrol(patient, session, now)
    chart, stored = change.chart, change.session
    assert stored is not None
    if as_json:
        output.emit(
            {
                "patient": view.patient_data(chart.patient, chart.clinic),
                "session": view.session_in(chart, stored),
                "reminders": rows.of_chart(chart),
            }
        )
    else:
        ids = public_id("pat", chart.patient.id), public_id("ses", stored.id)
        click.echo(f"{patient.given_name} is enrolled: patient {ids[0]}, session {ids[1]}.\n")
        notices.draw(chart, now)
    notices.tell(chart, chart.reminders, now, stored)
    notices.caution(chart.patient, stored)
    notices.twice(house, chart.patient, stored)


def _ask(form: dict[str, str]) -> None:
    """Ask for what was not given; an empty answer leaves it out."""
    if {"phone", "email"} & form.keys():
        form.setdefault("phone", "")
        form.setdefault("email", "")
    for name, question in _ASKED.items():
        if name not in form:
            form[name] = click.prompt(question, default="", show_default=False, err=True)


def _zone(desk: Desk, clinic: str, own: str | None) -> str:
    return own or desk.house.practice.clinics[clinic].timezone
