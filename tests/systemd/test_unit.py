"""The units as systemd reads them: the daemon of one machine, and a worker of many."""

import os
import re
import shutil
import subprocess
from configparser import RawConfigParser
from pathlib import Path

import pytest

from reminderd import resources

UNIT = resources.systemd_dir() / "reminderd.service"
WORKER = resources.systemd_dir() / "reminderd-worker@.service"
SYSUSERS = resources.systemd_dir() / "reminderd.sysusers.conf"
PROGRAM = "/opt/reminderd/bin/reminderd"


def tool(name: str) -> str:
    """The path of one of systemd's tools; its absence is a failure where checks must be whole."""
    path = shutil.which(name)
    if path is None:
        (pytest.fail if os.environ.get("CI") else pytest.skip)(f"{name} is not installed")
    return path


def run(*command: str) -> subprocess.CompletedProcess[str]:
    environ = {**os.environ, "LC_ALL": "C", "SYSTEMD_COLORS": "0"}
    return subprocess.run(
        command, check=False, text=True, env=environ,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip


def directives(key: str) -> list[str]:
    return re.findall(rf"^{key}=(.*)$", UNIT.read_text(encoding="utf-8"), re.MULTILINE)


@pytest.fixture(params=[UNIT, WORKER], ids=["daemon", "worker"])
def installed_unit(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """A unit as shipped, but for the program, which this machine has elsewhere."""
    unit: Path = request.param
    program = shutil.which("true")
    assert program is not None
    copy = tmp_path / unit.name.replace("@", "@1")
    text = unit.read_text(encoding="utf-8")
    assert text.count(PROGRAM) == 1
    copy.write_text(text.replace(PROGRAM, program), encoding="utf-8")
    return copy


def test_systemd_finds_nothing_to_remark_in_the_unit(installed_unit: Path) -> None:
    verified = run(tool("systemd-analyze"), "verify", str(installed_unit))
    assert verified.stdout == ""
    assert verified.returncode == 0


def test_the_unit_is_exposed_to_at_most_1_5(installed_unit: Path) -> None:
    scored = run(
        tool("systemd-analyze"), "security", "--offline=yes", "--threshold=15", "--no-pager",
        str(installed_unit),
    )  # fmt: skip
    level = re.search(r"Overall exposure level for \S+: (\d+\.\d+)", scored.stdout)
    assert level is not None, scored.stdout
    assert float(level[1]) <= 1.5
    assert scored.returncode == 0


def test_the_user_of_the_unit_is_the_one_that_sysusers_makes(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    made = run(tool("systemd-sysusers"), f"--root={tmp_path}", str(SYSUSERS))
    assert made.returncode == 0, made.stdout
    name, _, number, _, _, home, shell = (tmp_path / "etc/passwd").read_text().strip().split(":")
    assert directives("User") == directives("Group") == [name]
    assert 0 < int(number) < 1000
    assert home == directives("WorkingDirectory")[0]
    assert shell.endswith("nologin")


def test_a_secret_that_is_not_there_does_not_keep_the_service_from_starting() -> None:
    """systemd forgives a missing file only where it is looked up in its credential stores."""
    sources = dict(each.split(":", 1) for each in directives("LoadCredential"))
    assert set(sources) == {
        "transports.twilio.auth_token", "transports.twilio.auth_token_old",
        "transports.twilio.api_key_secret", "transports.smtp.password", "database.encryption_key",
        "database.password",
    }  # fmt: skip
    for secret, source in sources.items():
        assert source == f"reminderd.{secret}"


def test_a_wrong_configuration_is_not_tried_again_and_everything_else_is() -> None:
    assert directives("Restart") == ["on-failure"]
    assert directives("RestartPreventExitStatus") == ["78"]
    assert directives("StartLimitIntervalSec") == ["0"]


def test_every_setting_stands_in_a_section_and_none_twice_by_mistake() -> None:
    parser = RawConfigParser(strict=False, delimiters=("=",))
    parser.optionxform = str  # type: ignore[assignment,method-assign]  # as its own manual does
    parser.read(UNIT, encoding="utf-8")
    assert parser.sections() == ["Unit", "Service", "Install"]
    lines = [line for line in UNIT.read_text(encoding="utf-8").splitlines() if line]
    keys = [line.split("=")[0] for line in lines if line[0] not in "#["]
    repeated = {key for key in keys if keys.count(key) > 1}
    assert repeated == {"LoadCredential", "SystemCallFilter"}


def test_a_worker_is_shut_in_as_the_daemon_is_and_told_apart_by_its_number() -> None:
    def lines(unit: Path) -> set[str]:
        return set(unit.read_text(encoding="utf-8").splitlines())

    own = {each for each in lines(WORKER) - lines(UNIT) if not each.startswith("#")}
    assert own == {
        "Description=Aftercare reminders for patients, worker %i",
        "After=network-online.target nss-lookup.target time-sync.target postgresql.service",
        "EnvironmentFile=-/etc/reminderd/worker-%i.env",
    }
    assert {each.split("=")[0] for each in lines(UNIT) - lines(WORKER)} == {"Description", "After"}
