"""What only one worker in the cluster does at a time, by the clock of the database.

A turn lasts as long as its worker is seen, so that nobody has to renew it and a machine that dies
holds it for one lease at most.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta

from reminderd.engines.distributed.leases import ALIVE, Rows
from reminderd.errors import TryAgainLater

_FOR_LIFE = 2**63 - 1
_TAKE = (
    "INSERT INTO turns (name, worker, until) VALUES (%(name)s, %(worker)s, %(for_life)s) "
    "ON CONFLICT (name) DO UPDATE SET worker = excluded.worker, until = excluded.until "
    "WHERE turns.worker = excluded.worker OR turns.until <= clock_ms() "
    f"OR NOT EXISTS (SELECT 1 FROM workers WHERE workers.id = turns.worker AND {ALIVE}) "
    "RETURNING name"
)
_GIVE_BACK = (
    "UPDATE turns SET until = clock_ms() + %(kept)s WHERE name = %(name)s AND worker = %(worker)s"
)


@contextmanager
def turn(rows: Rows, name: str, worker: int | None, kept: timedelta) -> Iterator[bool]:
    """See `units_of_work.UnitsOfWork`; who is no worker has a turn that anybody may take."""
    mine = {"name": name, "worker": worker or 0, "for_life": _FOR_LIFE}
    is_mine = bool(rows(_TAKE, mine))
    try:
        yield is_mine
    finally:
        if is_mine:
            # Where that fails it stays this worker's, who gives it back the next time.
            with suppress(TryAgainLater):
                rows(_GIVE_BACK, {**mine, "kept": kept // timedelta(milliseconds=1)})
