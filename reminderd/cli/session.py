"""`session`: treatments, and what each change of them does to the reminders."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from reminderd.cli.context import Desk, pass_desk
from reminderd.cli.fields import SESSION_OPTIONS, given, tag_option, typed
from reminderd.cli.options import as_json as json_option
from reminderd.cli.options import read

if TYPE_CHECKING:
    from datetime import datetime

    from reminderd.charts import Change
    from reminderd.model import Session

_AT = {"at": "When it took place, if not when it was booked for."}


@click.group("session")
def command() -> None:
    """Sessions: add, done, move, cancel, list, show.

    SESSION is an id (ses-12); PATIENT is an id (pat-12) or the clinic's own ref.
    """


@command.command("add")
@click.argument("patient")
@typed(SESSION_OPTIONS)
@tag_option
@json_option
@pass_desk
def add(
    desk: Desk, /, patient: str, tags: tuple[str, ...], as_json: bool, **options: str | None
) -> None:
    """Record a treatment: done where it was in the past, booked where it lies ahead."""
    from reminderd.cli import fields

    house, now, form = desk.house, desk.clock.now(), given(**options)
    known = house.intake.patient(patient)
    zone = known.timezone or house.practice.clinic_of(known).timezone
    entry, faults = fields.read_session(house, form, tags, zone, now)
    if entry is None:
        raise fields.refuse(house, form, faults)
    _change(desk, known.id, as_json, lambda: house.intake.add_session(patient, entry, now))


@command.command("done")
@click.argument("session")
@typed(_AT)
@json_option
@pass_desk
def done(desk: Desk, session: str, at: str | None, as_json: bool) -> None:
    """The treatment took place: its aftercare may go out."""
    intake, now = desk.house.intake, desk.clock.now()
    known = intake.session(session)
    took_place_at = _read_at(desk, known, at) if at is not None else None
    _change(
        desk, known.patient_id, as_json, lambda: intake.session_done(session, took_place_at, now)
    )


@command.command("move")
@click.argument("session")
@click.option("--at", required=True, metavar="T", help="When it is instead.")
@json_option
@pass_desk
def move(desk: Desk, session: str, at: str, as_json: bool) -> None:
    """The treatment is at another time."""
    intake, now = desk.house.intake, desk.clock.now()
    known = intake.session(session)
    moved_to = _read_at(desk, known, at)
    _change(desk, known.patient_id, as_json, lambda: intake.move_session(session, moved_to, now))


@command.command("cancel")
@click.argument("session")
@click.option("--no-show", is_flag=True, help="The patient did not come.")
@json_option
@pass_desk
def cancel(desk: Desk, session: str, no_show: bool, as_json: bool) -> None:
    """The treatment was called off, or the patient did not come."""
    intake, now = desk.house.intake, desk.clock.now()
    known = intake.session(session)
    _change(
        desk,
        known.patient_id,
        as_json,
        lambda: intake.cancel_session(session, now, no_show=no_show),
    )


@command.command("list")
@click.option("--patient", metavar="PATIENT", help="Only this patient's.")
@json_option
@pass_desk
def list_sessions(desk: Desk, patient: str | None, as_json: bool) -> None:
    """List sessions by their time."""
    from reminderd.cli import output, rows, view

    house = desk.house
    patient_id = house.intake.patient(patient).id if patient is not None else None
    zone_of = rows.zones(house)
    sessions = [
        view.session_data(each, zone_of(each.patient_id))
        for each in house.outbox.sessions(patient_id)
    ]
    if as_json:
        output.emit({"sessions": sessions})
        return
    keys = ("id", "patient", "at", "protocol", "state", "area")
    output.table(
        [key.capitalize() for key in (*keys, "tags")],
        ([*(each[key] for key in keys), ",".join(each["tags"])] for each in sessions),
    )


@command.command("show")
@click.argument("session")
@json_option
@pass_desk
def show(desk: Desk, session: str, as_json: bool) -> None:
    """Show a session and every reminder of it."""
    from reminderd.cli import output, rows, view
    from reminderd.interfaces import ReminderFilter

    house = desk.house
    known = house.intake.session(session)
    zone = _zone(desk, known)
    reminders = house.outbox.reminders(ReminderFilter(session_id=known.id))
    data = view.session_data(known, zone)
    if as_json:
        listed = [view.reminder_data(each, zone) for each in reminders]
        output.emit({"session": data, "reminders": listed})
        return
    for name, fact in data.items():
        told = ", ".join(fact) if isinstance(fact, list) else fact
        click.echo(f"{name.replace('_', ' '):13}{told or '-'}")
    click.echo()
    rows.table(reminders, lambda _: zone)


def _read_at(desk: Desk, session: "Session", text: str) -> "datetime":
    from reminderd.entries import read_session_at

    zone, now = _zone(desk, session), desk.clock.now()
    return read("--at", lambda typed: read_session_at(typed.strip(), zone, now), text)


def _zone(desk: Desk, session: "Session") -> str:
    assert session.patient_id is not None
    return desk.house.intake.chart(session.patient_id).timezone


def _change(
    desk: Desk, patient_id: int | None, as_json: bool, make: "Callable[[], Change]"
) -> None:
    """Do it, and print the session and which reminders differ."""
    from reminderd.cli import changes, notices, output, view

    assert patient_id is not None
    before = desk.house.intake.chart(patient_id).reminders
    change = make()
    assert change.session is not None
    data = view.session_data(change.session, change.chart.timezone)
    if as_json:
        output.emit({"session": data, "changes": changes.data(before, change)})
        return
    click.echo(f"{data['id']}  {data['at']}  {data['protocol']}  {data['state']}")
    changes.tell(before, change)
    notices.tell(change.chart, change.reminders, desk.clock.now(), change.session)
