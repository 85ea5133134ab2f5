"""`protocol migrate`: sessions under an older text of a protocol go on under today's."""

import json
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from reminderd.cli.context import Desk, pass_desk
from reminderd.cli.options import as_json as json_option
from reminderd.cli.options import preview as preview_option

if TYPE_CHECKING:
    from reminderd.bootstrap import House
    from reminderd.migrating import Migrated
    from reminderd.model import CareProtocol

SHOWN = 50


@dataclass
class Ledger:
    """What is kept of each patient until all is done: few words, for there may be thousands."""

    house: "House"
    now: datetime
    as_json: bool
    sessions: int = 0
    patients: int = 0
    told: int = 0
    waiting: int = 0
    rows: list[tuple[str | None, ...]] = field(default_factory=list)
    untrue: list[str] = field(default_factory=list)
    documents: list[str] = field(default_factory=list)

    def note(self, migrated: "Migrated") -> None:
        """Take down what becomes of a patient."""
        from reminderd.model import Reason, State

        chart = migrated.change.chart
        self.sessions += len(migrated.sessions)
        self.patients += 1
        self.waiting += sum(
            each.state is State.HELD and each.reason is Reason.UNAPPROVED
            for each in chart.reminders
        )
        if self.as_json:
            self.documents.append(json.dumps(self._data(migrated), ensure_ascii=False))
        else:
            self._tell(migrated)

    def _data(self, migrated: "Migrated") -> dict[str, Any]:
        from reminderd.cli import changes, correcting
        from reminderd.ids import public_id

        chart = migrated.change.chart
        return {
            "patient": public_id("pat", chart.patient.id),
            "sessions": [
                {"id": public_id("ses", each.id), "from_revision": each.revision}
                for each in migrated.sessions
            ],
            "changes": changes.data(migrated.before.reminders, migrated.change),
            "correction": correcting.data(self.house, chart, self.now, migrated.before),
        }

    def _tell(self, migrated: "Migrated") -> None:
        from reminderd.cli import changes
        from reminderd.ids import public_id
        from reminderd.staff import untrue

        chart = migrated.change.chart
        name = public_id("pat", chart.patient.id)
        for row in changes.rows(migrated.before.reminders, migrated.change):
            self.told += 1
            if self.told <= SHOWN:
                self.rows.append((name, *row))
        new = untrue.reasons(chart, self.now, migrated.before)
        self.untrue += [f"{name}: {why}" for why in new]


@click.command("migrate")
@click.argument("key")
@click.option("--patient", metavar="PATIENT", help="Only this patient's sessions.")
@preview_option
@json_option
@pass_desk
def migrate(desk: Desk, key: str, patient: str | None, preview: bool, as_json: bool) -> None:
    """Let sessions under an older text of a protocol go on under today's.

    Only those that stand and of which something lies ahead. What was sent stays; where it is no
    longer true, staff are shown what to tell the patient. All of it is done, or nothing.
    """
    desk.protocol(key)  # with every mistake, where there are any
    house, now = desk.house, desk.clock.now()
    ledger = Ledger(house, now, as_json)
    patient_id = None if patient is None else house.intake.patient(patient).id
    with house.intake.trial() if preview else nullcontext():
        protocol = house.migrator.migrate(key, now, ledger.note, patient_id=patient_id)
    if as_json:
        _emit(ledger, protocol, preview)
    else:
        _print(ledger, protocol, preview)


def _emit(ledger: Ledger, protocol: "CareProtocol", preview: bool) -> None:
    head = {
        "protocol": protocol.key,
        "revision": protocol.revision,
        "sessions": ledger.sessions,
        "unapproved": ledger.waiting,
        "preview": preview,
    }
    click.echo(f'{json.dumps(head)[:-1]}, "patients": ['.encode(), nl=False)
    for n, document in enumerate(ledger.documents):
        click.echo(f"{', ' if n else ''}{document}".encode(), nl=False)
    click.echo("]}")


def _print(ledger: Ledger, protocol: "CareProtocol", preview: bool) -> None:
    from reminderd.cli.output import note, table

    if ledger.rows:
        table(("Patient", "Change", "Session", "From", "To", "Reminders"), ledger.rows)
    if ledger.told > SHOWN:
        note(f"… and {ledger.told - SHOWN} more; take --json for all.")
    _print_untrue(ledger.untrue)
    if ledger.untrue and not preview:
        note("What to tell them: reminderd patient correct PATIENT")
    if ledger.waiting:
        note(
            f'The protocol "{protocol.key}" is not approved as it is now: {ledger.waiting} of these'
            f" reminders wait. See: reminderd protocol diff {protocol.key}"
        )
    note(_summary(ledger, protocol, preview))
    if preview:
        note("This was a preview: nothing was changed.")


def _summary(ledger: Ledger, protocol: "CareProtocol", preview: bool) -> str:
    if not ledger.sessions:
        return f"No session that has anything ahead is under another text of {protocol.key}."
    sessions = "1 session" if ledger.sessions == 1 else f"{ledger.sessions} sessions"
    patients = "1 patient" if ledger.patients == 1 else f"{ledger.patients} patients"
    verb = "would go" if preview else "went"
    return f"{sessions} of {patients} {verb} over to revision {protocol.revision}."


def _print_untrue(untrue: list[str]) -> None:
    from reminderd.cli.output import note

    if not untrue:
        return
    click.echo("\nNo longer true of what patients were told:")
    for line in untrue[:SHOWN]:
        click.echo(f"  {line}")
    if len(untrue) > SHOWN:
        note(f"… and {len(untrue) - SHOWN} more; take --json for all.")
