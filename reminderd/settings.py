"""The configuration, checked as a whole: every mistake at once, each with its place.

`raw`, `database_url` and `database_path` are the cheap way in for commands that need nothing but
the database.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from reminderd import database_urls
from reminderd.database_urls import MASK
from reminderd.emergency_numbers import emergency_number
from reminderd.errors import NotFound, shown
from reminderd.faults import Fault, did_you_mean, dotted, from_validation, keys_at, type_at
from reminderd.faults import unknown_key as unknown
from reminderd.locate import KeyPath
from reminderd.model import SLUG, Channel, Clinic, QuietHours
from reminderd.sealing import Seal
from reminderd.settings_sources import (
    Raw,
    as_typed,
    database_path,
    database_seal,
    database_url,
    find,
    password_faults,
    raw,
)

if TYPE_CHECKING:
    from pydantic import BaseModel

    from reminderd.settings_format import SettingsFormat

    Models = Mapping[str, type[BaseModel]]

__all__ = [
    "MASK", "Raw", "Settings", "Shown", "database_path", "database_url", "find", "json_schema",
    "load", "raw",
]  # fmt: skip

_SECRET = re.compile(r"token|password|secret|credential|(^|_)key$|(^|_)notify$")


class Shown(NamedTuple):
    """One setting as `config show` prints it, secrets masked."""

    path: str
    value: Any
    origin: str


@dataclass(frozen=True)
class Settings:
    """A configuration that holds no mistake.

    `transports` has the validated settings of every transport that is named or has a section.
    """

    given: Raw
    sections: "SettingsFormat"
    transports: "Mapping[str, BaseModel]"

    @property
    def path(self) -> Path:
        """The configuration file."""
        return self.given.path

    @property
    def folder(self) -> Path:
        """Its folder, in which the clinic's own protocols and templates are looked for first."""
        return self.given.folder

    @property
    def is_distributed(self) -> bool:
        """Whether the database is PostgreSQL, which many machines may share."""
        return database_urls.is_distributed(self.sections.database.url)

    @property
    def database(self) -> Path:
        """The file of the embedded database.

        Raises ConfigurationError where the database is PostgreSQL.
        """
        return database_path(self.given)

    @property
    def database_url(self) -> str:
        """Where the database is, password included: for connecting, never for showing.

        Raises ConfigurationError where it is PostgreSQL and a package for it is missing.
        """
        return database_url(self.given)

    @property
    def database_shown(self) -> str:
        """Which database it is, for people and logs: the file, or the name and its host."""
        if self.is_distributed:
            return database_urls.shown(self.sections.database.url)
        return str(self.database)

    @property
    def seal(self) -> Seal | None:
        """What seals the database, where a key is configured.

        Raises ConfigurationError where the package that does it is missing.
        """
        return database_seal(self.given)

    @property
    def clinic_keys(self) -> list[str]:
        """The short names of the clinics, in the order of the file."""
        return list(self.sections.clinics)

    def clinic(self, key: str, leaves_machine: Callable[[str], bool]) -> Clinic:
        """The clinic of that name; `leaves_machine` tells it of a transport. Raises NotFound."""
        section = self.sections.clinics.get(key)
        if section is None:
            hint = did_you_mean(key, self.clinic_keys)
            raise NotFound(f"there is no clinic {shown(key)} in {self.path}{hint}")
        serving = {channel: self.transport_for(key, channel) for channel in Channel}
        leaving = [each for each, name in serving.items() if name and leaves_machine(name)]
        return Clinic(
            key=key,
            name=section.name,
            phone=section.phone,
            timezone=section.timezone,
            country=section.country,
            language=section.language,
            quiet_hours=QuietHours.parse(section.quiet_hours),
            leaving=frozenset(leaving),
            confirms=self.sections.sessions.confirm,
            emergency_phone=section.emergency_phone or emergency_number(section.country),
        )

    def transport_for(self, clinic_key: str, channel: Channel) -> str | None:
        """The transport that serves a channel for a clinic: its own choice, else the common one."""
        own: str | None = getattr(self.sections.clinics[clinic_key].channels, channel)
        common: str | None = getattr(self.sections.channels, channel)
        return own or common

    def origin(self, path: KeyPath) -> str:
        """Where a value comes from: `file:line`, `environment …`, `credential …`, `default`."""
        return self.given.origin(path)

    def show(self) -> list[Shown]:
        """Every setting in force with its origin, secrets masked."""
        data = self.sections.model_dump(mode="json", exclude={"transports"})
        data["transports"] = {
            name: each.model_dump(mode="json", by_alias=True)
            for name, each in self.transports.items()
        }
        return [
            Shown(dotted(path), _masked(path, value), self.origin(path))
            for path, value in _leaves(data)
        ]


