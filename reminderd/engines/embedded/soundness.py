"""What `db check` looks at: the file, its schema, its counters, what rows promise, the trail."""

import json
from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import chain, islice
from pathlib import Path

from reminderd.engines.embedded import lookup, schema, trail
from reminderd.engines.embedded.connection import Connection, DatabaseError, connect
from reminderd.engines.embedded.sealed import kept, refuse_unfit, unscrubbed
from reminderd.findings import Finding, fine, problem
from reminderd.ids import public_id
from reminderd.sealing import TABLES, Seal, SealBroken
from reminderd.sealing import opened as opened_row

RESTORE = "Restore a backup: reminderd db restore FILE"
FINISH = "While no daemon runs, say the last one again: reminderd db encrypt, or decrypt"
LOOK = "See what became of it: reminderd reminder explain ID"
SHOWN = 5
COUNTED = (
    "patients",
    "sessions",
    "reminders",
    "messages",
    "attempts",
    "replies",
    "incidents",
    "alerts",
)

_CARRIED = (
    "SELECT message_reminders.reminder, attempts.message FROM attempts "
    "JOIN message_reminders ON message_reminders.message = attempts.message "
    "WHERE attempts.outcome = 'accepted'"
)
# Where nobody was at the number, another channel carries it.
_ARRIVED = (
    f"{_CARRIED} AND attempts.id NOT IN (SELECT attempt FROM callbacks "
    "WHERE receipt IN ('undelivered', 'failed') AND meaning IS NOT NULL)"
)
# What must be true of every reminder, and the ids of those of which it is not.
PROMISES = {
    "sent, and no accepted message with it": (
        "SELECT id FROM reminders WHERE state = 'sent' "
        f"AND id NOT IN (SELECT reminder FROM ({_CARRIED}))"
    ),
    "accepted by a provider, and yet waiting to be sent": (
        "SELECT id FROM reminders WHERE state IN ('scheduled', 'held') "
        f"AND id IN (SELECT reminder FROM ({_ARRIVED}))"
    ),
    "in more than one accepted message": (
        # One more wherever a person has said what became of a message in doubt.
        f"SELECT reminder FROM ({_ARRIVED}) GROUP BY reminder HAVING count(DISTINCT message) > 1 "
        "AND count(DISTINCT message) > 1 + (SELECT count(*) FROM audit "
        "WHERE action = 'reminder-resolved' AND what = 'rem-' || reminder)"
    ),
    "being sent, and no attempt is open": (
        "SELECT id FROM reminders WHERE state = 'sending' AND id NOT IN (SELECT reminder "
        "FROM message_reminders JOIN attempts USING (message) "
        "WHERE outcome IN ('claimed', 'marked', 'in-doubt'))"
    ),
    "scheduled for no instant, or an instant without being scheduled": (
        "SELECT id FROM reminders WHERE (state = 'scheduled') <> (wake_at IS NOT NULL)"
    ),
}

_LAST_WORDS = (
    "SELECT patient, channel, wish = 'granted', at, how FROM (SELECT *, row_number() OVER "
    "(PARTITION BY patient, channel ORDER BY at DESC, id DESC) AS place FROM consent_ledger "
    "WHERE wish IN ('granted', 'withdrawn')) WHERE place = 1 "
    "AND patient NOT IN (SELECT id FROM patients WHERE erased_at IS NOT NULL)"
)
_PRESENT = "SELECT patient, channel, granted, at, how FROM consents"
# Whose consents differ from what was said last, on either side.
DIFFERENT_CONSENTS = (
    f"SELECT DISTINCT patient FROM (SELECT * FROM ({_PRESENT} EXCEPT {_LAST_WORDS}) UNION "
    f"SELECT * FROM ({_LAST_WORDS} EXCEPT {_PRESENT})) ORDER BY patient"
)


def examine(path: Path, seal: Seal | None = None) -> Iterator[Finding]:
    """Every finding about the database, which may be in use; changes nothing.

    Raises ConfigurationError where it cannot be opened at all, or `seal` does not fit it.
    """
    with closing(connect(path, read_only=True)) as opened:
        try:
            # One state of it, whoever writes meanwhile.
            opened.execute("BEGIN")
            for check in CHECKS:
                yield from check(opened)
            refuse_unfit(path, opened, seal)
            yield from _found(opened, seal)
            if seal is not None:
                yield from _sealed(opened, seal)
            if unscrubbed(opened):
                yield problem("encryption", "old values may still lie in the file", FINISH)
        except DatabaseError as error:
            yield problem("file", f"{path} cannot be read: {error}", RESTORE)


def _file(opened: Connection) -> Iterator[Finding]:
    verdict = [row[0] for row in opened.execute("PRAGMA integrity_check").fetchall()]
    if verdict == ["ok"]:
        yield fine("file", "every page and index is sound")
    for each in verdict[:SHOWN] if verdict != ["ok"] else ():
        yield problem("file", f"it is damaged: {each}", RESTORE)


def _version(opened: Connection) -> Iterator[Finding]:
    version = opened.execute("PRAGMA user_version").fetchone()[0]
    if version == schema.VERSION:
        yield fine("schema", "the present one")
    elif version > schema.VERSION:
        yield problem(
            "schema",
            f"{version}, written by a newer reminderd: this one knows {schema.VERSION}",
            "Upgrade reminderd, or restore a backup that fits this version",
        )
    else:
        yield problem(
            "schema",
            f"{version}, not {schema.VERSION}",
            "Bring it up to date: reminderd db migrate",
        )


