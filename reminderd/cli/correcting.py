"""What a patient was told and is no longer true, with a text that says what holds."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import click

from reminderd.bootstrap import House
from reminderd.cli.output import instant, note
from reminderd.cli.view import reminder_data
from reminderd.correction_page import CorrectionPage, correction
from reminderd.corrections import Untrue
from reminderd.errors import TemplateFailed
from reminderd.explain import untrue_in_words
from reminderd.ids import public_id
from reminderd.model import Chart
from reminderd.plan import no_longer_true
from reminderd.staff.untrue import since


def data(
    house: House, chart: Chart, now: datetime, before: Chart | None = None
) -> dict[str, Any] | None:
    """What is no longer true and the proposed text, for scripts; None where all of it is.

    With `before`, only what was true by that chart, and None where nothing is new; the text is of
    everything, so that the patient hears it once.
    """
    untrue = no_longer_true(chart, now)
    new = since(untrue, before, now)
    if not new:
        return None
    page = _proposal(house, chart, untrue, now)
    return {
        "untrue": [_untrue_data(each, chart) for each in new],
        "text": page and _text_data(page),
    }


def tell(house: House, chart: Chart, now: datetime, before: Chart | None = None) -> bool:
    """Print both for people; False where there is nothing. `before` is as for `data`."""
    untrue = no_longer_true(chart, now)
    new = since(untrue, before, now)
    if new:
        _print(chart, new, len(untrue) - len(new), _proposal(house, chart, untrue, now))
    return bool(new)


def remind(chart: Chart) -> None:
    """Say how to take a correction off the list."""
    patient = public_id("pat", chart.patient.id)
    note(f"\nOnce the patient knows: reminderd patient correct {patient} --told")


def record(house: House, patient: str, by: str, now: datetime) -> None:
    """Staff have told the patient."""
    house.intake.record_correction(patient, by, now)
    note(f"Noted: {by} has told the patient.")


def _proposal(
    house: House, chart: Chart, untrue: Sequence[Untrue], now: datetime
) -> CorrectionPage | None:
    """The text; None where a template fails, for what staff have entered is stored by then."""
    try:
        return correction(house.renderer, chart, untrue, now)
    except TemplateFailed as error:
        note(f"There is no text to propose: {error.message}")
        return None


def _print(
    chart: Chart, untrue: Sequence[Untrue], standing: int, page: CorrectionPage | None
) -> None:
    click.echo("No longer true of what the patient was told:")
    for each in untrue:
        sent = instant(each.reminder.sent_at or each.reminder.due_at, chart.timezone)
        name = public_id("rem", each.reminder.id)
        why = untrue_in_words(each, chart)
        click.echo(f"  {name}  {each.reminder.milestone}, sent {sent}: {why}")
    if standing:
        click.echo(f"  and {standing} from before; the text is about all of it")
    if page is not None:
        size = f"{page.size.segments} segments in {page.size.encoding}"
        click.echo(f"\nProposed text ({page.language}, {size}):\n")
        click.echo("\n".join(f"  {line}" for line in page.sms.splitlines()))


def _text_data(page: CorrectionPage) -> dict[str, Any]:
    return {
        "language": page.language,
        "sms": page.sms,
        "segments": page.size.segments,
        "subject": page.subject,
        "email": page.email,
    }


def _untrue_data(untrue: Untrue, chart: Chart) -> dict[str, Any]:
    return {
        "reminder": reminder_data(untrue.reminder, chart.timezone),
        "cause": untrue.cause,
        "was": instant(untrue.was, chart.timezone),
        "now": instant(untrue.now, chart.timezone),
        "why": untrue_in_words(untrue, chart),
    }
