"""A PostgreSQL server of its own for a measurement: durable, on a socket, gone at the end."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import psycopg

# Everything else is as it comes: fsync, full_page_writes and synchronous_commit are on.
CONFIGURATION = """
listen_addresses = ''
shared_buffers = 2GB
max_wal_size = 8GB
checkpoint_timeout = 30min
track_wal_io_timing = on
"""
# Who sends is an ordinary role that owns its databases, and may add rows in bulk.
ROLE = (
    "CREATE ROLE reminderd LOGIN",
    "GRANT SET ON PARAMETER session_replication_role TO reminderd",
)
_TICKS = os.sysconf("SC_CLK_TCK")


class Spent(NamedTuple):
    """What a server has spent so far: processor seconds, bytes and flushes of its log."""

    cpu: float = 0.0
    log_bytes: int = 0
    flushing: float = 0.0

    def since(self, before: "Spent") -> "Spent":
        """What was spent from then on."""
        return Spent(*(now - then for now, then in zip(self, before, strict=True)))


class Cluster:
    """A running server and its databases."""

    def __init__(self, folder: Path, postmaster: int) -> None:
        self._folder = folder
        self._postmaster = postmaster

    def url(self, database: str) -> str:
        """Where that database is found by whoever runs this."""
        return f"postgresql://reminderd@/{database}?host={self._folder}"

    def create(self, database: str) -> str:
        """A new and empty database; where it is found."""
        with self.administer() as connection:
            connection.execute(f"CREATE DATABASE {database} OWNER reminderd".encode())
        return self.url(database)

    def settle(self, database: str) -> None:
        """What is known of the tables is up to date, and nothing is left to be written."""
        with self.administer(database) as connection:
            connection.execute("VACUUM (ANALYZE)")
            connection.execute("CHECKPOINT")

    def connect(self, database: str) -> "psycopg.Connection[Any]":
        """A connection in autocommit, as who sends has one."""
        return psycopg.connect(self.url(database), autocommit=True)

    def administer(self, database: str = "postgres") -> "psycopg.Connection[Any]":
        """A connection in autocommit, of the server's own role."""
        return psycopg.connect(
            host=str(self._folder), user="postgres", dbname=database, autocommit=True
        )

    def spent(self) -> Spent:
        """So far, by every process of it."""
        with self.administer() as connection:
            log = connection.execute("SELECT wal_bytes, wal_sync_time FROM pg_stat_wal")
            written, milliseconds = log.fetchone() or (0, 0)
        return Spent(self._cpu(), int(written), milliseconds / 1000)

    def _cpu(self) -> float:
        """Of the postmaster, of those of its children that have ended, and of those that live."""
        own = _times(self._postmaster)
        children = Path(f"/proc/{self._postmaster}/task/{self._postmaster}/children")
        living = (_times(int(pid)) for pid in children.read_text().split())
        return (sum(own) + sum(sum(each[:2]) for each in living)) / _TICKS


def _times(pid: int) -> tuple[int, int, int, int]:
    """Of the process in user and system mode, then of its children that have ended; in ticks."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except FileNotFoundError:
        return (0, 0, 0, 0)
    return (int(fields[11]), int(fields[12]), int(fields[13]), int(fields[14]))


@contextmanager
def cluster(parent: Path | None = None) -> Iterator[Cluster]:
    """A new server in a folder below `parent`; it is stopped and removed at the end."""
    folder = Path(tempfile.mkdtemp(prefix="reminderd-", dir=parent))
    who = _owner(folder)
    data, programs = str(folder / "data"), _programs()
    try:
        _run(who, programs / "initdb", "-D", data, "-U", "postgres", "-E", "UTF8", "--locale=C",
             "--auth=trust")  # fmt: skip
        with (folder / "data/postgresql.conf").open("a") as configuration:
            configuration.write(f"{CONFIGURATION}unix_socket_directories = '{folder}'\n")
        _run(who, programs / "pg_ctl", "-D", data, "-l", str(folder / "log"), "-w", "start")
        try:
            made = Cluster(folder, int((folder / "data/postmaster.pid").read_text().split()[0]))
            with made.administer() as connection:
                for statement in ROLE:
                    connection.execute(statement.encode())
            yield made
        finally:
            _run(who, programs / "pg_ctl", "-D", data, "-m", "fast", "-w", "stop")
    finally:
        shutil.rmtree(folder)


def _owner(folder: Path) -> Mapping[str, Any]:
    """The server refuses to be run by root: then it is the system's own user who runs it."""
    if os.geteuid() != 0:
        return {}
    shutil.chown(folder, "postgres", "postgres")
    return {"user": "postgres", "group": "postgres", "extra_groups": []}


def _run(who: Mapping[str, Any], program: Path, *arguments: str) -> None:
    subprocess.run([program, *arguments], check=True, stdout=subprocess.DEVNULL, **who)


def _programs() -> Path:
    """The newest that is installed; Debian keeps them beside the path."""
    found = shutil.which("initdb")
    debian = Path("/usr/lib/postgresql").glob("*/bin/initdb")
    newest = [*sorted(debian, key=lambda each: int(each.parts[-3])), *filter(None, [found])]
    if not newest:
        raise SystemExit("PostgreSQL is not installed: apt-get install postgresql")
    return Path(newest[-1]).parent
