"""A clinic in a folder, and what sends its messages: the real command in a process of its own."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import IO, Any

from click.testing import CliRunner

from reminderd.cli.app import app
from reminderd.engines.embedded import store
from tests.configuration import configuration
from tests.fakes.smtp_server import SmtpServer
from tests.fakes.twilio_server import TwilioServer
from tests.waiting import PATIENCE

SCRIPT = Path(sys.executable).with_name("reminderd")
COMMAND = [str(SCRIPT)] if SCRIPT.exists() else [sys.executable, "-m", "reminderd"]
ROOT = Path(__file__).parents[2]
DATA = ROOT / "tests" / "data"


def long_ago(**span: float) -> str:
    """An instant that far back, as it is typed."""
    return (datetime.now(UTC) - timedelta(**span)).isoformat(timespec="seconds")


class _Heard:
    """What a process has written so far, read as it comes."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream
        self._lines: list[str] = []
        self._is_over = False
        self._changed = threading.Condition()
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        with self._stream:
            for line in self._stream:
                with self._changed:
                    self._lines.append(line)
                    self._changed.notify_all()
        with self._changed:
            self._is_over = True
            self._changed.notify_all()

    @property
    def text(self) -> str:
        return "".join(self._lines)

    def wait_for(self, said: Callable[[str], bool], seconds: float = PATIENCE) -> bool:
        """Whether the text was such, at once or as soon as it is; False at its end, or too late."""
        with self._changed:
            self._changed.wait_for(lambda: said(self.text) or self._is_over, seconds)
            return said(self.text)

    def rest(self) -> None:
        """Wait for the end of it."""
        self.wait_for(lambda _: self._is_over)


class Daemon:
    """A running `reminderd run`, what it prints, and its log."""

    def __init__(self, command: list[str], folder: Path) -> None:
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(
            command, stdout=pipe, stderr=pipe, cwd=folder, text=True, encoding="utf-8"
        )
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        self._printed, self._logged = _Heard(self._process.stdout), _Heard(self._process.stderr)

    @property
    def number(self) -> int:
        """The id of the process."""
        return self._process.pid

    @property
    def log(self) -> str:
        return self._logged.text

    def logs(self, text: str, *, times: int = 1, seconds: float = PATIENCE) -> None:
        """Wait until the log has said so that often."""
        assert self._logged.wait_for(lambda log: log.count(text) >= times, seconds), self.log

    def told(self, count: int) -> list[dict[str, Any]]:
        """Wait for so many lines of JSON."""
        assert self._printed.wait_for(lambda text: text.count("\n") >= count), self.log
        return self.lines

    @property
    def lines(self) -> list[dict[str, Any]]:
        """Every line of JSON that it has printed."""
        return [json.loads(line) for line in self._printed.text.splitlines()]

    def signal(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def ends(self) -> int:
        """Wait for its end, and the last that it said, and return the exit code."""
        code = self._process.wait(PATIENCE)
        self._printed.rest()
        self._logged.rest()
        return code

    def stop(self) -> int:
        self.signal(signal.SIGTERM)
        return self.ends()

    def end_by_force(self) -> None:
        if self._process.poll() is None:
            self._process.kill()
            self.ends()


class Clinic:
    """A folder with a configuration; by default messages go into files and nobody ever sleeps."""

    def __init__(
        self,
        folder: Path,
        *,
        sms: str = "file",
        email: str = "file",
        quiet: str = "00:00-00:00",
        more: str = "",
    ) -> None:
        self.folder = folder
        self.config = folder / "reminderd.toml"
        self.config.write_text(configuration(more, sms=sms, email=email, quiet=quiet))
        store.create(self.database)
        self._running: list[Daemon] = []

    @property
    def database(self) -> Path:
        return self.folder / "reminderd.db"

    def command(self, *words: str) -> list[str]:
        return [*COMMAND, "--config", str(self.config), *words]

    def types(self, *words: str, **how: Any) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self.command(*words), capture_output=True, text=True, timeout=60, cwd=self.folder, **how
        )

    def sends(self) -> None:
        """What is due now leaves, by a `run --once`."""
        done = self.types("run", "--once")
        assert done.returncode == 0, done.stderr

    def says(self, *words: str) -> str:
        """What a command that works prints; for what is around `run`, and so in this process."""
        done = CliRunner().invoke(app, ["--config", str(self.config), *words])
        assert done.exit_code == 0, done.output
        return done.stdout

    def data(self, *words: str) -> Any:
        return json.loads(self.says(*words, "--json"))

    def reminders(self, *words: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.data("reminder", "list", *words)["reminders"]
        return found

    def states(self) -> dict[str, str]:
        """State and reason by milestone; for a clinic with one session."""
        return {
            each["milestone"]: "/".join(filter(None, (each["state"], each["reason"])))
            for each in self.reminders()
        }

    def enrol(
        self, name: str = "Vera", *, channels: str = "sms", ago: float = 1, **more: str
    ) -> dict[str, Any]:
        """Take in somebody who was treated `ago` seconds ago."""
        given = {
            "given-name": name,
            "phone": "+34600000001",
            "email": f"{name.lower()}@example.org",
            "channels": channels,
            "consent": channels,
            "protocol": "mesotherapy",
            "at": long_ago(seconds=ago),
            **more,
        }
        words = [word for key, value in given.items() for word in (f"--{key}", value)]
        found: dict[str, Any] = self.data("enrol", *words)
        return found

    def runs(self, *words: str, prefix: tuple[str, ...] = ()) -> Daemon:
        """Start `reminderd run`."""
        daemon = Daemon([*prefix, *self.command("run", *words)], self.folder)
        self._running.append(daemon)
        return daemon

    def close(self) -> None:
        for each in self._running:
            each.end_by_force()


def footprint(folder: Path) -> dict[str, tuple[str, int]]:
    """What every file of the clinic holds and when it was last written."""
    return {
        str(each.relative_to(folder)): (
            sha256(each.read_bytes()).hexdigest(),
            each.stat().st_mtime_ns,
        )
        for each in folder.rglob("*")
        if each.is_file()
    }


def leaving(folder: Path, twilio: TwilioServer, smtp: SmtpServer, **how: Any) -> Clinic:
    """A clinic whose texts go to the one and whose mails to the other."""
    return Clinic(folder, sms="twilio", email="smtp", more=sending_to(twilio, smtp, **how))


def sending_to(twilio: TwilioServer, smtp: SmtpServer, **how: Any) -> str:
    """The sections of the configuration for these two; `how` is for the one of text messages."""
    sections = {"twilio": twilio.settings(**how), "smtp": smtp.settings()}
    return "".join(
        f"\n[transports.{name}]\n"
        + "".join(f"{k} = {json.dumps(v)}\n" for k, v in settings.items() if v is not None)
        for name, settings in sections.items()
    )


def environment(**more: str) -> dict[str, str]:
    return {**os.environ, **more}
