"""What patients said about being written to, as it can be asked for."""

from reminderd.consents import Statement
from reminderd.engines.tables import consents, lookup
from reminderd.engines.tables.records import Records
from reminderd.model import Channel, Patient

_OBJECTORS = (
    "WHERE paused = 1 AND id IN (SELECT patient FROM consent_ledger WHERE wish = 'objected')"
)


class Ledger(Records):
    """The part of the outbox that remembers every consent; implements `ledger.Ledger`."""

    def add_statement(self, said: Statement) -> None:
        consents.keep(self, [said])

    def statements(self, patient_id: int) -> list[Statement]:
        return consents.kept(self, "patient = ?", (patient_id,))

    def stops(self, number: str) -> list[Statement]:
        said = consents.kept(self, "how = 'reply' AND channel = 'sms'", ())
        return [each for each in said if each.address == number]

    def patients_with(self, channel: Channel, address: str) -> list[Patient]:
        key = lookup.key(channel, address, self.seal)
        return self._patients(f"WHERE {lookup.COLUMNS[channel]} = ?", (key,))

    def objectors(self) -> list[Patient]:
        return self._patients(_OBJECTORS, ())
