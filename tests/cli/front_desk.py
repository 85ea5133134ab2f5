"""A clinic of its own in a folder, and its command line at an instant of the test's choice."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from shutil import copytree
from typing import Any

from click.testing import CliRunner, Result

from reminderd import bootstrap
from reminderd.cli.app import app
from reminderd.cli.context import Desk
from reminderd.clock import VirtualClock
from reminderd.engines.embedded import store
from tests.configuration import SMTP, configuration

NOW = datetime(2026, 3, 27, 9, 0, tzinfo=UTC)  # Friday, 10:00 in Madrid
DATA = Path(__file__).parents[1] / "data"

VERA = (
    "--given-name", "Vera", "--family-name", "Verano", "--phone", "612 345 678",
    "--email", "vera@example.org", "--consent", "sms,email", "--ref", "A-1",
)  # fmt: skip
CARE = ("--protocol", "mesotherapy")
PATIENT_KEYS = [
    "id", "ref", "given_name", "family_name", "phone", "email", "timezone", "language", "channels",
    "consent", "clinic",
]  # fmt: skip


class FrontDesk:
    """Runs commands; `now` is when."""

    def __init__(self, folder: Path, *, email: str = "file") -> None:
        self.config = folder / "reminderd.toml"
        self.config.write_text(configuration(SMTP, sms="file", email=email), encoding="utf-8")
        self.database = folder / "reminderd.db"
        store.create(self.database)

    def run(self, *arguments: str, now: datetime = NOW, typed: str = "") -> Result:
        command = ["--config", str(self.config), *arguments]
        return CliRunner().invoke(app, command, obj=Desk(VirtualClock(now)), input=typed)

    def do(self, *arguments: str, now: datetime = NOW) -> str:
        """What the command printed; it has to succeed."""
        done = self.run(*arguments, now=now)
        assert done.exit_code == 0, done.output
        return done.stdout

    def json(self, *arguments: str, now: datetime = NOW) -> Any:
        return json.loads(self.do(*arguments, "--json", now=now))

    def send(self, now: datetime = NOW) -> None:
        """Send what is due, as the daemon does."""
        settings = bootstrap.load_settings(self.config, {})
        house = bootstrap.open_house(settings)
        dispatch = house.dispatch(VirtualClock(now), bootstrap.build_transports(settings))
        while dispatch.drain(now).more:
            pass
        dispatch.close()
        house.outbox.close()

    def is_empty(self) -> bool:
        """Whether nothing was stored."""
        return self.json("patient", "list") == {"patients": []}


def told_before(
    story: Callable[[FrontDesk], None], folder: Path, *, email: str = "file"
) -> FrontDesk:
    """A desk in this folder at which the story has been told: once, and copied for whoever asks."""
    kept = folder.parent / f"{story.__module__}.{story.__name__}"
    if not kept.exists():
        draft = kept.with_suffix(".draft")
        draft.mkdir()
        story(FrontDesk(draft, email=email))
        draft.rename(kept)
    copytree(kept, folder, dirs_exist_ok=True)
    return FrontDesk(folder, email=email)
