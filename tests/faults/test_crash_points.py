"""A process that is killed, wherever it is, loses nothing and sends nothing twice."""

from pathlib import Path

import pytest

from tests.faults import fresh
from tests.faults.kills import CRASH_POINTS, kill


@pytest.mark.parametrize("point", CRASH_POINTS)
def test_whoever_is_killed_here_loses_nothing_and_sends_nothing_twice(
    tmp_path: Path, point: str
) -> None:
    wrongs, ended = kill(point, 1, tmp_path)
    assert wrongs == []
    assert ended == "killed"


@pytest.mark.parametrize("moment", fresh.MOMENTS)
def test_the_command_itself_is_killed_and_tells_nobody_of_a_patient(
    tmp_path: Path, moment: str
) -> None:
    assert fresh.kill(2, moment, tmp_path) == []
