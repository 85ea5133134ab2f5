"""A disk without room: every command says so in plain words, and changes nothing."""

import errno
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner

from reminderd.cli import status
from reminderd.cli.app import app
from reminderd.engines.embedded import connection
from tests.cli.desk import Clinic
from tests.fakes.small_disk import SmallDisk, small_disk

NEW = (
    "enrol", "--given-name", "Berta", "--phone", "+34600000002", "--consent", "sms",
    "--protocol", "mesotherapy", "--at", "2026-03-28T09:30",
)  # fmt: skip


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    with small_disk(tmp_path / "disk") as disk:
        yield disk


@pytest.fixture
def clinic(disk: SmallDisk) -> Clinic:
    """Ana is in a database on the small disk."""
    clinic = Clinic(disk.folder / "clinic")
    clinic.says("init", str(clinic.folder))
    clinic.enrols()
    return clinic


def content(clinic: Clinic) -> dict[str, list[tuple[object, ...]]]:
    with closing(connection.connect(clinic.config.with_name("reminderd.db"))) as opened:
        tables = opened.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        return {name: opened.execute(f"SELECT * FROM {name}").fetchall() for (name,) in tables}


@pytest.mark.parametrize(
    "words", [NEW, ("patient", "pause", "pat-1"), ("db", "backup"), ("run", "--once")]
)
@pytest.mark.parametrize("beside_the_daemon", [True, False])
def test_every_command_says_so_and_changes_nothing(
    clinic: Clinic, disk: SmallDisk, words: tuple[str, ...], beside_the_daemon: bool
) -> None:
    before = content(clinic)
    with closing(connection.connect(clinic.config.with_name("reminderd.db"))) as daemon:
        if beside_the_daemon:  # which holds the files that every reader needs
            daemon.execute("SELECT count(*) FROM patients").fetchone()
        else:
            daemon.close()
        disk.fill()
        done = clinic.types(*words)
        assert done.exit_code == 75, done.output
        assert "the disk is full" in done.stderr
        assert "Make room on that disk" in done.stderr
        disk.make_room()
    assert content(clinic) == before
    assert clinic.types(*words).exit_code == 0


def test_status_says_so_while_the_daemon_runs(clinic: Clinic, disk: SmallDisk) -> None:
    with closing(connection.connect(clinic.config.with_name("reminderd.db"))) as daemon:
        daemon.execute("SELECT count(*) FROM patients").fetchone()
        disk.fill()
        first = clinic.data("status")["staff"][0]
        assert first["id"] == "disk-full"
        assert first["do"] == f"make room on the disk of {clinic.config.parent}"
        disk.make_room()


def test_a_backup_that_does_not_fit_leaves_no_file_behind(tmp_path: Path, disk: SmallDisk) -> None:
    clinic = Clinic(tmp_path / "clinic")
    clinic.says("init", str(clinic.folder))
    clinic.enrols()
    disk.fill()
    done = clinic.types("db", "backup", str(disk.folder / "monday.db"))
    assert done.exit_code == 75
    assert "the disk is full" in done.stderr
    assert [each.name for each in disk.folder.iterdir()] == ["ballast"]


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_no_accident_whatever_is_written(
    monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def write(**_: object) -> None:
        raise OSError(number, "No space left on device", "leaflet.html")

    monkeypatch.setattr(status.command, "callback", write)
    result = CliRunner().invoke(app, ["status"], prog_name="reminderd")
    assert result.exit_code == 75
    assert result.stderr.startswith("error: leaflet.html: the disk is full\nMake room")
