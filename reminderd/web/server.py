"""A small HTTP server in a thread: one request for each connection, and none may take long."""

import asyncio
import errno
import logging
import socket
import struct
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
LET_IN_AT_ONCE = 32
BACKLOG = 256  # of callers who wait at the door
CUT = struct.pack("ii", 1, 0)  # at once, and without a word
FINISH_SECONDS = 5
TURN_SECONDS = 0.0005  # at most, until another thread gets its turn: those that send come first


class _OneRequest(H11Protocol):
    """A connection that is cut when its time is over, whoever dawdles."""

    def __init__(self, missed: Callable[[], None], **given: Any) -> None:
        super().__init__(**given)
        self._missed = missed
        self._end: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._end = self.loop.call_later(LONGEST_SECONDS, self._cut)

    def _cut(self) -> None:
        self.transport.abort()
        self._missed()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._end is not None:
            self._end.cancel()
        super().connection_lost(exc)


class _Server(uvicorn.Server):
    """Lets callers in at its own door.

    One too many is cut there, before anything is made for it: an answer would cost as much as a
    good one, and in a flood nobody would get that any more. Callers take it for a line that failed,
    and call again.
    """

    def __init__(
        self, config: uvicorn.Config, door: socket.socket, missed: Callable[[], None]
    ) -> None:
        super().__init__(config)
        self._door = door
        self._missed = missed
        self._entering: set[asyncio.Task[Any]] = set()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=[])
        self._open()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        asyncio.get_running_loop().remove_reader(self._door)
        await super().shutdown(sockets=[])

    def _open(self) -> None:
        if not self.should_exit:
            asyncio.get_running_loop().add_reader(self._door, self._let_in)

    def _let_in(self) -> None:
        """A few at a time: who is in already is to be answered meanwhile."""
        for _ in range(LET_IN_AT_ONCE):
            try:
                caller, _ = self._door.accept()
            except (BlockingIOError, InterruptedError, ConnectionError):
                return
            except OSError as error:  # too many open files: callers wait outside
                self._close_for_a_second(error)
                return
            if len(self._entering) + len(self.server_state.connections) < MOST_CONNECTIONS:
                self._welcome(caller)
            else:
                self._missed()
                caller.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, CUT)
                caller.close()
        self._missed()  # so many wait that the door may be full, and then nobody hears who is lost

    def _welcome(self, caller: socket.socket) -> None:
        caller.setblocking(False)
        loop = asyncio.get_running_loop()
        entering = loop.create_task(loop.connect_accepted_socket(self._received, caller))
        self._entering.add(entering)
        entering.add_done_callback(self._entering.discard)

    def _received(self) -> asyncio.Protocol:
        return self.config.http_protocol_class(  # type: ignore[call-arg]
            config=self.config, server_state=self.server_state, app_state=self.lifespan.state
        )

    def _close_for_a_second(self, error: OSError) -> None:
        log.error("no caller is let in for a second: %s", error.strerror)
        loop = asyncio.get_running_loop()
        loop.remove_reader(self._door)
        loop.call_later(1, self._open)


@contextmanager
def serving(listen: str, application: Starlette, shown: Shown) -> Iterator[None]:
    """Serve until the end of the `with`, and then finish what is under way.

    `shown.missed` hears of each connection that was cut, `shown.ended` of an end before.

    Raises TryAgainLater where the port is taken, or nobody served any more at the end of the
    `with`; ConfigurationError where there is no such address.
    """
    taken = _bound(listen)
    server = _Server(_config(application, shown.missed), taken, shown.missed)
    over = threading.Event()
    run = partial(_run, server, over, shown.ended)
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


def _run(server: uvicorn.Server, over: threading.Event, ended: Callable[[], None]) -> None:
    why = "nobody told it to"
    try:
        server.run()
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
        opened.listen(BACKLOG)
        opened.setblocking(False)
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
