"""Clinics for the tests, and where their templates lie."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from reminderd.engines.embedded import soundness
from reminderd.findings import Level
from tests.configuration import SMTP, configuration
from tests.core.build import at
from tests.core.desk import NOTE, Desk

NOW = at("2026-03-10 10:00")


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """A clinic whose one protocol has a note, due an hour after the treatment."""
    desk = Desk(tmp_path, NOW)
    desk.protocol(NOTE)
    yield desk
    desk.close()


@pytest.fixture
def strict(tmp_path: Path) -> Iterator[Desk]:
    """As `desk`, and its mail leaves the machine."""
    desk = Desk(tmp_path, NOW, config=configuration(SMTP, email="smtp"))
    desk.protocol(NOTE)
    yield desk
    desk.close()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "templates"


@pytest.fixture
def sound(desk: Desk) -> Iterator[None]:
    """At the end `db check` finds nothing: each consent is the last word of its ledger."""
    yield
    assert [
        each for each in soundness.examine(desk.outbox.path) if each.level is Level.PROBLEM
    ] == []
