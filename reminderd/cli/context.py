"""What every command has at hand: the configuration, the wired house, the clock."""

import os
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import click

from reminderd.clock import Clock, SystemClock

if TYPE_CHECKING:
    from reminderd.bootstrap import House
    from reminderd.engine import Engine
    from reminderd.model import CareProtocol, Clinic
    from reminderd.protocols import ProtocolLibrary
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
    def clinic_if_any(self) -> "Clinic | None":
        """The first clinic of the configuration, where there is one."""
        settings = self.settings_if_any
        return settings.clinic(settings.clinic_keys[0], lambda _: False) if settings else None

    @cached_property
    def library(self) -> "ProtocolLibrary":
        """The clinic's own protocols, if any, before the packaged ones."""
        from reminderd.bootstrap import protocol_library

        return protocol_library(self.settings_if_any)

    def protocol(self, name: str) -> "CareProtocol":
        """The protocol in the file `name`, or of that key.

        Raises NotFound, and ConfigurationError with every mistake where its file cannot be used.
        """
        from reminderd.errors import ConfigurationError, FaultsFound

        try:
            return self.library.find(name).protocol
        except FaultsFound as error:
            raise ConfigurationError(error.faults, remedy=error.remedy) from error

    def protocol_key(self, key: str) -> str:
        """The key, of a protocol that has reminders or a file; NotFound where there is neither."""
        from reminderd.interfaces import ReminderFilter

        if not self.house.outbox.count_reminders(ReminderFilter(protocol=key)):
            self.library.path(key)
        return key

    @property
    def timezone(self) -> str:
        """The zone of what is typed without an offset where no patient is meant."""
        return next(iter(self.settings.sections.clinics.values())).timezone

    @property
    def house_if_any(self) -> "House | None":
        """As `house`; None where nothing is configured or there is no database yet."""
        return self.house if self.settings_if_any and self.engine.exists() else None

    @cached_property
    def engine(self) -> "Engine":
        """The engine of the configured database."""
        from reminderd.bootstrap import engine

        return engine(self.settings)

    @cached_property
    def house(self) -> "House":
        """Everything wired on the configured database; closed when the command ends."""
        from reminderd.bootstrap import open_house

        house = open_house(self.settings)
        click.get_current_context().call_on_close(house.outbox.close)
        return house


pass_desk = click.make_pass_decorator(Desk)
