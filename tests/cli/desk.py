"""A clinic in a folder and somebody who types: what the tests of the command line stand on."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from reminderd.cli.app import app
from reminderd.cli.context import Desk
from reminderd.clock import VirtualClock

NOW = datetime(2026, 3, 28, 9, 0, tzinfo=UTC)  # a Saturday; the night after, the clocks change

LEAVING = {
    "REMINDERD_CHANNELS__EMAIL": "smtp",
    "REMINDERD_TRANSPORTS__SMTP__HOST": "127.0.0.1",
    "REMINDERD_TRANSPORTS__SMTP__PORT": "9",
    "REMINDERD_TRANSPORTS__SMTP__SECURITY": "none",
    "REMINDERD_TRANSPORTS__SMTP__SENDER": "care@example.org",
}


@dataclass
class Clinic:
    """A folder made by `init`; `clock` is what its people see on the wall."""

    folder: Path
    clock: VirtualClock = field(default_factory=lambda: VirtualClock(NOW))

    @property
    def config(self) -> Path:
        return self.folder / "config" / "reminderd.toml"

    @property
    def outbox(self) -> list[Path]:
        """The messages that have left, in order."""
        return sorted((self.folder / "config" / "outbox").glob("*.*"))

    def types(self, *words: str, environ: Mapping[str, str | None] | None = None) -> Result:
        """Call reminderd on this clinic's configuration, as a script would: no terminal."""
        return CliRunner().invoke(
            app,
            ["--config", str(self.config), *words],
            obj=Desk(self.clock),
            env=environ,
            prog_name="reminderd",
        )

    def says(self, *words: str) -> str:
        """What a command that works prints to stdout."""
        result = self.types(*words)
        assert result.exit_code == 0, result.output
        return result.stdout

    def data(self, *words: str) -> Any:
        """What a command that works prints as JSON."""
        return json.loads(self.says(*words, "--json"))

    def lines(self, *words: str) -> list[Any]:
        """What a command that works prints as JSON Lines."""
        return [json.loads(line) for line in self.says(*words, "--json").splitlines()]

    def enrols(self, at: str = "2026-03-28T09:30", **more: str) -> None:
        """Take in Ana, by text message and mail, for a treatment half an hour ago."""
        fields = {
            "ref": "A-1",
            "given-name": "Ana",
            "phone": "+34 600 000 001",
            "email": "ana@example.org",
            "consent": "sms,email",
            "protocol": "mesotherapy",
            "at": at,
        } | {key.replace("_", "-"): value for key, value in more.items()}
        self.says("enrol", *(word for key, value in fields.items() for word in (f"--{key}", value)))


def edit(clinic: Clinic, name: str, before: str, after: str) -> Path:
    """Change a file below the clinic's `config/`."""
    path = clinic.config.parent / name
    text = path.read_text()
    assert before in text
    path.write_text(text.replace(before, after, 1))
    return path


def without_configuration(folder: Path, *words: str) -> Result:
    """Call reminderd where there is none, with its own clock."""
    before = Path.cwd()
    os.chdir(folder)
    try:
        return CliRunner().invoke(app, words, env={"REMINDERD_CONFIG": None}, prog_name="reminderd")
    finally:
        os.chdir(before)
