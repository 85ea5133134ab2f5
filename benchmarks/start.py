"""How long a command takes to start, against a bare interpreter."""

import os
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.report import line, seconds
from benchmarks.site import new_house, roster_of
from reminderd import roster

RUNS = 20


def run() -> None:
    """`--help` and `patient list` with 500 patients, as whole processes, output to a pipe."""
    with tempfile.TemporaryDirectory() as folder:
        house = new_house(Path(folder))
        now = datetime(2026, 3, 28, 9, tzinfo=UTC)
        entries = roster.read(roster_of(500, now), house.practice.clinics, ["mesotherapy"], now, "")
        house.importer.store(house.importer.prepare(entries.entries, now), now)
        house.outbox.close()
        program = Path(sys.executable).with_name("reminderd")
        config = ["--config", str(Path(folder) / "reminderd.toml")]
        bare = _took([sys.executable, "-c", "pass"])
        line("bare python -c pass", f"{bare * 1000:.1f} ms")
        for name, arguments in (
            ("reminderd --help", ["--help"]),
            ("reminderd patient list", [*config, "patient", "list"]),
            ("reminderd status", [*config, "status"]),
        ):
            took = _took([str(program), *arguments])
            line(name, f"{took * 1000:.1f} ms", f"{took / bare:.1f} x bare")


def _took(command: list[str]) -> float:
    environ = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    return seconds(
        lambda: subprocess.run(command, check=True, stdout=subprocess.PIPE, env=environ), RUNS
    )
