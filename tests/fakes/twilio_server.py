"""A local server that speaks Twilio's Messages interface, and misbehaves when told to.

with TwilioServer() as server:
    server.script(error(21211), hang())     # what the next two sends get
    server.messages                         # what was accepted, as the provider keeps it
    server.requests                         # everything that was asked
"""

import json
import socket
import struct
import threading
from base64 import b64decode
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl, urlencode, urlsplit

ACCOUNT = "AC" + "0" * 32
TOKEN = "a-token-for-tests"
_NO_LINGER = struct.pack("ii", 1, 0)


@dataclass(frozen=True)
class Asked:
    """One request as it arrived."""

    method: str
    path: str
    query: dict[str, str]
    form: dict[str, str]
    headers: Mapping[str, str]
    login: tuple[str, str] | None


@dataclass(frozen=True)
class Reply:
    """An answer in place of the usual one; `accept` keeps the message all the same."""

    status: int
    body: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    accept: bool = False


@dataclass(frozen=True)
class Break:
    """After `beginning` of an answer `reset` closes the connection hard, else it stays silent."""

    reset: bool
    read_first: bool = True
    accept: bool = False
    beginning: str = ""


Behaviour = Reply | Break


def error(code: int, status: int = 400, message: str = "refused", **headers: str) -> Reply:
    """The provider's own way to say no."""
    body = {"code": code, "message": message, "more_info": "", "status": status}
    return Reply(status, json.dumps(body), {k.replace("_", "-"): v for k, v in headers.items()})


def problem(code: int, status: int = 400, title: str = "refused") -> Reply:
    """The same in the form of RFC 9457."""
    return Reply(
        status, json.dumps({"type": "about:blank", "title": title, "status": status, "code": code})
    )


def rate_limited(retry_after: str, **headers: str) -> Reply:
    return error(20429, 429, "too many requests", Retry_After=retry_after, **headers)


def server_error(status: int = 500, *, accept: bool = False) -> Reply:
    return Reply(status, "<html>it broke</html>", {"Content-Type": "text/html"}, accept)


def html(*, accept: bool = True) -> Reply:
    return Reply(200, "<html>welcome to the hotel</html>", {"Content-Type": "text/html"}, accept)


def redirect(to: str) -> Reply:
    return Reply(307, "", {"Location": to})


def hang(*, accept: bool = False) -> Break:
    return Break(reset=False, accept=accept)


def half(*, accept: bool = True) -> Break:
    """The connection ends in the middle of the answer."""
    head = "HTTP/1.1 201 CREATED\r\nContent-Type: application/json\r\nContent-Length: 900\r\n\r\n"
    return Break(reset=True, accept=accept, beginning=f'{head}{{"sid": "SM')


def nameless(*, accept: bool = True) -> Reply:
    """It was taken, says the answer, and not as what."""
    return Reply(201, json.dumps({"status": "queued"}), {}, accept)


def reset(*, read_first: bool = True, accept: bool = False) -> Break:
    return Break(reset=True, read_first=read_first, accept=accept)


