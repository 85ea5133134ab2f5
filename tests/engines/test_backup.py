"""Backups are whole, private and one file; the way back starts held; old databases are noticed."""

import json
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest

from reminderd import holding
from reminderd.engines.embedded import backup, connection, schema, soundness, store
from reminderd.engines.embedded.high_water import HighWater, hold_where_older, mark_newest, newest
from reminderd.engines.embedded.lock import only_daemon
from reminderd.engines.embedded.outbox import EmbeddedOutbox
from reminderd.engines.embedded.restoring import restore
from reminderd.errors import (
    ConfigurationError,
    FaultsFound,
    InvalidInput,
    NotFound,
    Refused,
    TryAgainLater,
)
from reminderd.findings import Level
from reminderd.interfaces import NewMessage
from reminderd.model import Channel
from tests.engines.rows import one, with_patient

NOW = datetime(2026, 3, 10, 9, 30, tzinfo=UTC)


@pytest.fixture
def database(tmp_path: Path) -> Path:
    store.create(tmp_path / "reminderd.db")
    return tmp_path / "reminderd.db"


@pytest.fixture
def outbox(database: Path) -> Iterator[EmbeddedOutbox]:
    outbox = EmbeddedOutbox(database)
    yield outbox
    outbox.close()


def claims_one(outbox: EmbeddedOutbox) -> None:
    reminder = one(outbox)
    assert reminder.patient_id is not None
    with outbox.transaction():
        outbox.claim([NewMessage(reminder.patient_id, Channel.SMS, "sms", (reminder,))], NOW)


def files(database: Path) -> set[str]:
    return {each.name for each in database.parent.iterdir()}


# Taking one ---------------------------------------------------------------------------------------


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


def damage(database: Path) -> None:
    """Overwrite what stands in the middle of the file."""
    content = bytearray(database.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 20_000] = b"\xaa" * 20_000
    database.write_bytes(content)


# The way back -------------------------------------------------------------------------------------


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


def test_an_id_that_a_message_had_is_not_given_to_another(database: Path, kept: Path) -> None:
    restore(kept, database, NOW)
    outbox = EmbeddedOutbox(database)
    claims_one(outbox)
    assert outbox.query("SELECT id FROM messages") == [(2,)]
    outbox.close()


def test_once_released_it_stays_released(database: Path, kept: Path) -> None:
    outbox = EmbeddedOutbox(database)
    mark_newest(outbox)
    outbox.close()
    restore(kept, database, NOW)
    outbox = EmbeddedOutbox(database)
    with outbox.transaction():
        holding.release(outbox, None, "Alba", NOW)
    hold_where_older(outbox, NOW)
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


# Noticing -----------------------------------------------------------------------------------------


def test_a_database_that_somebody_put_back_is_noticed(database: Path, kept: Path) -> None:
    outbox = EmbeddedOutbox(database)
    mark_newest(outbox)
    outbox.close()
    for ending in ("-wal", "-shm"):
        database.with_name(f"{database.name}{ending}").unlink(missing_ok=True)
    kept.replace(database)
    outbox = EmbeddedOutbox(database)
    hold_where_older(outbox, NOW)
    (hold,) = holding.held(outbox)
    assert hold.cause == "restored"
    assert "its mark of 2026-03-10T09:30" in hold.why
    assert newest(outbox.query).message == 1
    with outbox.transaction():
        holding.release(outbox, None, "Alba", NOW)
    hold_where_older(outbox, NOW)
    assert holding.held(outbox) == []
    outbox.close()


def test_the_mark_is_private_and_says_how_far_sending_came(
    database: Path, outbox: EmbeddedOutbox
) -> None:
    claims_one(outbox)
    mark_newest(outbox)
    path = database.with_name("reminderd.db.mark")
    assert json.loads(path.read_text()) == {"message": 1, "at": "2026-03-10T09:30:00+00:00"}
    assert path.stat().st_mode & 0o777 == 0o600
    hold_where_older(outbox, NOW)
    assert holding.held(outbox) == []


def test_a_first_start_has_no_mark_and_one_that_cannot_be_read_is_said(
    database: Path, outbox: EmbeddedOutbox, caplog: pytest.LogCaptureFixture
) -> None:
    hold_where_older(outbox, NOW)
    assert caplog.text == ""
    HighWater(database).path.write_text("{")
    hold_where_older(outbox, NOW)
    assert "cannot be read" in caplog.text
    assert holding.held(outbox) == []
    assert HighWater(database).read() == newest(outbox.query)


# Bringing up to date ------------------------------------------------------------------------------


