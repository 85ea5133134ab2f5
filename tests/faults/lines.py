"""A provider in a process of its own that notes what it accepts, and the way to it."""

import socket
import threading
from collections import Counter
from contextlib import suppress
from socketserver import StreamRequestHandler, ThreadingTCPServer
from types import TracebackType
from typing import Self

from reminderd.errors import InDoubt, Temporary
from reminderd.model import Channel, Message


class Provider(ThreadingTCPServer):
    """Accepts a message a line, and answers with its number."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Line)
        self.accepted: Counter[str] = Counter()  # by whom it is to
        self._turn = threading.Lock()

    def __enter__(self) -> Self:
        threading.Thread(target=self.serve_forever, daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.shutdown()
        self.server_close()

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    @property
    def count(self) -> int:
        with self._turn:
            return self.accepted.total()

    def accept(self, to: str) -> int:
        """From here on it is the provider's; whether anybody hears the answer is another matter."""
        with self._turn:
            self.accepted[to] += 1
            return self.accepted.total()


class _Line(StreamRequestHandler):
    server: Provider

    def handle(self) -> None:
        with suppress(OSError):  # whoever is killed hangs up as it comes
            for line in self.rfile:
                if not line.endswith(b"\n"):
                    return  # whoever wrote it died in the middle
                number = self.server.accept(line.decode().strip())
                self.wfile.write(f"{number}\n".encode())


class Lines:
    """The transport that leads there; each thread has a connection of its own."""

    Settings = type(None)
    channels = frozenset(Channel)
    leaves_machine = True
    concurrency = 8
    max_per_second: float | None = None

    def __init__(self, port: int) -> None:
        self._port = port
        self._local = threading.local()

    def send(self, message: Message) -> str:
        link = self._link()
        try:
            link.sendall(f"{message.to}\n".encode())
            answer = link.makefile("rb").readline()
        except OSError:
            answer = b""
        if not answer.endswith(b"\n"):
            self._local.link = None
            raise InDoubt("no whole answer came")
        return answer.decode().strip()

    def _link(self) -> socket.socket:
        found: socket.socket | None = getattr(self._local, "link", None)
        if found is None:
            try:
                found = socket.create_connection(("127.0.0.1", self._port), timeout=30)
            except OSError as error:
                raise Temporary("the provider is not there") from error
            self._local.link = found
        return found

    def test(self) -> str:
        return "there"

    def close(self) -> None:
        """The end of the process closes what is open."""
