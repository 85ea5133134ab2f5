"""`patient export`: everything that is kept of one person, as JSON."""

import json
import os
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from reminderd.cli import audit, rows, session_history, view
from reminderd.cli.context import Desk
from reminderd.cli.output import instant, note
from reminderd.ids import public_id

if TYPE_CHECKING:
    from reminderd.bootstrap import House
    from reminderd.interfaces import StoredMessage
    from reminderd.model import Attempt, Chart


def hand_over(desk: Desk, name: str, file: Path | None) -> None:
    """Print it, or write it into a new file that only this user can read; record that it was."""
    from reminderd.audit import Action, Entry

    house, now = desk.house, desk.clock.now()
    with house.outbox.transaction():
        patient = house.intake.patient(name)
        assert patient.id is not None
        what = public_id("pat", patient.id) or ""
        house.outbox.record([Entry(now, house.intake.by, Action.EXPORTED, what, patient.id)])
        text = json.dumps(everything(house, patient.id, now), ensure_ascii=False, indent=2) + "\n"
        if file is not None:
            _write(file, text)
    if file is None:
        click.echo(text.encode(), nl=False)
    else:
        note(f"Everything that is kept of {what} is in {file}.")


def _write(file: Path, text: str) -> None:
    from reminderd.errors import FaultsFound

    try:
        number = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as error:
        raise FaultsFound(
            [f"{file}: is there already, and is not overwritten"], remedy="Name another file."
        ) from error
    except OSError as error:
        raise FaultsFound(
            [f"{file}: cannot be written: {error.strerror}"],
            remedy="Name a file in a folder that is there and that you may write to.",
        ) from error
    with os.fdopen(number, "w", encoding="utf-8") as opened:
        opened.write(text)


def everything(house: "House", patient_id: int, now: datetime) -> dict[str, Any]:
    """All facts of a patient; instants are in the patient's zone."""
    chart = house.intake.chart(patient_id)
    patient, zone = chart.patient, chart.timezone
    return {
        "exported_at": instant(now, zone),
        "patient": {
            **view.patient_data(patient, chart.clinic),
            "paused": patient.paused,
            "wrong_addresses": sorted(patient.bad_addresses),
            "screening": sorted(patient.screening),
            "earlier_zones": [
                {"timezone": each.was, "until": instant(each.at, zone)} for each in chart.zones
            ],
        },
        "consent_history": [
            view.statement_data(each, zone) for each in house.outbox.statements(patient_id)
        ],
        "sessions": _sessions(chart),
        "reminders": rows.of_chart(chart),
        "messages": _messages(house, chart),
        "replies": [
            view.reply_data(each, zone, house.outbox)
            for each in house.outbox.replies(patient_id=patient_id)
        ],
        "incidents": [
            view.incident_data(each, zone) for each in house.outbox.incidents(False, patient_id)
        ],
        "audit": [audit.data(each, zone) for each in house.outbox.trail(patient_id)],
    }


def _sessions(chart: "Chart") -> list[dict[str, Any]]:
    return [
        {
            **view.session_in(chart, each),
            "adjustments": [
                {
                    "milestone": milestone,
                    "decided": session_history.decided(decision),
                    "by": decision.by,
                    "why": decision.why,
                }
                for milestone, decision in each.adjustments.items()
            ],
            "changes": session_history.data(chart, each),
        }
        for each in chart.sessions
    ]


def _messages(house: "House", chart: "Chart") -> list[dict[str, Any]]:
    attempts: dict[int, dict[Attempt, None]] = {}
    for reminder in chart.reminders:
        for attempt in house.outbox.attempts(reminder.id or 0):
            attempts.setdefault(attempt.message_id, {})[attempt] = None
    patient_id, zone = chart.patient.id or 0, chart.timezone
    told = house.outbox.told(patient_id)
    return [
        {
            **_message(each, list(attempts.get(each.id, {})), zone),
            "told": [view.told_data(at, said, zone) for at, said in told.get(each.id, ())],
        }
        for each in house.outbox.correspondence(patient_id)
    ]


def _message(message: "StoredMessage", attempts: "list[Attempt]", zone: str) -> dict[str, Any]:
    return {
        "id": public_id("msg", message.id),
        "channel": message.channel,
        "transport": message.transport,
        "created_at": instant(message.created_at, zone),
        "to": message.to,
        "language": message.language,
        "subject": message.subject,
        "text": message.text,
        "html": message.html,
        "pruned": message.is_wordless,
        "segments": message.segments,
        "reminders": [public_id("rem", each) for each in message.reminder_ids],
        "attempts": [
            {
                "outcome": each.outcome,
                "claimed_at": instant(each.claimed_at, zone),
                "handed_over_at": instant(each.marked_at, zone),
                "settled_at": instant(each.settled_at, zone),
                "provider_id": each.provider_id,
                "code": each.code,
                "error": each.error,
            }
            for each in attempts
        ],
    }
