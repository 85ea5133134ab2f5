"""The engines whose outbox keeps the promises of `test_outbox.py`."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from reminderd.engines.embedded import store
from reminderd.engines.embedded.outbox import EmbeddedOutbox


@pytest.fixture
def outbox(tmp_path: Path) -> Iterator[EmbeddedOutbox]:
    store.create(tmp_path / "reminderd.db")
    outbox = EmbeddedOutbox(tmp_path / "reminderd.db", durable=False)
    yield outbox
    outbox.close()