def load(path: Path | None, environ: Mapping[str, str], transport_models: "Models") -> Settings:
    """Find, merge and check the configuration; `transport_models` maps every transport there is
    to the model of its section.

    Raises ConfigurationError with every mistake as `file:line: path: what is wrong`.
    """
    from pydantic import ValidationError

    from reminderd.settings_format import SettingsFormat

    given = raw(path, environ)
    faults = _prepare(given, transport_models)
    # An unread KEY_file has been reported once: no more about its KEY.
    unread = {(*each.path[:-1], str(each.path[-1]).removesuffix("_file")) for each in faults}
    faults += _clinic_faults(given)
    faults += _alert_faults(given)
    faults += password_faults(given)
    transports, transport_faults = _transports(given, transport_models)
    faults += transport_faults
    try:
        sections = SettingsFormat.model_validate(given.data)
    except ValidationError as error:
        faults += from_validation(error, SettingsFormat)
    faults = [_with_advice(fault) for fault in faults if fault.path not in unread]
    if faults:
        raise given.refuse(faults)
    return Settings(given, sections, transports)


def _model_for(path: KeyPath, models: "Models") -> "tuple[type[BaseModel] | None, KeyPath]":
    """The model that speaks for `path`, and what of the path it knows."""
    from reminderd.settings_format import SettingsFormat

    if path[:1] == ("transports",) and len(path) > 1:
        return models.get(str(path[1])), path[2:]
    return SettingsFormat, path


def _prepare(given: Raw, models: "Models") -> list[Fault]:
    """Open every KEY_file, give text from beside the file its type, and make paths absolute."""
    faults: list[Fault] = []
    for at in list(_tables(given.data)):
        model, within = _model_for(at, models)
        if model is None:
            continue
        faults += given.open_files(at, keys_at(model, within))
        table = given.table(at)
        for key, value in table.items():
            wanted = type_at(model, (*within, key))
            if isinstance(value, str) and wanted is Path:
                table[key] = given.folder / value
            elif isinstance(value, str) and (*at, key) in given.origins:
                table[key] = as_typed(value, wanted)
    return faults


def _tables(table: Mapping[str, Any], at: KeyPath = ()) -> Iterator[KeyPath]:
    yield at
    for key, value in table.items():
        if isinstance(value, dict):
            yield from _tables(value, (*at, key))


def _clinic_faults(given: Raw) -> Iterator[Fault]:
    """What no single value shows: a clinic's short name, and its phone in its country."""
    from reminderd.settings_format import phone_fault

    for key, clinic in given.table(("clinics",)).items():
        if not SLUG.fullmatch(key):
            message = "must be named with lower-case words joined by hyphens"
            yield Fault(("clinics", key), message)
        if isinstance(clinic, dict):
            phone, country = clinic.get("phone"), clinic.get("country")
            if isinstance(phone, str) and isinstance(country, str):
                wrong = phone_fault(phone, country)
                if wrong:
                    yield Fault(("clinics", key, "phone"), wrong)


def _alert_faults(given: Raw) -> Iterator[Fault]:
    """Mailboxes need a transport that carries mail, and a digest needs a mailbox."""
    alerts, clinics = given.table(("alerts",)), list(given.table(("clinics",)))
    own = given.table(("clinics", *clinics[:1], "channels"))
    if not own.get("email") and not given.table(("channels",)).get("email"):
        for key in ("to", "second"):
            if alerts.get(key):
                yield Fault(("alerts", key), "needs a transport for mail: [channels] email = …")
    if alerts.get("digest_at") and not alerts.get("to"):
        yield Fault(("alerts", "digest_at"), "goes to nobody: name mailboxes in `to`")


