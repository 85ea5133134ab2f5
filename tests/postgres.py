"""A real PostgreSQL for the tests that ask for one: a cluster in a folder, on a Unix socket.

`postgresql` is the URL of a database that has the schema and no rows. It is one for each process
of the tests, emptied for each test; who changes its schema or needs a second one takes
`new_postgresql`. Nothing is started for tests that ask for nothing, and nothing stays behind: the
shell that a server runs under ends it, and removes its folder, once this process is gone.
"""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.waiting import until

PACKAGED = Path("/usr/lib/postgresql")
SBIN = "/usr/sbin"  # where people who are not root do not look
OWNER = "reminderd"  # the role that reminderd connects as; it may make databases, and no more
# A signal's name ends the server; the end of the input, however it comes, removes it altogether.
KEEPER = """
"$@" & server=$!
read -r signal || gone=yes
kill -s "${signal:-$AT_ONCE}" $server 2>/dev/null
wait
[ -z "$gone" ] || rm -rf "$FOLDER"
"""
# Languages sort as people do and clocks stand elsewhere, so that nothing relies on either.
INITDB = (
    "--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8",
    "--locale-provider=icu", "--icu-locale=en-US", "--no-sync",
)  # fmt: skip
ODD = ("timezone=Pacific/Auckland", "listen_addresses=", "max_connections=200")
FAST = ("fsync=off", "synchronous_commit=off", "full_page_writes=off")
EMPTY = """
SET session_replication_role = replica;
DO $$ DECLARE each text; BEGIN
    PERFORM pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid();
    FOR each IN SELECT format('%I.%I', schemaname, tablename) FROM pg_tables
        WHERE schemaname LIKE 'reminderd%' AND tablename NOT IN ('migrations', 'notes')
    LOOP EXECUTE 'DELETE FROM ' || each; END LOOP;
    DELETE FROM reminderd.notes WHERE key <> 'installation';
    PERFORM setval(format('%I.%I', schemaname, sequencename)::regclass, start_value, false)
        FROM pg_sequences WHERE last_value IS NOT NULL;
END $$
"""


def program(name: str) -> Path:
    """A program of PostgreSQL's, of the newest version there is; FileNotFoundError without any."""
    packaged = PACKAGED.glob(f"*/bin/{name}")
    newest = sorted(packaged, key=lambda each: int(each.parts[-3]))[-1:]
    found = shutil.which(name, path=f"{os.environ.get('PATH', '')}:{SBIN}")
    if not found and not newest:
        raise FileNotFoundError(name)
    return Path(found) if found else newest[0]


def as_server() -> dict[str, Any]:
    """Whom servers run as, because they refuse root; whoever is not root runs them as themself."""
    if os.geteuid() != 0:
        return {}
    names = {each.pw_name: each for each in pwd.getpwall()}
    person = names.get("postgres", names["nobody"])
    return {"user": person.pw_uid, "group": person.pw_gid, "extra_groups": []}


def name_in(url: str) -> str:
    """The name of the database at a URL."""
    return url.partition("?")[0].rpartition("/")[2]


class Server:
    """A program that serves in a folder of its own until it is told to end or we are gone."""

    AT_ONCE: str  # the signal by which it waits for nobody

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="reminderd-server-", dir="/tmp"))
        self._give(self.folder)
        self._keeper: subprocess.Popen[bytes] | None = None

    def write(self, name: str, text: str) -> None:
        """A file that the server can read."""
        (self.folder / name).write_text(text, encoding="utf-8")
        self._give(self.folder / name)

    def run(self, *command: str | Path) -> None:
        """Have it run, under its keeper."""
        with (self.folder / "log").open("ab") as log:
            self._keeper = subprocess.Popen(
                ["sh", "-c", KEEPER, "keeper", *map(str, command)],
                cwd=self.folder,
                env={
                    "PATH": os.environ["PATH"],
                    "FOLDER": str(self.folder),
                    "AT_ONCE": self.AT_ONCE,
                },
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                start_new_session=True,
                **as_server(),
            )

    def end(self, signal: str) -> None:
        """End it by that signal, and keep its folder."""
        if self._keeper is not None:
            self._keeper.communicate(f"{signal}\n".encode())
            self._keeper = None

    def remove(self) -> None:
        """End it, and leave nothing of it."""
        if self._keeper is not None:
            self._keeper.communicate()
            self._keeper = None
        shutil.rmtree(self.folder, ignore_errors=True)

    def wait_for(self, serves: Callable[[], bool]) -> None:
        """Wait until it serves; AssertionError with what it said where it does not."""
        try:
            until(serves, "a server")
        except AssertionError as error:
            raise AssertionError(self.log) from error

    @staticmethod
    def _give(path: Path) -> None:
        if person := as_server():
            os.chown(path, person["user"], person["group"])

    @property
    def log(self) -> str:
        """What it has said."""
        return (self.folder / "log").read_text(encoding="utf-8", errors="replace")


