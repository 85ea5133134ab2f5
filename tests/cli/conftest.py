"""A clinic for every test that wants one."""

from pathlib import Path

import pytest

from tests.cli.desk import Clinic


@pytest.fixture
def clinic(tmp_path: Path) -> Clinic:
    made = Clinic(tmp_path / "clinic")
    made.says("init", str(made.folder))
    return made