def an_older(path: Path) -> Path:
    """A database of the first schema, with a patient in it."""
    from sqlite_utils import Database

    with closing(connection.connect(path, create=True)) as old:
        schema.migrations().apply(Database(old), stop_before="002-what-changed")
        old.execute("INSERT INTO notes VALUES ('installation', 'kept')")
        old.execute(
            "INSERT INTO patients (clinic, given_name, family_name, channels, created_at, "
            "updated_at) VALUES ('main', 'Ana', '', 'sms', 0, 0)"
        )
        old.execute("PRAGMA user_version = 1")
        old.commit()
    return path


def everything(path: Path) -> list[object]:
    """The schema, and what is in the tables that have something in them."""
    with closing(connection.connect(path, read_only=True)) as opened:
        return [
            opened.execute(f"SELECT * FROM {table} ORDER BY 1, 2").fetchall()
            for table in ("sqlite_master", "patients", "notes", "_sqlite_migrations")
        ]


def version(path: Path) -> int:
    with closing(connection.connect(path, read_only=True)) as opened:
        return int(opened.execute("PRAGMA user_version").fetchone()[0])


def test_before_it_is_brought_up_to_date_a_copy_is_kept(tmp_path: Path) -> None:
    path = an_older(tmp_path / "old.db")
    assert store.create(path)
    assert version(path) == schema.VERSION
    assert version(tmp_path / "old.db.schema-1") == 1
    backup.verify(tmp_path / "old.db.schema-1")


def test_a_step_that_fails_leaves_it_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = an_older(tmp_path / "old.db")
    before = everything(path)
    monkeypatch.setattr(schema, "THIRD", f"{schema.THIRD}\nALTER TABLE nothing ADD COLUMN a TEXT;")
    with pytest.raises(ConfigurationError, match="nothing"):
        store.create(path)
    assert version(path) == 1
    assert everything(path) == before


def test_not_under_a_running_daemon(tmp_path: Path) -> None:
    path = an_older(tmp_path / "old.db")
    with only_daemon(path), pytest.raises(TryAgainLater):
        store.create(path)
    assert version(path) == 1


def test_a_newer_schema_is_refused(database: Path) -> None:
    with closing(connection.connect(database)) as opened:
        opened.execute(f"PRAGMA user_version = {schema.VERSION + 1}")
    with pytest.raises(ConfigurationError, match="newer reminderd"):
        store.create(database)


# Looking ------------------------------------------------------------------------------------------


def problems(database: Path) -> list[str]:
    return [
        f"{each.subject}: {each.message}"
        for each in soundness.examine(database)
        if each.level is Level.PROBLEM
    ]


def test_a_sound_database_has_no_problem(database: Path, outbox: EmbeddedOutbox) -> None:
    claims_one(outbox)
    assert problems(database) == []


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("UPDATE reminders SET state = 'sent', wake_at = NULL", "rem-1: sent, and no accepted"),
        (
            "UPDATE reminders SET state = 'sending', wake_at = NULL; "
            "UPDATE attempts SET outcome = 'returned'",
            "rem-1: being sent, and no attempt is open",
        ),
        (
            "UPDATE reminders SET state = 'scheduled', wake_at = due_at; "
            "UPDATE attempts SET outcome = 'accepted'",
            "rem-1: accepted by a provider, and yet waiting",
        ),
        (
            "INSERT INTO messages (patient, channel, transport, created_at) VALUES (1, 'sms', 's', "
            "0); INSERT INTO message_reminders VALUES (1, 2); INSERT INTO attempts (message, "
            "outcome, claimed_at) VALUES (2, 'accepted', 0); UPDATE attempts SET outcome = "
            "'accepted'; UPDATE reminders SET state = 'sent'",
            "rem-1: in more than one accepted message",
        ),
        ("UPDATE sqlite_sequence SET seq = 0 WHERE name = 'messages'", "messages: the newest is 1"),
        ("DELETE FROM sqlite_sequence WHERE name = 'attempts'", "attempts: the newest is 1"),
        ("PRAGMA foreign_keys = OFF; DELETE FROM patients", "its row in patients is missing"),
        ("INSERT INTO notes VALUES ('held', '?')", "cannot be read"),
        ("PRAGMA user_version = 1", "schema: 1, not"),
    ],
)
def test_rows_that_contradict_each_other_are_found(
    database: Path, outbox: EmbeddedOutbox, sql: str, said: str
) -> None:
    claims_one(outbox)
    outbox.connection.executescript(sql)
    assert any(said in each for each in problems(database)), problems(database)


def test_damage_is_found(database: Path, outbox: EmbeddedOutbox) -> None:
    for _ in range(200):
        with_patient(outbox)
    outbox.close()
    damage(database)
    assert problems(database)
