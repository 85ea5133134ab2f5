"""Whether a database that is filled from another one has everything."""

import json

from reminderd.engines.tables.store import Statements
from reminderd.errors import ConfigurationError

COPY = "copy"  # the note of such a database: how far that has come


def note(opened: Statements, key: str) -> str | None:
    """What is kept under that word."""
    rows = opened.query("SELECT value FROM notes WHERE key = ?", (key,))
    return str(rows[0][0]) if rows else None


def refuse_unfinished(where: object, opened: Statements) -> None:
    """Raises ConfigurationError where not everything is in the database yet."""
    kept = note(opened, COPY)
    if kept is not None and not json.loads(kept)["whole"]:
        raise ConfigurationError(
            [f"{where}: a copy that is not whole yet"],
            remedy="Set database.url back to the database that it is copied from, and say the same "
            "`reminderd db copy --to` again: it goes on where it was.",
        )