def _named(given: Raw) -> dict[str, KeyPath]:
    """Every transport that serves a channel, with the first place that names it."""
    places: list[KeyPath] = [("channels",)]
    places += [("clinics", key, "channels") for key in given.table(("clinics",))]
    named: dict[str, KeyPath] = {}
    for place in places:
        for channel, name in given.table(place).items():
            if isinstance(name, str):
                named.setdefault(name, (*place, channel))
    return named


def _transports(given: Raw, models: "Models") -> "tuple[dict[str, BaseModel], list[Fault]]":
    from pydantic import ValidationError

    named = _named(given)
    sections = given.table(("transports",))
    checked: dict[str, BaseModel] = {}
    faults: list[Fault] = []
    for name, place in {**{key: ("transports", key) for key in sections}, **named}.items():
        at = ("transports", name)
        if name not in models:
            hint = did_you_mean(name, models) or f"; there are {', '.join(sorted(models))}"
            faults.append(Fault(place, f'there is no transport "{name}"{hint}'))
        elif isinstance(sections.get(name, {}), dict):
            section = sections.get(name, {})
            faults += _unnoticed_keys(section, models[name], at)
            try:
                # Strict, yet text becomes what it stands for: a path, a secret, a choice.
                checked[name] = models[name].model_validate_json(
                    json.dumps(section, default=str), strict=True
                )
            except ValidationError as error:
                found = list(from_validation(error, models[name], at))
                faults += found if name in sections else [_no_section(name, place, found)]
    return checked, faults


def _unnoticed_keys(
    section: Mapping[str, Any], model: "type[BaseModel]", at: KeyPath
) -> Iterator[Fault]:
    """Unknown keys that a transport's model would let pass."""
    if model.model_config.get("extra", "ignore") == "ignore":
        known = keys_at(model, ())
        for key in section.keys() - set(known):
            yield Fault((*at, key), unknown(key, known))


def _no_section(name: str, place: KeyPath, found: list[Fault]) -> Fault:
    keys = ", ".join(str(each.path[-1]) for each in found if len(each.path) > 2)
    wanted = f" with {keys}" if keys else ""
    return Fault(place, f'"{name}" needs a section [transports.{name}]{wanted}')


def _with_advice(fault: Fault) -> Fault:
    """Tell whoever misses a secret how to give one without writing it into this file."""
    key = str(fault.path[-1]) if fault.path else ""
    if fault.message != "is required" or not _SECRET.search(key):
        return fault
    name = "__".join(str(step) for step in fault.path).replace("-", "_").upper()
    return Fault(fault.path, f"is required; or give {key}_file, or the variable REMINDERD_{name}")


def _leaves(table: Mapping[str, Any], at: KeyPath = ()) -> Iterator[tuple[KeyPath, Any]]:
    for key, value in table.items():
        if isinstance(value, dict) and value:
            yield from _leaves(value, (*at, key))
        else:
            yield (*at, key), value


def _masked(path: KeyPath, value: Any) -> Any:
    if path == ("database", "url"):
        return database_urls.masked(value)
    return MASK if value and _SECRET.search(str(path[-1])) else value


def json_schema(transport_models: "Models") -> dict[str, Any]:
    """The JSON Schema of the configuration file, for editors; KEY_file may stand for any KEY."""
    from reminderd.settings_format import SettingsFormat

    schema = SettingsFormat.model_json_schema()
    sections = {name: model.model_json_schema() for name, model in sorted(transport_models.items())}
    schema["properties"]["transports"] |= {"properties": sections}
    for table in (*schema["$defs"].values(), *sections.values()):
        table["patternProperties"] = {"_file$": {"type": "string"}}
        table.pop("required", None)  # it may come from the environment
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
