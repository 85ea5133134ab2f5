"""Whatever comes over the line is refused or kept as it was signed; nothing else ever changes.

Every byte is written by hand, by the provider's published scheme, to the real server.
"""

import socket
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlencode

import pytest

from reminderd.web import server
from tests.core.build import at
from tests.core.desk import NOTE, Desk
from tests.fakes.twilio_calls import inbound, signature
from tests.web.line import HOOKS, SID, Line, open_line

PATH = "/hooks/twilio/inbound"
BODY = urlencode(inbound(SID, "STOP")).encode()
SIGNED = signature(f"{HOOKS}/inbound", inbound(SID, "STOP").items())
FORM = "Content-Type: application/x-www-form-urlencoded"
MARK = f"X-Twilio-Signature: {SIGNED}"
LENGTH = f"Content-Length: {len(BODY)}"
CHUNKED = "Transfer-Encoding: chunked"


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """Vera gets a text tomorrow, unless she writes STOP."""
    desk = Desk(tmp_path, at("2026-03-10 08:00"))
    desk.protocol(NOTE)
    desk.treat(desk.patient(), "2026-03-10 09:00")
    yield desk
    desk.close()


def post(*head: str, body: bytes = BODY, line: str = f"POST {PATH} HTTP/1.1") -> bytes:
    return "\r\n".join([line, "Host: care.example.org", *head, "", ""]).encode("latin-1") + body


def chunks(body: bytes, size: int = 7) -> bytes:
    parts = [body[start : start + size] for start in range(0, len(body), size)]
    return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"


def said(port: int, *parts: bytes, is_last: bool = True) -> bytes:
    """What comes back for these bytes; the caller says after them that no more will come."""
    with socket.create_connection(("127.0.0.1", port), 10) as line:
        try:
            for part in parts:
                line.sendall(part)
            if is_last:
                line.shutdown(socket.SHUT_WR)
            return b"".join(iter(lambda: line.recv(4096), b""))
        except OSError:  # it was cut off
            return b""


def everything(desk: Desk) -> dict[str, list[tuple[object, ...]]]:
    """All that is in the database."""
    tables = desk.outbox.query("SELECT name FROM sqlite_master WHERE type = 'table'")
    return {name: desk.outbox.query(f"SELECT * FROM {name} ORDER BY 1, 2") for (name,) in tables}


# Kept ---------------------------------------------------------------------------------------------

KEPT = {
    "by HTTP/1.1": post(MARK, FORM, LENGTH),
    "by HTTP/1.0": post(MARK, FORM, LENGTH, line=f"POST {PATH} HTTP/1.0"),
    "by a version to come": post(MARK, FORM, LENGTH, line=f"POST {PATH} HTTP/9.9"),
    "in chunks": post(MARK, FORM, CHUNKED, body=chunks(BODY)),
    "without a content type": post(MARK, LENGTH),
    "with another one": post(MARK, LENGTH, "Content-Type: application/json"),
    "in other capitals": post(MARK.lower().split(":")[0] + ": " + SIGNED, LENGTH.upper()),
    "with many fields in its head": post(MARK, LENGTH, *(f"X-{n}: {n}" for n in range(90))),
    "of any other host": post(MARK, LENGTH, "X-Forwarded-Host: evil.example.com"),
    "that asks first": post(MARK, LENGTH, "Expect: 100-continue"),
}


@pytest.mark.parametrize("sent", KEPT.values(), ids=KEPT)
def test_what_is_signed_is_kept_whatever_its_head_looks_like(line: Line, sent: bytes) -> None:
    answer = said(line.port, sent, is_last=False)
    assert b" 200 OK" in answer
    assert line.replies() == [(SID, "+34600000001", "STOP")]


def test_what_comes_byte_by_byte_is_kept_too(line: Line) -> None:
    sent = post(MARK, FORM, LENGTH)
    answer = said(line.port, *(sent[n : n + 1] for n in range(len(sent))), is_last=False)
    assert b" 200 OK" in answer
    assert len(line.replies()) == 1


# Refused ------------------------------------------------------------------------------------------

