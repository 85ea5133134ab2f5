"""A copy that is cut short goes on where it was; until it is whole nothing can be sent from it."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from reminderd import holding
from reminderd.engines.distributed import copying
from reminderd.engines.distributed import moving as server
from reminderd.engines.embedded import moving as file
from reminderd.engines.tables import moving
from reminderd.errors import ConfigurationError, TryAgainLater
from tests.engines.rows import LATER
from tests.engines.whole_life import NAMES, known, moved, opened
from tests.postgres import Cluster
from tests.waiting import until

WAITS = """
import sys, time
from datetime import UTC, datetime
from reminderd.engines.distributed import copying
from reminderd.engines.tables import moving

def stands_still(at: str) -> None:
    print(at, flush=True)
    if at.startswith("copied    " + sys.argv[3]):
        time.sleep(60)

moving.PAGE = 2
copying.copy(sys.argv[1], sys.argv[2], None, datetime.now(UTC), stands_still)
"""


class PowerCut(BaseException):
    """The process is gone."""


def cut(
    source: object, target: object, put: int, table: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Copy row by row; the power goes when rows of that table are written for that time."""
    puts = 0

    def cuts(end: moving.End, name: str, columns: list[str], rows: list[moving.Row]) -> None:
        nonlocal puts
        originals[type(end)](end, name, columns, rows)
        puts += name == table
        if name == table and puts == put:
            raise PowerCut

    originals = {each: each.put for each in (server.ServerEnd, file.FileEnd)}
    with monkeypatch.context() as patched:
        patched.setattr(moving, "PAGE", 1)
        for each in originals:
            patched.setattr(each, "put", cuts)
        with pytest.raises(PowerCut):
            moved(source, target)


def test_cut_short_in_the_middle_of_every_table_it_goes_on_and_ends_the_same(
    plain: Path, postgresql: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = known(opened(plain))
    for table in NAMES:
        cut(plain, postgresql, 1, table, monkeypatch)
    assert holding.held(opened(plain)) == []
    with pytest.raises(ConfigurationError, match="not whole"):
        opened(postgresql)
    moved(plain, postgresql)
    assert known(opened(postgresql)) == before


def test_the_way_back_goes_on_likewise(
    plain: Path, tmp_path: Path, postgresql: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = moved(plain, postgresql)
    for table in ("reminders", "audit"):
        cut(postgresql, tmp_path / "back.db", 2, table, monkeypatch)
    with pytest.raises(ConfigurationError, match="not whole"):
        opened(tmp_path / "back.db")
    assert moved(postgresql, tmp_path / "back.db").tables == there.tables


def test_a_process_that_was_killed_leaves_what_the_next_one_goes_on_with(
    plain: Path, postgresql: str
) -> None:
    before = known(opened(plain))
    command = [sys.executable, "-c", WAITS, str(plain), postgresql, "sessions"]
    copies = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert copies.stdout is not None
    until(lambda: copies.stdout and "sessions" in copies.stdout.readline(), "the sessions")
    with pytest.raises(TryAgainLater, match="already sending"):
        moved(plain, postgresql)
    copies.send_signal(signal.SIGKILL)
    copies.communicate()
    assert copies.returncode == -signal.SIGKILL
    told: list[str] = []
    copying.copy(str(plain), postgresql, None, LATER, told.append)
    assert told[0].startswith("copied    sessions")
    assert known(opened(postgresql)) == before


def test_a_server_that_restarts_in_the_middle_is_gone_on_with(
    plain: Path, own_cluster: Cluster
) -> None:
    url = own_cluster.empty()

    def restarts(at: str) -> None:
        if at.startswith("copied    reminders"):
            own_cluster.restart()

    before = known(opened(plain))
    with pytest.raises(TryAgainLater):
        copying.copy(str(plain), url, None, LATER, restarts)
    moved(plain, url)
    assert known(opened(url)) == before


@pytest.mark.parametrize("end", [server.ServerEnd, file.FileEnd])
def test_killed_between_holding_the_one_and_letting_the_other_go_neither_sends(
    plain: Path, tmp_path: Path, postgresql: str, end: type, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, target = plain, postgresql
    if end is file.FileEnd:
        moved(plain, postgresql)
        source, target = postgresql, tmp_path / "back.db"
    with monkeypatch.context() as patched:
        patched.setattr(copying, "_let_go", _dies)
        with pytest.raises(PowerCut):
            moved(source, target)
    (hold,) = holding.held(opened(source))
    assert hold.cause == "moved"
    with pytest.raises(ConfigurationError, match="not whole"):
        opened(target)
    assert moved(source, target).tables
    assert holding.held(opened(target)) == []


def _dies(*_: object) -> None:
    raise PowerCut
