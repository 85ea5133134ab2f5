"""Moving from a file to a server and back: everything, exactly, once, and never sent from twice."""

from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from reminderd import audit, holding
from reminderd.engines.distributed import copying
from reminderd.engines.distributed.outbox import DistributedOutbox
from reminderd.engines.embedded import connection, soundness
from reminderd.engines.tables.moving import TABLES
from reminderd.errors import ConfigurationError
from reminderd.findings import Level
from tests.engines.rows import LATER
from tests.engines.whole_life import KEY, NAMES, known, moved, opened

ENGINES_OWN = {
    *((table, "clinic") for table in ("reminders", "messages", "attempts")),
    *((table, "clinics") for table in ("approvals", "replies", "incidents", "alerts")),
    ("attempts", "worker"),
    ("answers", "worker"),
}


def test_everything_is_there_afterwards_exactly_as_it_was(plain: Path, postgresql: str) -> None:
    before = known(opened(plain))
    done = moved(plain, postgresql)
    assert [each.table for each in done.tables] == NAMES
    assert all(each.rows for each in done.tables), done.tables
    target = opened(postgresql)
    assert known(target) == before
    assert audit.broken(target.trail(), target.trail_head()) is None


def test_what_is_encrypted_goes_over_as_it_is_and_is_read_with_its_key(
    sealed: Path, postgresql: str
) -> None:
    before = known(opened(sealed, KEY))
    moved(sealed, postgresql, KEY)
    assert known(opened(postgresql, KEY)) == before
    with psycopg.connect(postgresql) as there:
        (words,) = there.execute("SELECT given_name || text FROM patients, messages").fetchall()[0]
    assert words.startswith("s1:")
    with pytest.raises(ConfigurationError, match="is encrypted, and no key"):
        opened(postgresql)


def test_without_its_key_nothing_is_copied(sealed: Path, plain: Path, postgresql: str) -> None:
    for source, seal in ((sealed, None), (plain, KEY)):
        with pytest.raises(ConfigurationError, match="encrypted"):
            moved(source, postgresql, seal)


def test_there_and_back_again_is_the_same(plain: Path, tmp_path: Path, postgresql: str) -> None:
    there = moved(plain, postgresql)
    back = moved(postgresql, tmp_path / "back.db")
    assert back.tables == there.tables
    problems = soundness.examine(tmp_path / "back.db", None)
    assert [each for each in problems if each.level is Level.PROBLEM] == []


def test_what_was_held_on_a_server_is_held_in_a_file_and_what_was_released_there_is_not_held_again(
    plain: Path, tmp_path: Path, postgresql: str
) -> None:
    moved(plain, postgresql)
    outbox = DistributedOutbox(postgresql, clinics=["main", "north"])
    with closing(outbox) as server, server.transaction():
        holding.hold(server, holding.RESTORED, "an old one", LATER)
    back = tmp_path / "back.db"
    copying.copy(postgresql, str(back), None, LATER, lambda _: None, ["main", "north"])
    file = opened(back)
    assert [each.cause for each in holding.held(file)] == [holding.RESTORED]
    with file.transaction():
        holding.release(file, None, "Dr. Alba", LATER)
    assert not file.query("SELECT key FROM notes WHERE key LIKE '%@main'")


def test_a_server_may_be_reached_through_pgbouncer(
    plain: Path, tmp_path: Path, postgresql: str, pgbouncer: Callable[[str], str]
) -> None:
    there = moved(plain, pgbouncer(postgresql))
    assert moved(pgbouncer(postgresql), tmp_path / "back.db").tables == there.tables


def test_numbers_go_on_where_they_were(plain: Path, tmp_path: Path, postgresql: str) -> None:
    moved(plain, postgresql)
    target = opened(postgresql)
    source, numbered = opened(plain), [each.name for each in TABLES if each.key == ("id",)]
    before = {name: source.free_id(name) for name in numbered if name != "audit"}
    assert {name: target.free_id(name) for name in before} == before
    assert before["messages"] == 71
    assert target.reserve("messages", 2) == 71
    moved(postgresql, tmp_path / "back.db")
    assert opened(tmp_path / "back.db").free_id("messages") == 73


def test_no_table_and_no_column_stays_behind(plain: Path, postgresql: str) -> None:
    with closing(connection.connect(plain)) as file:
        here = {
            (table, column)
            for table, column in file.execute(
                "SELECT tables.name, columns.name FROM sqlite_schema AS tables "
                "JOIN pragma_table_info(tables.name) AS columns WHERE tables.type = 'table' "
                "AND substr(tables.name, 1, 6) NOT IN ('sqlite', '_sqlit')"
            )
        }
    with psycopg.connect(postgresql) as server:
        there = set(
            server.execute(
                "SELECT table_name, column_name FROM information_schema.columns "
                "WHERE table_schema = 'reminderd' "
                "AND table_name NOT IN ('migrations', 'workers', 'turns', 'paces')"
            ).fetchall()
        )
    assert there - here == ENGINES_OWN
    assert here <= there
    assert {table for table, _ in here} == set(NAMES)
