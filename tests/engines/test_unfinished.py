"""What a killed process was writing does not stay beside the database."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from reminderd.engines.embedded import backup, store
from reminderd.engines.embedded.outbox import EmbeddedOutbox
from reminderd.engines.embedded.restoring import restore
from reminderd.engines.unfinished import clear, unfinished
from tests.engines.database_files import NOW, files

MINE = os.getpid()  # a number that is in use, as after a restart in a container


def left(database: Path) -> list[Path]:
    """What is there after a kill in the middle of a restore, a backup and a mark."""
    names = ("reminderd.db", "reminderd.db.backup-20260310T093000Z", "reminderd.db.mark")
    found = [database.with_name(f".{name}.unfinished-{MINE}") for name in names]
    found.append(found[0].with_name(f"{found[0].name}-wal"))
    for each in found:
        each.write_bytes(b"Ana, +34600000001")
    return found


def erases(database: Path) -> None:
    outbox = EmbeddedOutbox(database)
    outbox.scrub()
    outbox.close()


def restores(database: Path) -> None:
    target = database.with_name("monday.db")
    backup.back_up(database, target)
    left(database)
    restore(target, database, NOW)


@pytest.mark.parametrize(
    "does",
    [
        store.create,  # a daemon that starts
        lambda path: backup.back_up(path, path.with_name("monday.db")),
        restores,
        erases,
        clear,
    ],
)
def test_whoever_comes_next_removes_what_a_killed_process_left(
    database: Path, does: Callable[[Path], object]
) -> None:
    there = left(database)
    does(database)
    assert [each for each in there if each.exists()] == []


def test_what_a_living_process_writes_stays(database: Path) -> None:
    with unfinished(database) as copy:
        copy.write_bytes(b"half of it")
        clear(database)
        assert copy.read_bytes() == b"half of it"
    assert files(database) == {"reminderd.db"}


def test_what_belongs_to_another_database_stays(database: Path) -> None:
    other = database.with_name(f".other.db.unfinished-{MINE}")
    other.write_bytes(b"not ours")
    clear(database)
    assert other.exists()
