"""When a worker counts as alive: it was seen within a lease, by the clock of the database."""

from datetime import timedelta
from typing import Any, Protocol

LEASE = timedelta(seconds=15)
LEASE_MS = LEASE // timedelta(milliseconds=1)
ALIVE = f"workers.seen_at > clock_ms() - {LEASE_MS}"


class Rows(Protocol):
    """Runs one statement in PostgreSQL's words and gives its rows; raises TryAgainLater."""

    def __call__(self, sql: str, parameters: Any = None) -> list[tuple[Any, ...]]: ...
