"""What holds for every test, wherever it stands."""

import logging
import os
from collections.abc import Iterator

import pytest

pytest_plugins = ["tests.postgres"]


@pytest.fixture(autouse=True)
def _nothing_stays_behind() -> Iterator[None]:
    """The command line sets the umask and the log of its process, which here is the tests'."""
    mask = os.umask(0o022)
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    os.umask(mask)
    root.handlers, root.level = handlers, level
    logging.getLogger("reminderd").setLevel(logging.NOTSET)
