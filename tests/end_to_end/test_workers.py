"""Several real workers on one real server: who enrols at any desk, each message leaves once."""

import signal
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.end_to_end.clinic import ROOT, Clinic
from tests.end_to_end.test_wrong_time import clock_is
from tests.end_to_end.test_wrong_time import runs as runs_by_that_clock
from tests.waiting import until


@pytest.fixture
def clinic(tmp_path: Path, postgresql: str) -> Iterator[Clinic]:
    """The clinic of all tests, whose database is on a server."""
    clinic = Clinic(tmp_path)
    clinic.database.unlink()
    text = clinic.config.read_text(encoding="utf-8")
    clinic.config.write_text(text.replace("sqlite:///reminderd.db", postgresql), encoding="utf-8")
    yield clinic
    clinic.close()


def left(clinic: Clinic) -> Counter[str]:
    """How many messages have become files, by who they are to."""
    files = (clinic.folder / "outbox").glob("*.txt")
    return Counter(_to(each.read_text(encoding="utf-8")) for each in files)


def _to(text: str) -> str:
    return next(line for line in text.splitlines() if line.startswith("To: "))


def test_workers_share_the_work_and_each_message_leaves_once(clinic: Clinic) -> None:
    for number in range(6):
        clinic.enrol(f"Vera{number}", phone=f"+3460000000{number}", ago=60)
    workers = [clinic.runs() for _ in range(2)]
    for each in workers:
        each.logs("ready: ")
    clinic.enrol("Paco", phone="+34600000009", ago=60)
    until(lambda: len(left(clinic)) == 7, "seven messages")
    assert [each.stop() for each in workers] == [0, 0]
    assert set(left(clinic).values()) == {1}
    assert clinic.data("status")["daemon"] == "not running"


def test_when_one_is_killed_the_others_go_on(clinic: Clinic) -> None:
    first, second = clinic.runs(), clinic.runs()
    for each in (first, second):
        each.logs("ready: ")
    first.signal(signal.SIGKILL)
    first.ends()
    clinic.enrol("Vera", ago=60)
    until(lambda: left(clinic), "the message")
    assert second.stop() == 0
    assert list(left(clinic).values()) == [1]


def test_one_whose_clock_is_off_sends_nothing_until_it_is_right_and_the_other_goes_on(
    clinic: Clinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    clock_is(clinic, 0)
    off = runs_by_that_clock(clinic)
    off.logs("ready: ")
    clock_is(clinic, 3600)
    other = clinic.runs()
    other.logs("ready: ")
    clinic.enrol("Vera", ago=60)
    off.logs("this worker sends nothing: the clock of this machine is 3600 s ahead")
    until(lambda: left(clinic), "the message")
    until(lambda: any(each["why"] for each in clinic.data("status")["workers"]), "the trouble")
    late = runs_by_that_clock(clinic)
    assert late.ends() == 75
    clock_is(clinic, 0)
    clinic.enrol("Paco", phone="+34600000009", ago=60)
    off.logs("the clock agrees with the database's again: sending goes on")
    until(lambda: len(left(clinic)) == 2, "both messages")
    assert (off.stop(), other.stop()) == (0, 0)
    assert set(left(clinic).values()) == {1}
