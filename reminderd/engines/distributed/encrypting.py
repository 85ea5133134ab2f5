"""Encrypting a database on a server, decrypting it, giving it another key: all or nothing."""

from contextlib import closing

from reminderd.database_urls import shown
from reminderd.engine import Resealed
from reminderd.engines.distributed.condition import workers
from reminderd.engines.distributed.outbox import DistributedOutbox
from reminderd.engines.distributed.snapshot import snapshot
from reminderd.engines.tables import resealing
from reminderd.engines.tables.sealed import UNSCRUBBED, id_of, sealed_by, unscrubbed
from reminderd.errors import TryAgainLater
from reminderd.sealing import TABLES, Seal


def reseal(url: str, old: Seal | None, new: Seal | None) -> Resealed:
    """As `Engine.reseal`; archives, standbys and backups of the server stay as they are.

    Workers that begin meanwhile are turned away by the key.
    """
    with snapshot(url) as opened:
        changed = sealed_by(opened) != id_of(new)
        if names := workers(opened):
            raise TryAgainLater(
                f"{shown(url)}: workers send from this database: {', '.join(names)}",
                remedy="Stop them first: systemctl stop 'reminderd-worker@*'",
            )
    if changed:
        with closing(DistributedOutbox(url, seal=old)) as outbox, outbox.transaction():
            resealing.reseal(outbox, old, new)
    return Resealed(changed, _finished(url, new), [])


def _finished(url: str, seal: Seal | None) -> bool:
    """Write the tables anew, so that nothing of how they were stays in their files."""
    with closing(DistributedOutbox(url, seal=seal)) as outbox:
        if unscrubbed(outbox):
            for each in sorted({each.table for each in TABLES}):
                outbox.execute(f"VACUUM FULL {each}")
            outbox.execute("DELETE FROM notes WHERE key = ?", (UNSCRUBBED,))
    return True
