"""The one place that chooses and wires, from the settings to a house in which all have a room."""

import getpass
import os
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path
from typing import Any

from reminderd import engines, resources, settings, transports
from reminderd.answering import Answers
from reminderd.check_ins import CheckIns
from reminderd.clock import Clock
from reminderd.dispatch import Dispatch
from reminderd.engine import Engine
from reminderd.errors import ConfigurationError, FaultsFound
from reminderd.importing import Importer
from reminderd.incidents import Incidents
from reminderd.intake import Intake
from reminderd.interfaces import Outbox, Receiver, Transport
from reminderd.lanes import Delivery, Means
from reminderd.migrating import Migrator
from reminderd.model import Channel, Clinic
from reminderd.practice import Practice, Route
from reminderd.protocols import ProtocolLibrary
from reminderd.render import Renderer
from reminderd.replies import files as reply_files
from reminderd.replies.words import ReplyRules
from reminderd.settings import Settings
from reminderd.signatures import Signatures
from reminderd.triage import Triage
from reminderd.wishes import Wishes


@dataclass(frozen=True)
class House:
    """Everything that the commands and the daemon work with."""

    settings: Settings
    practice: Practice
    library: ProtocolLibrary
    renderer: Renderer
    engine: Engine
    outbox: Outbox
    intake: Intake

    @property
    def importer(self) -> Importer:
        return Importer(self.outbox, self.practice, self.library, self.intake)

    @property
    def migrator(self) -> Migrator:
        return Migrator(self.outbox, self.practice, self.intake)

    @property
    def wishes(self) -> Wishes:
        return Wishes(self.outbox, self.practice)

    @property
    def incidents(self) -> Incidents:
        return Incidents(self.outbox, self.practice)

    @property
    def signatures(self) -> Signatures:
        return Signatures(self.outbox, self.practice, self.library)

    @property
    def answers(self) -> Answers:
        numbers = [getattr(each, "from_", None) for each in self.settings.transports.values()]
        return Answers(self.outbox, self.practice, self.renderer, [*filter(None, numbers)])

    @property
    def decide(self) -> Triage:
        """Who says what is done about a reply."""
        return Triage(
            self.outbox,
            self.wishes,
            self.incidents,
            CheckIns(self.outbox, self.practice),
            self.answers,
            partial(reply_rules, self.settings.folder),
        )

    def dispatch(
        self,
        clock: Clock,
        serving: Mapping[str, Transport],
        *,
        observe: Callable[[Delivery], None] = lambda _: None,
        alive: Callable[[], None] = lambda: None,
        time_is_right: Callable[[], bool] = lambda: True,
        sharing: int = 1,
    ) -> Dispatch:
        """What sends, by these transports; `serving` is by the names that the settings use.

        So many dispatches, all of this process, are `sharing` what a transport may do side by side.
        """
        decide = self.decide
        means = Means(
            self.outbox,
            self.practice,
            self.renderer,
            clock,
            random.random,
            observe,
            alive,
            time_is_right,
            decide=decide,
            presses=decide.presses,
            sharing=sharing,
        )
        return Dispatch(means, serving)


@cache
def reply_rules(folder: Path) -> ReplyRules:
    """The clinic's own words for replies before the packaged ones; read once a process.

    Raises ConfigurationError with every mistake.
    """
    own, packaged = folder / "replies", resources.replies_dir()
    return _read_once((own, packaged) if any(own.glob("*.toml")) else (packaged,))


@cache
def _read_once(folders: tuple[Path, ...]) -> ReplyRules:
    try:
        return reply_files.load(folders)
    except FaultsFound as error:
        raise ConfigurationError(
            error.faults, remedy="Mend the file, or take it away: the packaged words count then."
        ) from error


def check_own_words(folder: Path) -> None:
    """Read the clinic's own words for replies, if it has any: mistakes show before a reply comes.

    Raises ConfigurationError. The packaged ones are tested, and take a moment to read.
    """
    if any((folder / "replies").glob("*.toml")):
        reply_rules(folder)


def load_settings(config: Path | None, environ: Mapping[str, str]) -> Settings:
    """The configuration, checked; raises ConfigurationError with every mistake."""
    return settings.load(config, environ, transport_models())