class Cluster(Server):
    """A PostgreSQL of its own, with the role that reminderd connects as."""

    AT_ONCE = "QUIT"

    def __init__(self, *options: str) -> None:
        super().__init__()
        self.data = self.folder / "data"
        self._options = [word for each in (*ODD, *options) for word in ("-c", each)]
        self._made = 0
        subprocess.run(
            [program("initdb"), *INITDB, f"--pgdata={self.data}"],
            cwd=self.folder, check=True, stdout=subprocess.DEVNULL, **as_server(),
        )  # fmt: skip
        self.start()
        self.execute(f"CREATE ROLE {OWNER} LOGIN CREATEDB")

    def url(self, name: str, user: str = OWNER) -> str:
        """Where the database of that name is."""
        return f"postgresql://{user}@/{name}?host={self.folder}"

    def start(self) -> None:
        """Start it and wait until it answers."""
        self.run(program("postgres"), "-D", self.data, "-k", self.folder, *self._options)
        self.wait_for(self._answers)

    def stop(self) -> None:
        """As an administrator does: who is connected is cut off, what is committed is on disk."""
        self.end("INT")

    def kill(self) -> None:
        """As a power cut does: the next start has to recover."""
        self.end("QUIT")

    def restart(self) -> None:
        """Stop it and start it again."""
        self.stop()
        self.start()

    def execute(self, statement: str, url: str | None = None) -> None:
        """Do this as the superuser, in the database at this URL of ours."""
        import psycopg

        name = name_in(url) if url else "postgres"
        with psycopg.connect(self.url(name, "postgres"), autocommit=True) as connection:
            connection.execute(statement.encode())

    def empty(self, name: str | None = None) -> str:
        """The URL of a new database with nothing in it."""
        self._made += 1
        name = name or f"care_{self._made}"
        self.execute(f"CREATE DATABASE {name} OWNER {OWNER}")
        return self.url(name)

    def migrated(self, name: str | None = None) -> str:
        """The URL of a new database with reminderd's schema."""
        from reminderd.engines.distributed.migrating import migrate

        url = self.empty(name)
        migrate(url)
        return url

    def clear(self, url: str) -> None:
        """Cut off whoever is connected to the database at this URL, and take its rows out."""
        self.execute(EMPTY, url)

    def _answers(self) -> bool:
        import psycopg

        try:
            self.execute("SELECT 1")
        except psycopg.OperationalError:
            return False
        return True


class Bouncer(Server):
    """A PgBouncer in transaction mode in front of a cluster."""

    AT_ONCE = "TERM"

    def __init__(self, cluster: Cluster) -> None:
        super().__init__()
        self.write("users", f'"{OWNER}" ""\n')
        self.write(
            "ini",
            f"[databases]\n* = host={cluster.folder}\n"
            f"[pgbouncer]\nunix_socket_dir = {self.folder}\nlisten_port = 6432\n"
            "auth_type = trust\nauth_file = users\npool_mode = transaction\n"
            "max_client_conn = 500\ndefault_pool_size = 4\n",
        )
        self.run(program("pgbouncer"), "ini")
        self.wait_for((self.folder / ".s.PGSQL.6432").exists)

    def url(self, direct: str) -> str:
        """The way through here to the database of that URL of the cluster's."""
        name = direct.partition("?")[0]
        return f"{name}?host={self.folder}&port=6432"


def need(name: str, package: str) -> None:
    """Skip the test where a program is missing; fail it where everything has to be tried."""
    try:
        program(name)
    except FileNotFoundError:
        missing = f"{name} is not installed; on Debian: apt-get install {package}"
        if os.environ.get("CI"):
            pytest.fail(missing)
        pytest.skip(missing)


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """A PostgreSQL for all tests of this process; quick, for what is lost when it is killed."""
    need("initdb", "postgresql")
    made = Cluster(*FAST)
    yield made
    made.remove()


@pytest.fixture(scope="session")
def _shared(cluster: Cluster) -> str:
    return cluster.migrated("care_0")


@pytest.fixture
def postgresql(cluster: Cluster, _shared: str) -> str:
    """The URL of a database with the schema and without rows."""
    cluster.clear(_shared)
    return _shared


@pytest.fixture
def new_postgresql(cluster: Cluster) -> Callable[[], str]:
    """Makes further databases with the schema; each is the test's own, and may be changed."""
    return cluster.migrated


@pytest.fixture
def own_cluster() -> Iterator[Cluster]:
    """A PostgreSQL of the test's own, to be stopped, killed and started; what it commits lasts."""
    need("initdb", "postgresql")
    made = Cluster()
    yield made
    made.remove()


@pytest.fixture
def pgbouncer(cluster: Cluster) -> Iterator[Callable[[str], str]]:
    """Gives the way to a database of the cluster that leads through PgBouncer."""
    need("pgbouncer", "pgbouncer")
    made = Bouncer(cluster)
    yield made.url
    made.remove()
