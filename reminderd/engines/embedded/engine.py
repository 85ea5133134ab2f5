"""The engine for one machine as the house sees it: one file, one daemon.

What a verb needs is imported where it is needed: a list of patients wants none of it.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import datetime, tzinfo
from pathlib import Path
from typing import TYPE_CHECKING

from reminderd.engine import Backup, Listed, Resealed
from reminderd.engines.embedded.connection import connect, is_full
from reminderd.errors import TryAgainLater

if TYPE_CHECKING:
    from reminderd.engines.embedded.duty import Duty
    from reminderd.findings import Finding
    from reminderd.interfaces import Outbox
    from reminderd.sealing import Seal


class Embedded:
    """Implements `engine.Engine` on one database file; `seal` is the configured key."""

    def __init__(self, path: Path, seal: "Seal | None" = None) -> None:
        self._path = path
        self._seal = seal

    @property
    def where(self) -> str:
        return str(self._path)

    @property
    def schema(self) -> int:
        from reminderd.engines.embedded import schema

        return schema.VERSION

    @property
    def senders(self) -> int:
        return 1

    @property
    def files(self) -> Sequence[Path]:
        return [self._path]

    def exists(self) -> bool:
        return self._path.exists()

    def prepare(self) -> str | None:
        from reminderd.engines.embedded import schema, store

        was_there = self.exists()
        if not store.create(self._path, seal=self._seal):
            return None
        if not was_there:
            return "created, empty until somebody is enrolled"
        return f"brought up to schema {schema.VERSION}; how it was is kept beside it"

    def migrate(self) -> str | None:
        connect(self._path, read_only=True).close()  # there has to be one
        return self.prepare()

    def open(self, *, durable: bool = True) -> "Outbox":
        from reminderd.engines.embedded import outbox

        return outbox.EmbeddedOutbox(self._path, seal=self._seal, durable=durable)

    # Sending -------------------------------------------------------------------------------

    @contextmanager
    def on_duty(self, now: datetime, zone: tzinfo) -> "Iterator[Duty]":
        from reminderd.engines.embedded import duty

        with duty.begun(self._path, self._seal, now, zone) as begun:
            yield begun

    def is_running(self) -> bool:
        from reminderd.engines.embedded.lock import only_daemon

        if not self.exists():
            return False
        try:
            with only_daemon(self._path):
                return False
        except TryAgainLater:
            return True

    # Looking -------------------------------------------------------------------------------

    def roll(self) -> list[Listed]:
        from reminderd.engines.embedded import roll

        return roll.patients(self._path, self._seal)

    def copy(self, target: Path) -> None:
        from reminderd.engines.embedded.copying import copy_database

        copy_database(self._path, target)

    @contextmanager
    def changes(self) -> Iterator[Callable[[], object]]:
        with closing(connect(self._path, read_only=True)) as opened:
            yield lambda: opened.execute("PRAGMA data_version").fetchone()

    def full_disk(self) -> Path | None:
        return self._path.parent if is_full(self._path.parent) else None

    def software(self) -> "Finding":
        from reminderd.engines.embedded import condition

        return condition.software()

    def condition(self) -> "Iterator[Finding]":
        from reminderd.engines.embedded import condition

        return condition.findings(self._path, self._seal)

    def examine(self) -> "Iterator[Finding]":
        from reminderd.engines.embedded import soundness
        from reminderd.engines.unfinished import clear

        clear(self._path)
        return soundness.examine(self._path, self._seal)

    # Keeping -------------------------------------------------------------------------------

    def back_up(self, target: Path | None, now: datetime, *, force: bool) -> Backup:
        from reminderd.engines.embedded import backup
        from reminderd.engines.embedded.fitting import refuse_unfit_file

        refuse_unfit_file(self._path, self._seal)
        file = target or backup.beside(self._path, "backup", now)
        return Backup(file, backup.back_up(self._path, file, force=force))

    def restore(self, backup: Path, now: datetime, zone: tzinfo) -> Path | None:
        from reminderd.engines.embedded import restoring

        return restoring.restore(backup, self._path, now, self._seal, zone)

    def reseal(self, old: "Seal | None", new: "Seal | None") -> Resealed:
        from reminderd.engines.embedded import encrypting
        from reminderd.engines.embedded.lock import only_daemon
        from reminderd.engines.tables.sealed import id_of

        key = id_of(new)
        changed = encrypting.key_of(self._path) != key
        with only_daemon(self._path):
            if changed:
                encrypting.convert(self._path, old, new)
            is_clean = encrypting.finish(self._path)
        return Resealed(changed, is_clean, list(encrypting.otherwise(self._path, key)))
