"""Messages as they leave, for scripts and for eyes: demo, simulate, run --dry-run."""

import shutil
import textwrap
import threading
from datetime import date
from typing import TYPE_CHECKING, Any

import click

from reminderd.cli.output import emit_line, instant

if TYPE_CHECKING:
    from reminderd.lanes import Delivery

_INDENT = " " * 7


def delivery_data(delivery: "Delivery") -> dict[str, Any]:
    """One message (contract, section 6): exactly these keys; `at` in the patient's zone."""
    from reminderd.ids import public_id

    message = delivery.message
    return {
        "at": instant(delivery.at, delivery.chart.timezone),
        "patient": public_id("pat", delivery.chart.patient.id),
        "channel": message.channel,
        "to": message.to,
        "subject": message.subject,
        "text": message.text,
        "segments": delivery.segments,
        "reminders": [public_id("rem", each.id) for each in delivery.reminders],
    }


class Teller:
    """Prints every message it hears of, from whichever thread, and counts them.

    For people day by day of the clinic, for scripts one line of JSON each.
    """

    def __init__(self, *, as_json: bool = False) -> None:
        self.messages = 0
        self.segments = 0
        self._as_json = as_json
        self._turn = threading.Lock()
        self._day: date | None = None
        self._said: set[str] = set()
        self._width = min(shutil.get_terminal_size().columns, 100) - 2

    def __call__(self, delivery: "Delivery") -> None:
        with self._turn:
            self.messages += 1
            self.segments += delivery.segments or 0
            if self._as_json:
                emit_line(delivery_data(delivery))
            else:
                self._print(delivery)

    def _print(self, delivery: "Delivery") -> None:
        """Its local time, its way, and what it says where that is new."""
        self._head_of_day(delivery)
        click.echo(_first_line(delivery))
        text = delivery.message.text
        if text in self._said:
            click.secho(f"{_INDENT}(the same words as before)", dim=True)
        else:
            self._said.add(text)
            self._print_words(delivery.message.subject, text)
        click.echo()

    def _print_words(self, subject: str | None, text: str) -> None:
        if subject:
            click.secho(f"{_INDENT}{subject}", bold=True)
        for paragraph in filter(None, text.splitlines()):
            click.echo(self._wrapped(paragraph))

    def summary(self) -> str:
        """`12 messages, 9 SMS segments`."""
        return f"{self.messages} messages, {self.segments} SMS segments"

    def _head_of_day(self, delivery: "Delivery") -> None:
        from reminderd.hours import local_date

        day = local_date(delivery.chart.clinic.timezone, delivery.at)
        if day != self._day:
            self._day = day
            click.secho(f"{day:%A} {day.day} {day:%B %Y}\n", bold=True, underline=True)

    def _wrapped(self, paragraph: str) -> str:
        return textwrap.fill(
            paragraph,
            self._width,
            initial_indent=_INDENT,
            subsequent_indent=_INDENT,
            break_long_words=False,
            break_on_hyphens=False,
        )


def _first_line(delivery: "Delivery") -> str:
    """`14:30  Marina Soler · sms to +34… · 2 segments · Europe/Madrid`."""
    from reminderd.hours import zone

    patient, message, chart = delivery.chart.patient, delivery.message, delivery.chart
    local = delivery.at.astimezone(zone(chart.timezone))
    name = f"{patient.given_name} {patient.family_name}".strip()
    parts = [click.style(name, bold=True), f"{message.channel} to {message.to}"]
    if delivery.segments is not None:
        parts.append(f"{delivery.segments} segment{'s' if delivery.segments > 1 else ''}")
    if chart.timezone != chart.clinic.timezone:
        parts.append(f"in {chart.timezone}{_other_day(delivery, local.date())}")
    return f"{local:%H:%M}  {' · '.join(parts)}"


def _other_day(delivery: "Delivery", local_day: date) -> str:
    """The patient's day where the heading, which is the clinic's, names another."""
    from reminderd.hours import local_date

    heading = local_date(delivery.chart.clinic.timezone, delivery.at)
    return "" if local_day == heading else f", {local_day:%A}"
