"""`db`: whole, kept, put back, brought up to date."""

from contextlib import closing
from pathlib import Path

import pytest

from reminderd.engines.embedded import connection, schema
from reminderd.engines.embedded.lock import only_daemon
from tests.cli.desk import Clinic
from tests.engines.database_files import an_older


def database(clinic: Clinic) -> Path:
    return clinic.config.with_name("reminderd.db")


def executes(clinic: Clinic, sql: str) -> None:
    with closing(connection.connect(database(clinic))) as opened:
        opened.execute(sql)


def test_a_sound_database_passes(clinic: Clinic) -> None:
    clinic.enrols()
    findings = clinic.data("db", "check")["findings"]
    assert {each["level"] for each in findings} == {"fine"}
    assert {each["subject"] for each in findings} >= {"file", "schema", "rows", "counters"}


def test_what_contradicts_itself_is_named_and_ends_with_1(clinic: Clinic) -> None:
    clinic.enrols()
    executes(clinic, "UPDATE reminders SET state = 'sent', wake_at = NULL WHERE id = 3")
    checked = clinic.types("db", "check")
    assert checked.exit_code == 1
    assert "rem-3: sent, and no accepted message with it" in checked.stdout
    assert "reminderd reminder explain" in checked.stdout


def test_a_backup_beside_the_daemon_is_named_after_the_instant(clinic: Clinic) -> None:
    clinic.enrols()
    with only_daemon(database(clinic)):
        made = clinic.data("db", "backup")
    assert made["file"].endswith("reminderd.db.backup-20260328T090000Z")
    assert Path(made["file"]).stat().st_mode & 0o777 == 0o600
    assert made["rows"]["patients"] == 1
    again = clinic.types("db", "backup")
    assert again.exit_code == 5
    assert "--force" in again.stderr
    assert clinic.types("db", "backup", "--force").exit_code == 0


@pytest.fixture
def backup(clinic: Clinic) -> str:
    """A backup with one patient; since then there are two."""
    clinic.enrols()
    clinic.says("db", "backup", str(clinic.folder / "monday.db"))
    clinic.enrols(ref="B-2", given_name="Berta", phone="+34600000002", email="b@example.org")
    return str(clinic.folder / "monday.db")


def test_what_is_restored_is_held_and_the_present_one_is_kept(clinic: Clinic, backup: str) -> None:
    done = clinic.types("db", "restore", backup)
    assert done.exit_code == 0, done.output
    assert "reminderd release" in done.stderr
    assert [each["ref"] for each in clinic.data("patient", "list")["patients"]] == ["A-1"]
    assert clinic.types("db", "restore", backup).exit_code == 0
    (hold,) = clinic.data("status")["holds"]
    assert hold["cause"] == "restored"
    clinic.says("db", "restore", f"{database(clinic)}.before-restore-20260328T090000Z")
    assert len(clinic.data("patient", "list")["patients"]) == 2


def test_the_daemon_has_to_be_stopped_first(clinic: Clinic, backup: str) -> None:
    with only_daemon(database(clinic)):
        refused = clinic.types("db", "restore", backup)
    assert refused.exit_code == 75
    assert len(clinic.data("patient", "list")["patients"]) == 2


def test_a_backup_that_is_not_there_is_not_found(clinic: Clinic) -> None:
    assert clinic.types("db", "restore", "nothing.db").exit_code == 4


def test_the_present_schema_stays_and_a_newer_one_is_refused(clinic: Clinic) -> None:
    assert clinic.data("db", "migrate") == {"schema": schema.VERSION, "changed": False}
    executes(clinic, f"PRAGMA user_version = {schema.VERSION + 1}")
    for words in (("db", "migrate"), ("db", "backup"), ("run", "--once"), ("status",)):
        refused = clinic.types(*words)
        assert refused.exit_code == 78
        assert f"{database(clinic)}: written by a newer reminderd" in refused.stderr
        assert "Upgrade reminderd" in refused.stderr
    checked = clinic.types("db", "check")
    assert checked.exit_code == 1
    assert "Upgrade reminderd" in checked.stdout


def test_an_older_one_is_brought_up_to_date_by_command_or_by_the_daemon(clinic: Clinic) -> None:
    for words in (("db", "migrate"), ("run", "--once")):
        database(clinic).unlink()
        an_older(database(clinic))
        refused = clinic.types("status")
        assert refused.exit_code == 78
        assert "Bring it up to date: reminderd db migrate" in refused.stderr
        done = clinic.types(*words)
        assert done.exit_code == 0
        assert "brought" in done.output
        assert "empty" not in done.output
        clinic.says("status")


def test_without_a_database_there_is_nothing_to_bring_up_to_date(clinic: Clinic) -> None:
    database(clinic).unlink()
    assert clinic.types("db", "migrate").exit_code == 78
    assert not database(clinic).exists()
