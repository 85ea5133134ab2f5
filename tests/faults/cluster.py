"""Workers of a cluster are killed, and its server with them, while they send: what became of it.

`python -m tests.faults.cluster` kills one of three workers 50 times while 20,000 messages are due.
Each message has to be accepted once; what a killed worker had just handed over may be in doubt, and
is never sent again.
"""

import argparse
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from signal import SIGTERM
from tempfile import TemporaryDirectory
from typing import NamedTuple

from reminderd import bootstrap
from reminderd.engines.distributed.leases import LEASE
from reminderd.engines.distributed.outbox import DistributedOutbox
from reminderd.engines.tables.rows import to_ms
from reminderd.errors import TryAgainLater
from tests.configuration import configuration
from tests.faults.lines import Provider
from tests.postgres import Cluster, Server, as_server, program

Blow = Callable[[], None]

WORKERS = 3
FOREVER = 900.0  # seconds; only where something is lost does it take so long
_PATIENTS = (
    "INSERT INTO patients (id, clinic, given_name, family_name, phone, phone_key, channels, "
    "created_at, updated_at) SELECT id, 'main', 'Ana', 'García', '+34' || 600000000 + id, "
    "'+34' || 600000000 + id, 'sms', 0, 0 FROM generate_series(%(first)s::bigint, %(last)s) AS id"
)
_CONSENTS = (
    "INSERT INTO consents (patient, channel, granted, at, source) "
    "SELECT id, 'sms', 1, 0, 'proof' FROM patients"
)
_SESSIONS = (
    "INSERT INTO sessions (id, patient, protocol_version, at, state, recorded_at) "
    "SELECT id, id, %(version)s, %(at)s, 'done', 0 FROM patients"
)
_PROTOCOL = """
key = "proof"
title = "One message a day after"
revision = 1

[[milestones]]
id = "ice"
kind = "inform"
topics = ["swelling"]
after = "24h"
expires = "24h"
quiet = "ignore"
"""
_BECAME = "SELECT phone, reminders.state FROM reminders JOIN patients ON patients.id = patient"


class Became(NamedTuple):
    """What became of the messages, and how long that took."""

    sent: int
    in_doubt: int  # of which the provider has accepted none, or one
    lost: int
    twice: int
    killed: int
    ended: Counter[int]  # workers that ended by themselves, by their exit code
    seconds: float

    @property
    def is_right(self) -> bool:
        # Who begins while the server is away says so and ends; systemd starts it again.
        return not (self.lost or self.twice or set(self.ended) - {TryAgainLater.exit_code})


class Worker:
    """The daemon as installed, but for the way to its provider, in a process of its own."""

    def __init__(self, config: Path, port: int, lease: timedelta) -> None:
        words = [str(config), str(port), str(lease.total_seconds())]
        self._command = [sys.executable, "-m", "tests.faults.cluster_worker", *words]
        self._log = config.with_name("log")
        self.start()

    def start(self) -> None:
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(self._command, stdout=log, stderr=log)

    def ended(self) -> int | None:
        """Its exit code where it has ended by itself."""
        return self._process.poll()

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def stop(self) -> int:
        self._process.terminate()
        return self._process.wait()


def plant(config: Path, messages: int) -> None:
    """So many people to each of whom one message is due now."""
    (config.parent / "protocols").mkdir()
    (config.parent / "protocols" / "proof.toml").write_text(_PROTOCOL, encoding="utf-8")
    now = datetime.now(UTC)
    house = bootstrap.open_house(bootstrap.load_settings(config, {}))
    outbox, document = house.outbox, house.library.find("proof")
    assert isinstance(outbox, DistributedOutbox)
    with outbox.transaction():
        version = outbox.pin_protocol(document.protocol, document.document)
        first = outbox.reserve("patients", messages)
        outbox.reserve("sessions", messages)
        at = to_ms(now - timedelta(hours=24, minutes=1))
        given = {"first": first, "last": first + messages - 1, "version": version, "at": at}
        for statement in (_PATIENTS, _CONSENTS, _SESSIONS):
            outbox.rows(statement, given)
        house.intake.plan_again(range(first, first + messages), now)
    outbox.close()


