"""`init` and `demo`: what somebody sees who has just installed it."""

import os
import re
import stat
from pathlib import Path

from click.testing import Result

from reminderd import resources
from tests.cli.desk import Clinic, without_configuration


def test_init_writes_everything_to_edit_and_the_database(tmp_path: Path) -> None:
    result = without_configuration(tmp_path, "init")
    assert result.exit_code == 0, result.output
    config = tmp_path / "config"
    assert (config / "protocols" / "mesotherapy.toml").is_file()
    assert (config / "templates" / "es" / "no-shower.j2").is_file()
    assert stat.S_IMODE((config / "reminderd.db").stat().st_mode) == 0o600
    assert [command for command in ("check", "enrol", "run") if command not in result.stdout] == []


def test_what_init_wrote_is_found_from_that_folder(tmp_path: Path) -> None:
    without_configuration(tmp_path, "init")
    result = without_configuration(tmp_path, "check")
    assert result.exit_code == 0, result.output


def test_init_keeps_what_was_edited(clinic: Clinic) -> None:
    edited = clinic.config.read_text().replace("Alba Skin Clinic", "Mira Clinic")
    clinic.config.write_text(edited)
    again = clinic.says("init", str(clinic.folder))
    assert clinic.config.read_text() == edited
    assert f"kept   {clinic.config}\n" in again
    assert "wrote" not in again


def test_the_demo_needs_no_configuration_and_leaves_nothing(tmp_path: Path) -> None:
    result = without_configuration(tmp_path, "demo")
    assert result.exit_code == 0, result.output
    assert list(tmp_path.iterdir()) == []
    assert "shower" in result.stdout
    assert "12:30  Marina Solbes · sms to +34600000001 · " in result.stdout
    assert re.search(r"^\d\d messages, \d\d SMS segments in 21 days; none has left", last(result))


def last(result: Result) -> str:
    """The summary, which stands before the next commands."""
    return result.stdout.rpartition("\n\nNext:")[0].splitlines()[-1]


def test_the_demo_keeps_local_time_when_the_clocks_change(tmp_path: Path) -> None:
    said = without_configuration(tmp_path, "demo").stdout
    monday = said.partition("Monday 30 March 2026")[2].partition("Tuesday")[0]
    times = [line[:5] for line in monday.splitlines() if line[:2].isdigit()]
    assert times == ["10:00"] * 3  # in Madrid, London and New York


def test_sample_patients_ship_with_the_program() -> None:
    assert os.access(resources.config_dir() / "demo-patients.csv", os.R_OK)
