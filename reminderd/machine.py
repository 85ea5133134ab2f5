"""What `doctor` looks at: the machine that reminderd runs on, and the state of its files."""

import platform
import shutil
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import tzdata

from reminderd import __version__
from reminderd.engines.embedded import connection, schema
from reminderd.engines.embedded.fitting import refuse_unfit_file
from reminderd.engines.embedded.lock import only_daemon
from reminderd.errors import ReminderdError, TryAgainLater
from reminderd.findings import Finding, fine, note, problem
from reminderd.settings import MASK, Settings

ENOUGH_SPACE = 500_000_000  # bytes
MACHINE_ZONES = Path("/usr/share/zoneinfo/tzdata.zi")


def examine(settings: Settings | None, now: datetime) -> Iterator[Finding]:
    """Versions and clock, and, where there is a configuration, its files and the database."""
    yield from _versions()
    yield _zones()
    database = [settings.database] if settings and settings.database.exists() else []
    yield _clock(now, [Path(__file__), *database])
    if settings is None:
        return
    yield from _secrets(settings)
    if not database:
        yield problem("database", f"{settings.database} does not exist", "Run: reminderd init")
        return
    yield _daemon(settings.database)  # before any connection: see `only_daemon`
    yield from _database(settings)
    yield _space(settings.database.parent)


def _versions() -> Iterator[Finding]:
    yield fine("reminderd", __version__)
    yield fine("Python", platform.python_version())
    version, journal = connection.sqlite_version(), connection.journal_mode()
    if connection.wal_is_safe():
        yield fine("SQLite", f"{version}, journal {journal}")
    else:
        yield note(
            "SQLite",
            f"{version}, journal {journal}: this version can lose what was committed in WAL mode, "
            "so a slower, safe journal is used",
            "Install the package pysqlite3, or SQLite 3.51.3 or later.",
        )


def _zones() -> Finding:
    packaged, machine = tzdata.IANA_VERSION, _machine_zones()
    if machine in (None, packaged):
        return fine("time zones", packaged)
    return note(
        "time zones",
        f"reminderd plans by {packaged}, this machine has {machine}",
        "If the machine's is newer, upgrade the package tzdata; reminderd plans again by itself.",
    )


def _machine_zones() -> str | None:
    try:
        with MACHINE_ZONES.open(encoding="utf-8") as file:
            return file.readline().removeprefix("# version ").strip()
    except OSError:
        return None


def _clock(now: datetime, files: Iterable[Path]) -> Finding:
    """A clock that is behind the last change of a file has gone wrong."""
    file = max(files, key=lambda each: each.stat().st_mtime)
    changed_at = datetime.fromtimestamp(file.stat().st_mtime, UTC)
    if now < changed_at - timedelta(minutes=1):
        return problem(
            "clock",
            f"it says {now:%Y-%m-%d %H:%M}Z, {file} was changed at {changed_at:%Y-%m-%d %H:%M}Z",
            "Set the clock, and keep it set by NTP.",
        )
    return fine("clock", f"{now:%Y-%m-%d %H:%M}Z, not before the last change of {file.name}")


def _secrets(settings: Settings) -> Iterator[Finding]:
    """Files that hold secrets, by the origin of each masked setting."""
    origins = {each.origin for each in settings.show() if MASK in str(each.value)}
    files = {Path(each.removeprefix("file ")) for each in origins if each.startswith("file ")}
    if any(each.startswith(f"{settings.path}:") for each in origins):
        files.add(settings.path)
    for file in sorted(files):
        yield _private(file, "holds a secret")


def _private(path: Path, why: str) -> Finding:
    found = path.stat().st_mode & 0o777
    if found & 0o077:
        return problem(
            "permissions",
            f"{path} {why} and is open to others (mode {found:04o})",
            f"Close it: chmod 0600 {path}",
        )
    return fine("permissions", f"{path} is closed to others")


def _daemon(database: Path) -> Finding:
    try:
        with only_daemon(database):
            return note("daemon", "is not running", "Start it: reminderd run")
    except TryAgainLater:
        return fine("daemon", "is running")
    except OSError as error:
        return problem("daemon", f"cannot be looked for: {error.strerror}: {database}")


def _database(settings: Settings) -> Iterator[Finding]:
    path = settings.database
    try:
        opened = connection.connect(path, read_only=True)
    except ReminderdError as error:
        yield problem("database", error.message, error.remedy)
        return
    try:
        verdict = [row[0] for row in opened.execute("PRAGMA integrity_check").fetchall()]
        version = opened.execute("PRAGMA user_version").fetchone()[0]
        journal = opened.execute("PRAGMA journal_mode").fetchone()[0]
    except connection.DatabaseError as error:
        yield problem("database", f"{path} cannot be read: {error}", "Restore a backup.")
        return
    finally:
        opened.close()
    if verdict != ["ok"]:
        yield problem("database", f"{path} is damaged: {verdict[0]}", "Restore a backup.")
    if version != schema.VERSION:
        yield problem(
            "database",
            f"{path} has schema {version}, not {schema.VERSION}",
            "Run: reminderd db migrate",
        )
    size = path.stat().st_size / 1e6
    yield fine("database", f"{path}, {size:.1f} MB, schema {version}, journal {journal}")
    yield _private(path, "holds patients' data")
    if path.parent.stat().st_mode & 0o077:
        yield note("permissions", f"others can look into {path.parent}; chmod 0700 closes it")
    yield from _encryption(settings)


def _encryption(settings: Settings) -> Iterator[Finding]:
    """Whether the database is encrypted with just the key that is configured, if one is."""
    try:
        refuse_unfit_file(settings.database, settings.seal)
    except ReminderdError as error:
        yield problem("encryption", error.message, error.remedy)
    else:
        if settings.seal is not None:
            yield fine("encryption", f"by the key {settings.seal.key_id}")


def _space(folder: Path) -> Finding:
    free = shutil.disk_usage(folder).free
    said = f"{free / 1e9:.1f} GB free in {folder}"
    if free < ENOUGH_SPACE:
        return problem("disk", said, "Make room: without it nothing can be recorded.")
    return fine("disk", said)
