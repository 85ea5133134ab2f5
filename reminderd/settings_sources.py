"""Where settings come from, strongest first: environment, systemd credential, KEY_file, TOML file.

Light on purpose: a command that only wants the database needs nothing heavier than this.
"""

import tomllib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any, get_origin

from reminderd.database_urls import (
    DEFAULT,
    checked,
    file_of,
    has_password,
    is_distributed,
    with_password,
)
from reminderd.errors import ConfigurationError, FaultsFound
from reminderd.faults import Fault, dotted, located, parse_toml
from reminderd.locate import KeyPath, lines
from reminderd.sealing import Seal, read_key

PLACES = (Path("config/reminderd.toml"), Path("/etc/reminderd/reminderd.toml"))
SECTIONS = (
    "clinics", "database", "channels", "transports", "web", "sending", "sessions", "alerts",
)  # fmt: skip
_PREFIX = "REMINDERD_"
_FILE = "_file"
_URL: KeyPath = ("database", "url")


@dataclass
class Raw:
    """Everything given, merged but not yet checked.

    `origins` says where a value comes from if not from the TOML file at `path`.
    """

    path: Path
    text: str
    data: dict[str, Any]
    origins: dict[KeyPath, str] = field(default_factory=dict)

    @property
    def folder(self) -> Path:
        """What relative paths in the configuration are relative to."""
        return self.path.absolute().parent

    def table(self, path: KeyPath) -> dict[str, Any]:
        """The table at `path`; an empty one where there is none."""
        found: Any = self.data
        for step in path:
            found = found.get(step) if isinstance(found, dict) else None
        return found if isinstance(found, dict) else {}

    def put(self, steps: list[str], value: str, origin: str) -> None:
        """Set a value that outranks the file; `_` in a step also stands for `-` in a known name."""
        table, path = self.data, []
        for step in steps:
            matching = (key for key in table if key.replace("-", "_").lower() == step)
            path.append(next(matching, step))
            if len(path) < len(steps):
                table = table.setdefault(path[-1], {})
                if not isinstance(table, dict):
                    return  # the file has something else there, which is a fault of its own
        table[path[-1]] = value
        self.origins[tuple(path)] = origin

    def open_files(self, at: KeyPath, known: Collection[str]) -> list[Fault]:
        """Put what a KEY_file holds in place of it, for the `known` keys of the table at `at`."""
        faults: list[Fault] = []
        table = self.table(at)
        for name in [each for each in table if each.endswith(_FILE) and each not in known]:
            key = name.removesuffix(_FILE)
            if key not in known:
                continue
            file = table.pop(name)
            if (*at, key) not in self.origins:  # else it was given by something stronger
                try:
                    table[key] = self._secret(file)
                    self.origins[*at, key] = f"file {self.folder / file}"
                except (OSError, ValueError) as error:
                    table[key] = "?"  # so that nothing else is said to miss it
                    reason = getattr(error, "strerror", None) or str(error)
                    faults.append(Fault((*at, name), f"cannot be used: {reason}"))
        return faults

    def _secret(self, file: object) -> str:
        if not isinstance(file, str):
            raise ValueError("it must be the path of a file, in quotes")
        text = (self.folder / file).read_text(encoding="utf-8").strip()
        if not text:
            raise ValueError("the file is empty")
        return text

    def origin(self, path: KeyPath) -> str:
        """Where the value at `path` comes from, for `config show --origin`."""
        if path in self.origins:
            return self.origins[path]
        line = lines(self.text).get(path)
        return "default" if line is None else f"{self.path}:{line}"

    def refuse(self, faults: list[Fault]) -> ConfigurationError:
        """The error to raise: every fault with its place, be it in the file or beside it."""
        written = lines(self.text)
        in_file: list[Fault] = []
        beside: list[str] = []
        for fault in faults:
            origin = self._beside(fault.path, written)
            if origin is None:
                in_file.append(fault)
            else:
                beside.append(f"{origin}: {dotted(fault.path)}: {fault.message}")
        found = located(self.text, str(self.path), in_file) + sorted(set(beside))
        return ConfigurationError(
            found, remedy="`reminderd config schema` prints what a configuration may say"
        )

    def _beside(self, path: KeyPath, written: Collection[KeyPath]) -> str | None:
        """The origin of a value, or of a table of which the file knows nothing."""
        if path in self.origins or path in written:
            return self.origins.get(path)
        within = (name for at, name in self.origins.items() if path and at[: len(path)] == path)
        return next(within, None)


def find(path: Path | None, environ: Mapping[str, str]) -> Path:
    """The configuration that counts: `path`, else $REMINDERD_CONFIG, else the usual places.

    Raises ConfigurationError where there is none.
    """
    named = path or (Path(environ["REMINDERD_CONFIG"]) if environ.get("REMINDERD_CONFIG") else None)
    for place in (named,) if named else PLACES:
        if place.is_file():
            return place
    looked = str(named) if named else " and ".join(map(str, PLACES))
    raise ConfigurationError(
        [f"there is no configuration at {looked}"],
        remedy="run `reminderd init` to write one, or name one with --config",
    )