WHOLE = f"http://care.example.org{PATH}"  # the caller takes us for a proxy
ELSEWHERE = (
    WHOLE,
    "//hooks/twilio/inbound",
    f"{PATH}/",
    PATH.upper(),
    f"{PATH}%00",
    f"{PATH};x",
    "/*",
)
REFUSED = {
    "no signature": post(FORM, LENGTH),
    "an empty signature": post("X-Twilio-Signature:", FORM, LENGTH),
    "a signature of bytes": post("X-Twilio-Signature: \xff\xfe", FORM, LENGTH),
    "a signature that is endless": post("X-Twilio-Signature: " + "A" * 9000, FORM, LENGTH),
    "no body": post(MARK, FORM, body=b""),
    "a body of which no length is said": post(MARK, FORM),
    "half a body": post(MARK, FORM, LENGTH, body=BODY[:40]),
    "a body that says it is shorter": post(MARK, FORM, "Content-Length: 40"),
    "a body that goes on": post(MARK, f"Content-Length: {len(BODY) + 4}", body=BODY + b"&a=b"),
    "a length below nothing": post(MARK, FORM, "Content-Length: -1"),
    "a length in words": post(MARK, FORM, "Content-Length: many"),
    "two lengths": post(MARK, FORM, LENGTH, "Content-Length: 3"),
    "a length and chunks": post(MARK, FORM, "Content-Length: 3", CHUNKED, body=b"0\r\n\r\n" + BODY),
    "chunks that are none": post(MARK, FORM, CHUNKED, body=b"zz\r\n" + BODY),
    "chunks without an end": post(MARK, FORM, CHUNKED, body=chunks(BODY)[:-5]),
    "half a chunk": post(MARK, FORM, CHUNKED, body=chunks(BODY)[:60]),
    "another coding": post(MARK, FORM, LENGTH, "Transfer-Encoding: gzip"),
    "not UTF-8": post(MARK, FORM, LENGTH, body=BODY[:-3] + b"%ff"),
    "raw bytes": post(MARK, FORM, LENGTH, body=BODY[:-3] + b"\xff\x00\n"),
    "the fields in the query": post(
        MARK, "Content-Length: 0", body=b"", line=f"POST {PATH}?{BODY.decode()} HTTP/1.1"
    ),
    "a query that was not signed": post(MARK, LENGTH, line=f"POST {PATH}?a=b HTTP/1.1"),
    "an endless query": post(MARK, LENGTH, line=f"POST {PATH}?{'a' * 15_000} HTTP/1.1"),
    "bytes in the query": post(MARK, LENGTH, line=f"POST {PATH}?a=\xe9 HTTP/1.1"),
    "a GET": post(line=f"GET {PATH}?{BODY.decode()} HTTP/1.1", body=b""),
    "a GET with a body": post(MARK, FORM, LENGTH, line=f"GET {PATH} HTTP/1.1"),
    "a method in small letters": post(MARK, FORM, LENGTH, line=f"post {PATH} HTTP/1.1"),
    "a method of its own": post(
        MARK, FORM, LENGTH, "X-HTTP-Method-Override: POST", line=f"PUT {PATH} HTTP/1.1"
    ),
    "another hook's signature": post(MARK, FORM, LENGTH, line="POST /hooks/twilio/status HTTP/1.1"),
    "a flood in the head": post(MARK, LENGTH, *(f"X{n}: {'x' * 90}" for n in range(2000))),
    "a field in the head without a name": post(MARK, LENGTH, ": x"),
    "a field in the head on two lines": post(MARK, LENGTH, "X: a\r\n\tb\x00"),
    "zeroes in the head": post(MARK, LENGTH, "X: \x00"),
    "HTTP/0.9": f"POST {PATH}\r\n".encode() + BODY,
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    **{f"at {path}": post(MARK, FORM, LENGTH, line=f"POST {path} HTTP/1.1") for path in ELSEWHERE},
}  # fmt: skip


@pytest.mark.parametrize("sent", REFUSED.values(), ids=REFUSED)
def test_everything_else_is_refused_and_changes_nothing(
    line: Line, sent: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    before = everything(line.desk)
    answer = said(line.port, sent)
    assert answer == b"" or answer.split(b" ", 2)[1] in (
        b"400", b"403", b"404", b"405", b"413", b"431", b"501", b"505",
    ), answer[:200]  # fmt: skip
    assert everything(line.desk) == before
    assert "Traceback" not in caplog.text
    assert "STOP" not in caplog.text
    assert line.writes("STOP").status == 200, "and the next one is heard"


def test_what_follows_a_request_on_its_line_is_no_request(line: Line) -> None:
    forged, genuine = post(FORM, LENGTH), post(MARK, FORM, LENGTH)
    assert said(line.port, forged + genuine).count(b"HTTP/1.1") == 1
    assert line.replies() == []


# Slow ---------------------------------------------------------------------------------------------


def test_who_sends_a_byte_now_and_then_is_cut_off_and_keeps_nobody_waiting(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "LONGEST_SECONDS", 1.0)
    with open_line(desk) as line, ExitStack() as callers:
        slow = [
            callers.enter_context(socket.create_connection(("127.0.0.1", line.port), 10))
            for _ in range(40)
        ]
        heard = False
        while slow:
            slow = [each for each in slow if drips(each)]
            heard = heard or line.writes("STOP").status == 200
        assert heard
        assert len(line.replies()) == 1


def drips(caller: socket.socket) -> bool:
    """Sends one more byte, and listens for a moment; False once it was cut off."""
    caller.settimeout(0.001)
    try:
        caller.send(b"P")
        return caller.recv(1) != b""
    except TimeoutError:
        return True
    except OSError:
        return False
