"""One patient's life in a folder of its own, and providers on this machine."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.life import Life
from tests.fakes.smtp_server import SmtpServer
from tests.fakes.twilio_server import TwilioServer


@pytest.fixture
def begin(tmp_path: Path) -> Iterator[Callable[..., Life]]:
    """Starts it at a local time, by default long before anything happens."""
    with ExitStack() as ends:

        def begun(start: str = "2026-03-01 09:00", **facts: Any) -> Life:
            life = Life(tmp_path, start, **facts)
            ends.callback(life.close)
            return life

        yield begun


@pytest.fixture
def servers() -> Iterator[tuple[TwilioServer, SmtpServer]]:
    """A server that speaks Twilio's interface and a mail server."""
    with TwilioServer() as twilio, SmtpServer() as smtp:
        yield twilio, smtp
