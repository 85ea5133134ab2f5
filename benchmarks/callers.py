"""Processes that call a hook so many times a second, whether or not anybody answers.

They know the provider's published way to sign (HMAC-SHA1 over the address and the sorted fields)
and nothing of ours.
"""

import asyncio
import hmac
import multiprocessing
import time
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple
from urllib.parse import urlencode

ACCOUNT, TOKEN = "AC" + "0" * 32, "a-token-for-tests"
PUBLIC, HOOK, PORT = "https://care.example.org", "/hooks/twilio/inbound", 8925
PROCESSES = 2
PATIENCE_SECONDS = 20.0
A_STRANGER = "+34600000001"


class Answer(NamedTuple):
    """To one call; `status` is 0 where none came."""

    genuine: bool
    status: int
    seconds: float


def request(sid: str, text: str, token: str = TOKEN, sender: str = A_STRANGER) -> bytes:
    """What the provider sends for a message that came in."""
    form = {
        "AccountSid": ACCOUNT, "Body": text, "From": sender, "MessageSid": sid, "NumMedia": "0",
        "SmsMessageSid": sid, "SmsStatus": "received", "To": "+34600000000",
    }  # fmt: skip
    signed = PUBLIC + HOOK + "".join(name + value for name, value in sorted(form.items()))
    mark = b64encode(hmac.digest(token.encode(), signed.encode(), "sha1")).decode()
    body = urlencode(form).encode()
    head = (
        f"POST {HOOK} HTTP/1.1\r\nHost: care.example.org\r\nX-Twilio-Signature: {mark}\r\n"
        "Content-Type: application/x-www-form-urlencoded\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


@contextmanager
def calling(calls_per_second: int, seconds: float, begin_at: float) -> Iterator[list[Answer]]:
    """From that instant on, half of them forged; at the end of the `with` all answers are there."""
    spawn = multiprocessing.get_context("spawn")
    told: multiprocessing.Queue[list[Answer]] = spawn.Queue()
    each = calls_per_second / PROCESSES
    callers = [
        spawn.Process(target=_call, args=(number, each, seconds, begin_at, told))
        for number in range(PROCESSES)
    ]
    for caller in callers:
        caller.start()
    answers: list[Answer] = []
    yield answers
    for _ in callers:
        answers += told.get()
    for caller in callers:
        caller.join()


def _call(
    number: int,
    calls_per_second: float,
    seconds: float,
    begin_at: float,
    told: "multiprocessing.Queue[list[Answer]]",
) -> None:
    count = round(calls_per_second * seconds)
    # Ready before it begins: to sign is work too, and the cores are needed for who answers.
    ready = [
        (genuine, request(f"SMf{number:03x}{n:028x}", "Hello", TOKEN if genuine else "another"))
        for n in range(count)
        for genuine in [n % 2 == 0]
    ]
    time.sleep(max(0.0, begin_at - time.time()))
    told.put(asyncio.run(_pour(ready, calls_per_second)))


async def _pour(ready: list[tuple[bool, bytes]], calls_per_second: float) -> list[Answer]:
    loop, under_way = asyncio.get_running_loop(), []
    began = loop.time()
    for number, (genuine, sent) in enumerate(ready):
        ahead = began + number / calls_per_second - loop.time()
        if ahead > 0.002:
            await asyncio.sleep(ahead)
        under_way.append(asyncio.create_task(_one(genuine, sent)))
    return await asyncio.gather(*under_way)


async def _one(genuine: bool, sent: bytes) -> Answer:
    began = time.monotonic()
    status = await answered(sent)
    return Answer(genuine, status, time.monotonic() - began)


async def answered(sent: bytes) -> int:
    """The status of the answer; 0 where none came. The server keeps no connection open."""
    loop = asyncio.get_running_loop()
    call = _Call(sent, loop.create_future())
    try:
        transport, _ = await loop.create_connection(lambda: call, "127.0.0.1", PORT)
    except OSError:
        return 0
    try:
        return await asyncio.wait_for(call.status, PATIENCE_SECONDS)
    except TimeoutError:
        return 0
    finally:
        transport.close()


class _Call(asyncio.Protocol):
    def __init__(self, sent: bytes, status: "asyncio.Future[int]") -> None:
        self._sent, self._came = sent, b""
        self.status = status

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.WriteTransport)
        transport.write(self._sent)

    def data_received(self, data: bytes) -> None:
        self._came += data
        if b"\r\n" in self._came and not self.status.done():
            self.status.set_result(int(self._came.split(b" ", 2)[1]))

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.status.done():
            self.status.set_result(0)
