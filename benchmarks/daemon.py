"""How soon the daemon wakes for what is due, and what it costs while nothing is."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks.report import line
from benchmarks.site import fill, new_house
from reminderd.engines.embedded.connection import connect
from reminderd.engines.tables.rows import to_ms

PENDING = 100_000
WAKES = 200
REST_SECONDS = 60


def run() -> None:
    """A real daemon beside a database with 100,000 reminders pending."""
    with tempfile.TemporaryDirectory() as folder:
        house = new_house(Path(folder))
        program = [str(Path(sys.executable).with_name("reminderd")), "--config",
                   str(Path(folder) / "reminderd.toml"), "run"]  # fmt: skip
        # The first start plans by the present settings; what is filled in below is to stay.
        subprocess.run([*program, "--once"], check=True, stderr=subprocess.DEVNULL)
        fill(house, PENDING, WAKES, to_ms(datetime.now(UTC)), "sms")
        database = house.settings.database
        house.outbox.close()
        awake(database)
        daemon = subprocess.Popen(program, stderr=subprocess.DEVNULL)
        try:
            late = sorted(ms for _, ms in lateness(database, WAKES, "sms"))
            line("wake-up, median", f"{late[len(late) // 2]:.0f} ms")
            line("wake-up, 99 of 100 within", f"{late[int(len(late) * 0.99)]:.0f} ms")
            before = cpu_seconds(daemon.pid)
            time.sleep(REST_SECONDS)
            line("CPU at rest", f"{(cpu_seconds(daemon.pid) - before):.3f} s a minute")
            line("memory at rest", f"{_memory_mb(daemon.pid):.0f} MB")
        finally:
            daemon.send_signal(signal.SIGTERM)
            daemon.wait()


def awake(database: Path) -> datetime:
    """Due one by one from the returned instant on, a bit apart, in an hour that is not quiet."""
    first = datetime.now(UTC) + timedelta(seconds=8)
    connection = connect(database)
    connection.execute("UPDATE patients SET timezone = ?", (_awake_zone(first),))
    connection.execute(
        "UPDATE reminders SET wake_at = ? + id * 137, due_at = ? + id * 137 WHERE occurrence = 1",
        (to_ms(first), to_ms(first)),
    )
    connection.close()
    return first


def _awake_zone(instant: datetime) -> str:
    """A zone in which it is about noon."""
    return f"Etc/GMT{instant.hour - 12:+d}" if instant.hour != 12 else "Etc/GMT"


def lateness(database: Path, wakes: int, channel: str) -> list[tuple[int, float]]:
    """When each reminder on the channel was due, and how many milliseconds later it was marked."""
    sent = "FROM reminders WHERE state = 'sent' AND channel = ?"
    connection = connect(database)
    while connection.execute(f"SELECT count(*) {sent}", (channel,)).fetchone()[0] < wakes:
        time.sleep(0.5)
    rows = connection.execute(
        "SELECT due_at, attempts.marked_at - due_at FROM reminders "
        "JOIN message_reminders ON reminder = reminders.id "
        "JOIN attempts ON attempts.message = message_reminders.message "
        "WHERE reminders.channel = ?",
        (channel,),
    ).fetchall()
    connection.close()
    return [(int(due), float(late)) for due, late in rows]


def cpu_seconds(pid: int) -> float:
    """What the process has taken so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _memory_mb(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) / 1024