class TwilioServer:
    """Listens on a free port of this machine from `start` to `stop`."""

    def __init__(self, account: str = ACCOUNT, token: str = TOKEN, **keys: str) -> None:
        self.account = account
        self.logins = {account: token, **keys}
        self.requests: list[Asked] = []
        self.messages: list[dict[str, Any]] = []
        self.hanging, self.released = threading.Event(), threading.Event()
        self.now: Callable[[], datetime] = lambda: datetime(2026, 3, 28, 14, 30, tzinfo=UTC)
        self.lists: Callable[[Mapping[str, Any]], bool] = lambda _: True  # which it owns up to
        self._script: deque[Behaviour] = deque()
        self._list_script: deque[Behaviour] = deque()
        self.lock = threading.Lock()
        self._nobody = threading.Condition(self.lock)
        self._http = _Listener(("127.0.0.1", 0), _Handler)
        self._http.twilio = self
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.01,), daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._http.server_port}"

    @property
    def sends(self) -> list[Asked]:
        """What was asked to be sent."""
        return [each for each in self.requests if each.method == "POST"]

    def settings(self, **changes: Any) -> dict[str, Any]:
        """What belongs under `[transports.twilio]` to send here."""
        login = {"account_sid": self.account, "auth_token": self.logins[self.account]}
        return {**login, "from": "+34600000000", "api_base": self.url, **changes}

    def script(self, *behaviours: Behaviour) -> None:
        """What the next requests to send get, one each; afterwards all is well again."""
        self._script.extend(behaviours)

    def script_list(self, *behaviours: Behaviour) -> None:
        """What the next requests for the list get."""
        self._list_script.extend(behaviours)

    def has_done_all(self) -> bool:  # that was scripted
        return not self._script

    def script_nothing(self) -> None:
        """All is well from now on, the list too."""
        self._script.clear()
        self._list_script.clear()

    def forget(self) -> None:
        """As if nothing had been asked, nothing taken, and nothing scripted."""
        self.script_nothing()
        self.messages.clear()
        self.requests.clear()

    def stop_hanging(self) -> None:
        """Let go of whoever waits for an answer, and hang no more; script nothing."""
        self.script_nothing()
        self.released.set()
        self.released = threading.Event()

    def wait_until_quiet(self) -> None:
        """Wait until all that was asked by clients who are gone is dealt with."""
        with socket.create_connection(("127.0.0.1", self._http.server_port)) as last:
            last.sendall(b"GET / HTTP/1.0\r\n\r\n")
            last.recv(1)  # all who came before were let in
        with self.lock:
            self._nobody.wait_for(lambda: self._http.connected == 0, 10)

    def has_left(self) -> None:
        """One client less."""
        with self.lock:
            self._http.connected -= 1
            self._nobody.notify_all()

    def start(self) -> Self:
        self._thread.start()
        return self

    def stop(self) -> None:
        self.released.set()
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    __enter__ = start

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def next_behaviour(self) -> Behaviour | None:
        with self.lock:
            return self._script.popleft() if self._script else None

    def next_for_list(self) -> Behaviour | None:
        with self.lock:
            return self._list_script.popleft() if self._list_script else None

    def accept(self, form: Mapping[str, str]) -> dict[str, Any]:
        """Keep a message as the provider would, and return the record of it."""
        date = format_datetime(self.now())
        with self.lock:
            record = {
                "sid": f"SM{len(self.messages) + 1:032x}",
                "account_sid": self.account,
                "to": form.get("To"),
                "from": form.get("From"),
                "messaging_service_sid": form.get("MessagingServiceSid"),
                "body": form.get("Body"),
                "status": "queued",
                "num_segments": "1",
                "num_media": "0",
                "direction": "outbound-api",
                "error_code": None,
                "error_message": None,
                "date_created": date,
                "date_updated": date,
                "date_sent": None,
            }
            self.messages.append(record)
            return record

    def becomes(self, status: str, code: int | None = None, sid: str | None = None) -> None:
        """What became of the latest message to somebody, or of that one."""
        record = next(
            each
            for each in reversed(self.messages)
            if each["direction"] != "inbound" and sid in (None, each["sid"])
        )
        date = record["date_sent"] or format_datetime(self.now())
        record.update(status=status, error_code=code, date_sent=date)

    def hears(self, text: str, sender: str = "+34600000001", **more: Any) -> str:
        """Somebody writes to the account's number; returns the SID."""
        record = self.accept({"To": "+34600000000", "From": sender, "Body": text})
        record.update(direction="inbound", status="received", date_sent=record["date_created"])
        record.update(more)
        return str(record["sid"])


def _is_since(record: Mapping[str, Any], since: str) -> bool:
    sent = record["date_sent"]
    return bool(sent) and parsedate_to_datetime(sent) >= datetime.fromisoformat(since)