def _guards(opened: Connection) -> Iterator[Finding]:
    """Triggers keep the trail as it was written, unique indexes keep apart what must not be two."""
    if opened.execute("PRAGMA user_version").fetchone()[0] != schema.VERSION:
        return
    present = dict(opened.execute(schema.GUARDS).fetchall())
    wrong = [name for name, sql in schema.guards().items() if present.get(name) != sql]
    if not wrong:
        yield fine("schema", "every trigger and index is there")
    for name in wrong:
        yield problem("schema", f"{name} is {'altered' if name in present else 'missing'}", RESTORE)


def _belonging(opened: Connection) -> Iterator[Finding]:
    rows = opened.execute("PRAGMA foreign_key_check").fetchall()
    if not rows:
        yield fine("rows", "everything belongs to something")
    for table, row, parent, _ in rows[:SHOWN]:
        yield problem("rows", f"{table}, row {row}: its row in {parent} is missing", RESTORE)


def _counters(opened: Connection) -> Iterator[Finding]:
    """A counter that has fallen behind gives an id to a second thing."""
    counters = dict(opened.execute("SELECT name, seq FROM sqlite_sequence").fetchall())
    behind = [
        (table, newest)
        for table in COUNTED
        if _has(opened, table)  # of an older version, as `_version` says
        and (newest := opened.execute(f"SELECT max(id) FROM {table}").fetchone()[0] or 0)
        > counters.get(table, -1)
    ]
    if not behind:
        yield fine("counters", "no id will be given twice")
    for table, newest in behind:
        said = f"{table}: the newest is {newest}, counted are {counters.get(table, 'none')}"
        yield problem("counters", said, RESTORE)


def _promises(opened: Connection) -> Iterator[Finding]:
    if not _has(opened, "callbacks"):
        return  # of an older version, as `_version` says
    kept = True
    for what, sql in PROMISES.items():
        ids = [row[0] for row in opened.execute(f"{sql} ORDER BY 1").fetchall()]
        if ids:
            kept = False
            names = ", ".join(public_id("rem", each) or "" for each in ids[:SHOWN])
            more = f" and {len(ids) - SHOWN} more" if len(ids) > SHOWN else ""
            yield problem("reminders", f"{names}{more}: {what}", LOOK)
    if kept:
        yield fine("reminders", "each is in one state, and what left is recorded")


def _consents(opened: Connection) -> Iterator[Finding]:
    if not _has(opened, "consent_ledger"):
        return
    ids = [row[0] for row in opened.execute(DIFFERENT_CONSENTS).fetchall()]
    if not ids:
        yield fine("consents", "each is the last word of its ledger")
    else:
        names = ", ".join(public_id("pat", each) or "" for each in ids[:SHOWN])
        more = f" and {len(ids) - SHOWN} more" if len(ids) > SHOWN else ""
        said = f"{names}{more}: not what the ledger says last"
        yield problem("consents", said, "Compare, and ask the patient: reminderd patient show ID")


def _has(opened: Connection, table: str) -> bool:
    row = opened.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (table,)).fetchone()
    return row is not None


def _notes(opened: Connection) -> Iterator[Finding]:
    held = opened.execute("SELECT value FROM notes WHERE key = 'held'").fetchone()
    try:
        json.loads(held[0] if held else "[]")
    except ValueError:
        yield problem("notes", "what sending is held for cannot be read", RESTORE)


def _trail(opened: Connection) -> Iterator[Finding]:
    if not _has(opened, "audit"):
        return
    fault = trail.fault(opened)
    if fault is None:
        yield fine("audit", "the trail is whole")
    else:
        yield problem("audit", f"entry {fault.number} {fault.why}", "See it: reminderd audit")


def _found(opened: Connection, seal: Seal | None) -> Iterator[Finding]:
    if not _has(opened, "patients_by_phone"):
        return
    lost = list(islice(lookup.misplaced(opened, seal), SHOWN))
    if not lost:
        yield fine("numbers", "who writes from a patient's number is found by it")
    for each in lost:
        said = f"{public_id('pat', each)}: is not found by number or address: a STOP finds nobody"
        yield problem("numbers", said, RESTORE)


def _sealed(opened: Connection, seal: Seal) -> Iterator[Finding]:
    broken = list(islice(_broken(opened, seal), SHOWN))
    if not broken:
        yield fine("encryption", f"everything opens with the key {seal.key_id}")
    for each in broken:
        yield problem("encryption", each, RESTORE)


def _broken(opened: Connection, seal: Seal) -> Iterator[str]:
    """What is wrong with each value that does not open."""
    for table in TABLES:
        for each in chain.from_iterable(kept(opened, table)):
            for place in each.at:
                try:
                    opened_row(each.row, (place,), each.name, seal)
                except SealBroken as error:
                    yield error.message


Check = Callable[[Connection], Iterator[Finding]]
# Each is given one state of the database; a later one may rely on those before it.
CHECKS: tuple[Check, ...] = (
    _file,
    _version,
    _guards,
    _belonging,
    _counters,
    _promises,
    _consents,
    _notes,
    _trail,
)
