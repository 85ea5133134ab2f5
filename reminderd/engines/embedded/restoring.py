"""The way back to a backup; what it has forgotten must not be sent again, so it starts held."""

import os
from contextlib import closing
from datetime import UTC, datetime, tzinfo
from pathlib import Path

from reminderd.engines.embedded import store
from reminderd.engines.embedded.backup import (
    beside,
    copy_verified,
    existing,
    free,
    verify,
)
from reminderd.engines.embedded.connection import DatabaseError, Statements, connect
from reminderd.engines.embedded.encrypting import convert, finish, key_of
from reminderd.engines.embedded.lock import only_daemon
from reminderd.engines.embedded.outbox import EmbeddedOutbox
from reminderd.engines.embedded.store import mark_of
from reminderd.engines.high_water import HighWater, Mark, hold_restored, mark_at
from reminderd.engines.tables.sealed import refuse_unfit, sealed_by
from reminderd.engines.unfinished import JOURNALS, clear, flush, in_place, unfinished
from reminderd.errors import InvalidInput, ReminderdError
from reminderd.sealing import Seal

_NEWEST = (
    "SELECT seq, (SELECT created_at FROM messages ORDER BY id DESC LIMIT 1) "
    "FROM sqlite_sequence WHERE name = 'messages'"
)


def restore(
    backup: Path, database: Path, now: datetime, seal: Seal | None = None, zone: tzinfo = UTC
) -> Path | None:
    """Put a verified copy of `backup` in the place of `database`, up to date and held.

    Where there is a `seal`, a backup that is not encrypted is, in its new place. Why it is held is
    told by the clocks of `zone`.
    Returns where the database that was there is kept. Raises TryAgainLater while a daemon has it,
    NotFound, FaultsFound or ConfigurationError where the backup cannot be used.
    """
    existing(backup)
    clear(database)
    if not database.exists():
        _put(backup, database, now, seal, zone)
        return None
    if backup.samefile(database):
        raise InvalidInput(f"{backup}: that is the database itself", remedy="Name a backup.")
    with only_daemon(database):
        kept = free(beside(database, "before-restore", now))
        _put(backup, database, now, seal, zone, kept)
        return kept


def _put(
    backup: Path,
    database: Path,
    now: datetime,
    seal: Seal | None,
    zone: tzinfo,
    kept: Path | None = None,
) -> None:
    verify(backup)
    _refuse_another_key(backup, seal)
    with unfinished(database) as copy:
        copy_verified(backup, copy)
        store.create(copy, seal=seal, is_ours=True)
        if seal is not None and key_of(copy) is None:
            convert(copy, None, seal)
            finish(copy)
        # Into the copy, so that it is never in its place without.
        with closing(EmbeddedOutbox(copy, seal=seal)) as outbox:
            how = f"restored from {backup.name}"
            hold_restored(outbox, how, _how_far(database), now, zone)
        _in_one_file(copy)
        if kept is not None:
            _keep(database, kept)
        in_place(copy, database)


def _refuse_another_key(backup: Path, seal: Seal | None) -> None:
    with closing(connect(backup, read_only=True)) as opened:
        if sealed_by(Statements(opened)) is not None:
            refuse_unfit(backup, Statements(opened), seal)


def _in_one_file(copy: Path) -> None:
    with closing(connect(copy, durable=False)) as opened:
        opened.execute("PRAGMA journal_mode = DELETE")


def _how_far(database: Path) -> Mark | None:
    """How far sending came with the database that goes, by its mark or by what is in it."""
    mark = HighWater(mark_of(database)).read()
    if mark is not None or not database.exists():
        return mark
    try:
        with closing(connect(database, read_only=True)) as opened:
            ((message, at),) = opened.execute(_NEWEST).fetchall()
            return mark_at(message, at)
    except (DatabaseError, ReminderdError, ValueError):
        return None  # it is damaged


def _keep(database: Path, kept: Path) -> None:
    """The present database under another name; its place is empty at no instant."""
    try:
        with closing(connect(database)) as opened:
            opened.execute("PRAGMA journal_mode = DELETE")
    except (DatabaseError, ReminderdError):
        pass  # it is damaged: kept as it is
    for ending in JOURNALS:
        # A journal that stayed would be played into the database that comes in its place.
        log = database.with_name(f"{database.name}{ending}")
        if log.exists():
            log.replace(kept.with_name(f"{kept.name}{ending}"))
    os.link(database, kept)
    flush(database.parent)
