"""A small HTTP server in a thread: one request for each connection, and none may take long."""

import asyncio
import errno
import logging
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import uvicorn
from starlette.applications import Starlette
from uvicorn.protocols.http.h11_impl import H11Protocol

from reminderd.errors import ConfigurationError, TryAgainLater
from reminderd.web import Shown

log = logging.getLogger(__name__)

LONGEST_SECONDS = 15.0  # from the connection to the last byte of the answer
LONGEST_HEAD = 16 * 1024
MOST_CONNECTIONS = 512
FINISH_SECONDS = 5
TURN_SECONDS = 0.0005  # at most, until another thread gets its turn: those that send come first


class _OneRequest(H11Protocol):
    """A connection that is cut when its time is over, whoever dawdles.

    One too many is cut before anything is read: an answer would cost as much as a good one, and in
    a flood nobody would get that any more. Callers take it for a line that failed, and call again.
    """

    def __init__(self, missed: Callable[[], None], **given: Any) -> None:
        super().__init__(**given)
        self._missed = missed
        self._end: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        if len(self.connections) >= MOST_CONNECTIONS:
            transport.abort()
            self._missed()
            return
        super().connection_made(transport)
        self._end = self.loop.call_later(LONGEST_SECONDS, self._cut)

    def _cut(self) -> None:
        self.transport.abort()
        self._missed()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._end is not None:
            self._end.cancel()
            super().connection_lost(exc)


@contextmanager
def serving(listen: str, application: Starlette, shown: Shown) -> Iterator[None]:
    """Serve until the end of the `with`, and then finish what is under way.

    `shown.missed` hears of each connection that was cut, `shown.ended` of an end before.

    Raises TryAgainLater where the port is taken, or nobody served any more at the end of the
    `with`; ConfigurationError where there is no such address.
    """
    taken = _bound(listen)
    server = uvicorn.Server(_config(application, shown.missed))
    over = threading.Event()
    run = partial(_run, server, taken, over, shown.ended)
    thread = threading.Thread(target=run, name="web", daemon=True)
    before = sys.getswitchinterval()
    sys.setswitchinterval(TURN_SECONDS)
    thread.start()
    try:
        yield
        if not thread.is_alive():
            raise TryAgainLater(
                f"web.listen: nobody served any more at {listen}",
                remedy="The log says why. Start reminderd again; systemd does so by itself.",
            )
    finally:
        over.set()
        server.should_exit = True
        thread.join(2 * FINISH_SECONDS)
        taken.close()
        sys.setswitchinterval(before)


def _run(
    server: uvicorn.Server,
    taken: socket.socket,
    over: threading.Event,
    ended: Callable[[], None],
) -> None:
    why = "nobody told it to"
    try:
        server.run([taken])
    except BaseException as error:
        why = type(error).__name__  # its words may hold those of a request
    if not over.is_set():
        log.error("the web server has ended (%s); what is under way is finished first", why)
        ended()


def _config(application: Starlette, missed: Callable[[], None]) -> uvicorn.Config:
    return uvicorn.Config(
        application,
        http=partial(_OneRequest, missed),  # type: ignore[arg-type]
        ws="none",
        loop="asyncio",
        lifespan="off",
        proxy_headers=False,
        server_header=False,
        access_log=False,
        log_config=None,
        log_level="error",
        headers=[("Connection", "close")],
        h11_max_incomplete_event_size=LONGEST_HEAD,
        timeout_graceful_shutdown=FINISH_SECONDS,
    )


def _bound(listen: str) -> socket.socket:
    """A socket that listens; connections wait there until the server takes them."""
    host, _, port = listen.rpartition(":")
    opened: socket.socket | None = None
    try:
        found = socket.getaddrinfo(host.strip("[]"), int(port), type=socket.SOCK_STREAM)
        family, kind, _, _, address = found[0]
        opened = socket.socket(family, kind)
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        opened.bind(address)
        opened.listen()
    except OSError as error:
        if opened is not None:
            opened.close()
        raise _unusable(listen, error) from error
    return opened


def _unusable(listen: str, error: OSError) -> Exception:
    if error.errno == errno.EADDRINUSE:
        return TryAgainLater(
            f"web.listen: another process listens at {listen}",
            remedy="End it, or choose another port in [web] listen.",
        )
    return ConfigurationError(
        [f"web.listen: cannot listen at {listen}: {error.strerror}"],
        remedy='Name an address of this machine, such as "127.0.0.1:8025".',
    )
