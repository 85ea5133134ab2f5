"""`plan`: what would be sent when, and why; of a protocol without a database, or of a patient."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

from reminderd.cli.context import Desk, pass_desk
from reminderd.cli.options import as_json, read, read_at
from reminderd.cli.output import emit

if TYPE_CHECKING:
    from reminderd.model import CareProtocol, Chart, Clinic

_OF_A_PROTOCOL = ("protocol", "at", "timezone", "quiet", "tags")


@click.command("plan")
@click.argument("protocol", required=False)
@click.option("--at", metavar="T", help="When the session is.")
@click.option("--timezone", metavar="Z", help="Where the patient lives; else the clinic's zone.")
@click.option("--now", metavar="N", help="When it is planned; else the real now.")
@click.option("--quiet", metavar="HH:MM-HH:MM", help="Quiet hours; else the clinic's.")
@click.option("--tag", "tags", multiple=True, metavar="X", help="A tag of the session; repeatable.")
@click.option("--patient", metavar="P", help="Instead of a protocol: a real patient, by id or ref.")
@as_json
@pass_desk
def command(
    desk: Desk,
    protocol: str | None,
    at: str | None,
    timezone: str | None,
    now: str | None,
    quiet: str | None,
    tags: tuple[str, ...],
    patient: str | None,
    as_json: bool,
) -> None:
    """Show what would be sent when, and why.

    PROTOCOL is a key or a .toml file, and needs neither configuration nor database: the session is
    taken as done, the patient as having a phone and a mailbox and consent for both.
    """
    if patient is not None:
        _refuse_beside_patient()
        chart = _chart_of(desk, patient)
    elif protocol is None or at is None:
        raise click.UsageError("say PROTOCOL and --at, or --patient")
    else:
        clinic = _clinic(desk, timezone, quiet)
        session_at = read_at("--at", at, clinic.timezone)
        chart = _sample_chart(clinic, desk.protocol(protocol), session_at, _tags(tags))
    planned_at = read_at("--now", now, chart.timezone) if now else desk.clock.now()
    _show(chart, planned_at, as_json)


def _refuse_beside_patient() -> None:
    context = click.get_current_context()
    for name in _OF_A_PROTOCOL:
        if context.get_parameter_source(name) is not ParameterSource.DEFAULT:
            said = {"protocol": "PROTOCOL", "tags": "--tag"}.get(name, f"--{name}")
            raise click.UsageError(f"--patient and {said} exclude each other")


def _chart_of(desk: Desk, name: str) -> "Chart":
    intake = desk.house.intake
    number = intake.patient(name).id
    assert number is not None
    return intake.chart(number)


def _clinic(desk: Desk, timezone: str | None, quiet: str | None) -> "Clinic":
    """The configured clinic, or an invented one; in another zone, with other quiet hours."""
    from reminderd.entries import read_timezone
    from reminderd.model import QuietHours
    from reminderd.sample import CLINIC

    clinic = desk.clinic_if_any or replace(CLINIC, timezone="UTC")
    zone = read("--timezone", read_timezone, timezone) if timezone else clinic.timezone
    hours = read("--quiet", QuietHours.parse, quiet) if quiet else clinic.quiet_hours
    return replace(clinic, timezone=zone, quiet_hours=hours)


def _tags(typed: Iterable[str]) -> frozenset[str]:
    from reminderd.entries import read_tags

    return read("--tag", read_tags, ";".join(typed))


def _sample_chart(
    clinic: "Clinic", protocol: "CareProtocol", session_at: datetime, tags: frozenset[str]
) -> "Chart":
    """One session of a patient who can be reached on every channel; it has no ids."""
    from reminderd.model import Channel, Chart, Consent, Session
    from reminderd.sample import PATIENT

    session = Session(None, protocol.key, protocol.revision, session_at, session_at, tags=tags)
    consent = {channel: Consent(True, session_at, "sample") for channel in Channel}
    patient = replace(PATIENT, clinic=clinic.key, consent=consent)
    protocols: Mapping[int | None, CareProtocol] = {None: protocol}
    return Chart(patient, clinic, (session,), protocols, approved=frozenset({None}))


def _show(chart: "Chart", now: datetime, as_json: bool) -> None:
    from reminderd.cli.view import reminder_data
    from reminderd.errors import InvalidInput
    from reminderd.plan import plan

    try:
        reminders = [each.reminder for each in plan(chart, now)]
        if as_json:
            emit({"reminders": [reminder_data(each, chart.timezone) for each in reminders]})
            return
    except OverflowError as error:
        raise InvalidInput("that lies too far away to be planned") from error
    from rich.console import Console

    from reminderd.cli import timeline

    timeline.draw(
        Console(), reminders, chart.timezone, chart.clinic.quiet_hours, now, chart.sessions
    )
