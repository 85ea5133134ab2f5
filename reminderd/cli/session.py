"""`session`: treatments, and what each change of them does to the reminders."""

from typing import TYPE_CHECKING, Any

import click

from reminderd.cli import changes
from reminderd.cli.context import Desk, pass_desk
from reminderd.cli.fields import SESSION_OPTIONS, given, tag_option, typed
from reminderd.cli.options import as_json as json_option
from reminderd.cli.options import preview as preview_option
from reminderd.cli.options import read

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from reminderd.bootstrap import House
    from reminderd.charts import Change
    from reminderd.model import Session

_AT = {"at": "When it took place, if not when it was booked for."}


@click.group("session")
def command() -> None:
    """Sessions: add, done, move, cancel, adjust, list, show.

    SESSION is an id (ses-12); PATIENT is an id (pat-12) or the clinic's own ref.
    """


@command.command("add")
@click.argument("patient")
@typed(SESSION_OPTIONS)
@tag_option
@preview_option
@json_option
@pass_desk
def add(
    desk: Desk,
    /,
    patient: str,
    tags: tuple[str, ...],
    preview: bool,
    as_json: bool,
    **options: str | None,
) -> None:
    """Record a treatment: done where it was in the past, booked where it lies ahead."""
    from reminderd.cli import fields, notices

    house, now, form = desk.house, desk.clock.now(), given(**options)
    known = house.intake.patient(patient)
    zone = known.timezone or house.practice.clinic_of(known).timezone
    entry, faults = fields.read_session(house, form, tags, zone, now)
    if entry is None:
        raise fields.refuse(house, form, faults)
    made = changes.make(
        house.intake,
        known.id,
        lambda: house.intake.add_session(patient, entry, now),
        preview=preview,
    )
    _tell(desk, made, as_json)
    notices.caution(made.change.chart.patient, made.change.session)


@command.command("done")
@click.argument("session")
@typed(_AT)
@preview_option
@json_option
@pass_desk
def done(desk: Desk, session: str, at: str | None, preview: bool, as_json: bool) -> None:
    """The treatment took place: its aftercare may go out."""
    from reminderd.cli import notices

    intake, now = desk.house.intake, desk.clock.now()
    known = intake.session(session)
    took_place_at = _read_at(desk, known, at) if at is not None else None
    made = changes.make(
        intake,
        known.patient_id,
        lambda: intake.session_done(session, took_place_at, now),
        preview=preview,
    )
    _tell(desk, made, as_json)
    notices.caution(made.change.chart.patient, made.change.session)


@command.command("move")
@click.argument("session")
@click.option("--at", required=True, metavar="T", help="When it is instead.")
@preview_option
@json_option
@pass_desk
def move(desk: Desk, session: str, at: str, preview: bool, as_json: bool) -> None:
    """The treatment is at another time."""
    intake, now = desk.house.intake, desk.clock.now()
    known = intake.session(session)
    moved_to = _read_at(desk, known, at)
    made = changes.make(
        intake,
        known.patient_id,
        lambda: intake.move_session(session, moved_to, now),
        preview=preview,
    )
    _tell(desk, made, as_json)


@command.command("cancel")
@click.argument("session")
@click.option("--no-show", is_flag=True, help="The patient did not come.")
@preview_option
@json_option
@pass_desk
def cancel(desk: Desk, session: str, no_show: bool, preview: bool, as_json: bool) -> None:
    """The treatment was called off, or the patient did not come."""
    from reminderd.cli import output

    intake, now = desk.house.intake, desk.clock.now()
    known = intake.session(session)
    made = changes.make(
        intake,
        known.patient_id,
        lambda: intake.cancel_session(session, now, no_show=no_show),
        preview=preview,
    )
    _tell(desk, made, as_json)
    if no_show and known.at > now:
        output.note(f"{session} lies ahead: nobody can have missed it yet. Was it called off?")


