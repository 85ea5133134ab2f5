"""What the tests of HTTP share: a line to the desk of each."""

from collections.abc import Iterator

import pytest

from tests.core.desk import Desk
from tests.web.line import Line, open_line


@pytest.fixture
def line(desk: Desk) -> Iterator[Line]:
    with open_line(desk) as line:
        yield line
