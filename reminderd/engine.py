"""The seam of the house to its engine: the database as a whole, and whoever sends from it.

The rows are behind `Outbox`. Light on purpose: `patient list` asks an engine and nothing else.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime, timedelta, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    import threading

    from reminderd.clock import Clock
    from reminderd.clock_guard import Reference
    from reminderd.dispatch import Dispatch
    from reminderd.findings import Finding
    from reminderd.interfaces import Outbox
    from reminderd.sealing import Seal

BEAT = timedelta(seconds=15)  # nobody waits longer for a look, whatever was missed
LOOK_OUT_SECONDS = 0.5


class Listed(NamedTuple):
    """A patient as the list shows one; `timezone` is None where it is the clinic's."""

    id: int
    ref: str | None
    clinic: str
    given_name: str
    family_name: str
    phone: str | None
    email: str | None
    timezone: str | None
    channels: str
    consented: str
    paused: int


class Backup(NamedTuple):
    """A verified copy, and how many rows it has of each table."""

    file: Path
    rows: Mapping[str, int]


class Resealed(NamedTuple):
    """Whether anything had to be changed, and whether no byte of how it was is left.

    `copies` are files that are sealed otherwise, or not at all.
    """

    changed: bool
    is_clean: bool
    copies: Sequence[str]


class Compared(NamedTuple):
    """A table that went over to another database, as it was read back from both."""

    table: str
    rows: int
    digest: str


class Copied(NamedTuple):
    """A whole copy in another database. `replaced` names the rows that held U+0000, in which it is
    U+FFFD now; `tables` is empty where the copy was whole before.
    """

    source: str
    target: str
    tables: Sequence[Compared]
    replaced: Sequence[str]


class Work(NamedTuple):
    """Dispatches, each of which drains in a thread of its own, and what is asked meanwhile.

    `send_at` tells the instant to drain at, and None while there is a reason not to. `renewed` is
    asked twice a second for dispatches, as many as before, that are to take over. `recover` takes
    back what died with whoever had claimed it, and says whether that was anything.
    """

    dispatches: "Sequence[Dispatch]"
    send_at: Callable[[], datetime | None]
    renewed: "Callable[[], Sequence[Dispatch] | None]"
    recover: Callable[[], bool]


class Duty(Protocol):
    """Sending, for as long as this process has the duty."""

    @property
    def outbox(self) -> "Outbox":
        """What is sent from; a large import does not come between a message and its record."""
        ...

    @property
    def reference(self) -> "Reference | None":
        """The clock of all who send from the database; None where one goes by one's own."""
        ...

    def run(self, work: Work, clock: "Clock", stop: "threading.Event") -> None:
        """Let every dispatch drain whenever something is due, until `stop` is set.

        What is in flight is finished. What a dispatch raised is raised here.
        """
        ...


class Engine(Protocol):
    """The configured database, which need not be there yet, and how sending from it is arranged.

    Everything that reaches for the database raises ConfigurationError where it cannot be used, and
    TryAgainLater where it cannot be used now.
    """

    @property
    def where(self) -> str:
        """How messages and logs name the database; never with a password."""
        ...

    @property
    def schema(self) -> int:
        """The number of the schema that this version works with."""
        ...

    @property
    def senders(self) -> int:
        """How many threads of a process may send by one transport.

        While one waits for the database another one puts into words.
        """
        ...

    @property
    def files(self) -> Sequence[Path]:
        """The files of the database on this machine, whether they are there or not."""
        ...

    def exists(self) -> bool:
        """Whether there is a database."""
        ...

    def prepare(self) -> str | None:
        """Create the database or bring it up to date, all or nothing; says what was done.

        None where nothing had to be done. A new one is sealed from the start where a key is
        configured.
        """
        ...

    def migrate(self) -> str | None:
        """Bring a database that is there up to date to the end; says what was done.

        None where nothing had to be done. Raises TryAgainLater while somebody needs it as it is.
        """
        ...

    def open(self, *, durable: bool = True) -> "Outbox":
        """The rows; `durable=False` is for what is thrown away, and what may be lost."""
        ...

    # Sending -------------------------------------------------------------------------------

    def on_duty(self, now: datetime, zone: tzinfo) -> AbstractContextManager[Duty]:
        """Be the one who sends, or one of those who do; gives the duty back at the end.

        A database that knows less than what was sent from it is held, for a reason that is told by
        the clocks of `zone`. Raises TryAgainLater where there is no room for another one.
        """
        ...

    def is_running(self) -> bool:
        """Whether anybody is on duty; asked before this process opens the database."""
        ...

    # Looking -------------------------------------------------------------------------------

    def roll(self) -> list[Listed]:
        """All patients but the erased, in the order in which they came, at once."""
        ...

    def copy(self, target: Path) -> None:
        """Write one state of a database that may be in use into a new file, for this user alone.

        It is a database of the embedded engine, and to be thrown away.
        """
        ...

    def changes(self) -> AbstractContextManager[Callable[[], object]]:
        """What to ask for a mark of the database's state: another one once it has changed."""
        ...

    def full_disk(self) -> Path | None:
        """The folder in which nothing can be recorded for lack of room, where that is known."""
        ...

    def software(self) -> "Finding":
        """The versions of what the database needs on this machine."""
        ...

    def condition(self) -> "Iterator[Finding]":
        """What `doctor` has to say of the database and of whoever sends from it."""
        ...

    def examine(self) -> "Iterator[Finding]":
        """Damage, and rows that contradict each other; changes nothing."""
        ...

    # Keeping -------------------------------------------------------------------------------

    def back_up(self, target: Path | None, now: datetime, *, force: bool) -> Backup:
        """Write a verified copy beside whoever sends; beside the database where none is named.

        Raises Refused where there is such a file, unless `force`; FaultsFound where the copy does
        not hold what the database does.
        """
        ...

    def restore(self, backup: Path, now: datetime, zone: tzinfo) -> Path | None:
        """Put a backup in the place of the database, held; returns where that one is kept.

        Why it is held is told by the clocks of `zone`. Raises NotFound or FaultsFound where the
        backup is not one.
        """
        ...

    def reseal(self, old: "Seal | None", new: "Seal | None") -> Resealed:
        """What is sealed with `old` is sealed with `new` from now on; None is: with nothing.

        While nobody is on duty. Raises SealBroken where a value does not open.
        """
        ...
