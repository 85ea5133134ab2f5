"""`patient`: who is in aftercare, how to reach them, and what they agreed to."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reminderd.cli.context import Desk, pass_desk
from reminderd.cli.fields import CONSENT_OPTION, PATIENT_OPTIONS, given, typed
from reminderd.cli.options import as_json as json_option
from reminderd.cli.options import preview as preview_option
from reminderd.cli.options import read

if TYPE_CHECKING:
    from reminderd.charts import Change
    from reminderd.engine import Engine
    from reminderd.model import Clinic
    from reminderd.settings_sources import Raw


@click.group("patient")
def command() -> None:
    """Patients: add, import, list, show, edit, pause, consent, correct, export, erase.

    PATIENT is an id (pat-12) or the clinic's own ref.
    """


@command.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--dry-run", is_flag=True, help="Say what it would cause, and store nothing.")
@click.option("--skip-bad", is_flag=True, help="Store the good rows although others have faults.")
@click.option("--yes", is_flag=True, help="Do not ask before storing.")
@json_option
@pass_desk
def import_patients(
    desk: Desk, file: Path, dry_run: bool, skip_bad: bool, yes: bool, as_json: bool
) -> None:
    """Take in a list of patients and sessions (CSV): all rows, or none where one has a fault.

    It says first what it will cause. A list can be taken in again: what is known by its ref stays
    as it is.
    """
    from reminderd.cli import patient_import

    wanted = patient_import.Wanted(dry_run, skip_bad, yes, as_json)
    patient_import.take_in(desk, file, wanted)


@command.command("add")
@typed(PATIENT_OPTIONS | CONSENT_OPTION)
@json_option
@pass_desk
def add(desk: Desk, /, as_json: bool, **options: str | None) -> None:
    """Take in a patient without a session."""
    from reminderd.cli import fields, notices, output, patient_facts, view

    now, form = desk.clock.now(), given(**options)
    patient, faults = fields.read_patient(desk.house, form, now, "patient add")
    if patient is None:
        raise fields.refuse(desk.house, form, faults)
    chart = desk.house.intake.add_patient(patient, now).chart
    data = view.patient_data(chart.patient, chart.clinic)
    if as_json:
        output.emit({"patient": data})
    else:
        click.echo(f"{data['id']}  {patient_facts.full_name(chart.patient)} is taken in.")
        output.note(f"Next: reminderd session add {data['id']} --protocol KEY --at T")
    notices.caution(chart.patient)


@command.command("list")
@json_option
@pass_desk
def list_patients(desk: Desk, as_json: bool) -> None:
    """List everybody."""
    # The shortest way, without checking the whole configuration: this has to be there at once.
    from reminderd.engines import configured
    from reminderd.settings_sources import raw

    configuration = raw(desk.config_path, os.environ)
    engine = configured(configuration)
    if as_json:
        _emit_all(configuration, engine)
        return
    from reminderd.cli.output import table

    clinics = configuration.table(("clinics",))
    table(
        ("Id", "Ref", "Name", "Phone", "Email", "Zone", "Channels", "Consent", "Paused"),
        (
            (
                f"pat-{each.id}",
                each.ref,
                f"{each.given_name} {each.family_name}",
                each.phone,
                each.email,
                each.timezone or clinics.get(each.clinic, {}).get("timezone"),
                each.channels.replace(";", ","),
                each.consented.replace(";", ",") or "none",
                "paused" if each.paused else "",
            )
            for each in engine.roll()
        ),
    )


def _emit_all(configuration: "Raw", engine: "Engine") -> None:
    from reminderd.cli import output, view

    outbox = engine.open()
    patients = [
        view.patient_data(each, _clinic(configuration, each.clinic))
        for each in outbox.patients()
        if each.erased_at is None
    ]
    outbox.close()
    output.emit({"patients": patients})


def _clinic(configuration: "Raw", key: str) -> "Clinic":
    """What the unchecked configuration says of a clinic, as far as a list of patients needs it."""
    from reminderd.model import Clinic, QuietHours

    said = configuration.table(("clinics", key))
    return Clinic(
        key=key,
        name=str(said.get("name", "")),
        phone=str(said.get("phone", "")),
        timezone=str(said.get("timezone", "UTC")),
        country=str(said.get("country", "")),
        language=str(said.get("language", "en")),
        quiet_hours=QuietHours.parse("00:00-00:00"),
    )


@command.command("show")
@click.argument("patient")
@json_option
@pass_desk
def show(desk: Desk, patient: str, as_json: bool) -> None:
    """Show what is known of a patient, all that was said of consent, sessions, and the plan."""
    from reminderd.cli import consent_history, notices, output, patient_facts, replied, rows, view
    from reminderd.ids import public_id

    found = desk.house.intake.patient(patient)
    assert found.id is not None
    chart, said = desk.house.intake.chart(found.id), desk.house.outbox.statements(found.id)
    others = consent_history.others_with_number(desk.house, found)
    red_flags = desk.house.outbox.incidents(True, found.id)
    replies = desk.house.outbox.replies(patient_id=found.id)
    if as_json:
        output.emit(
            {
                "patient": view.patient_data(chart.patient, chart.clinic),
                "screening": sorted(chart.patient.screening),
                "same_phone": [public_id("pat", each.id) for each in others],
                "consent_history": [view.statement_data(each, chart.timezone) for each in said],
                "incidents": [view.incident_data(each, chart.timezone) for each in red_flags],
                "sessions": [view.session_in(chart, each) for each in chart.sessions],
                "reminders": rows.of_chart(chart),
                "replies": [
                    view.reply_data(each, chart.timezone, desk.house.outbox) for each in replies
                ],
            }
        )
        return
    for name, fact in patient_facts.facts(chart.patient, chart.clinic):
        click.echo(f"{name:10}{fact}")
    if others:
        click.echo(f"{'shared':10}{consent_history.shared(others)}")
    for flag in red_flags:
        click.echo(f"{'incident':10}{public_id('inc', flag.id)}: {flag.severity}, {flag.state}")
    for line in consent_history.lines(said, chart.timezone):
        click.echo(f"{'said':10}{line}")
    click.echo()
    for each in chart.sessions:
        click.echo(patient_facts.line(chart, each))
    now = desk.clock.now()
    if chart.reminders:
        click.echo()
        notices.draw(chart, now, replies=replied.marks(replies, chart.reminders))
    notices.tell(chart, chart.reminders, now)


@command.command("edit")
@click.argument("patient")
@typed(PATIENT_OPTIONS)
@preview_option
@json_option
@pass_desk
def edit(desk: Desk, /, patient: str, preview: bool, as_json: bool, **options: str | None) -> None:
    """Change what is given, and plan again; an empty text clears: --timezone ""."""
    from reminderd.cli import notices
    from reminderd.cli.fields import edited

    form = given(**options)
    if not form:
        raise click.UsageError("nothing to change was given; see: reminderd patient edit --help")
    house, now = desk.house, desk.clock.now()
    _change(
        desk,
        patient,
        preview,
        as_json,
        lambda: house.intake.edit_patient(patient, lambda old: edited(house, old, form, now), now),
    )
    if "screening" in form:
        notices.caution(house.intake.patient(patient))


@command.command("pause")
@click.argument("patient")
@preview_option
@json_option
@pass_desk
def pause(desk: Desk, patient: str, preview: bool, as_json: bool) -> None:
    """Hold everything of a patient."""
    intake, now = desk.house.intake, desk.clock.now()
    _change(desk, patient, preview, as_json, lambda: intake.pause(patient, now, paused=True))


@command.command("resume")
@click.argument("patient")
@preview_option
@json_option
@pass_desk
def resume(desk: Desk, patient: str, preview: bool, as_json: bool) -> None:
    """Let what was paused go on."""
    intake, now = desk.house.intake, desk.clock.now()
    _change(desk, patient, preview, as_json, lambda: intake.pause(patient, now, paused=False))


@command.command("consent")
@click.argument("patient")
@click.option("--channels", required=True, metavar="TEXT", help="sms,email, or one of them.")
@click.option("--grant/--withdraw", "granted", default=None, help="What the patient said.")
@click.option("--source", required=True, metavar="TEXT", help="How you know, such as a form.")
@preview_option
@json_option
@pass_desk
def consent(
    desk: Desk,
    patient: str,
    channels: str,
    granted: bool | None,
    source: str,
    preview: bool,
    as_json: bool,
) -> None:
    """Record that a patient agreed to be written to, or no longer does."""
    from reminderd.cli import consent_history, output
    from reminderd.entries import plain, read_channels

    if granted is None:
        raise click.UsageError("say which: --grant or --withdraw")
    if not source.strip():
        raise click.UsageError("--source is empty; write how you know, such as: paper form")
    intake, now = desk.house.intake, desk.clock.now()
    said = read("--channels", lambda text: read_channels(text, ","), channels)
    told = read("--source", plain, source.strip())
    blocked = consent_history.blocked_number(desk.house, intake.patient(patient))
    _change(
        desk,
        patient,
        preview,
        as_json,
        lambda: intake.record_consent(patient, said, granted=granted, source=told, now=now),
    )
    if blocked and granted and "sms" in said:
        output.note(f"The provider goes on blocking {blocked} until START is texted from it.")


@command.command("correct")
@click.argument("patient")
@click.option("--told", is_flag=True, help="The patient knows by now: take it off the list.")
@click.option("--by", metavar="NAME", help="Who told the patient; otherwise who is logged in.")
@json_option
@pass_desk
def correct(desk: Desk, patient: str, told: bool, by: str | None, as_json: bool) -> None:
    """Show what a patient was told and is no longer true, with a text that puts it right."""
    from reminderd.cli import adjusting, correcting, output

    house, now = desk.house, desk.clock.now()
    known = house.intake.patient(patient)
    assert known.id is not None
    chart = house.intake.chart(known.id)
    if as_json:
        output.emit({"correction": correcting.data(house, chart, now), "told": told})
    elif correcting.tell(house, chart, now):
        if not told:
            correcting.remind(chart)
    elif not told:
        output.note("All that this patient was told is still true.")
    if told:
        correcting.record(house, patient, adjusting.author(desk, by), now)


@command.command("export")
@click.argument("patient")
@click.option(
    "--file", type=click.Path(path_type=Path), metavar="FILE", help="Write it there; a new file."
)
@json_option
@pass_desk
def export(desk: Desk, patient: str, file: Path | None, as_json: bool) -> None:
    """Print everything that is kept of a patient as JSON, to hand over to that person."""
    from reminderd.cli import exporting

    exporting.hand_over(desk, patient, file)


@command.command("erase")
@click.argument("patient")
@click.option("--by", required=True, metavar="NAME", help="Who decides it.")
@click.option("--why", metavar="TEXT", help="Kept for good, so without anything personal.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
@pass_desk
def erase(desk: Desk, /, patient: str, by: str, why: str | None, yes: bool, as_json: bool) -> None:
    """Remove everything personal of a patient, for good; what waits is not sent.

    Figures stay, and that consent was withdrawn for a number or an address. Not in backups and not
    at the provider.
    """
    from reminderd.cli import erasing

    erasing.erase_patient(desk, patient, erasing.Wanted(by, why, yes, as_json))


def _change(
    desk: Desk, patient: str, preview: bool, as_json: bool, enter: "Callable[[], Change]"
) -> None:
    """Do it, or only try it, and print which reminders differ."""
    from reminderd.cli import changes, output, view

    intake = desk.house.intake
    made = changes.make(intake, intake.patient(patient).id, enter, preview=preview)
    if as_json:
        chart = made.change.chart
        output.emit(
            {
                "patient": view.patient_data(chart.patient, chart.clinic),
                **made.data(desk.house, desk.clock.now()),
            }
        )
    else:
        made.tell(desk.house, desk.clock.now())
