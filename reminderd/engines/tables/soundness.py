"""What rows promise each other, whichever database they are in: the part of `db check` on them."""

import json
from collections.abc import Callable, Iterator, Mapping
from itertools import chain, islice

from reminderd.engines.tables import lookup, trail
from reminderd.engines.tables.sealed import kept
from reminderd.engines.tables.store import Statements
from reminderd.findings import Finding, fine, problem
from reminderd.ids import public_id
from reminderd.sealing import TABLES, Seal, SealBroken
from reminderd.sealing import opened as opened_row

RESTORE = "Restore a backup: reminderd db restore FILE"
LOOK = "See what became of it: reminderd reminder explain ID"
SHOWN = 5

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
        f"AND id NOT IN (SELECT reminder FROM ({_CARRIED}) AS carried)"
    ),
    "accepted by a provider, and yet waiting to be sent": (
        "SELECT id FROM reminders WHERE state IN ('scheduled', 'held') "
        f"AND id IN (SELECT reminder FROM ({_ARRIVED}) AS arrived)"
    ),
    "in more than one accepted message": (
        # One more wherever a person has said what became of a message in doubt.
        f"SELECT reminder FROM ({_ARRIVED}) AS arrived GROUP BY reminder "
        "HAVING count(DISTINCT message) > 1 "
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
    "SELECT patient, channel, CASE WHEN wish = 'granted' THEN 1 ELSE 0 END AS granted, at, how "
    "FROM (SELECT *, row_number() OVER "
    "(PARTITION BY patient, channel ORDER BY at DESC, id DESC) AS place FROM consent_ledger "
    "WHERE wish IN ('granted', 'withdrawn')) AS words WHERE place = 1 "
    "AND patient NOT IN (SELECT id FROM patients WHERE erased_at IS NOT NULL)"
)
_PRESENT = "SELECT patient, channel, granted, at, how FROM consents"
# Whose consents differ from what was said last, on either side.
DIFFERENT_CONSENTS = (
    f"SELECT DISTINCT patient FROM (SELECT * FROM ({_PRESENT} EXCEPT {_LAST_WORDS}) AS now UNION "
    f"SELECT * FROM ({_LAST_WORDS} EXCEPT {_PRESENT}) AS said) AS either ORDER BY patient"
)


def _promises(opened: Statements) -> Iterator[Finding]:
    kept = True
    for what, sql in PROMISES.items():
        ids = [row[0] for row in opened.query(f"{sql} ORDER BY 1")]
        if ids:
            kept = False
            names = ", ".join(public_id("rem", each) or "" for each in ids[:SHOWN])
            more = f" and {len(ids) - SHOWN} more" if len(ids) > SHOWN else ""
            yield problem("reminders", f"{names}{more}: {what}", LOOK)
    if kept:
        yield fine("reminders", "each is in one state, and what left is recorded")


def _consents(opened: Statements) -> Iterator[Finding]:
    ids = [row[0] for row in opened.query(DIFFERENT_CONSENTS)]
    if not ids:
        yield fine("consents", "each is the last word of its ledger")
    else:
        names = ", ".join(public_id("pat", each) or "" for each in ids[:SHOWN])
        more = f" and {len(ids) - SHOWN} more" if len(ids) > SHOWN else ""
        said = f"{names}{more}: not what the ledger says last"
        yield problem("consents", said, "Compare, and ask the patient: reminderd patient show ID")


def _notes(opened: Statements) -> Iterator[Finding]:
    held = opened.query("SELECT value FROM notes WHERE key = 'held'")
    try:
        json.loads(held[0][0] if held else "[]")
    except ValueError:
        yield problem("notes", "what sending is held for cannot be read", RESTORE)


def _trail(opened: Statements) -> Iterator[Finding]:
    fault = trail.fault(opened)
    if fault is None:
        yield fine("audit", "the trail is whole")
    else:
        yield problem("audit", f"entry {fault.number} {fault.why}", "See it: reminderd audit")


def found(opened: Statements, seal: Seal | None) -> Iterator[Finding]:
    """Whether patients are found by number and address."""
    lost = list(islice(lookup.misplaced(opened, seal), SHOWN))
    if not lost:
        yield fine("numbers", "who writes from a patient's number is found by it")
    for each in lost:
        said = f"{public_id('pat', each)}: is not found by number or address: a STOP finds nobody"
        yield problem("numbers", said, RESTORE)


def sealed(opened: Statements, seal: Seal) -> Iterator[Finding]:
    """Whether every value opens."""
    broken = list(islice(_broken(opened, seal), SHOWN))
    if not broken:
        yield fine("encryption", f"everything opens with the key {seal.key_id}")
    for each in broken:
        yield problem("encryption", each, RESTORE)


def _broken(opened: Statements, seal: Seal) -> Iterator[str]:
    """What is wrong with each value that does not open."""
    for table in TABLES:
        for each in chain.from_iterable(kept(opened, table)):
            for place in each.at:
                try:
                    opened_row(each.row, (place,), each.name, seal)
                except SealBroken as error:
                    yield error.message


# By the youngest table that each needs: a database of an older version may not have it.
CHECKS: Mapping[str, Callable[[Statements], Iterator[Finding]]] = {
    "callbacks": _promises,
    "consent_ledger": _consents,
    "notes": _notes,
    "audit": _trail,
}
