"""A thousand calls a second, half of them forged: is sending as soon, and does a STOP stop?"""

import asyncio
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.callers import ACCOUNT, PORT, PUBLIC, TOKEN, Answer, answered, calling, request
from benchmarks.daemon import awake, cpu_seconds, lateness
from benchmarks.report import line
from benchmarks.site import CONFIGURATION, fill
from reminderd import bootstrap
from reminderd.engines.embedded import store
from reminderd.engines.embedded.connection import Connection, connect
from reminderd.engines.tables.rows import to_ms
from tests.fakes.twilio_server import TwilioServer

CALLS_PER_SECOND = 1000
SECONDS = 20  # without a flood, and then with one
WAKES = 280  # mails, one each 137 ms: half of them while nobody calls
STOPS = 15  # patients who get a text each second of the flood, and write STOP one after the other
_WITHDRAWN = f"SELECT patient FROM consents WHERE NOT granted AND patient > {WAKES}"
SETTINGS = f"""
[web]
listen = "127.0.0.1:{PORT}"
public_url = "{PUBLIC}"

[transports.twilio]
account_sid = "{ACCOUNT}"
auth_token = "{TOKEN}"
from = "+34600000000"
api_base = "%s"
max_per_second = 100

[sending]
most_per_day = 1000
"""


def run() -> None:
    """One daemon, with mails and texts due one by one; after a while the flood sets in."""
    with tempfile.TemporaryDirectory() as folder, TwilioServer() as twilio:
        twilio.now = lambda: datetime.now(UTC)
        _measure(Path(folder), twilio)


def _measure(folder: Path, twilio: TwilioServer) -> None:
    config = folder / "reminderd.toml"
    config.write_text(
        CONFIGURATION.replace('sms = "file"', 'sms = "twilio"') + SETTINGS % twilio.url
    )
    program = [sys.executable, "-m", "reminderd", "--config", str(config)]
    database = folder / "reminderd.db"
    flood_at = _clinic(program, config)
    daemon = subprocess.Popen([*program, "run"], stderr=subprocess.DEVNULL)
    try:
        stopping = _Stopping(twilio, database, flood_at)
        with calling(CALLS_PER_SECOND, SECONDS, flood_at) as answers:
            asyncio.run(_until_it_listens())
            time.sleep(max(0.0, flood_at - time.time()))
            before = cpu_seconds(daemon.pid)
            stopping.all()
            busy = (cpu_seconds(daemon.pid) - before) / max(1.0, time.time() - flood_at)
        late = lateness(database, WAKES, "email")
        time.sleep(2)  # what could still leave after a STOP
        _tell(flood_at, late, answers)
        _tell_kept(database, answers)
        stopping.tell()
        line("the daemon took of one core", f"{busy:.0%}")
    finally:
        daemon.send_signal(signal.SIGTERM)
        daemon.wait()


def _clinic(program: Sequence[str], config: Path) -> float:
    """Fill it, and return when the flood is to begin."""
    settings = bootstrap.load_settings(config, {})
    store.create(settings.database)
    quietly = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    subprocess.run(
        [*program, "protocol", "approve", "mesotherapy", "--by", "Dr. Example"],
        check=True, **quietly,
    )  # fmt: skip
    # The first start plans by the present settings; what is filled in below is to stay.
    subprocess.run([*program, "run", "--once"], check=False, **quietly)
    house = bootstrap.open_house(settings)
    fill(house, 0, WAKES + STOPS, to_ms(datetime.now(UTC)), "email")
    house.outbox.close()
    flood_at = awake(settings.database).timestamp() + SECONDS
    with closing(connect(settings.database)) as opened:
        _give_texts(opened, round(flood_at * 1000))
    return flood_at


def _give_texts(opened: Connection, flood_ms: int) -> None:
    """The last patients get a text each second from the flood on, and no mail."""
    whose = f"patient > {WAKES}"
    opened.execute(f"UPDATE patients SET channels = 'sms' WHERE id > {WAKES}")
    opened.execute(f"UPDATE consents SET channel = 'sms' WHERE {whose}")
    names = [row[1] for row in opened.execute("PRAGMA table_info(reminders)") if row[1] != "id"]
    given = {"occurrence": "value", "channel": "'sms'", "due_at": "?1 + value * 1000",
             "wake_at": "?1 + value * 1000"}  # fmt: skip
    opened.execute(
        f"INSERT INTO reminders ({', '.join(names)}) "
        f"SELECT {', '.join(given.get(name, name) for name in names)} FROM reminders, "
        f"(WITH RECURSIVE n(value) AS (VALUES (2) UNION ALL SELECT value + 1 FROM n "
        f"WHERE value < {SECONDS + 1}) SELECT value FROM n) WHERE {whose} AND occurrence = 1",
        (flood_ms,),
    )
    opened.execute(f"DELETE FROM reminders WHERE {whose} AND occurrence = 1")
    opened.execute(
        "UPDATE sqlite_sequence SET seq = (SELECT max(id) FROM reminders) WHERE name = 'reminders'"
    )


