"""What `doctor` says of the embedded engine: library, daemon, file, key, room on the disk."""

import shutil
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from reminderd.engines.embedded import connection, schema
from reminderd.engines.embedded.fitting import refuse_unfit_file
from reminderd.engines.embedded.lock import only_daemon
from reminderd.errors import ReminderdError, TryAgainLater
from reminderd.findings import Finding, fine, note, problem
from reminderd.private_files import private
from reminderd.sealing import Seal

ENOUGH_SPACE = 500_000_000  # bytes


def software() -> Finding:
    """Which SQLite, and whether its fast journal is safe."""
    version, journal = connection.sqlite_version(), connection.journal_mode()
    if connection.wal_is_safe():
        return fine("SQLite", f"{version}, journal {journal}")
    return note(
        "SQLite",
        f"{version}, journal {journal}: this version can lose what was committed in WAL mode, "
        "so a slower, safe journal is used",
        "Install the package pysqlite3, or SQLite 3.51.3 or later.",
    )


def findings(path: Path, seal: Seal | None) -> Iterator[Finding]:
    """Everything about the database file, whatever state it is in."""
    if not path.exists():
        yield problem("database", f"{path} does not exist", "Run: reminderd init")
        return
    yield _daemon(path)  # before any connection: see `only_daemon`
    yield from _database(path, seal)
    yield _space(path.parent)


def _daemon(path: Path) -> Finding:
    try:
        with only_daemon(path):
            return note("daemon", "is not running", "Start it: reminderd run")
    except TryAgainLater:
        return fine("daemon", "is running")
    except OSError as error:
        return problem("daemon", f"cannot be looked for: {error.strerror}: {path}")


def _database(path: Path, seal: Seal | None) -> Iterator[Finding]:
    try:
        opened = connection.connect(path, read_only=True)
    except ReminderdError as error:
        yield problem("database", error.message, error.remedy)
        return
    try:
        with closing(opened):
            verdict = [row[0] for row in opened.execute("PRAGMA integrity_check").fetchall()]
            version = opened.execute("PRAGMA user_version").fetchone()[0]
            journal = opened.execute("PRAGMA journal_mode").fetchone()[0]
    except connection.DatabaseError as error:
        yield problem("database", f"{path} cannot be read: {error}", "Restore a backup.")
        return
    if verdict != ["ok"]:
        yield problem("database", f"{path} is damaged: {verdict[0]}", "Restore a backup.")
    if version != schema.VERSION:
        said = f"{path} has schema {version}, not {schema.VERSION}"
        yield problem("database", said, "Run: reminderd db migrate")
    size = path.stat().st_size / 1e6
    yield fine("database", f"{path}, {size:.1f} MB, schema {version}, journal {journal}")
    yield private(path, "holds patients' data")
    if path.parent.stat().st_mode & 0o077:
        yield note("permissions", f"others can look into {path.parent}; chmod 0700 closes it")
    yield from _encryption(path, seal)


def _encryption(path: Path, seal: Seal | None) -> Iterator[Finding]:
    """Whether the database is encrypted with just the key that is configured, if one is."""
    try:
        refuse_unfit_file(path, seal)
    except ReminderdError as error:
        yield problem("encryption", error.message, error.remedy)
    else:
        if seal is not None:
            yield fine("encryption", f"by the key {seal.key_id}")


def _space(folder: Path) -> Finding:
    free = shutil.disk_usage(folder).free
    said = f"{free / 1e9:.1f} GB free in {folder}"
    if free < ENOUGH_SPACE:
        return problem("disk", said, "Make room: without it nothing can be recorded.")
    return fine("disk", said)
