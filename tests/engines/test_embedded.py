"""What the embedded engine promises about its file."""

import os
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

import pytest
from sqlite_utils import Database

from reminderd.engines.embedded import connection, roll, schema, store
from reminderd.engines.embedded.copying import copy_database
from reminderd.engines.embedded.lock import only_daemon
from reminderd.engines.embedded.outbox import EmbeddedOutbox
from reminderd.errors import ConfigurationError, ReminderdError, TryAgainLater
from reminderd.interfaces import ReminderFilter, Signed
from tests.engines.rows import one, with_patient


@contextmanager
def a_writer(database: Path) -> Iterator[None]:
    """Somebody else who is in the middle of a transaction."""
    other = connection.connect(database)
    other.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        other.close()


# Which SQLite, which journal ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("version", "safe"),
    [
        ("3.40.1", False),
        ("3.44.5", False),
        ("3.44.6", True),
        ("3.45.0", False),
        ("3.49.2", False),
        ("3.50.6", False),
        ("3.50.7", True),
        ("3.51.0", False),
        ("3.51.2", False),
        ("3.51.3", True),
        ("3.52.0", True),
        ("4.0.0", True),
    ],
)
def test_a_write_ahead_log_is_used_only_where_it_loses_nothing(version: str, safe: bool) -> None:
    assert connection.wal_is_safe(version) is safe


@pytest.mark.parametrize(("version", "journal"), [("3.40.1", "truncate"), ("3.53.0", "wal")])
def test_every_commit_is_on_the_disk_with_either_journal(
    database: Path, monkeypatch: pytest.MonkeyPatch, version: str, journal: str
) -> None:
    monkeypatch.setattr(connection, "sqlite_version", lambda: version)
    opened = connection.connect(database)
    try:
        assert opened.execute("PRAGMA journal_mode").fetchone()[0] == journal
        full, extra = 2, 3
        level = opened.execute("PRAGMA synchronous").fetchone()[0]
        assert level == (full if journal == "wal" else extra)
        assert opened.execute("PRAGMA foreign_keys").fetchone()[0] == 1
    finally:
        opened.close()


def test_the_outbox_works_with_the_older_journal_too(
    database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "sqlite_version", lambda: "3.40.1")
    outbox = EmbeddedOutbox(database)
    stored = one(outbox)
    assert outbox.reminders(ReminderFilter()) == [stored]
    outbox.close()
    assert not list(database.parent.glob("*-wal"))


def test_every_table_is_strict(database: Path) -> None:
    opened = connection.connect(database)
    tables = opened.execute("PRAGMA table_list").fetchall()
    ours = {row[1]: row[5] for row in tables if not row[1].startswith(("sqlite_", "_sqlite"))}
    opened.close()
    assert len(ours) >= 10
    assert set(ours.values()) == {1}


# The file -----------------------------------------------------------------------------------------


def test_creating_it_again_changes_nothing(database: Path) -> None:
    before = database.read_bytes()
    assert store.create(database) is False
    assert database.read_bytes() == before


def test_several_who_create_it_at_once_agree(tmp_path: Path) -> None:
    database = tmp_path / "reminderd.db"
    script = (
        "import sys, pathlib; from reminderd.engines.embedded import store; "
        "sys.stdin.readline(); store.create(pathlib.Path(sys.argv[1]))"
    )
    command = [sys.executable, "-c", script, str(database)]
    running = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE) for _ in range(4)
    ]
    results = [(each.communicate(b"\n", 30), each.returncode) for each in running]
    assert [code for _, code in results] == [0] * 4, results
    with_patient(EmbeddedOutbox(database))


def test_only_the_user_who_runs_it_can_read_it(tmp_path: Path) -> None:
    script = (
        "import os, sys, pathlib; from reminderd.engines.embedded import store; "
        "from reminderd.engines.embedded.outbox import EmbeddedOutbox; os.umask(0o077); "
        "path = pathlib.Path(sys.argv[1]); store.create(path); box = EmbeddedOutbox(path)\n"
        "with box.transaction(): box.set_note('a', 'b')\n"
        "print(*(oct(each.stat().st_mode & 0o777) for each in path.parent.iterdir()))"
    )
    command = [sys.executable, "-c", script, str(tmp_path / "reminderd.db")]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=30)
    assert set(done.stdout.split()) == {"0o600"}