class _Stopping:
    """STOPs, one a second: when each was written, and when it was on disk that it holds."""

    def __init__(self, twilio: TwilioServer, database: Path, flood_at: float) -> None:
        self._twilio = twilio
        self._database = database
        self._flood_at = flood_at
        self._written: dict[int, float] = {}
        self._withdrawn: dict[int, float] = {}
        self._statuses: Counter[int] = Counter()

    def all(self) -> None:
        """Returns once each has taken effect and its call was answered."""
        patients = range(WAKES + 1, WAKES + 1 + STOPS)
        threads = [
            threading.Thread(target=self._stop, args=(patient, self._flood_at + 2.5 + number))
            for number, patient in enumerate(patients)
        ]
        for each in threads:
            each.start()
        with closing(connect(self._database, read_only=True)) as opened:
            while len(self._withdrawn) < STOPS:
                time.sleep(0.02)
                for (patient,) in opened.execute(_WITHDRAWN).fetchall():
                    self._withdrawn.setdefault(patient, time.time())
        for each in threads:
            each.join()

    def _stop(self, patient: int, at: float) -> None:
        """The provider lists it and calls, and once more where the line fails."""
        time.sleep(max(0.0, at - time.time()))
        number = _number(patient)
        self._written[patient] = time.time()
        sid = self._twilio.hears("STOP", number)
        call = request(sid, "STOP", sender=number)
        status = asyncio.run(answered(call)) or asyncio.run(answered(call))
        self._statuses[status] += 1

    def tell(self) -> None:
        """How long each took, and when the last message to that number left."""
        with closing(connect(self._database, read_only=True)) as opened:
            left = dict(
                opened.execute(
                    "SELECT patient, max(marked_at) FROM attempts JOIN messages "
                    "ON messages.id = attempts.message WHERE channel = 'sms' GROUP BY patient"
                ).fetchall()
            )
            kept = dict(opened.execute("SELECT sender, received_at FROM replies").fetchall())
        soon = [kept[_number(each)] / 1000 - at for each, at in self._written.items()]
        took = [self._withdrawn[each] - at for each, at in self._written.items()]
        later = [left.get(each, 0) / 1000 - at for each, at in self._written.items()]
        still = sum(each > 0 for each in later)
        line("a STOP, by answer to its call", _counted(self._statuses))
        line(
            "a STOP is on disk after", f"{max(soon) * 1000:.0f} ms", f"at the latest of {len(soon)}"
        )
        line("a STOP is on disk as withdrawn consent after", f"{max(took) * 1000:.0f} ms",
             f"at the latest of {len(took)}")  # fmt: skip
        line("a STOP, and the last text left", f"{max(0.0, *later) * 1000:.0f} ms later",
             f"at the latest, to {still} of {len(later)}")  # fmt: skip


def _number(patient: int) -> str:
    return f"+3461{1_000_000 + patient}"


def _tell(flood_at: float, late: list[tuple[int, float]], answers: list[Answer]) -> None:
    for name, found in (
        ("without a flood", [ms for due, ms in late if due < flood_at * 1000]),
        ("with the flood", [ms for due, ms in late if due >= flood_at * 1000]),
    ):
        line(f"{name}: late, median", f"{_at(found, 0.5):.0f} ms", f"of {len(found)}")
        line(f"{name}: late, 99 of 100 within", f"{_at(found, 0.99):.0f} ms")
    came = [each.seconds * 1000 for each in answers if each.status]
    line("asked", f"{len(answers) / SECONDS:.0f} calls/s")
    line("answered", f"{len(came) / SECONDS:.0f} calls/s")
    line("answered after, median", f"{_at(came, 0.5):.0f} ms")
    line("answered after, 99 of 100 within", f"{_at(came, 0.99):.0f} ms")
    for genuine, name in ((True, "genuine"), (False, "forged")):
        found = Counter(each.status for each in answers if each.genuine is genuine)
        line(f"{name}, by answer", _counted(found))


def _tell_kept(database: Path, answers: list[Answer]) -> None:
    """Everything that was acknowledged has to be on disk, and nothing that was forged."""
    thanked = sum(each.genuine and each.status == 200 for each in answers)
    with closing(connect(database, read_only=True)) as opened:
        kept = opened.execute("SELECT count(*) FROM replies WHERE text = 'Hello'").fetchone()[0]
    line("genuine ones on disk", f"{kept}", f"of {thanked} acknowledged")


def _at(found: Sequence[float], part: float) -> float:
    return sorted(found)[min(int(len(found) * part), len(found) - 1)] if found else float("nan")


def _counted(found: Counter[int]) -> str:
    return ", ".join(f"{count} x {status or 'none'}" for status, count in sorted(found.items()))


async def _until_it_listens() -> None:
    while await answered(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n") != 200:
        await asyncio.sleep(0.1)
