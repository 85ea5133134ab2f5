"""The command line starts without what only some commands need."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.front_desk import FrontDesk

EXPENSIVE = (
    "apscheduler", "babel", "cryptography", "email_validator", "icalendar", "jinja2", "markdown_it",
    "phonenumbers", "prometheus_client", "pydantic", "rich", "sqlite_utils", "starlette", "twilio",
    "uvicorn",
)  # fmt: skip
POSTGRESQL = ("procrastinate", "psycopg", "psycopg_pool", "reminderd.engines.distributed")


def loaded(code: str, names: tuple[str, ...]) -> list[str]:
    """Which of these modules are loaded once `code` has run, in a process of its own."""
    said = f"json.dumps([name for name in {names} if name in sys.modules])"
    whole = f"import atexit, json, sys\natexit.register(lambda: sys.stderr.write({said}))\n{code}"
    done = subprocess.run([sys.executable, "-c", whole], check=False, capture_output=True)
    assert done.returncode in (0, 1), done.stderr  # 1: `check` found something
    names_found: list[str] = json.loads(done.stderr.splitlines()[-1])
    return names_found


def test_the_command_line_starts_without_what_only_some_commands_need() -> None:
    assert loaded("import reminderd.cli", EXPENSIVE) == []


@pytest.mark.parametrize(
    "command",
    [["--help"], ["patient", "list"], ["check"], ["status"], ["run", "--once"]],
    ids=" ".join,
)
def test_one_machine_needs_nothing_of_what_many_need(command: list[str], tmp_path: Path) -> None:
    desk = FrontDesk(tmp_path)
    arguments = command if command == ["--help"] else ["--config", str(desk.config), *command]
    code = f"from reminderd.cli import main\nsys.argv[1:] = {arguments}\nmain()"
    assert loaded(code, POSTGRESQL) == []


def test_a_list_of_patients_is_made_without_the_model(tmp_path: Path) -> None:
    command = ["--config", str(FrontDesk(tmp_path).config), "patient", "list"]
    code = f"from reminderd.cli import main\nsys.argv[1:] = {command}\nmain()"
    assert loaded(code, ("reminderd.model", "reminderd.bootstrap", *EXPENSIVE)) == []
