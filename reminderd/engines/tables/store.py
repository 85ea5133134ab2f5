"""What the tables need of a database. Each engine has a sibling: SQLite and PostgreSQL.

Statements are written once, in what both understand: `?` for a parameter, a list as `IN {THESE}` or
`IN {WORDS}` with a JSON array as its parameter, flags as 0 and 1, instants as milliseconds since
1970 in UTC. What only one of them can do well is overridden in its engine.
"""

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

from reminderd.sealing import Seal

Row = tuple[Any, ...]

THESE = "(SELECT value FROM json_each(?))"  # a list of numbers
WORDS = "(SELECT value FROM json_each(?) AS words)"  # a list of words
NO_LIMIT = 2**53


class Statements(Protocol):
    """A database that runs one statement after the other."""

    def query(self, sql: str, parameters: Sequence[Any] = ()) -> list[Row]:
        """The rows of one statement."""
        ...

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> None:
        """Run a statement that gives no rows."""
        ...

    def execute_many(self, sql: str, rows: Iterable[Row]) -> None:
        """Run a statement for each of the rows."""
        ...


class Store(ABC):
    """One database and what opens its values; see `Statements` for the first three."""

    seal: Seal | None

    @abstractmethod
    def query(self, sql: str, parameters: Sequence[Any] = ()) -> list[Row]: ...

    @abstractmethod
    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> None: ...

    @abstractmethod
    def execute_many(self, sql: str, rows: Iterable[Row]) -> None: ...

    @abstractmethod
    def transaction(self) -> AbstractContextManager[None]:
        """See `interfaces.Outbox`."""

    @abstractmethod
    def trial(self) -> AbstractContextManager[None]:
        """See `interfaces.Outbox`."""

    def for_update(self) -> str:
        """What ends a read of patients, so that they are ours until the unit of work ends."""
        return ""

    @abstractmethod
    def lock_patients(self, patient_ids: Collection[int]) -> None:
        """See `interfaces.Outbox`."""

    @abstractmethod
    def reserve(self, table: str, count: int) -> int:
        """The first of so many free ids of a table, one after the other; nobody else gets them."""

    @abstractmethod
    def free_id(self, table: str) -> int:
        """The first free id of a table, for a preview; nothing is reserved."""

    @abstractmethod
    def skip_ids(self, table: str, last: int) -> None:
        """From now on no id of a table up to that one is given."""

    @abstractmethod
    def scrub(self) -> bool:
        """See `interfaces.Outbox`."""

    @abstractmethod
    def close(self) -> None:
        """See `interfaces.Outbox`."""
