"""A database file, and the engines whose outbox keeps the promises that are tested here."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from reminderd.engines.embedded import store
from reminderd.engines.embedded.outbox import EmbeddedOutbox
from reminderd.sealing import Seal


@pytest.fixture
def seal() -> Seal | None:
    """Nothing is encrypted, unless a test wants it either way: `rows.EITHER_WAY`."""
    return None


@pytest.fixture
def database(tmp_path: Path, seal: Seal | None) -> Path:
    store.create(tmp_path / "reminderd.db", seal=seal)
    return tmp_path / "reminderd.db"


@pytest.fixture
def outbox(database: Path, seal: Seal | None) -> Iterator[EmbeddedOutbox]:
    outbox = EmbeddedOutbox(database, seal=seal, durable=False)
    yield outbox
    outbox.close()
