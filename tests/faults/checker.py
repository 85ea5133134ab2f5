"""What must hold after every run, whatever went wrong: the promise of the sending page."""

import json
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from reminderd.engines.embedded.outbox import EmbeddedOutbox
from reminderd.interfaces import ReminderFilter
from reminderd.model import Reason, Reminder, State
from tests.faults.ledger import Ledger

MAY_HAVE_LEFT = (State.SENT, State.UNKNOWN)


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
    rows = outbox.query("SELECT id, recipient, text FROM messages")
    reminders = outbox.reminders(ReminderFilter())
    return Book(reminders, messages_of, attempts, {row[0]: (row[1], row[2]) for row in rows})


def wrongs(
    outbox: EmbeddedOutbox, ledger: Ledger, recorded: set[str], until: datetime
) -> list[str]:
    """Every broken promise, once nothing is under way any more at `until`."""
    kept = book(outbox)
    return [
        *_file(outbox),
        *_reminders(kept, ledger, until),
        *_contents(kept, ledger),
        *_records(kept, ledger, recorded),
    ]


def _file(outbox: EmbeddedOutbox) -> Iterator[str]:
    for check in ("integrity_check", "foreign_key_check"):
        for row in outbox.query(f"PRAGMA {check}"):
            if row[0] != "ok":
                yield f"{check}: {row}"


def _reminders(kept: Book, ledger: Ledger, until: datetime) -> Iterator[str]:
    for each in kept.reminders:
        assert each.id is not None
        name = f"rem-{each.id} {each.milestone}"
        messages = kept.messages_of.get(each.id, set())
        keys = set() if each.reason is Reason.TEMPLATE else ledger.keys_of(messages)
        if len(keys) > 1:
            yield f"{name}: accepted {len(keys)} times"
        if keys and each.state not in MAY_HAVE_LEFT and each.reason is not Reason.BY_STAFF:
            yield f"{name}: accepted, and it is {_word(each)}"
        if each.state is State.SENT and not keys:
            yield f"{name}: sent, and nobody has accepted it"
        overdue = each.wake_at is not None and each.wake_at <= until
        if overdue or each.state is State.SENDING:
            yield f"{name}: still {each.state} when all is over"


def _word(reminder: Reminder) -> str:
    return f"{reminder.state}/{reminder.reason}" if reminder.reason else str(reminder.state)


def _contents(kept: Book, ledger: Ledger) -> Iterator[str]:
    for each in ledger.entries:
        if kept.contents.get(each.message) != (each.to, each.text):
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
