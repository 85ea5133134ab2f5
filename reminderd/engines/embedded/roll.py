"""The list of patients from a database file."""

from contextlib import closing
from pathlib import Path

from reminderd.engine import Listed
from reminderd.engines.embedded.connection import DatabaseError, Statements, connect, translated
from reminderd.engines.tables import roll
from reminderd.engines.tables.sealed import refuse_unfit
from reminderd.sealing import Seal


def patients(path: Path, seal: Seal | None) -> list[Listed]:
    """As `Engine.roll`; raises ConfigurationError, TryAgainLater, SealBroken."""
    with closing(connect(path, read_only=True)) as opened:
        try:
            refuse_unfit(path, Statements(opened), seal)
            return roll.patients(Statements(opened), seal)
        except DatabaseError as error:
            raise translated(error, path) from error
