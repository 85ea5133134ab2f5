"""The way back from a backup starts held, and an old database that was put back is noticed."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from reminderd import holding
from reminderd.engines.embedded import backup, connection, schema
from reminderd.engines.embedded.lock import only_daemon
from reminderd.engines.embedded.outbox import EmbeddedOutbox
from reminderd.engines.embedded.restoring import restore
from reminderd.engines.embedded.store import mark_of
from reminderd.engines.high_water import (
    HighWater,
    Mark,
    newest,
)
from reminderd.errors import (
    ConfigurationError,
    FaultsFound,
    InvalidInput,
    NotFound,
    TryAgainLater,
)
from reminderd.hours import zone
from tests.engines.database_files import NOW, an_older, claims_one, damage, files
from tests.engines.rows import with_patient


@pytest.fixture
def outbox(on_sqlite: EmbeddedOutbox) -> EmbeddedOutbox:
    """This is promised of a file."""
    return on_sqlite


@pytest.fixture
def kept(database: Path) -> Path:
    """A backup from before a message was claimed."""
    outbox = EmbeddedOutbox(database)
    with_patient(outbox)
    outbox.close()
    target = database.with_name("monday.db")
    backup.back_up(database, target)
    outbox = EmbeddedOutbox(database)
    claims_one(outbox)
    outbox.close()
    return target


def holds(database: Path) -> list[holding.Hold]:
    outbox = EmbeddedOutbox(database)
    try:
        return holding.held(outbox)
    finally:
        outbox.close()


def test_a_restored_database_is_what_it_was_and_starts_held(database: Path, kept: Path) -> None:
    aside = restore(kept, database, NOW)
    outbox = EmbeddedOutbox(database)
    assert len(outbox.patients()) == 1
    outbox.close()
    (hold,) = holds(database)
    assert (hold.cause, hold.since) == ("restored", NOW)
    assert "monday.db" in hold.why
    assert database.stat().st_mode & 0o777 == 0o600
    assert aside == database.with_name("reminderd.db.before-restore-20260310T093000Z")
    with closing(connection.connect(aside, read_only=True)) as opened:
        assert opened.execute("SELECT count(*) FROM messages").fetchone()[0] == 1


def test_why_it_is_held_is_told_by_the_clinics_clocks(database: Path, kept: Path) -> None:
    madrid = zone("Europe/Madrid")
    backup.back_up(database, database.with_name("tuesday.db"))
    restore(database.with_name("tuesday.db"), database, NOW, zone=madrid)
    (hold,) = holds(database)
    assert hold.why.endswith("it knows of nothing that was sent after 2026-03-10T10:30:00+01:00")
    restore(kept, database, NOW, zone=madrid)
    outbox = EmbeddedOutbox(database)
    HighWater(mark_of(outbox.path)).write(newest(outbox))
    HighWater(mark_of(database)).write(Mark(99, "2026-07-10T09:30:00+00:00"))
    with outbox.transaction():
        holding.release(outbox, None, "Alba", NOW)
    HighWater(mark_of(outbox.path)).hold_where_older(outbox, NOW, madrid)
    (hold,) = holding.held(outbox)
    outbox.close()
    assert "older than its mark of 2026-07-10T11:30:00+02:00" in hold.why


def test_an_id_that_a_message_had_is_not_given_to_another(database: Path, kept: Path) -> None:
    restore(kept, database, NOW)
    outbox = EmbeddedOutbox(database)
    claims_one(outbox)
    assert outbox.query("SELECT id FROM messages") == [(2,)]
    outbox.close()


def test_once_released_it_stays_released(database: Path, kept: Path) -> None:
    outbox = EmbeddedOutbox(database)
    HighWater(mark_of(outbox.path)).write(newest(outbox))
    outbox.close()
    restore(kept, database, NOW)
    outbox = EmbeddedOutbox(database)
    with outbox.transaction():
        holding.release(outbox, None, "Alba", NOW)
    HighWater(mark_of(outbox.path)).hold_where_older(outbox, NOW)
    assert holding.held(outbox) == []
    outbox.close()


def test_not_while_a_daemon_sends(database: Path, kept: Path) -> None:
    before = database.read_bytes()
    with only_daemon(database), pytest.raises(TryAgainLater):
        restore(kept, database, NOW)
    assert database.read_bytes() == before


def test_a_damaged_backup_changes_nothing(database: Path, kept: Path) -> None:
    content = kept.read_bytes()
    kept.write_bytes(content[: len(content) // 2])
    before = database.read_bytes(), files(database)
    with pytest.raises((FaultsFound, ConfigurationError)):
        restore(kept, database, NOW)
    assert (database.read_bytes(), files(database)) == before


def test_what_is_no_backup_changes_nothing(database: Path) -> None:
    songs = database.with_name("songs.db")
    with closing(sqlite3.connect(songs)) as opened:
        opened.execute("CREATE TABLE songs (title TEXT)")
    newer = database.with_name("newer.db")
    backup.back_up(database, newer)
    with closing(sqlite3.connect(newer)) as opened:
        opened.execute(f"PRAGMA user_version = {schema.VERSION + 1}")
    before = database.read_bytes(), files(database)
    for file, said in ((songs, "not a database of reminderd"), (newer, "newer reminderd")):
        with pytest.raises(ConfigurationError, match=said):
            restore(file, database, NOW)
    with pytest.raises(NotFound):
        restore(database.with_name("nothing"), database, NOW)
    with pytest.raises(InvalidInput, match="database itself"):
        restore(database, database, NOW)
    assert (database.read_bytes(), files(database)) == before


def test_a_lost_database_is_restored_too(database: Path, kept: Path) -> None:
    database.unlink()
    assert restore(kept, database, NOW) is None
    assert holds(database)


def test_a_damaged_database_is_kept_as_it_is(database: Path, kept: Path) -> None:
    damage(database)
    damaged = database.read_bytes()
    aside = restore(kept, database, NOW)
    assert aside is not None
    header = 100  # where it says which journal it has
    assert aside.read_bytes()[header:] == damaged[header:]
    backup.verify(database)


def test_an_older_backup_comes_back_with_the_present_schema(database: Path, kept: Path) -> None:
    older = an_older(database.with_name("older.db"))
    restore(older, database, NOW)
    assert holds(database)
    with closing(connection.connect(older, read_only=True)) as opened:
        assert opened.execute("PRAGMA user_version").fetchone()[0] == 1


# Noticing one that somebody put back ------------------------------------------------------------


def test_a_database_that_somebody_put_back_is_noticed(database: Path, kept: Path) -> None:
    outbox = EmbeddedOutbox(database)
    HighWater(mark_of(outbox.path)).write(newest(outbox))
    outbox.close()
    for ending in ("-wal", "-shm"):
        database.with_name(f"{database.name}{ending}").unlink(missing_ok=True)
    kept.replace(database)
    outbox = EmbeddedOutbox(database)
    HighWater(mark_of(outbox.path)).hold_where_older(outbox, NOW)
    (hold,) = holding.held(outbox)
    assert hold.cause == "restored"
    assert "its mark of 2026-03-10T09:30" in hold.why
    assert newest(outbox).message == 1
    with outbox.transaction():
        holding.release(outbox, None, "Alba", NOW)
    HighWater(mark_of(outbox.path)).hold_where_older(outbox, NOW)
    assert holding.held(outbox) == []
    outbox.close()


def test_the_mark_is_private_and_says_how_far_sending_came(
    database: Path, outbox: EmbeddedOutbox
) -> None:
    claims_one(outbox)
    HighWater(mark_of(outbox.path)).write(newest(outbox))
    path = database.with_name("reminderd.db.mark")
    assert json.loads(path.read_text()) == {"message": 1, "at": "2026-03-10T09:30:00+00:00"}
    assert path.stat().st_mode & 0o777 == 0o600
    HighWater(mark_of(outbox.path)).hold_where_older(outbox, NOW)
    assert holding.held(outbox) == []


def test_a_first_start_has_no_mark_and_one_that_cannot_be_read_is_said(
    database: Path, outbox: EmbeddedOutbox, caplog: pytest.LogCaptureFixture
) -> None:
    HighWater(mark_of(outbox.path)).hold_where_older(outbox, NOW)
    assert caplog.text == ""
    HighWater(mark_of(database)).path.write_text("{")
    HighWater(mark_of(outbox.path)).hold_where_older(outbox, NOW)
    assert "cannot be read" in caplog.text
    assert holding.held(outbox) == []
    assert HighWater(mark_of(database)).read() == newest(outbox)
