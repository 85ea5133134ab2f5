"""The PostgreSQL that tests are given: one of its own, and nothing that stays behind."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.postgres import Cluster
from tests.waiting import until

KILLED = """
import sys, tests.postgres
cluster = tests.postgres.Cluster(*tests.postgres.FAST)
print(cluster.folder, flush=True)
sys.stdin.read()
"""
ASKS = "import pytest\n\n\ndef test_it(cluster: object) -> None:\n    pass\n"


def rows(url: str, query: str) -> list[tuple[object, ...]]:
    import psycopg

    with psycopg.connect(url) as connection:
        found = connection.execute(query.encode())
        while found.nextset():
            pass
        return found.fetchall()


@pytest.mark.parametrize("turn", ["first", "second"])
def test_each_test_begins_with_the_schema_and_no_rows(postgresql: str, turn: str) -> None:
    assert rows(postgresql, "SELECT count(*), reserve('alerts', 2) FROM turns") == [(0, 1)]
    take = "INSERT INTO turns (name, worker, until) VALUES ('replies', 1, 0) RETURNING name"
    assert rows(postgresql, take) == [("replies",)]


def test_further_databases_are_apart(new_postgresql: Callable[[], str], postgresql: str) -> None:
    one, other = new_postgresql(), new_postgresql()
    assert len({one, other, postgresql}) == 3
    assert rows(one, "SHOW search_path") == rows(postgresql, "SHOW search_path")


def test_a_database_is_reached_through_pgbouncer(
    pgbouncer: Callable[[str], str], postgresql: str
) -> None:
    assert rows(pgbouncer(postgresql), "SELECT current_database()") == [("care_0",)]


def test_what_was_committed_outlives_a_stop_and_a_power_cut(own_cluster: Cluster) -> None:
    url = own_cluster.empty()
    assert rows(url, "CREATE TABLE kept AS SELECT 1 AS it; SELECT it FROM kept") == [(1,)]
    own_cluster.restart()
    own_cluster.kill()
    with pytest.raises(OSError, match="No such file"):
        os.stat(own_cluster.folder / "data" / "postmaster.pid")
    own_cluster.start()
    assert rows(url, "SELECT it FROM kept") == [(1,)]


def test_nothing_stays_behind_when_the_tests_are_killed(cluster: Cluster) -> None:
    command = [sys.executable, "-c", KILLED]
    tests = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert tests.stdout is not None
    folder = Path(tests.stdout.readline().strip())
    server = int((folder / "data" / "postmaster.pid").read_text().split()[0])
    tests.send_signal(signal.SIGKILL)
    tests.communicate()
    until(lambda: not folder.exists(), "the end of its folder")
    assert not Path(f"/proc/{server}").exists()


@pytest.mark.parametrize(("ci", "said"), [("", "1 skipped"), ("1", "1 error")])
def test_without_postgresql_its_tests_are_skipped_at_the_desk_and_fail_where_all_is_tried(
    tmp_path: Path, ci: str, said: str
) -> None:
    (tmp_path / "test_it.py").write_text("def test_it(cluster): ...", encoding="utf-8")
    (tmp_path / "conftest.py").write_text(
        'import tests.postgres\n\npytest_plugins = ["tests.postgres"]\n'
        'tests.postgres.PACKAGED = tests.postgres.Path("/nowhere")\n', encoding="utf-8",
    )  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-rsE", "-p", "no:cacheprovider", str(tmp_path)],
        env={"CI": ci, "PATH": "/nowhere", "PYTHONPATH": str(Path(__file__).parents[2])},
        check=False, capture_output=True, text=True,
    )  # fmt: skip
    assert said in done.stdout, done.stdout
    assert "apt-get install postgresql" in done.stdout
