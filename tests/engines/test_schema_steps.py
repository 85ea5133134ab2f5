"""An older database is brought up to date whole, from a copy that stays, or not at all."""

from contextlib import closing
from pathlib import Path

import pytest

from reminderd.engines.embedded import backup, connection, schema, store
from reminderd.engines.embedded.lock import only_daemon
from reminderd.errors import ConfigurationError, TryAgainLater
from tests.engines.database_files import an_older


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
    broken = f"{schema.THIRD}\nALTER TABLE nothing ADD COLUMN a TEXT;"
    monkeypatch.setitem(schema.STEPS, "003-what-was-signed", broken)
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