class Proof:
    """Three workers on one server, and whatever happens to them."""

    def __init__(
        self, folder: Path, url: str, messages: int, seed: int, lease: timedelta = LEASE
    ) -> None:
        self._messages = messages
        self._lease = lease
        self._url = url
        self._chance = random.Random(seed)
        self._config = folder / "reminderd.toml"
        text = configuration(sms="file", quiet="00:00-00:00").replace("sqlite:///reminderd.db", url)
        self._config.write_text(text, encoding="utf-8")
        plant(self._config, messages)
        self._killed = 0
        self._ended: Counter[int] = Counter()

    def run(self, kills: int, others: list[Blow]) -> Became:
        """Kill a worker so many times, and do the others, while messages leave."""
        began = time.monotonic()
        with ExitStack() as stack:
            self._provider = stack.enter_context(Provider())
            port = self._provider.port
            self._workers = [Worker(self._config, port, self._lease) for _ in range(WORKERS)]
            for each in self._workers:
                stack.callback(each.kill)
            for blow in self._order([self._kill] * kills + others):
                blow()
            self._until(lambda: not self._open())
            for each in self._workers:
                code = each.stop()
                if code not in (0, -SIGTERM):  # that one had not begun yet
                    self._ended[code] += 1
        return self._became(time.monotonic() - began)

    def _order(self, blows: list[Blow]) -> list[Blow]:
        self._chance.shuffle(blows)
        return [self._after(number + 1, len(blows), each) for number, each in enumerate(blows)]

    def _after(self, number: int, of: int, blow: Blow) -> Blow:
        """Somewhere in its part of the messages."""

        def strike() -> None:
            share = self._messages / (of + 1)
            begin = round(share * (number - 1) + self._chance.random() * share)
            self._until(lambda: self._provider.count >= begin)
            blow()

        return strike

    def _kill(self) -> None:
        victim = self._chance.choice(self._workers)
        victim.kill()
        self._killed += 1
        victim.start()

    def _until(self, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + FOREVER
        while not condition() and time.monotonic() < deadline:
            for each in self._workers:
                if (code := each.ended()) is not None:
                    self._ended[code] += 1
                    each.start()
            time.sleep(0.01)

    def _open(self) -> bool:
        """Whether anything has no end yet."""
        if self._provider.count < self._messages * 0.9:
            return True
        time.sleep(0.5)
        return any(state in ("scheduled", "sending") for state in self._states().values())

    def _states(self) -> dict[str, str]:
        outbox = DistributedOutbox(self._url)
        try:
            return {str(phone): str(state) for phone, state in outbox.rows(_BECAME)}
        finally:
            outbox.close_all()

    def _became(self, seconds: float) -> Became:
        states, accepted = self._states(), self._provider.accepted
        return Became(
            sent=sum(state == "sent" for state in states.values()),
            in_doubt=sum(state == "unknown" for state in states.values()),
            lost=sum(
                state not in ("sent", "unknown") or (state == "sent" and not accepted[phone])
                for phone, state in states.items()
            ),
            twice=sum(times > 1 for times in accepted.values()),
            killed=self._killed,
            ended=self._ended,
            seconds=seconds,
        )


class Standby(Cluster):
    """Has what another server has, before that one says so, and can take its place."""

    def __init__(self, primary: Cluster) -> None:
        Server.__init__(self)
        self.data, self._options = self.folder / "data", primary._options
        self._primary = primary
        subprocess.run(
            [
                program("pg_basebackup"), "--username=postgres", f"--host={primary.folder}",
                f"--pgdata={self.data}", "--write-recovery-conf", "--checkpoint=fast", "--no-sync",
            ],
            cwd=self.folder, check=True, **as_server(),
        )  # fmt: skip
        self.start()
        primary.execute("ALTER SYSTEM SET synchronous_standby_names = '*'")
        primary.execute("SELECT pg_reload_conf()")

    def either(self, url: str) -> str:
        """Where that database is, on whichever of the two takes writes."""
        return f"{url},{self.folder}&target_session_attrs=read-write"

    def take_over(self) -> None:
        """The other one is gone at once, and a little later this one is in its place."""
        self._primary.kill()
        self.execute("SELECT pg_promote()")


def prove(
    server: Cluster, messages: int, kills: int, restarts: int, seed: int, lease: timedelta = LEASE
) -> Became:
    """Everything on a new database of that server, which is cut off so many times."""

    def restart() -> None:
        server.kill()
        server.start()

    return _proved(server.migrated(), messages, seed, lease, kills, [restart] * restarts)


def prove_failover(server: Cluster, messages: int, kills: int, seed: int) -> Became:
    """The same, and in the middle of it a standby takes the place of the server, once."""
    url = server.migrated()
    standby = Standby(server)
    try:
        both = standby.either(url)
        return _proved(both, messages, seed, LEASE, kills, [standby.take_over])
    finally:
        standby.remove()


def _proved(
    url: str, messages: int, seed: int, lease: timedelta, kills: int, others: list[Blow]
) -> Became:
    with TemporaryDirectory() as folder:
        became = Proof(Path(folder), url, messages, seed, lease).run(kills, others)
        if not became.is_right:
            print((Path(folder) / "log").read_text(encoding="utf-8")[-4000:])
        return became


def main() -> None:
    wanted = argparse.ArgumentParser(description=__doc__)
    wanted.add_argument("--messages", type=int, default=20_000)
    wanted.add_argument("--kills", type=int, default=50)
    wanted.add_argument("--restarts", type=int, default=0, help="of the server, as by a power cut")
    wanted.add_argument("--failover", action="store_true", help="to a standby, once")
    wanted.add_argument("--seed", type=int, default=1)
    given = wanted.parse_args()
    server = Cluster()
    try:
        if given.failover:
            became = prove_failover(server, given.messages, given.kills, given.seed)
        else:
            became = prove(server, given.messages, given.kills, given.restarts, given.seed)
    finally:
        server.remove()
    print(became)
    sys.exit(not became.is_right)


if __name__ == "__main__":
    main()
