"""The part of the store that keeps what patients said about being written to, for good."""

from typing import Protocol

from reminderd.consents import Statement
from reminderd.model import Channel, Patient


class Ledger(Protocol):
    """Only ever added to. Whatever changes a patient's consent is in it by the same transaction."""

    def add_statement(self, said: Statement) -> None:
        """Keep what was said and does not change a consent."""
        ...

    def statements(self, patient_id: int) -> list[Statement]:
        """All that was ever said of a patient, in the order in which it was recorded."""
        ...

    def stops(self, number: str) -> list[Statement]:
        """Every word by which that number has closed or opened itself, as it was recorded."""
        ...

    def patients_with(self, channel: Channel, address: str) -> list[Patient]:
        """Everybody with that number or address: a family may share one."""
        ...

    def objectors(self) -> list[Patient]:
        """Those who are paused and asked not to be written to, whether that is settled or not."""
        ...

    def secret(self) -> bytes | None:
        """A random key that stays with the database; None until it is made."""
        ...

    def make_secret(self) -> bytes:
        """The same, made where it is not there."""
        ...