@command.command("adjust")
@click.argument("session")
@click.argument("milestone")
@click.option("--off", is_flag=True, help="Leave it out; a restriction then does not hold.")
@click.option("--holds", metavar="DURATION", help="How long a restriction holds, such as 72h.")
@click.option("--at", metavar="HH:MM", help="The time of day, for one that has one.")
@click.option("--reset", is_flag=True, help="As the protocol says again.")
@click.option("--why", metavar="TEXT", required=True, help="The reason, for the record.")
@click.option("--by", metavar="NAME", help="Who decides; otherwise who is logged in.")
@preview_option
@json_option
@pass_desk
def adjust(
    desk: Desk, /, session: str, milestone: str, preview: bool, as_json: bool, **options: Any
) -> None:
    """Decide otherwise than the protocol, for one milestone of one session.

    The all-clear of a restriction moves with it.
    """
    from reminderd.cli import adjusting

    intake, now = desk.house.intake, desk.clock.now()
    typed = adjusting.Typed(**options)
    decision = adjusting.decision(desk, typed)

    def enter() -> "Change":
        if decision is not None:
            return intake.adjust_session(session, milestone, decision, now)
        by, why = adjusting.author(desk, typed.by), adjusting.reason(typed.why)
        return intake.withdraw_adjustment(session, milestone, by, why, now)

    made = changes.make(intake, intake.session(session).patient_id, enter, preview=preview)
    _tell(desk, made, as_json)
    adjusting.tell_where_asleep(made.change, milestone)


@command.command("list")
@click.option("--patient", metavar="PATIENT", help="Only this patient's.")
@json_option
@pass_desk
def list_sessions(desk: Desk, patient: str | None, as_json: bool) -> None:
    """List sessions by their time."""
    from reminderd.cli import output

    house = desk.house
    patient_id = house.intake.patient(patient).id if patient is not None else None
    sessions = list(_listed(house, patient_id))
    if as_json:
        output.emit({"sessions": sessions})
        return
    keys = ("id", "patient", "at", "protocol", "state", "area")
    output.table(
        [key.capitalize() for key in (*keys, "tags")],
        ([*(each[key] for key in keys), ",".join(each["tags"])] for each in sessions),
    )


def _listed(house: "House", patient_id: int | None) -> "Iterator[dict[str, Any]]":
    from itertools import groupby

    from reminderd.cli import rows, view
    from reminderd.courses import standing

    zone_of, sessions = rows.zones(house), house.outbox.sessions(patient_id)
    own = {
        patient: list(group)
        for patient, group in groupby(sorted(sessions, key=_patient_of), key=_patient_of)
    }
    for each in sessions:
        zone, protocol = zone_of(each.patient_id), house.outbox.protocol(each.protocol_version or 0)
        yield view.session_data(each, zone, standing(own[_patient_of(each)], each, protocol, zone))


def _patient_of(session: "Session") -> int:
    return session.patient_id or 0


@command.command("show")
@click.argument("session")
@json_option
@pass_desk
def show(desk: Desk, session: str, as_json: bool) -> None:
    """Show a session, what staff have changed about it, and every reminder of it."""
    from reminderd import wording
    from reminderd.cli import output, rows, session_history, view
    from reminderd.courses import standing_in
    from reminderd.interfaces import ReminderFilter

    house = desk.house
    known = house.intake.session(session)
    assert known.patient_id is not None
    chart = house.intake.chart(known.patient_id)
    reminders = house.outbox.reminders(ReminderFilter(session_id=known.id))
    data = view.session_in(chart, known)
    if as_json:
        listed = [view.reminder_data(each, chart.timezone) for each in reminders]
        history = session_history.data(chart, known)
        output.emit({"session": data, "history": history, "reminders": listed})
        return
    standing = standing_in(chart, known)
    place = {"place": standing and wording.place(standing)}
    for name, fact in (data | place).items():
        told = ", ".join(fact) if isinstance(fact, list) else fact
        click.echo(f"{name.replace('_', ' '):13}{told or '-'}")
    for name, line in session_history.lines(chart, known):
        click.echo(f"{name:13}{line}")
    click.echo()
    rows.table(reminders, lambda _: chart.timezone)


def _read_at(desk: Desk, session: "Session", text: str) -> "datetime":
    from reminderd.entries import read_session_at

    zone, now = _zone(desk, session), desk.clock.now()
    return read("--at", lambda typed: read_session_at(typed.strip(), zone, now), text)


def _zone(desk: Desk, session: "Session") -> str:
    assert session.patient_id is not None
    return desk.house.intake.chart(session.patient_id).timezone


def _tell(desk: Desk, made: changes.Made, as_json: bool) -> None:
    """Print the session and which reminders differ."""
    from reminderd.cli import output, view

    session = made.change.session
    assert session is not None
    data = view.session_in(made.change.chart, session)
    if as_json:
        output.emit({"session": data, **made.data(desk.house, desk.clock.now())})
        return
    click.echo(f"{data['id']}  {data['at']}  {data['protocol']}  {data['state']}")
    made.tell(desk.house, desk.clock.now())
