"""What `doctor` looks at: the machine that reminderd runs on, and the state of its files."""

import platform
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import tzdata

from reminderd import __version__, bootstrap
from reminderd.findings import Finding, fine, note, problem
from reminderd.private_files import private
from reminderd.settings import MASK, Settings

MACHINE_ZONES = Path("/usr/share/zoneinfo/tzdata.zi")


def examine(settings: Settings | None, now: datetime) -> Iterator[Finding]:
    """Versions and clock, and, where there is a configuration, its files and the database."""
    engine = bootstrap.engine(settings)
    yield fine("reminderd", __version__)
    yield fine("Python", platform.python_version())
    yield engine.software()
    yield _zones()
    files = [each for each in engine.files if each.exists()] if settings else []
    yield _clock(now, [Path(__file__), *files])
    if settings is not None:
        yield from _secrets(settings)
        yield from engine.condition()


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
    origins = {each.origin for each in settings.show() if each.value == MASK}
    files = {Path(each.removeprefix("file ")) for each in origins if each.startswith("file ")}
    if any(each.startswith(f"{settings.path}:") for each in origins):
        files.add(settings.path)
    for file in sorted(files):
        yield private(file, "holds a secret")
