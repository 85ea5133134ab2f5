"""A clinic in a folder, and the real command in processes of its own."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

from reminderd.engines.embedded import store
from tests.configuration import configuration
from tests.fakes.smtp_server import SmtpServer
from tests.fakes.twilio_server import TwilioServer

SCRIPT = Path(sys.executable).with_name("reminderd")
COMMAND = [str(SCRIPT)] if SCRIPT.exists() else [sys.executable, "-m", "reminderd"]
ROOT = Path(__file__).parents[2]
DATA = ROOT / "tests" / "data"
PATIENCE = 20.0  # only what is broken takes this long


def until(condition: Callable[[], Any], what: str, seconds: float = PATIENCE) -> Any:
    """What the condition gives once it is true; AssertionError after `seconds`."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline, f"never came: {what}"
        time.sleep(0.01)
    return found


def long_ago(**span: float) -> str:
    """An instant that far back, as it is typed."""
    return (datetime.now(UTC) - timedelta(**span)).isoformat(timespec="seconds")


class Daemon:
    """A running `reminderd run` and its log."""

    def __init__(self, command: list[str], folder: Path) -> None:
        self.output = folder / "stdout.log"
        self.log_file = folder / "stderr.log"
        with self.output.open("wb") as output, self.log_file.open("wb") as log:
            self._process = subprocess.Popen(command, stdout=output, stderr=log, cwd=folder)

    @property
    def log(self) -> str:
        return self.log_file.read_text()

    def logs(self, text: str) -> None:
        """Wait until the log says so."""

        def said() -> bool:
            assert self._process.poll() is None or text in self.log, self.log
            return text in self.log

        until(said, text)

    def told(self, count: int) -> list[dict[str, Any]]:
        """Wait for so many lines of JSON."""

        until(lambda: len(self.lines) >= count, f"{count} lines; the log: {self.log}")
        return self.lines

    @property
    def lines(self) -> list[dict[str, Any]]:
        """Every whole line of JSON that it has printed."""
        text = self.output.read_text()
        return [json.loads(line) for line in text[: text.rfind("\n") + 1].splitlines()]

    def signal(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def ends(self) -> int:
        """Wait for its end and return the exit code."""
        return self._process.wait(PATIENCE)

    def stop(self) -> int:
        self.signal(signal.SIGTERM)
        return self.ends()

    def end_by_force(self) -> None:
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait(PATIENCE)


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

    def says(self, *words: str) -> str:
        done = self.types(*words)
        assert done.returncode == 0, done.stderr
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
        folder = self.folder / f"run-{len(self._running)}"
        folder.mkdir()
        daemon = Daemon([*prefix, *self.command("run", *words)], folder)
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
        if each.is_file() and not each.parent.name.startswith("run-")
    }


@contextmanager
def providers() -> Iterator[tuple[TwilioServer, SmtpServer]]:
    """A server that speaks Twilio's interface and a mail server, both on this machine."""
    with TwilioServer() as twilio, SmtpServer() as smtp:
        yield twilio, smtp


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
