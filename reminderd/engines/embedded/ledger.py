"""What patients said about being written to, as it can be asked for."""

import json

from reminderd.consents import Statement
from reminderd.engines.embedded import consents
from reminderd.engines.embedded.records import Records
from reminderd.engines.embedded.rows import Row
from reminderd.model import Channel, Patient
from reminderd.sealing import opened, places

_OBJECTORS = "WHERE paused AND id IN (SELECT patient FROM consent_ledger WHERE wish = 'objected')"


class Ledger(Records):
    """The part of the outbox that remembers every consent; implements `ledger.Ledger`."""

    def add_statement(self, said: Statement) -> None:
        consents.keep(self.connection, [said], self.seal)

    def statements(self, patient_id: int) -> list[Statement]:
        return consents.kept(self, "patient = ?", (patient_id,))

    def stops(self, number: str) -> list[Statement]:
        said = consents.kept(self, "how = 'reply' AND channel = 'sms'", ())
        return [each for each in said if each.address == number]

    def patients_with(self, channel: Channel, address: str) -> list[Patient]:
        name = "phone" if channel is Channel.SMS else "email"
        columns = f"id, {name}"
        at = places("patients", columns)
        rows: list[Row] = [
            opened(row, at, row[0], self.seal)
            for row in self.query(f"SELECT {columns} FROM patients WHERE {name} IS NOT NULL")
        ]
        ids = [row[0] for row in rows if row[1].casefold() == address.casefold()]
        return self._patients("WHERE id IN (SELECT value FROM json_each(?))", (json.dumps(ids),))

    def objectors(self) -> list[Patient]:
        return self._patients(_OBJECTORS, ())
