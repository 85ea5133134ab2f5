"""A chain of clinics for measurements, on either database, and a process that sends for it."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks import crowd
from reminderd import bootstrap
from reminderd.clock import VirtualClock
from reminderd.dispatch import Dispatch
from reminderd.engines.distributed.outbox import DUE, DistributedOutbox
from reminderd.engines.tables.rows import to_ms
from reminderd.lanes import BATCH
from reminderd.transports.nowhere import Nowhere

NOW = datetime(2026, 6, 1, 10, tzinfo=UTC)
YEAR = timedelta(days=365)
EACH = 10  # reminders ahead of one patient
AT_ONCE = 100_000  # patients that are added in one transaction

CLINIC = """
[clinics.{key}]
name = "Alba Skin Clinic"
phone = "+34 910 000 000"
timezone = "Europe/Madrid"
country = "ES"
language = "en"
quiet_hours = "21:00-08:00"
"""
REST = """
[channels]
sms = "file"
email = "file"

[transports.file]
directory = "outbox"

[database]
url = "{url}"
"""


class Chain:
    """Clinics on one new database, of whom more and more lies ahead."""

    def __init__(self, folder: Path, url: str) -> None:
        folder.mkdir()
        self.configuration = folder / "reminderd.toml"
        clinics = "".join(CLINIC.format(key=key) for key in crowd.CLINICS)
        self.configuration.write_text(clinics + REST.format(url=url))
        self._in_cluster = url.startswith("postgresql:")
        settings = bootstrap.load_settings(self.configuration, {})
        bootstrap.engine(settings).prepare()
        self._house = bootstrap.open_house(settings)
        if not self._in_cluster:
            # Else every row that is added goes to a page that is not at hand.
            self._house.outbox.query("PRAGMA cache_size = -1000000")
        self._ahead = 0

    def lie_ahead(self, ahead: int) -> None:
        """So many reminders for next year in all."""
        if missing := ahead - self._ahead:
            self._add(missing // EACH, EACH, NOW + YEAR, YEAR)
        self._ahead = ahead

    def fall_due(self, count: int) -> None:
        """So many more that are due now, of patients of their own."""
        self._add(count, 1, NOW, timedelta(seconds=1))

    def settle(self) -> None:
        """What is known of the tables is up to date, and what was written has settled."""
        if not self._in_cluster:
            for statement in ("PRAGMA analysis_limit = 1000", "ANALYZE", "PRAGMA wal_checkpoint"):
                self._house.outbox.query(statement)

    def plan_of_claim(self) -> str:
        """How PostgreSQL finds what a worker claims next, as it does at present."""
        outbox = self._house.outbox
        assert isinstance(outbox, DistributedOutbox)
        given = {"now": to_ms(NOW), "without": [], "limit": BATCH}
        with outbox.beside():
            return "\n".join(
                row[0] for row in outbox.rows(f"EXPLAIN (ANALYZE, BUFFERS) {DUE}", given)
            )

    def _add(self, patients: int, each: int, at: datetime, spread: timedelta) -> None:
        for start in range(0, patients, AT_ONCE):
            some = min(AT_ONCE, patients - start)
            crowd.add(self._house, some, each, at, spread, in_cluster=self._in_cluster)


def sender(configuration: Path) -> Callable[[], int]:
    """A process that sends everything that is due, rendered, to nowhere; counts it."""
    house = bootstrap.open_house(bootstrap.load_settings(configuration, {}))
    clock, nowhere, number = VirtualClock(NOW), {"file": Nowhere()}, house.engine.senders
    dispatches = [house.dispatch(clock, nowhere, sharing=number) for _ in range(number)]

    def work() -> int:
        with ThreadPoolExecutor(number) as side_by_side:
            return sum(side_by_side.map(_sent, dispatches))

    return work


def _sent(dispatch: Dispatch) -> int:
    count = 0
    while (drained := dispatch.drain(NOW)).more:
        count += drained.deliveries
    return count