def raw(path: Path | None, environ: Mapping[str, str]) -> Raw:
    """Find the configuration and merge what outranks it; nothing but its syntax is checked.

    Raises ConfigurationError.
    """
    path = find(path, environ)
    try:
        text = path.read_bytes().decode().removeprefix("\ufeff")
        given = Raw(path, text, parse_toml(text, str(path)))
        overlays = [*_credentials(environ), *_environment(environ)]
    except FaultsFound as error:
        raise ConfigurationError(error.faults) from error
    except UnicodeDecodeError as error:
        raise ConfigurationError([f"{path}:1: is not UTF-8 text"]) from error
    except OSError as error:
        raise ConfigurationError([f"{error.filename}: cannot be read: {error.strerror}"]) from error
    for steps, value, origin in overlays:
        given.put(steps, value, origin)
    return given


def _credentials(environ: Mapping[str, str]) -> Iterator[tuple[list[str], str, str]]:
    folder = environ.get("CREDENTIALS_DIRECTORY")
    if folder and Path(folder).is_dir():
        for file in sorted(Path(folder).iterdir()):
            steps = file.name.split(".")
            if len(steps) > 1 and steps[0] in SECTIONS:
                value = file.read_text(encoding="utf-8").strip()
                yield steps, value, f"credential {file.name}"


def _environment(environ: Mapping[str, str]) -> Iterator[tuple[list[str], str, str]]:
    for name in sorted(environ):
        if name.startswith(_PREFIX):
            steps = name.removeprefix(_PREFIX).lower().split("__")
            if len(steps) > 1:
                yield steps, environ[name], f"environment {name}"
            elif steps[0].split("_")[0] in SECTIONS:
                advice = f"two underscores part section and key, as in {_PREFIX}DATABASE__URL"
                raise FaultsFound([f"environment {name}: is not a setting; {advice}"])


def database_url(given: Raw) -> str:
    """Where the database is, with its password if one is configured.

    Raises ConfigurationError, also where a package that PostgreSQL needs is missing.
    """
    at: KeyPath = ("database",)
    faults = given.open_files(at, ("url", "password"))
    try:
        url = checked(given.table(at).get("url", DEFAULT))
    except ValueError as error:
        raise given.refuse(faults or [Fault((*at, "url"), str(error))]) from None
    if not is_distributed(url):
        return url
    faults += password_faults(given)
    if faults:
        raise given.refuse(faults)
    need_packages(f"{given.origin(_URL)}: {dotted(_URL)}")
    password = given.table(at).get("password")
    return url if password is None else with_password(url, password)


def password_faults(given: Raw) -> Iterator[Fault]:
    """A password that is no text, or that the URL of the database holds already."""
    table = given.table(("database",))
    password, url = table.get("password"), table.get("url")
    if password is not None and not isinstance(password, str):
        yield Fault(("database", "password"), "must be text in quotes")
    elif password is not None and isinstance(url, str) and has_password(url):
        yield Fault(("database", "password"), "stands in url already: give it once")


def need_packages(wanted_by: str) -> None:
    """Raises ConfigurationError where a package that PostgreSQL needs is missing."""
    if any(find_spec(name) is None for name in ("procrastinate", "psycopg", "psycopg_pool")):
        raise ConfigurationError(
            [f"{wanted_by}: PostgreSQL needs packages that are not installed"],
            remedy="Install them: pip install 'reminderd[postgres]'",
        )


def database_path(given: Raw) -> Path:
    """The file of the embedded database; raises ConfigurationError where PostgreSQL is used."""
    url = database_url(given)
    if is_distributed(url):
        raise ConfigurationError(
            [
                f"{given.origin(_URL)}: {dotted(_URL)}: names a PostgreSQL database, and what you "
                "ask for is done with the file of an SQLite one"
            ],
            remedy="Use PostgreSQL's own tools for that",
        )
    return file_of(url, given.folder)


def database_seal(given: Raw) -> Seal | None:
    """What seals the database, where a key is configured; raises ConfigurationError."""
    path = ("database", "encryption_key")
    faults = given.open_files(path[:1], path[1:])
    key = given.table(path[:1]).get(path[1])
    if key is None:
        return None
    try:
        return Seal(read_key(str(key)), given.origin(path))
    except ValueError as error:
        raise given.refuse(faults or [Fault(path, str(error))]) from None


def as_typed(text: str, wanted: object) -> Any:
    """A number, a truth value, or a list by its words, for text from beside the file, where that is
    `wanted`."""
    if get_origin(wanted) is list:
        return text.split()
    if wanted in (bool, int, float):
        try:
            return tomllib.loads(f"value = {text.strip()}")["value"]
        except ValueError:
            pass  # stays text, and is refused as such with its origin
    return text
