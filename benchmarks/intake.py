"""How many patients a second are read, planned and stored, against the bare inserts."""

import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.report import line, seconds
from benchmarks.site import new_house, roster_of
from reminderd import roster
from reminderd.plan import plan

PATIENTS = 10_000


def run() -> None:
    """One patient planned; then 10,000 with one session each imported into an empty database."""
    now = datetime(2026, 3, 28, 9, tzinfo=UTC)
    with tempfile.TemporaryDirectory() as folder:
        house = new_house(Path(folder))
        data = roster_of(PATIENTS, now)
        started = time.perf_counter()
        read = roster.read(data, house.practice.clinics, ["mesotherapy"], now, "benchmark")
        read_at = time.perf_counter()
        prepared = house.importer.prepare(read.entries, now)
        planned_at = time.perf_counter()
        house.importer.store(prepared, now)
        stored_at = time.perf_counter()
        assert not read.faults
        charts = [each.chart for each in prepared[:200]]
        one = seconds(lambda: [plan(each, now) for each in charts]) / len(charts)
        rows = [tuple(row) for row in house.outbox.query("SELECT * FROM reminders")]
        bare = _bare_inserts(Path(folder) / "bare.db", rows)
        house.outbox.close()
    line("planning one patient, one session", f"{one * 1e6:.0f} us")
    line("  of which new reminders each", f"{len(rows) / PATIENTS:.0f}")
    line("reading the CSV", f"{PATIENTS / (read_at - started):,.0f} patients/s")
    line("planning", f"{PATIENTS / (planned_at - read_at):,.0f} patients/s")
    line("storing", f"{PATIENTS / (stored_at - planned_at):,.0f} patients/s")
    took = stored_at - started
    whole = PATIENTS / took
    line("all of it", f"{whole:,.0f} patients/s", f"{took / bare:.1f} x the bare inserts")
    line("planning and storing", f"{PATIENTS / (stored_at - read_at):,.0f} patients/s")


def _bare_inserts(path: Path, rows: list[tuple[object, ...]]) -> float:
    """The same rows into the same schema, without reading, checking or planning."""
    from reminderd.engines.embedded import store
    from reminderd.engines.embedded.connection import connect

    store.create(path)
    connection = connect(path)
    connection.execute("PRAGMA foreign_keys = OFF")
    started = time.perf_counter()
    for start in range(0, len(rows), 20_000):
        connection.execute("BEGIN IMMEDIATE")
        marks = ", ".join("?" * len(rows[0]))
        connection.executemany(
            f"INSERT INTO reminders VALUES ({marks})", rows[start : start + 20_000]
        )
        connection.execute("COMMIT")
    took = time.perf_counter() - started
    connection.close()
    return took
