"""`demo`: the main job on sample patients, in a temporary folder and in no time."""

import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import click

from reminderd import resources
from reminderd.cli.messages import Teller

if TYPE_CHECKING:
    from reminderd.bootstrap import House
    from reminderd.lanes import Delivery

START = datetime(2026, 3, 27, 7, tzinfo=UTC)
LENGTH = timedelta(days=21)


@click.command("demo")
def command() -> None:
    """See the main job on sample patients; nothing leaves the machine.

    The real import, planning, texts and loop on a database of its own and a virtual clock: three
    weeks after three treatments, across the night in which Europe's clocks change.
    """
    tell = Teller()
    with TemporaryDirectory(prefix="reminderd-demo-") as folder:
        house = _sample_house(Path(folder))
        try:
            sessions = _take_in(house)
            click.echo(f"{sessions} treatments on 27 March 2026. What goes out, and when:\n")
            _live_through(house, tell)
        finally:
            house.outbox.close()
    click.echo(f"{tell.summary()} in {LENGTH.days} days; none has left this machine.\n")
    click.echo(_NEXT)


_NEXT = """Next:
  reminderd plan mesotherapy --at 2026-03-27T14:30 --timezone Europe/Madrid   one plan, as a picture
  reminderd preview mesotherapy --language es                                 every text of it
  reminderd init my-clinic                                                    your own"""


def _sample_house(folder: Path) -> "House":
    """A house on the packaged configuration, all of it in `folder`."""
    from reminderd.bootstrap import engine, load_settings, open_house

    config = folder / "reminderd.toml"
    shutil.copyfile(resources.config_dir() / "reminderd.toml", config)
    settings = load_settings(config, {})
    engine(settings).prepare()
    return open_house(settings, durable=False)


def _take_in(house: "House") -> int:
    """Import the sample patients; returns how many sessions they have."""
    from reminderd import roster
    from reminderd.errors import FaultsFound

    file = resources.config_dir() / "demo-patients.csv"
    clinics, keys = house.practice.clinics, house.library.keys()
    listed = roster.read(file.read_bytes(), clinics, keys, START, file.name)
    if listed.faults:
        raise FaultsFound([f"{file}:{each.line}: {each.message}" for each in listed.faults])
    house.importer.store(house.importer.prepare(listed.entries, START), START)
    return len(listed.entries)


def _live_through(house: "House", observe: "Callable[[Delivery], None]") -> None:
    """Let the days pass; staff mark each treatment done when it is over."""
    from reminderd.clock import VirtualClock
    from reminderd.ids import public_id
    from reminderd.rehearsal import play

    clock = VirtualClock(START)
    for session in sorted(house.outbox.sessions(), key=lambda each: each.at):
        play(house, clock, session.at, observe)
        clock.move_to(session.at)
        house.intake.session_done(public_id("ses", session.id) or "", None, clock.now())
    play(house, clock, START + LENGTH, observe)
