"""A real server on a free port, a desk's database behind it, and the real transport as judge."""

import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from reminderd import web
from reminderd.engines.embedded import connection
from reminderd.interfaces import Transport
from reminderd.transports.twilio import Twilio, TwilioSettings
from reminderd.wishes import Wishes
from tests.core.desk import Desk
from tests.fakes import twilio_calls
from tests.fakes.twilio_calls import Answer
from tests.fakes.twilio_server import ACCOUNT, TOKEN

PUBLIC = "https://care.example.org"
HOOKS = f"{PUBLIC}/hooks/twilio"
SID = "SM" + "0123456789abcdef" * 2
OTHER_SID = "SM" + "f" * 32


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def locked(desk: Desk) -> Iterator[None]:
    """Another process writes to the database meanwhile."""
    other = connection.connect(desk.outbox.path)
    other.execute("BEGIN IMMEDIATE")
    yield
    other.execute("ROLLBACK")
    other.close()


def receiver(**more: Any) -> Twilio:
    """The real transport, told where it is called."""
    given = {"account_sid": ACCOUNT, "auth_token": TOKEN, "from": "+34600000000", **more}
    transport = Twilio(TwilioSettings.model_validate(given))
    transport.be_called_at(HOOKS)
    return transport


class Line:
    """Where the provider calls, and what is kept of it."""

    def __init__(self, desk: Desk, port: int) -> None:
        self.desk, self.port = desk, port

    def url(self, token: str | None = None) -> str:
        """The address that was given with the attempt, by default with that of the first."""
        return f"{HOOKS}/status?attempt={self.token() if token is None else token}"

    def token(self, message: int = 1) -> str:
        (row,) = self.desk.outbox.query("SELECT token FROM attempts WHERE message = ?", (message,))
        return str(row[0])

    def tell(self, fields: Any = None, url: str | None = None, **how: Any) -> Answer:
        fields = twilio_calls.status(SID) if fields is None else fields
        return twilio_calls.call(url or self.url(), fields, self.port, **how)

    def writes(self, text: str = "Thanks!", sid: str = SID, **how: Any) -> Answer:
        """Somebody answers; `how` is the form's or that of the call."""
        call = {key: how.pop(key) for key in ("token", "body", "signed_url") if key in how}
        return twilio_calls.call(
            f"{HOOKS}/inbound", twilio_calls.inbound(sid, text, **how), self.port, **call
        )

    def replies(self) -> list[tuple[str, str, str]]:
        """Id, sender and words of what is kept, in the order in which it came."""
        found = reversed(self.desk.outbox.replies())
        return [(each.reply.provider_id, each.reply.sender, each.reply.text) for each in found]

    def kept(self) -> list[tuple[str, str]]:
        rows = self.desk.outbox.query("SELECT provider_id, receipt FROM callbacks ORDER BY id")
        return [(row[0], row[1]) for row in rows]


@contextmanager
def open_line(
    desk: Desk,
    transports: Mapping[str, Transport] | None = None,
    shown: web.Shown | None = None,
    wishes: Callable[[], Wishes] | None = None,
) -> Iterator[Line]:
    port, serving = free_port(), transports or {"twilio": receiver()}
    try:
        with web.open_at(f"127.0.0.1:{port}", desk.outbox, desk.clock, serving, shown, wishes):
            yield Line(desk, port)
    finally:
        for each in serving.values():
            each.close()