class _Listener(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128
    twilio: TwilioServer
    connected = 0

    def process_request(self, request: Any, client_address: Any) -> None:
        with self.twilio.lock:
            self.connected += 1
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        super().shutdown_request(request)
        self.twilio.has_left()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is part of the game."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # head and body in one packet
    server: _Listener

    def do_POST(self) -> None:
        behaviour = self.server.twilio.next_behaviour()
        if isinstance(behaviour, Break) and not behaviour.read_first:
            return self._break(behaviour)
        length = int(self.headers["Content-Length"])
        body = self.rfile.read(length)
        if len(body) < length:  # whoever asked is gone
            self.close_connection = True
            return None
        form = dict(parse_qsl(body.decode()))
        asked = self._note(form)
        if not self._known(asked):
            return None
        if asked.path != self._of_account("/Messages.json"):
            return self._answer(error(20404, 404, "not found"))
        return self._send_message(behaviour, form)

    def do_GET(self) -> None:
        asked = self._note({})
        if not self._known(asked):
            return None
        if asked.path == self._of_account(".json"):
            record = {"sid": self.server.twilio.account, "status": "active", "type": "Full"}
            return self._answer(Reply(200, json.dumps(record)))
        if asked.path == self._of_account("/Messages.json"):
            page = Reply(200, json.dumps(self._page(asked.query)))
            return self._act(self.server.twilio.next_for_list() or page)
        found = [m for m in self.server.twilio.messages if f"/{m['sid']}.json" in asked.path]
        missing = error(20404, 404, "not found")
        return self._answer(Reply(200, json.dumps(found[0])) if found else missing)

    def _send_message(self, behaviour: Behaviour | None, form: dict[str, str]) -> None:
        if behaviour is None:
            record = self.server.twilio.accept(form)
            return self._answer(Reply(201, json.dumps(record)))
        if behaviour.accept:
            self.server.twilio.accept(form)
        return self._act(behaviour)

    def _act(self, behaviour: Behaviour) -> None:
        act: Callable[[Any], None] = self._answer if isinstance(behaviour, Reply) else self._break
        return act(behaviour)

    def _page(self, query: dict[str, str]) -> dict[str, Any]:
        """One page of the list, the latest first, and where the next one is."""
        wanted = {key.lower(): query[key] for key in ("To", "From") if key in query}
        since = query.get("DateSent>")
        found = [
            each
            for each in reversed(self.server.twilio.messages)
            if all(each[key] == value for key, value in wanted.items())
            and self.server.twilio.lists(each)
            and (since is None or _is_since(each, since))
        ]
        size, page = int(query.get("PageSize", 50)), int(query.get("Page", 0))
        first = page * size
        more = urlencode({**query, "PageSize": size, "Page": page + 1, "PageToken": "here"})
        following = f"{self._of_account('/Messages.json')}?{more}"
        return {
            "messages": found[first : first + size],
            "page": page,
            "page_size": size,
            "next_page_uri": following if first + size < len(found) else None,
        }

    def _note(self, form: dict[str, str]) -> Asked:
        url = urlsplit(self.path)
        kind, _, coded = self.headers.get("Authorization", "").partition(" ")
        user, _, secret = b64decode(coded).decode().partition(":")
        asked = Asked(
            self.command,
            url.path,
            dict(parse_qsl(url.query)),
            form,
            dict(self.headers),
            (user, secret) if kind == "Basic" else None,
        )
        self.server.twilio.requests.append(asked)
        return asked

    def _known(self, asked: Asked) -> bool:
        user, secret = asked.login or ("", "")
        known = self.server.twilio.logins.get(user) == secret != ""
        if not known:
            self._answer(error(20003, 401, "Authenticate"))
        return known

    def _of_account(self, rest: str) -> str:
        return f"/2010-04-01/Accounts/{self.server.twilio.account}{rest}"

    def _answer(self, reply: Reply) -> None:
        body = reply.body.encode()
        self.send_response_only(reply.status)
        usual = {"Date": self.date_time_string(), "Content-Type": "application/json"}
        for name, value in {**usual, **reply.headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def _break(self, behaviour: Break) -> None:
        self.close_connection = True
        self.wfile.write(behaviour.beginning.encode())
        if behaviour.reset:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _NO_LINGER)
            self.connection.close()
        else:
            self.server.twilio.hanging.set()
            self.server.twilio.released.wait(60)

    def log_message(self, format: str, *args: Any) -> None:
        """The tests read `requests` instead."""
