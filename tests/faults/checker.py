"""What must hold after every run, whatever went wrong: the promise of the sending page."""

import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from reminderd.audit import Action, broken
from reminderd.engines.embedded.outbox import EmbeddedOutbox
from reminderd.interfaces import ReminderFilter
from reminderd.model import Reason, Reminder, State
from tests.faults.answers import wrong_answers
from tests.faults.ledger import Ledger

MAY_HAVE_LEFT = (State.SENT, State.UNKNOWN)
CALLED_OFF = (Reason.BY_STAFF, Reason.ERASED)
AHEAD = (State.SCHEDULED, State.HELD)
RANKS = {"queued": 1, "sent": 2, "delivered": 3, "undelivered": 3, "failed": 3}
CANARIES = ("Canari", "canari", "+3460000", "3460000")
NOWHERE_HERE = {
    "the notes": "SELECT key, value FROM notes",
    "the trail's entries": "SELECT by, action, what, before, after FROM audit",
    "the attempts": "SELECT code, error FROM attempts",
    "the answers": "SELECT code, error FROM answers",
}


@dataclass(frozen=True)
class Book:
    """The outbox as it is at the end: reminders and the messages that carried them."""

    reminders: list[Reminder]
    messages_of: dict[int, set[int]]
    attempts: dict[int, list[tuple[str, str | None]]]  # outcome and provider's id, by message
    contents: dict[int, tuple[str | None, str | None]]  # number or mailbox, and text, by message


def book(outbox: EmbeddedOutbox) -> Book:
    messages_of, attempts = defaultdict(set), defaultdict(list)
    for reminder, message in outbox.query("SELECT reminder, message FROM message_reminders"):
        messages_of[reminder].add(message)
    for message, *attempt in outbox.query(
        "SELECT message, outcome, provider_id FROM attempts ORDER BY id"
    ):
        attempts[message].append(tuple(attempt))
    reminders = outbox.reminders(ReminderFilter())
    return Book(reminders, messages_of, attempts, words(outbox))


def words(outbox: EmbeddedOutbox) -> dict[int, tuple[str | None, str | None]]:
    """By message, to whom it goes and what it says, as it is on record."""
    return {
        each.id: (each.to, each.text)
        for (patient,) in outbox.query("SELECT DISTINCT patient FROM messages")
        for each in outbox.correspondence(patient)
    }


def wrongs(
    outbox: EmbeddedOutbox,
    ledger: Ledger,
    recorded: set[str],
    until: datetime,
    *,
    over: bool = False,
) -> list[str]:
    """Every broken promise, once nothing is under way any more at `until`.

    `over`: nothing lies ahead any more either, so every reminder has come to its end.
    """
    kept = book(outbox)
    return [
        *_file(outbox),
        *_reminders(kept, ledger, until, over),
        *_contents(kept, ledger, without_words(outbox)),
        *_records(kept, ledger, recorded),
        *_receipts(outbox, kept.reminders),
        *wrong_answers(outbox, ledger, over=over),
        *_trail(outbox),
        *_secrets(outbox),
    ]


def without_words(outbox: EmbeddedOutbox) -> set[int]:
    """Messages whose words somebody has had removed: with the person, or because they are old."""
    pruned = any(each.entry.action == Action.PRUNED for each in outbox.trail())
    rows = outbox.query(
        "SELECT messages.id FROM messages JOIN patients ON patients.id = patient "
        "WHERE erased_at IS NOT NULL OR (? AND text IS NULL)",
        (pruned,),
    )
    return {row[0] for row in rows}


def _file(outbox: EmbeddedOutbox) -> Iterator[str]:
    for check in ("integrity_check", "foreign_key_check"):
        for row in outbox.query(f"PRAGMA {check}"):
            if row[0] != "ok":
                yield f"{check}: {row}"


def _reminders(kept: Book, ledger: Ledger, until: datetime, over: bool) -> Iterator[str]:
    keys_by_message, void = ledger.keys(), ledger.void
    for each in kept.reminders:
        assert each.id is not None
        name = f"rem-{each.id} {each.milestone}"
        keys: set[str] = set()
        if each.reason is not Reason.TEMPLATE:
            keys.update(*(keys_by_message.get(m, ()) for m in kept.messages_of.get(each.id, ())))
        if len(keys - void) > 1:
            yield f"{name}: accepted {len(keys - void)} times"
        if keys - void and each.state not in MAY_HAVE_LEFT and each.reason not in CALLED_OFF:
            yield f"{name}: accepted, and it is {_word(each)}"
        if each.state is State.SENT and not keys:
            yield f"{name}: sent, and nobody has accepted it"
        overdue = each.wake_at is not None and each.wake_at <= until
        if overdue or each.state is State.SENDING or (over and each.state in AHEAD):
            yield f"{name}: still {each.state} when all is over"


