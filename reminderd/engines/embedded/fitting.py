"""Whether a database file that is not open yet fits the configured key."""

from contextlib import closing
from pathlib import Path

from reminderd.engines.embedded.connection import DatabaseError, Statements, connect, translated
from reminderd.engines.tables.sealed import refuse_unfit
from reminderd.sealing import Seal


def refuse_unfit_file(path: Path, seal: Seal | None) -> None:
    """As `refuse_unfit`, of a database that is not open yet."""
    with closing(connect(path, read_only=True)) as opened:
        try:
            refuse_unfit(path, Statements(opened), seal)
        except DatabaseError as error:
            raise translated(error, path) from error
