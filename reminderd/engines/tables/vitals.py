"""How sending goes, in figures that are cheap to count."""

from reminderd.engines.tables.store import Store
from reminderd.interfaces import Vitals
from reminderd.model import Channel, Outcome


def newest_attempt(store: Store) -> int:
    return int(store.query("SELECT coalesce(max(id), 0) FROM attempts")[0][0])


def vitals(store: Store, after_attempt: int) -> Vitals:
    outcomes = store.query(
        "SELECT channel, outcome, count(*) FROM attempts "
        "CROSS JOIN messages ON messages.id = message "
        "WHERE attempts.id > ? AND settled_at IS NOT NULL AND outcome <> 'in-doubt' "
        "GROUP BY channel, outcome",
        (after_attempt,),
    )
    doubts = store.query("SELECT count(*) FROM attempts WHERE look_at IS NOT NULL")
    replies = store.query(
        "SELECT coalesce(decision, 'waiting'), count(*) FROM replies GROUP BY decision"
    )
    return Vitals(
        {(Channel(channel), Outcome(outcome)): count for channel, outcome, count in outcomes},
        doubts[0][0],
        dict(replies),
    )
