"""The engine for many machines as the house sees it: a server, and workers that send from it.

What a verb needs is imported where it is needed: a list of patients wants little of it.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import datetime, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from reminderd import database_urls
from reminderd.engine import Backup, Listed, Resealed
from reminderd.engines.distributed.snapshot import snapshot
from reminderd.errors import Refused, TryAgainLater

if TYPE_CHECKING:
    from reminderd.engines.distributed.duty import Duty
    from reminderd.engines.distributed.outbox import DistributedOutbox
    from reminderd.findings import Finding
    from reminderd.sealing import Seal

_CHANGES = (
    "SELECT sum(n_tup_ins + n_tup_upd + n_tup_del) FROM pg_stat_user_tables "
    "WHERE schemaname = 'reminderd' AND relname NOT IN ('workers', 'turns', 'paces')"
)


class Distributed:
    """Implements `engine.Engine` on one database of a server; `seal` is the configured key.

    Of others than the configured `clinics` nothing is read and nothing sent: what is done to the
    database as a whole is done for all. None means everything.
    """

    def __init__(
        self, url: str, seal: "Seal | None" = None, clinics: Sequence[str] | None = None
    ) -> None:
        self._url = url
        self._seal = seal
        self._clinics = clinics

    @property
    def where(self) -> str:
        return database_urls.shown(self._url)

    @property
    def schema(self) -> int:
        from reminderd.engines.distributed import steps

        return steps.VERSION

    @property
    def senders(self) -> int:
        return 2

    @property
    def files(self) -> Sequence[Path]:
        return []

    def exists(self) -> bool:
        from reminderd.engines.distributed import migrating

        with migrating.connected(self._url) as connection:
            return migrating.version(connection) > 0

    def prepare(self) -> str | None:
        from reminderd.engines.distributed import migrating
        from reminderd.engines.distributed.outbox import DistributedOutbox
        from reminderd.engines.tables.sealed import note_key

        if self.exists():
            return self._upgraded(waits=True)
        migrating.migrate(self._url)
        if self._seal is not None:
            with closing(DistributedOutbox(self._url)) as outbox, outbox.transaction():
                note_key(outbox, self._seal)
        return "created, empty until somebody is enrolled"

    def migrate(self) -> str | None:
        from reminderd.engines.distributed.refusals import nothing_here

        if not self.exists():
            raise nothing_here(self.where)
        return self._upgraded(waits=False)

    def _upgraded(self, *, waits: bool) -> str | None:
        """What older workers still need is left to them where it `waits`, or else once."""
        from reminderd.engines.distributed import migrating

        done, rest = migrating.migrate(self._url, "before"), ""
        try:
            done += migrating.migrate(self._url, "after")
        except TryAgainLater as error:
            if not (done or waits):
                raise
            rest = f"; the rest is for later: {error.message}"
        return f"brought up to schema {self.schema}{rest}" if done else None

    def open(self, *, durable: bool = True) -> "DistributedOutbox":
        from reminderd.engines.distributed.outbox import DistributedOutbox

        return DistributedOutbox(self._url, seal=self._seal, clinics=self._clinics)

    # Sending -------------------------------------------------------------------------------

    @contextmanager
    def on_duty(self, now: datetime, zone: tzinfo) -> "Iterator[Duty]":
        from reminderd.engines.distributed import duty

        with duty.begun(self._url, self._seal, self._clinics, now, zone) as begun:
            yield begun

    def is_running(self) -> bool:
        from reminderd.engines.distributed import condition

        with snapshot(self._url) as opened:
            return bool(condition.workers(opened))

    # Looking -------------------------------------------------------------------------------

    def roll(self) -> list[Listed]:
        from reminderd.engines.tables import roll
        from reminderd.engines.tables.sealed import refuse_unfit

        with snapshot(self._url, self._clinics) as opened:
            refuse_unfit(self.where, opened, self._seal)
            return roll.patients(opened, self._seal)

    def copy(self, target: Path) -> None:
        from reminderd.engines.distributed.copying import copy_rows

        copy_rows(self._url, target, self._clinics)

    @contextmanager
    def changes(self) -> Iterator[Callable[[], object]]:
        from reminderd.engines.distributed import migrating

        with migrating.connected(self._url) as connection:
            yield lambda: connection.execute(_CHANGES).fetchone()

    def full_disk(self) -> Path | None:
        return None  # it is another machine's

    def software(self) -> "Finding":
        from reminderd.engines.distributed import condition

        return condition.software()

    def condition(self) -> "Iterator[Finding]":
        from reminderd.engines.distributed import condition

        return condition.findings(self._url, self._seal)

    def examine(self) -> "Iterator[Finding]":
        from reminderd.engines.distributed import soundness

        return soundness.examine(self._url, self._seal)

    # Keeping -------------------------------------------------------------------------------

    def back_up(self, target: Path | None, now: datetime, *, force: bool) -> Backup:
        self._leave_to_the_server("backed up")

    def restore(self, backup: Path, now: datetime, zone: tzinfo) -> Path | None:
        self._leave_to_the_server("put back")

    def _leave_to_the_server(self, what: str) -> NoReturn:
        raise Refused(
            f"{self.where}: a database on a server is {what} by PostgreSQL's own tools",
            remedy="Use pg_dump, pg_restore or pg_basebackup; see docs/many-machines.md",
        )

    def reseal(self, old: "Seal | None", new: "Seal | None") -> Resealed:
        from reminderd.engines.distributed import encrypting

        return encrypting.reseal(self._url, old, new)
