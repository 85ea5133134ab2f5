"""`reminder`: the rows of the outbox, why each is as it is, and what staff decide about one."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from reminderd.cli.context import Desk, pass_desk
from reminderd.cli.options import as_json as json_option
from reminderd.cli.options import preview as preview_option
from reminderd.cli.options import read_bound
from reminderd.model import Reason, State

if TYPE_CHECKING:
    from reminderd.charts import Change
    from reminderd.interfaces import ReminderFilter

SHOWN = 50


def _choice(words: type[State] | type[Reason]) -> click.Choice[str]:
    return click.Choice([each.value for each in words])


@click.group("reminder")
def command() -> None:
    """Reminders: list, show, explain, cancel, retry, resolve.

    REMINDER is an id (rem-12).
    """


@command.command("list")
@click.option("--needs-staff", is_flag=True, help="Only what waits for a person.")
@click.option("--state", "states", multiple=True, type=_choice(State), help="In this state.")
@click.option("--reason", "reasons", multiple=True, type=_choice(Reason), help="For this reason.")
@click.option("--patient", metavar="PATIENT", help="Only this patient's.")
@click.option("--session", metavar="SESSION", help="Only of this session.")
@click.option("--protocol", metavar="KEY", help="Only of this protocol.")
@click.option("--due-from", metavar="T", help="Due at that instant or later.")
@click.option("--due-until", metavar="T", help="Due before that instant.")
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="At most so many.")
@json_option
@click.option("--jsonl", "as_lines", is_flag=True, help="One line of JSON each.")
@pass_desk
def list_reminders(
    desk: Desk,
    needs_staff: bool,
    states: tuple[str, ...],
    reasons: tuple[str, ...],
    patient: str | None,
    session: str | None,
    protocol: str | None,
    due_from: str | None,
    due_until: str | None,
    limit: int | None,
    as_json: bool,
    as_lines: bool,
) -> None:
    """List reminders, the next due first."""
    from reminderd.interfaces import ReminderFilter

    intake = desk.house.intake
    known = intake.patient(patient) if patient is not None else None
    zone = known.timezone if known and known.timezone else desk.timezone
    wanted = ReminderFilter(
        patient_id=known.id if known else None,
        session_id=intake.session(session).id if session is not None else None,
        protocol=desk.protocol_key(protocol) if protocol is not None else None,
        states=frozenset(map(State, states)),
        reasons=frozenset(map(Reason, reasons)),
        due_from=read_bound("--due-from", due_from, zone) if due_from is not None else None,
        due_until=read_bound("--due-until", due_until, zone) if due_until is not None else None,
        needs_staff=needs_staff,
        limit=limit,
    )
    if as_json or as_lines:
        _emit(desk, wanted, as_lines)
    else:
        _table(desk, wanted)


def _emit(desk: Desk, wanted: "ReminderFilter", as_lines: bool) -> None:
    from reminderd.cli import output, rows, view

    zone_of = rows.zones(desk.house)
    found = desk.house.outbox.reminders(wanted)
    data = (view.reminder_data(each, zone_of(each.patient_id)) for each in found)
    if not as_lines:
        output.emit({"reminders": list(data)})
        return
    for each in data:
        output.emit_line(each)


def _table(desk: Desk, wanted: "ReminderFilter") -> None:
    from dataclasses import replace

    from reminderd.cli import rows
    from reminderd.cli.output import note

    outbox = desk.house.outbox
    shown = outbox.reminders(replace(wanted, limit=wanted.limit or SHOWN))
    rows.table(shown, rows.zones(desk.house))
    if wanted.limit is None:
        more = outbox.count_reminders(wanted) - len(shown)
        if more > 0:
            note(f"… and {more} more; narrow the list, or take --limit or --json.")


@command.command("show")
@click.argument("reminder")
@json_option
@pass_desk
def show(desk: Desk, reminder: str, as_json: bool) -> None:
    """Show everything that is stored of a reminder."""
    from reminderd.cli import output, view

    found = desk.house.intake.reminder(reminder)
    assert found.patient_id is not None
    data = view.reminder_data(found, desk.house.intake.chart(found.patient_id).timezone)
    if as_json:
        output.emit(data)
        return
    for name, fact in data.items():
        told = ", ".join(fact) if isinstance(fact, list) else fact
        click.echo(f"{name.replace('_', ' '):13}{'-' if told is None else told}")


@command.command("cancel")
@click.argument("reminder")
@preview_option
@json_option
@pass_desk
def cancel(desk: Desk, reminder: str, preview: bool, as_json: bool) -> None:
    """Call one reminder off; it stays off through every new plan."""
    intake, now = desk.house.intake, desk.clock.now()
    _decide(desk, reminder, preview, as_json, lambda: intake.cancel_reminder(reminder, now))


@command.command("retry")
@click.argument("reminder")
@preview_option
@json_option
@pass_desk
def retry(desk: Desk, reminder: str, preview: bool, as_json: bool) -> None:
    """Ask again for a reminder that failed, was called off, or waits for its next try."""
    intake, now = desk.house.intake, desk.clock.now()
    _decide(desk, reminder, preview, as_json, lambda: intake.retry_reminder(reminder, now))


@command.command("resolve")
@click.argument("reminder")
@click.option("--resend", is_flag=True, help="It did not arrive: send it again.")
@click.option("--sent", is_flag=True, help="It arrived.")
@click.option("--drop", is_flag=True, help="Leave it at that.")
@click.option("--by", metavar="NAME", help="Who says so; otherwise who is logged in.")
@preview_option
@json_option
@pass_desk
def resolve(
    desk: Desk, /, reminder: str, by: str | None, preview: bool, as_json: bool, **said: bool
) -> None:
    """Say what became of a message of which it is not known whether it was accepted.

    It counts for every reminder that the message carried.
    """
    from reminderd.cli import adjusting
    from reminderd.model import Resolution

    words = [word for word, is_said in said.items() if is_said]
    if len(words) != 1:
        raise click.UsageError("say which, and one only: --resend, --sent or --drop")
    intake, now, author = desk.house.intake, desk.clock.now(), adjusting.author(desk, by)
    resolution = Resolution(words[0])
    _decide(
        desk,
        reminder,
        preview,
        as_json,
        lambda: intake.resolve_reminder(reminder, resolution, author, now),
    )


def _decide(
    desk: Desk, reminder: str, preview: bool, as_json: bool, enter: "Callable[[], Change]"
) -> None:
    from reminderd.cli import changes, output, view

    intake = desk.house.intake
    known = intake.reminder(reminder)
    made = changes.make(intake, known.patient_id, enter, preview=preview)
    if as_json:
        chart = made.change.chart
        after = next(each for each in chart.reminders if each.id == known.id)
        output.emit(
            {
                "reminder": view.reminder_data(after, chart.timezone),
                **made.data(desk.house, desk.clock.now()),
            }
        )
    else:
        made.tell(desk.house, desk.clock.now())


@command.command("explain")
@click.argument("reminder")
@json_option
@pass_desk
def explain(desk: Desk, reminder: str, as_json: bool) -> None:
    """Say why a reminder comes when it comes or does not come, and every attempt to send it."""
    from reminderd.cli import explaining

    explaining.tell(desk, reminder, as_json)
