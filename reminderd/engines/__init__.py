"""The engines: where rows are kept, and what wakes whoever sends. One is chosen by the URL."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from reminderd.engine import Copied, Engine
    from reminderd.sealing import Seal
    from reminderd.settings_sources import Raw


def configured(given: "Raw") -> "Engine":
    """The engine of the configured database, which need not be there yet.

    Raises ConfigurationError where the configuration of the database cannot be used.
    """
    from reminderd.database_urls import file_of, is_distributed
    from reminderd.settings_sources import database_seal, database_url

    url, seal = database_url(given), database_seal(given)
    if not is_distributed(url):
        return on_file(file_of(url, given.folder), seal)
    from reminderd.engines.distributed.engine import Distributed

    return Distributed(url, seal, list(given.table(("clinics",))))


def on_file(database: Path, seal: "Seal | None") -> "Engine":
    """The embedded engine of that file."""
    from reminderd.engines.embedded.engine import Embedded

    return Embedded(database, seal)


def copy(given: "Raw", target: str, now: "datetime", tell: Callable[[str], None]) -> "Copied":
    """Everything of the configured database goes over to a `database_urls.place_of`, and stays.

    The configured one sends nothing any more. `tell` hears of each table. Raises InvalidInput where
    both are of one kind, and as `copying.copy`.
    """
    from reminderd.database_urls import is_distributed, place_of
    from reminderd.errors import InvalidInput
    from reminderd.settings_sources import database_seal, database_url, need_packages

    source = place_of(database_url(given), given.folder)
    if is_distributed(source) == is_distributed(target):
        kind, tool = ("a server", "pg_dump") if is_distributed(target) else ("a file", "db backup")
        raise InvalidInput(
            f"--to: the database is in {kind} already", remedy=f"For another one, use {tool}."
        )
    need_packages("--to")
    from reminderd.engines.distributed import copying

    clinics = list(given.table(("clinics",)))
    return copying.copy(source, target, database_seal(given), now, tell, clinics)
