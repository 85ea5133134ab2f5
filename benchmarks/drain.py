"""How many messages a second leave, rendered, with full durability."""

import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.report import line
from benchmarks.site import encrypted, fill, new_house
from benchmarks.smtp_sink import sink
from reminderd.bootstrap import House
from reminderd.clock import VirtualClock
from reminderd.engines.tables.rows import to_ms
from reminderd.interfaces import Transport
from reminderd.transports.nowhere import Nowhere
from reminderd.transports.smtp import Smtp

NOW = datetime(2026, 6, 1, 10, tzinfo=UTC)
DUE = 20_000
MAILS = 5_000
PENDING = 1_000_000


def run() -> None:
    """To a no-op transport, with none and a million pending, and encrypted; then by SMTP."""
    none, many, sealed = [], [], []
    with tempfile.TemporaryDirectory() as folder:
        for turn in range(3):
            none.append(_rate(Path(folder) / f"none{turn}", 0, DUE, "sms", Nowhere()))
            many.append(_rate(Path(folder) / f"many{turn}", PENDING, DUE, "sms", Nowhere()))
            sealed.append(
                _rate(Path(folder) / f"sealed{turn}", 0, DUE, "sms", Nowhere(), encrypted)
            )
        baseline, loaded, closed = sorted(none)[1], sorted(many)[1], sorted(sealed)[1]
        line("drain, nothing else pending", f"{baseline:,.0f} messages/s")
        line("drain, 1,000,000 pending", f"{loaded:,.0f} messages/s", f"{loaded / baseline:.2f} x")
        line("drain, encrypted", f"{closed:,.0f} messages/s", f"{closed / baseline:.2f} x")
        with sink() as port:
            bare = _bare_smtp(port)
            settings = Smtp.Settings(
                host="127.0.0.1", port=port, security="none", sender="Alba <care@example.org>"
            )
            mails = _rate(Path(folder) / "mails", 0, MAILS, "email", Smtp(settings))
        line("bare smtplib, one ready-made mail", f"{bare:,.0f} mails/s")
        line("drain to a local SMTP server", f"{mails:,.0f} mails/s", f"{mails / bare:.2f} x")


def _rate(
    folder: Path,
    pending: int,
    due: int,
    channel: str,
    transport: Transport,
    change: Callable[[House], House] = lambda house: house,
) -> float:
    folder.mkdir()
    house = new_house(folder)
    fill(house, pending, due, to_ms(NOW), channel)
    house = change(house)
    dispatch = house.dispatch(VirtualClock(NOW), {"file": transport})
    sent = 0
    started = time.perf_counter()
    while (drained := dispatch.drain(NOW)).more:
        sent += drained.deliveries
    took = time.perf_counter() - started
    dispatch.close()
    transport.close()
    house.outbox.close()
    assert sent == due, f"{sent} of {due} were sent"
    return sent / took


def _bare_smtp(port: int) -> float:
    from smtplib import SMTP

    mail = b"From: a@example.org\r\nTo: b@example.org\r\nSubject: x\r\n\r\n" + b"text\r\n" * 300
    with SMTP("127.0.0.1", port) as client:
        started = time.perf_counter()
        for _ in range(MAILS):
            client.sendmail("a@example.org", ["b@example.org"], mail)
        return MAILS / (time.perf_counter() - started)