def transport_models() -> dict[str, Any]:
    """The pydantic model of every installed transport's section, by the transport's name."""
    return {name: transports.find(name).Settings for name in transports.names()}


def protocol_library(settings: Settings | None) -> ProtocolLibrary:
    """The clinic's own protocols before the packaged ones."""
    own = [settings.folder / "protocols"] if settings else []
    return ProtocolLibrary([*own, resources.protocols_dir()])


def renderer(settings: Settings | None) -> Renderer:
    """The clinic's own templates before the packaged ones, as they are now."""
    own = [settings.folder / "templates"] if settings else []
    return Renderer([*own, resources.templates_dir()])


def engine(settings: Settings | None) -> Engine:
    """The engine of the configured database; without settings the one that needs none."""
    return engines.configured(settings.given) if settings else engines.on_file(Path(), None)


def open_house(
    settings: Settings,
    *,
    database: Path | None = None,
    durable: bool = True,
    nothing_leaves: bool = False,
) -> House:
    """Wire everything on the configured database, or on `database`, a file of its kind.

    `nothing_leaves` is for houses whose transports stay on the machine whatever is configured.
    """
    chosen = engines.on_file(database, settings.seal) if database else engine(settings)
    read = renderer(settings)
    practice = _practice(settings, read, nothing_leaves)
    return _wired(settings, practice, read, chosen, chosen.open(durable=durable))


def house_on(settings: Settings, engine: Engine, outbox: Outbox) -> House:
    """Wire everything on an outbox that is open."""
    read = renderer(settings)
    practice = _practice(settings, read, nothing_leaves=False)
    return _wired(settings, practice, read, engine, outbox)


def _practice(settings: Settings, read: Renderer, nothing_leaves: bool) -> Practice:
    return Practice(
        _clinics(settings, nothing_leaves),
        _routes(settings),
        read.texts,
        settings.sections.sending.most_per_day,
        _unsubscribe_at(settings),
    )


def with_fresh_texts(house: House) -> House:
    """The same house with the templates as they are now."""
    read = renderer(house.settings)
    practice = replace(house.practice, texts=read.texts)
    return _wired(house.settings, practice, read, house.engine, house.outbox)


def _wired(
    settings: Settings, practice: Practice, read: Renderer, engine: Engine, outbox: Outbox
) -> House:
    library = protocol_library(settings)
    intake = Intake(outbox, practice, library, by=_login_name())
    return House(settings, practice, library, read, engine, outbox, intake)


def build_transports(settings: Settings) -> dict[str, Transport]:
    """Every transport that serves a channel of a clinic, ready to send."""
    names = sorted(set(_routes(settings).values()))
    return {name: build_transport(settings, name) for name in names}


def build_transport(settings: Settings, name: str) -> Transport:
    """One transport with its settings; its provider calls back where we can be reached."""
    make: Callable[..., Transport] = transports.find(name)
    transport = make(settings.transports[name])
    public_url = settings.sections.web.public_url
    if public_url is not None and isinstance(transport, Receiver):
        transport.be_called_at(f"{public_url}/hooks/{name}")
    return transport


def _unsubscribe_at(settings: Settings) -> str | None:
    """One click is for https alone (RFC 8058), and somebody has to listen."""
    web = settings.sections.web
    url = web.public_url or ""
    return f"{url}/unsubscribe" if web.listen and url.startswith("https:") else None


def _clinics(settings: Settings, nothing_leaves: bool) -> dict[str, Clinic]:
    def leaves(name: str) -> bool:
        return not nothing_leaves and transports.find(name).leaves_machine

    return {key: settings.clinic(key, leaves) for key in settings.clinic_keys}


def _routes(settings: Settings) -> dict[Route, str]:
    return {
        (key, channel): name
        for key in settings.clinic_keys
        for channel in Channel
        if (name := settings.transport_for(key, channel)) is not None
    }


def _login_name() -> str:
    """Who works at this machine, as far as it knows; for the record of who changed what."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a container may run under a number that has no name
        return f"user {os.getuid()}"
