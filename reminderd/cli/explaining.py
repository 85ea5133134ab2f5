"""All that there is to say about one reminder: the rules, the attempts, the words that left."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from reminderd import explain
from reminderd.cli import in_doubt, output, replied, view, waiting
from reminderd.cli.context import Desk
from reminderd.ids import public_id
from reminderd.interfaces import Callback, Rendered
from reminderd.model import Attempt, Chart, Reminder

if TYPE_CHECKING:
    from reminderd.bootstrap import House

Told = tuple[datetime, Callback]


def tell(desk: Desk, name: str, as_json: bool) -> None:
    """Print it for people, or as JSON."""
    house = desk.house
    reminder = house.intake.reminder(name)
    assert reminder.patient_id is not None
    assert reminder.id is not None
    chart = house.intake.chart(reminder.patient_id)
    sentences = _why(house, chart, reminder, desk.clock.now())
    attempts = house.outbox.attempts(reminder.id)
    told = _told(desk, reminder.patient_id, attempts)
    left = house.outbox.left(reminder.id)
    pruned = [
        public_id("msg", each.id) or ""
        for each in house.outbox.correspondence(reminder.patient_id)
        if each.is_wordless and reminder.id in each.reminder_ids
    ]
    replies = [
        each
        for each in reversed(house.outbox.replies(patient_id=reminder.patient_id))
        if each.question == reminder.id
    ]
    if as_json:
        output.emit(
            {
                "reminder": view.reminder_data(reminder, chart.timezone),
                "why": sentences,
                "attempts": [_attempt_data(each, chart.timezone) for each in attempts],
                "told": [view.told_data(*each, chart.timezone) for each in told],
                "messages": [_message_data(each) for each in left],
                "pruned": pruned,
                "replies": [
                    view.reply_data(each, chart.timezone, house.outbox) for each in replies
                ],
            }
        )
        return
    _print(reminder, sentences, attempts, told, left, chart.timezone)
    if pruned:
        click.echo(f"\n{', '.join(pruned)}: pruned, the words are no longer kept.")
    for index, line in enumerate(replied.lines(replies, chart.timezone)):
        click.echo(line if index else f"\n{line}")


def _why(house: "House", chart: Chart, reminder: Reminder, now: datetime) -> list[str]:
    """The planner's steps, and what the reminder waits for beside them."""
    planned = next(
        each
        for each in house.intake.planned(reminder.patient_id or 0, now)
        if each.reminder.key == reminder.key
    )
    return [
        *explain.sentences(planned, chart),
        *waiting.reasons(house, chart, reminder, now),
        *in_doubt.reasons(house, chart, reminder, now),
    ]


def _told(desk: Desk, patient_id: int, attempts: Sequence[Attempt]) -> list[Told]:
    """What the provider told of these messages by itself, in order."""
    found = desk.house.outbox.told(patient_id)
    messages = dict.fromkeys(each.message_id for each in attempts)
    told = (each for message in messages for each in found.get(message, ()))
    return sorted(told, key=lambda each: each[0])


def _print(
    reminder: Reminder,
    sentences: Sequence[str],
    attempts: Sequence[Attempt],
    told: Sequence[Told],
    left: Sequence[Rendered],
    zone: str,
) -> None:
    number, session = public_id("rem", reminder.id), public_id("ses", reminder.session_id)
    click.echo(f"{number}  {reminder.milestone} ({reminder.occurrence}) of {session}: "
               f"{reminder.state}{f' ({reminder.reason})' if reminder.reason else ''}")  # fmt: skip
    for sentence in sentences:
        click.echo(f"  {sentence}")
    for attempt in attempts:
        click.echo(f"  {_attempt_line(attempt, zone)}")
    for at, said in told:
        code = f" {said.code}" if said.code else ""
        click.echo(f"  {output.instant(at, zone)} told of {said.provider_id}: {said.receipt}{code}")
    for message in left:
        click.echo(f"\n{message.subject or ''}\n{message.text}".replace("\n\n\n", "\n\n"))


def _attempt_line(attempt: Attempt, zone: str) -> str:
    at = output.instant(attempt.marked_at or attempt.claimed_at, zone)
    code = f" {attempt.code}" if attempt.code else ""
    said = f": {attempt.error}" if attempt.error else ""
    by = f" as {attempt.provider_id}" if attempt.provider_id else ""
    return f"{at} {attempt.channel} by {attempt.transport}: {attempt.outcome}{by}{code}{said}"


def _attempt_data(attempt: Attempt, zone: str) -> dict[str, Any]:
    return {
        "message": public_id("msg", attempt.message_id),
        "channel": attempt.channel,
        "transport": attempt.transport,
        "outcome": attempt.outcome,
        "claimed_at": output.instant(attempt.claimed_at, zone),
        "marked_at": output.instant(attempt.marked_at, zone),
        "settled_at": output.instant(attempt.settled_at, zone),
        "provider_id": attempt.provider_id,
        "code": attempt.code,
        "error": attempt.error,
    }


def _message_data(message: Rendered) -> dict[str, Any]:
    return {
        "to": message.to,
        "language": message.language,
        "subject": message.subject,
        "text": message.text,
        "segments": message.segments,
    }