def refused(path: Path) -> ConfigurationError:
    with pytest.raises(ConfigurationError) as caught:
        EmbeddedOutbox(path)
    assert caught.value.exit_code == 78
    assert str(path) in caught.value.message
    assert caught.value.remedy
    return caught.value


def test_where_there_is_no_database_one_is_told_how_to_make_it(tmp_path: Path) -> None:
    assert "reminderd init" in str(refused(tmp_path / "nothing.db").remedy)
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_database_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("These are the minutes of our last meeting. " * 100)
    before = path.read_bytes()
    refused(path)
    with pytest.raises(ConfigurationError):
        store.create(path)
    assert path.read_bytes() == before


def test_a_folder_is_no_database(tmp_path: Path) -> None:
    refused(tmp_path)
    with pytest.raises(ConfigurationError):
        store.create(tmp_path)


def test_a_database_in_a_folder_that_there_is_not(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be used"):
        store.create(tmp_path / "nowhere" / "reminderd.db")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_what_may_not_be_read_is_said_to_be_so(database: Path) -> None:
    database.chmod(0)
    assert "no permission" in refused(database).message


def test_another_programs_database_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "songs.db"
    with sqlite3.connect(path) as songs:
        songs.execute("CREATE TABLE songs (title TEXT)")
    songs.close()
    before = path.read_bytes()
    refused(path)
    with pytest.raises(ConfigurationError, match="another program"):
        store.create(path)
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("version", "advice"), [(schema.VERSION + 1, "Upgrade"), (0, "reminderd init")]
)
def test_a_database_of_another_version_is_refused(
    database: Path, version: int, advice: str
) -> None:
    opened = connection.connect(database)
    opened.execute(f"PRAGMA user_version = {version}")
    opened.close()
    assert advice in str(refused(database).remedy)


def test_a_database_of_the_first_schema_is_brought_up_to_date_with_all_it_holds(
    tmp_path: Path,
) -> None:
    path = tmp_path / "old.db"
    old = connection.connect(path, create=True)
    schema.migrations().apply(Database(old), stop_before="002-what-changed")
    old.execute("INSERT INTO notes VALUES ('installation', 'kept')")
    old.execute(
        "INSERT INTO patients (clinic, given_name, family_name, channels, created_at, updated_at) "
        "VALUES ('main', 'Ana', '', 'sms', 0, 0)"
    )
    old.execute("PRAGMA user_version = 1")
    old.commit()
    old.close()
    assert store.create(path)
    assert not store.create(path)
    opened = EmbeddedOutbox(path)
    assert opened.note("installation") == "kept"
    (ana,) = opened.facts([1])
    assert ana.patient.given_name == "Ana"
    assert ana.patient.screening == frozenset()
    opened.close()


def test_a_signature_from_before_texts_were_kept_stays_a_signature(tmp_path: Path) -> None:
    path = tmp_path / "old.db"
    old = connection.connect(path, create=True)
    schema.migrations().apply(Database(old), stop_before="003-what-was-signed")
    old.execute(
        "INSERT INTO approvals (protocol, revision, digest, by, at) "
        "VALUES ('care', 1, 'abc', 'Dr. Example', 0)"
    )
    old.execute("PRAGMA user_version = 2")
    old.commit()
    old.close()
    assert store.create(path)
    opened = EmbeddedOutbox(path)
    assert [(each.by, each.digest) for each in opened.approvals()] == [("Dr. Example", "abc")]
    assert opened.signed("abc") == Signed(None, None)
    opened.close()


# Several at once ----------------------------------------------------------------------------------


def test_a_database_that_stays_locked_is_to_be_tried_again_later(
    database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "connect", impatient)
    outbox = EmbeddedOutbox(database)
    with a_writer(database), pytest.raises(TryAgainLater) as caught, outbox.transaction():
        pytest.fail("the transaction began although another one is open")
    assert caught.value.exit_code == 75
    outbox.close()


def test_readers_do_not_wait_for_a_writer(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store, "connect", impatient)
    outbox = EmbeddedOutbox(database)
    with a_writer(database):
        assert outbox.patients() == []
        assert roll.patients(database, None) == []
    outbox.close()


