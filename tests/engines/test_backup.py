"""Backups are whole, private and one file."""

import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest

from reminderd.engines.embedded import backup
from reminderd.engines.embedded.outbox import EmbeddedOutbox
from reminderd.errors import ConfigurationError, FaultsFound, InvalidInput, Refused
from tests.engines.database_files import NOW, damage, files
from tests.engines.rows import one, with_patient


@pytest.fixture
def outbox(on_sqlite: EmbeddedOutbox) -> EmbeddedOutbox:
    """This is promised of a file."""
    return on_sqlite


def test_a_backup_is_one_private_file_that_holds_everything(
    database: Path, outbox: EmbeddedOutbox
) -> None:
    one(outbox)
    target = backup.beside(database, "backup", NOW)
    before = files(database)
    counts = backup.back_up(database, target)
    assert target.name == "reminderd.db.backup-20260310T093000Z"
    assert files(database) - before == {target.name}
    assert target.stat().st_mode & 0o777 == 0o600
    assert (counts["patients"], counts["reminders"]) == (1, 1)
    with closing(sqlite3.connect(target)) as opened:
        assert opened.execute("PRAGMA journal_mode").fetchone()[0] == "delete"
        assert opened.execute("SELECT count(*) FROM reminders").fetchone()[0] == 1
    backup.verify(target, counts)


def test_it_is_taken_beside_somebody_who_writes(database: Path, outbox: EmbeddedOutbox) -> None:
    stop = threading.Event()
    wrote = threading.Event()

    def write() -> None:
        other = EmbeddedOutbox(database, durable=False)
        while not stop.is_set():
            with_patient(other)
            wrote.set()
        other.close()

    writer = threading.Thread(target=write)
    writer.start()
    try:
        assert wrote.wait(10)
        for number in range(3):
            target = database.with_name(f"copy-{number}")
            counts = backup.back_up(database, target)
            assert counts["patients"] > 0
            backup.verify(target, counts)
    finally:
        stop.set()
        writer.join()


def test_a_file_is_written_over_only_by_force(database: Path) -> None:
    target = database.with_name("mine")
    target.write_text("something else")
    with pytest.raises(Refused, match="there is a file"):
        backup.back_up(database, target)
    assert target.read_text() == "something else"
    backup.back_up(database, target, force=True)
    backup.verify(target)


def test_the_database_is_never_its_own_backup(database: Path) -> None:
    before = database.read_bytes()
    with pytest.raises(InvalidInput, match="database itself"):
        backup.back_up(database, database, force=True)
    assert database.read_bytes() == before


def test_where_nothing_can_be_written_nothing_stays(database: Path) -> None:
    with pytest.raises(InvalidInput, match="cannot be written"):
        backup.back_up(database, database.parent / "nowhere" / "copy")


def test_a_copy_that_lacks_a_row_is_no_backup(database: Path, outbox: EmbeddedOutbox) -> None:
    one(outbox)
    target = database.with_name("copy")
    counts = backup.back_up(database, target)
    with pytest.raises(FaultsFound, match="does not hold"):
        backup.verify(target, {**counts, "reminders": 2})


def test_a_damaged_source_leaves_no_backup(database: Path, outbox: EmbeddedOutbox) -> None:
    for _ in range(200):
        with_patient(outbox)
    outbox.close()
    damage(database)
    before = files(database)
    with pytest.raises((FaultsFound, ConfigurationError)):
        backup.back_up(database, database.with_name("copy"))
    assert "copy" not in files(database)
    assert files(database) <= before | {"reminderd.db-wal", "reminderd.db-shm"}
