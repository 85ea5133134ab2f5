"""A database file, and the engines whose outbox keeps the promises that are tested here."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from reminderd.engines.embedded import store
from reminderd.engines.embedded.outbox import EmbeddedOutbox


@pytest.fixture
def database(tmp_path: Path) -> Path:
    store.create(tmp_path / "reminderd.db")
    return tmp_path / "reminderd.db"


@pytest.fixture
def outbox(database: Path) -> Iterator[EmbeddedOutbox]:
    outbox = EmbeddedOutbox(database, durable=False)
    yield outbox
    outbox.close()
