"""The engines whose outbox keeps the promises that are tested here, and what each keeps it in."""

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from reminderd.engines.embedded import store
from reminderd.engines.embedded.outbox import EmbeddedOutbox
from reminderd.engines.tables.outbox import TablesOutbox
from reminderd.engines.tables.sealed import note_key
from reminderd.sealing import Seal

if TYPE_CHECKING:
    from reminderd.engines.distributed.outbox import DistributedOutbox


@pytest.fixture
def seal() -> Seal | None:
    """Nothing is encrypted, unless a test wants it either way: `rows.EITHER_WAY`."""
    return None


@pytest.fixture(params=["sqlite", "postgresql"])
def outbox(request: pytest.FixtureRequest, seal: Seal | None) -> TablesOutbox:
    """An empty outbox of each engine in turn, encrypted by `seal`: both keep the same promises."""
    found: TablesOutbox = request.getfixturevalue(f"on_{request.param}")
    return found


@pytest.fixture
def another(outbox: TablesOutbox) -> Iterator[Callable[..., TablesOutbox]]:
    """Opens the same database once more, as another process would."""
    opened: list[TablesOutbox] = []

    def open_again(**how: Any) -> TablesOutbox:
        opened.append(type(outbox)(where(outbox), seal=outbox.seal, **how))
        return opened[-1]

    yield open_again
    for each in opened:
        getattr(each, "close_all", each.close)()


@pytest.fixture
def tamper(outbox: TablesOutbox, request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Runs a statement as somebody who goes round all that guards the rows."""

    def on_sqlite(sql: str) -> None:
        with closing(sqlite3.connect(where(outbox))) as opened:
            guards = "SELECT name FROM sqlite_master WHERE type = 'trigger'"
            for (name,) in opened.execute(guards).fetchall():
                opened.execute(f"DROP TRIGGER {name}")
            opened.execute(sql)
            opened.commit()

    def on_postgresql(sql: str) -> None:
        unguarded = "SET search_path = reminderd; SET session_replication_role = replica"
        request.getfixturevalue("cluster").execute(f"{unguarded}; {sql}", where(outbox))

    return on_sqlite if isinstance(outbox, EmbeddedOutbox) else on_postgresql


def where(outbox: TablesOutbox) -> Any:
    """The file, or the URL."""
    return outbox.path if isinstance(outbox, EmbeddedOutbox) else vars(outbox)["url"]


@pytest.fixture
def database(tmp_path: Path, seal: Seal | None) -> Path:
    store.create(tmp_path / "reminderd.db", seal=seal)
    return tmp_path / "reminderd.db"


@pytest.fixture
def on_sqlite(database: Path, seal: Seal | None) -> Iterator[EmbeddedOutbox]:
    """For what is promised of the file."""
    outbox = EmbeddedOutbox(database, seal=seal, durable=False)
    yield outbox
    outbox.close()


@pytest.fixture
def on_postgresql(postgresql: str, seal: Seal | None) -> "Iterator[DistributedOutbox]":
    """For what is promised of the cluster."""
    from reminderd.engines.distributed.outbox import DistributedOutbox

    if seal is not None:
        opened = DistributedOutbox(postgresql)
        note_key(opened, seal)
        opened.close_all()
    outbox = DistributedOutbox(postgresql, seal=seal)
    yield outbox
    outbox.close_all()


# Lives that go over to another database ---------------------------------------------------------


@pytest.fixture(scope="module")
def _lives(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from tests.engines.whole_life import KEY, lived

    folder = tmp_path_factory.mktemp("lives")
    lived(folder / "plain.db")
    lived(folder / "sealed.db", KEY)
    return folder


@pytest.fixture
def plain(tmp_path: Path, _lives: Path) -> Path:
    return Path(shutil.copy(_lives / "plain.db", tmp_path))


@pytest.fixture
def sealed(tmp_path: Path, _lives: Path) -> Path:
    return Path(shutil.copy(_lives / "sealed.db", tmp_path))
