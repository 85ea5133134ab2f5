"""The engines: where rows are kept, and what wakes whoever sends. One is chosen by the URL."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reminderd.engine import Engine
    from reminderd.sealing import Seal
    from reminderd.settings_sources import Raw


def configured(given: "Raw") -> "Engine":
    """The engine of the configured database, which need not be there yet.

    Raises ConfigurationError where the configuration of the database cannot be used.
    """
    from reminderd.settings_sources import database_path, database_seal

    return on_file(database_path(given), database_seal(given))


def on_file(database: Path, seal: "Seal | None") -> "Engine":
    """The embedded engine of that file."""
    from reminderd.engines.embedded.engine import Embedded

    return Embedded(database, seal)
