"""What every command has at hand: the configuration, the wired house, the clock."""

import os
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reminderd.clock import Clock, SystemClock

if TYPE_CHECKING:
    from reminderd.bootstrap import House
    from reminderd.settings import Settings


class Desk:
    """Made once for each call; loads what a command asks for, and nothing before."""

    def __init__(self, clock: Clock | None = None) -> None:
        self.clock = clock or SystemClock()
        self.config_path: Path | None = None

    @cached_property
    def settings(self) -> "Settings":
        """The configuration; raises ConfigurationError with every mistake."""
        from reminderd.bootstrap import load_settings

        return load_settings(self.config_path, os.environ)

    @cached_property
    def settings_if_any(self) -> "Settings | None":
        """As `settings`; None where there is no configuration and none was named."""
        from reminderd.settings_sources import PLACES

        named = self.config_path or os.environ.get("REMINDERD_CONFIG")
        if named or any(place.is_file() for place in PLACES):
            return self.settings
        return None

    @property
    def timezone(self) -> str:
        """The zone of what is typed without an offset where no patient is meant."""
        return next(iter(self.settings.sections.clinics.values())).timezone

    @cached_property
    def house(self) -> "House":
        """Everything wired on the configured database; closed when the command ends."""
        from reminderd.bootstrap import open_house

        house = open_house(self.settings)
        click.get_current_context().call_on_close(house.outbox.close)
        return house


pass_desk = click.make_pass_decorator(Desk)
