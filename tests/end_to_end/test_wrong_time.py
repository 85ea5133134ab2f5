"""The daemon as a process whose wall clock is put wrong while it runs, or was before it started."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.end_to_end.clinic import ROOT, Clinic, Daemon

YEAR = 365 * 86400


@pytest.fixture
def clinic(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Clinic]:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    clinic = Clinic(tmp_path)
    clock_is(clinic, 0)
    yield clinic
    clinic.close()


def clock_is(clinic: Clinic, seconds: float) -> None:
    """The wall clock is ahead by so much from now on."""
    new = clinic.folder / "offset.new"
    new.write_text(str(seconds))
    os.replace(new, clinic.folder / "offset")


def runs(clinic: Clinic) -> Daemon:
    words = ("-m", "tests.end_to_end.wall_clock", str(clinic.folder / "offset"))
    return clinic.runs(prefix=(sys.executable, *words))


def sent(clinic: Clinic) -> int:
    return len(clinic.reminders("--state", "sent"))


@pytest.mark.parametrize("step", [-YEAR, YEAR], ids=["back", "ahead"])
def test_nothing_leaves_or_expires_by_a_clock_that_jumped_until_somebody_accepts_it(
    clinic: Clinic, step: int
) -> None:
    daemon = runs(clinic)
    daemon.logs("ready")
    clinic.enrol()
    daemon.logs("sent: 1")
    assert sent(clinic)
    clock_is(clinic, step)
    clinic.enrol("Paco", phone="+34600000002")
    daemon.logs("nothing is sent: the clock went 365 days")
    assert {each["state"] for each in clinic.reminders("--patient", "pat-2")} <= {
        "scheduled", "held", "skipped",
    }  # fmt: skip
    status = clinic.data("status")
    assert [each["cause"] for each in status["holds"]] == ["clock-stepped"]
    assert clinic.types("check").returncode == 1
    clock_is(clinic, 0)
    clinic.says("release", "--yes", "--by", "Nurse Example")
    daemon.logs("released: sending goes on")
    daemon.logs("sent: 1", times=2)
    assert clinic.reminders("--patient", "pat-2", "--state", "sent")
    assert daemon.stop() == 0


def test_a_machine_that_starts_in_the_past_waits(clinic: Clinic) -> None:
    clinic.enrol()
    clock_is(clinic, -YEAR)
    daemon = runs(clinic)
    daemon.logs("behind the newest entry on record")
    assert sent(clinic) == 0
    assert daemon.stop() == 0
    clock_is(clinic, 0)
    daemon = runs(clinic)
    daemon.logs("sent: 1")
    assert sent(clinic)
    assert daemon.stop() == 0
