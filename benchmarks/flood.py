"""A thousand calls a second, half of them forged: is sending as soon, and is a STOP on disk?"""

import asyncio
import hmac
import signal
import subprocess
import sys
import tempfile
import time
from base64 import b64encode
from collections import Counter
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlencode

from benchmarks.daemon import awake, lateness
from benchmarks.report import line
from benchmarks.site import CONFIGURATION, fill
from reminderd import bootstrap
from reminderd.engines.embedded import store
from reminderd.engines.embedded.connection import connect
from reminderd.engines.embedded.rows import to_ms
from tests.fakes.twilio_server import ACCOUNT, TOKEN, TwilioServer

CALLS_PER_SECOND = 1000
SECONDS = 20
WAKES = 100  # of reminders, one by one, while the flood is on
PUBLIC, PORT = "https://care.example.org", 8925
HOOK = "/hooks/twilio/inbound"
_IS_KEPT = "SELECT 1 FROM replies WHERE provider_id = ?"
SETTINGS = f"""
[web]
listen = "127.0.0.1:{PORT}"
public_url = "{PUBLIC}"

[transports.twilio]
account_sid = "{ACCOUNT}"
auth_token = "{TOKEN}"
from = "+34600000000"
api_base = "%s"
"""


def run() -> None:
    """The same reminders without a flood, and with one."""
    for calls_per_second in (0, CALLS_PER_SECOND):
        with tempfile.TemporaryDirectory() as folder, TwilioServer() as twilio:
            twilio.now = lambda: datetime.now(UTC)
            _measure(Path(folder), twilio, calls_per_second)


def _measure(folder: Path, twilio: TwilioServer, calls_per_second: int) -> None:
    config = folder / "reminderd.toml"
    config.write_text(
        CONFIGURATION.replace('sms = "file"', 'sms = "twilio"') + SETTINGS % twilio.url
    )
    settings = bootstrap.load_settings(config, {})
    store.create(settings.database)
    program = [sys.executable, "-m", "reminderd", "--config", str(config), "run"]
    # The first start plans by the present settings; what is filled in below is to stay.
    subprocess.run([*program, "--once"], check=False, stderr=subprocess.DEVNULL)
    house = bootstrap.open_house(settings)
    fill(house, 1000, WAKES, to_ms(datetime.now(UTC)), "email")
    house.outbox.close()
    awake(settings.database)
    daemon = subprocess.Popen(program, stderr=subprocess.DEVNULL)
    try:
        flood = _Flood(twilio, settings.database)
        if calls_per_second:
            asyncio.run(_pour(flood, calls_per_second))
        late = sorted(lateness(settings.database, WAKES))
        name = f"with {calls_per_second} calls a second" if calls_per_second else "without a flood"
        line(f"{name}: wake-up, median", f"{late[len(late) // 2]:.0f} ms")
        line(f"{name}: wake-up, 99 of 100 within", f"{late[int(len(late) * 0.99)]:.0f} ms")
        if calls_per_second:
            _tell(flood)
    finally:
        daemon.send_signal(signal.SIGTERM)
        daemon.wait()


class _Flood:
    """What was asked and answered; a call is `(is genuine, answer)`, 0 where none came."""

    def __init__(self, twilio: TwilioServer, database: Path) -> None:
        self.twilio = twilio
        self.database = database
        self.answers: Counter[tuple[bool, int]] = Counter()
        self.stops: list[float] = []
        self.seconds = 0.0


def _tell(flood: _Flood) -> None:
    asked = sum(flood.answers.values())
    line("asked", f"{asked / flood.seconds:.0f} calls a second for {flood.seconds:.0f} s")
    for genuine, name in ((True, "genuine"), (False, "forged")):
        found = {status: count for (is_one, status), count in flood.answers.items()
                 if is_one is genuine}  # fmt: skip
        line(f"{name}, by answer", ", ".join(f"{n} x {each}" for each, n in sorted(found.items())))
    with closing(connect(flood.database, read_only=True)) as opened:
        kept = opened.execute("SELECT count(*) FROM replies").fetchone()[0]
        forged = opened.execute("SELECT count(*) FROM replies WHERE text = 'forged'").fetchone()[0]
    line("on disk", f"{kept} genuine ones, {forged} forged")
    line("a STOP is on disk after", f"{max(flood.stops) * 1000:.0f} ms at the latest of "
         f"{len(flood.stops)}")  # fmt: skip


async def _pour(flood: _Flood, calls_per_second: int) -> None:
    await _until_it_listens()
    began, number = time.monotonic(), 0
    under_way: set[asyncio.Task[None]] = set()
    next_stop = 1.0
    while (passed := time.monotonic() - began) < SECONDS:
        while number < passed * calls_per_second:
            number += 1
            task = asyncio.create_task(_one(flood, number))
            under_way.add(task)
            task.add_done_callback(under_way.discard)
        if passed > next_stop:
            next_stop += 1
            task = asyncio.create_task(_stop(flood))
            under_way.add(task)
            task.add_done_callback(under_way.discard)
        await asyncio.sleep(0.005)
    flood.seconds = time.monotonic() - began
    while under_way:
        await asyncio.wait(under_way)


async def _one(flood: _Flood, number: int) -> None:
    genuine = number % 2 == 0
    text = "genuine" if genuine else "forged"
    status = await _call(_request(f"SM{number:032x}", text, TOKEN if genuine else "another"))
    flood.answers[genuine, status] += 1


async def _stop(flood: _Flood) -> None:
    """A patient's STOP: the provider lists it and calls, and once more where the line fails."""
    began, sid = time.monotonic(), flood.twilio.hears("STOP")
    request = _request(sid, "STOP", TOKEN)
    if await _call(request) == 0:
        await _call(request)
    with closing(connect(flood.database, read_only=True)) as opened:
        while not opened.execute(_IS_KEPT, (sid,)).fetchone():
            await asyncio.sleep(0.05)
    flood.stops.append(time.monotonic() - began)


def _request(sid: str, text: str, token: str) -> bytes:
    form = {
        "AccountSid": ACCOUNT, "Body": text, "From": "+34600000001", "MessageSid": sid,
        "NumMedia": "0", "SmsMessageSid": sid, "SmsStatus": "received", "To": "+34600000000",
    }  # fmt: skip
    signed = PUBLIC + HOOK + "".join(name + value for name, value in sorted(form.items()))
    mark = b64encode(hmac.new(token.encode(), signed.encode(), "sha1").digest()).decode()
    body = urlencode(form).encode()
    head = (
        f"POST {HOOK} HTTP/1.1\r\nHost: care.example.org\r\nX-Twilio-Signature: {mark}\r\n"
        "Content-Type: application/x-www-form-urlencoded\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def _call(request: bytes) -> int:
    """The status of the answer; 0 where none came."""
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", PORT)
        writer.write(request)
        answer = await asyncio.wait_for(reader.read(), 20)
        writer.close()
        return int(answer.split(b" ", 2)[1]) if answer else 0
    except (OSError, TimeoutError, ValueError, IndexError):
        return 0


async def _until_it_listens() -> None:
    while await _call(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n") != 200:
        await asyncio.sleep(0.1)
