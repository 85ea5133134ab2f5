"""What `db check` looks at on a server: schema, counters, what rows promise, the trail, the key."""

from collections.abc import Iterator

from reminderd.database_urls import shown
from reminderd.engines.distributed import condition
from reminderd.engines.distributed.snapshot import Opened, snapshot
from reminderd.engines.tables import soundness
from reminderd.engines.tables.sealed import refuse_unfit, unscrubbed
from reminderd.engines.tables.soundness import RESTORE
from reminderd.findings import Finding, fine, problem
from reminderd.sealing import Seal

FINISH = "While no worker runs, say the last one again: reminderd db encrypt, or decrypt"
_COUNTED = (
    "SELECT left(sequencename, -length('_ids')), coalesce(last_value, 0) FROM pg_sequences "
    "WHERE schemaname = 'reminderd' AND right(sequencename, length('_ids')) = '_ids' ORDER BY 1"
)


def examine(url: str, seal: Seal | None = None) -> Iterator[Finding]:
    """Every finding about the rows, of one state of them; changes nothing.

    Pages and indexes are the server's: pg_amcheck looks at those. Raises ConfigurationError where
    the database cannot be used at all, or `seal` does not fit it.
    """
    with snapshot(url) as opened:
        yield from condition.schema(url, opened)
        yield from _counters(opened)
        for check in soundness.CHECKS.values():
            yield from check(opened)
        refuse_unfit(shown(url), opened, seal)
        yield from soundness.found(opened, seal)
        if seal is not None:
            yield from soundness.sealed(opened, seal)
        if unscrubbed(opened):
            yield problem("encryption", "old values may still lie in the files", FINISH)


def _counters(opened: Opened) -> Iterator[Finding]:
    """A counter that has fallen behind gives an id to a second thing."""
    behind = [
        (table, newest, counted)
        for table, counted in opened.query(_COUNTED)
        if (newest := opened.query(f"SELECT coalesce(max(id), 0) FROM {table}")[0][0]) > counted
    ]
    if not behind:
        yield fine("counters", "no id will be given twice")
    for table, newest, counted in behind:
        yield problem(
            "counters", f"{table}: the newest is {newest}, counted are {counted}", RESTORE
        )
