"""Imports go one way, each vendor has one room, and what is pure stays pure."""

import re
import subprocess
import sys
from pathlib import Path
from shutil import copytree

import pytest

ROOT = Path(__file__).parents[2]
LINTER = Path(sys.executable).with_name("lint-imports")


def lint(root: Path) -> tuple[int, str]:
    command = [sys.executable, str(LINTER), "--no-cache"]
    done = subprocess.run(
        command, cwd=root, env={"PYTHONPATH": str(root), "COLUMNS": "200"},
        check=False, capture_output=True, text=True,
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr


def test_every_file_imports_only_what_stands_below_it() -> None:
    status, said = lint(ROOT)
    assert status == 0, said
    assert re.search(r"Contracts: [1-9]\d* kept, 0 broken", said), said


@pytest.mark.parametrize(
    ("file", "line"),
    [
        ("model.py", "from reminderd import hours"),
        ("clock.py", "from reminderd import errors"),
        ("hours.py", "import os"),
        ("errors.py", "import twilio"),
        ("errors.py", "import jinja2"),
        ("errors.py", "import sqlite3"),
        ("helpers.py", ""),
    ],
    ids=["upwards", "sideways", "impure", "twilio", "jinja2", "sqlite3", "without a floor"],
)
def test_a_file_that_breaks_the_order_is_found(tmp_path: Path, file: str, line: str) -> None:
    copytree(ROOT / "reminderd", tmp_path / "reminderd")
    (tmp_path / "pyproject.toml").write_text((ROOT / "pyproject.toml").read_text())
    with (tmp_path / "reminderd" / file).open("a") as source:
        source.write(f"\n{line}\n")
    status, said = lint(tmp_path)
    assert status == 1, said
    assert re.search(r"[1-9]\d* broken", said), said