def test_who_waits_for_a_writer_gets_a_turn(database: Path) -> None:
    outbox = EmbeddedOutbox(database)
    with a_writer(database):
        thread = threading.Thread(target=lambda: (with_patient(outbox), outbox.close()))
        thread.start()
        thread.join(0.05)
        assert thread.is_alive()
    thread.join(10)
    assert len(outbox.patients()) == 1
    outbox.close()


def test_processes_that_read_and_then_write_never_fail_and_lose_nothing(database: Path) -> None:
    outbox = EmbeddedOutbox(database)
    with outbox.transaction():
        outbox.set_note("count", "0")
    script = (
        "import sys, pathlib; from reminderd.engines.embedded.outbox import EmbeddedOutbox\n"
        "box = EmbeddedOutbox(pathlib.Path(sys.argv[1]))\n"
        "for _ in range(40):\n"
        "    with box.transaction(): box.set_note('count', str(int(box.note('count')) + 1))"
    )
    command = [sys.executable, "-c", script, str(database)]
    running = [subprocess.Popen(command, stderr=subprocess.PIPE) for _ in range(3)]
    for each in running:
        assert (each.communicate(timeout=30)[1], each.returncode) == (b"", 0)
    assert outbox.note("count") == "120"
    outbox.close()


def test_a_commit_of_another_is_seen_by_a_number_that_changes(database: Path) -> None:
    outbox, other = EmbeddedOutbox(database), EmbeddedOutbox(database)
    seen = outbox.data_version()
    assert outbox.data_version() == seen
    with_patient(other)
    assert outbox.data_version() != seen
    outbox.close()
    other.close()


def impatient(path: Path, **how: bool) -> connection.Connection:
    return connection.connect(path, patience_seconds=0.05, **{
        name: value for name, value in how.items() if name != "patience_seconds"
    })  # fmt: skip


# One daemon ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("way", ["itself", "symlink", "hard link", "detour"])
def test_one_daemon_a_database_by_whichever_way_it_is_reached(database: Path, way: str) -> None:
    other = database.parent / "other.db"
    if way == "symlink":
        other.symlink_to(database)
    elif way == "hard link":
        other.hardlink_to(database)
    else:
        (database.parent / "a").mkdir()
        other = database if way == "itself" else database.parent / "a" / ".." / database.name
    with only_daemon(database):
        with pytest.raises(TryAgainLater) as caught, only_daemon(other):
            pytest.fail("there are two")
        assert caught.value.exit_code == 75
    with only_daemon(other):
        pass


# Copies -------------------------------------------------------------------------------------------


def footprint(folder: Path) -> dict[str, tuple[str, int]]:
    """What every file holds and when it was last written."""
    return {
        each.name: (sha256(each.read_bytes()).hexdigest(), each.stat().st_mtime_ns)
        for each in folder.iterdir()
    }


@pytest.mark.parametrize("open_meanwhile", [False, True])
def test_a_copy_has_everything_and_leaves_every_file_as_it_was(
    database: Path, tmp_path_factory: pytest.TempPathFactory, open_meanwhile: bool
) -> None:
    outbox = EmbeddedOutbox(database)
    stored = one(outbox)
    if not open_meanwhile:
        outbox.close()
    before = footprint(database.parent)
    target = tmp_path_factory.mktemp("copy") / "copy.db"
    copy_database(database, target)
    copy = EmbeddedOutbox(target, durable=False)
    assert copy.reminders(ReminderFilter()) == [stored]
    with_patient(copy)
    copy.close()
    assert footprint(database.parent) == before
    assert len(roll.patients(database, None)) == 1
    assert footprint(database.parent) == before
    outbox.close()


def test_what_is_read_only_cannot_be_written(database: Path) -> None:
    opened = connection.connect(database, read_only=True)
    with pytest.raises(connection.DatabaseError):
        opened.execute("DELETE FROM notes")
    opened.close()


def test_an_error_in_a_query_is_told_as_one_of_ours(database: Path) -> None:
    outbox = EmbeddedOutbox(database)
    with pytest.raises(ReminderdError):
        outbox.query("SELECT nothing FROM nowhere")
    outbox.close()