def _word(reminder: Reminder) -> str:
    return f"{reminder.state}/{reminder.reason}" if reminder.reason else str(reminder.state)


def _contents(kept: Book, ledger: Ledger, wordless: set[int]) -> Iterator[str]:
    for each in ledger.entries:
        if each.message not in wordless and kept.contents.get(each.message) != (each.to, each.text):
            yield f"msg-{each.message}: what left is not what the record says"


def _records(kept: Book, ledger: Ledger, recorded: set[str]) -> Iterator[str]:
    """What was acknowledged and durably recorded is there, and no id that nobody has given."""
    known = {id for rows in kept.attempts.values() for outcome, id in rows if outcome == "accepted"}
    given = {each.provider_id for each in ledger.entries}
    for missing in sorted(recorded - known):
        yield f"{missing}: its record is gone"
    for invented in sorted(filter(None, known - given)):
        yield f"{invented}: recorded, and no provider has given it"
    for message, rows in kept.attempts.items():
        if any(outcome in ("claimed", "marked") for outcome, _ in rows):
            yield f"msg-{message}: an attempt without an end: {json.dumps(rows)}"


def _receipts(outbox: EmbeddedOutbox, reminders: list[Reminder]) -> Iterator[str]:
    """What a provider told last in rank is what is shown, and all that it told was looked at."""
    told: dict[str, list[str]] = defaultdict(list)
    for provider_id, receipt, applied_at in outbox.query(
        "SELECT provider_id, receipt, applied_at FROM callbacks ORDER BY id"
    ):
        told[provider_id].append(receipt)
        if applied_at is None:
            yield f"{provider_id}: nobody has looked at what was told: {receipt}"
    for each in reminders:
        if each.state is State.SENT and each.provider_id in told:
            highest = max(told[each.provider_id], key=lambda one: RANKS[one])  # the first of them
            if each.receipt != highest:
                yield f"rem-{each.id}: receipt {each.receipt}, and {highest} was told"


# Who did what ------------------------------------------------------------------------------------


def _trail(outbox: EmbeddedOutbox) -> Iterator[str]:
    """The trail is whole, and by itself leads to what patients and sessions are now."""
    trail = outbox.trail()
    if (hole := broken(trail, outbox.trail_head())) is not None:
        yield f"the trail: entry {hole.number} {hole.why}"
    told: dict[str, dict[str, Any]] = defaultdict(dict)
    imported: set[int] = set()
    for _, entry, _ in trail:
        if entry.action == Action.IMPORTED:
            imported.update(range(entry.patient or 0, (entry.last_patient or 0) + 1))
        told[entry.what].update(entry.after)
    for patient in outbox.patients():
        if patient.id in imported or patient.erased_at is not None:
            continue
        now = {channel: "granted" if c.granted else "withdrawn"
               for channel, c in patient.consent.items()}  # fmt: skip
        said = told[f"pat-{patient.id}"]
        if (said.get("consent", {}), bool(said.get("paused"))) != (now, patient.paused):
            yield f"the trail: pat-{patient.id} is not what it says"
    for session in outbox.sessions():
        if session.patient_id not in imported:
            said = told[f"ses-{session.id}"]
            at = session.at.astimezone(UTC).isoformat(timespec="seconds")
            if (said.get("state"), said.get("at")) != (session.state, at):
                yield f"the trail: ses-{session.id} is not what it says"


def _secrets(outbox: EmbeddedOutbox) -> Iterator[str]:
    """No name, number or address where none belongs."""
    for what, select in NOWHERE_HERE.items():
        text = json.dumps(outbox.query(select), ensure_ascii=False)
        yield from (f"{what} say {each}" for each in CANARIES if each in text)
    if outbox.seal is not None:
        files = outbox.path.parent.glob(f"{outbox.path.name}*")
        data = b"".join(each.read_bytes() for each in files)
        yield from (f"the encrypted file says {each}" for each in CANARIES if each.encode() in data)
