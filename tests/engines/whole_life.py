"""A database in which every table has rows, for what goes over into another one."""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import psycopg

from reminderd.audit import Action, Entry
from reminderd.callback_book import Callback
from reminderd.engine import Copied
from reminderd.engines.distributed import copying
from reminderd.engines.distributed.outbox import DistributedOutbox
from reminderd.engines.embedded import store
from reminderd.engines.embedded.outbox import EmbeddedOutbox
from reminderd.engines.tables.moving import TABLES
from reminderd.interfaces import Approval, Outbox
from reminderd.model import Receipt, Reminder, ZoneChange
from reminderd.sealing import Seal
from tests.engines.rows import (
    LATER,
    LIBRARY,
    NOW,
    a_reminder,
    claimed,
    marked,
    saved,
    with_patient,
    with_session,
    words,
)
from tests.engines.test_encryption import live

NAMES = [each.name for each in TABLES]
KEY = Seal(bytes(range(32)), "a test")


def lived(path: Path, seal: Seal | None = None) -> Path:
    """A life on file: messages claimed, marked and in doubt, replies, incidents, a trail."""
    store.create(path, seal=seal)
    live(path, seal)
    with closing(EmbeddedOutbox(path, seal=seal)) as outbox:
        _more(outbox)
        outbox.execute("UPDATE sqlite_sequence SET seq = 70 WHERE name = 'messages'")
    return path


def _more(outbox: Outbox) -> None:
    who = with_patient(outbox, name="Berta", ref="B-2")
    session = with_session(outbox, who)
    reminders = [a_reminder(session, occurrence=number) for number in range(1, 6)]
    first, second, third, *_ = saved(outbox, *reminders)
    claimed(outbox, first)
    marked(outbox, second)
    taken = claimed(outbox, third)
    protocol, document, _ = LIBRARY.find("mesotherapy")
    approval = Approval(protocol.key, protocol.revision, protocol.digest, "Dr. Alba", NOW)
    with outbox.transaction():
        outbox.mark([replace(words(taken), token="random")], NOW)
        outbox.add_approval(approval, outbox.pin_protocol(protocol, document), "=== en/a\nText\n")
        outbox.add_corrections([first.id or 0], "Dr. Alba", NOW)
        outbox.add_zone_change(who.id or 0, ZoneChange("Europe/Paris", LATER))
        for number in range(3):
            at = NOW + timedelta(minutes=number)
            outbox.record([Entry(at, "Dr. Alba", Action.RELEASED, "sending", after={"a": "é"})])
    assert outbox.keep_callback(Callback("random", "SM7", Receipt.DELIVERED, None), NOW)


def opened(
    where: object, seal: Seal | None = None, patience_seconds: float = 5
) -> DistributedOutbox | EmbeddedOutbox:
    """The outbox of a URL of PostgreSQL, or of a file."""
    if str(where).startswith("postgresql:"):
        return DistributedOutbox(str(where), seal=seal, patience_seconds=patience_seconds)
    return EmbeddedOutbox(Path(str(where)), seal=seal, patience_seconds=patience_seconds)


def known(outbox: Outbox) -> object:
    """Everything that a person could ask for."""
    ids = [each.id for each in outbox.patients() if each.id is not None]
    return (
        outbox.patients(), outbox.sessions(), _facts(outbox, ids), outbox.trail(),
        [outbox.attempts(each) for each in range(1, 7)], [outbox.left(1), outbox.doubts_of(1)],
        outbox.correspondence(1), outbox.last_sessions(None), outbox.replies(),
        outbox.incidents(False), outbox.alerts(""), outbox.answer_to(1), outbox.approvals(),
        outbox.note("installation"), [outbox.statements(each) for each in ids],
    )  # fmt: skip


def _facts(outbox: Outbox, ids: Sequence[int]) -> object:
    """Whose reminders no database gives in an order of its own."""
    found = outbox.facts(ids)
    return [replace(each, reminders=tuple(sorted(each.reminders, key=_id))) for each in found]


def _id(reminder: Reminder) -> int:
    return reminder.id or 0


def moved(source: object, target: object, seal: Seal | None = None) -> Copied:
    """Copied, compared, and the source held."""
    return copying.copy(str(source), str(target), seal, NOW, lambda _: None)


def changed(where: object, sql: str) -> None:
    """Do this in a file or on a server, past everybody."""
    if str(where).startswith("postgresql:"):
        with psycopg.connect(str(where)) as server:
            assert server.execute(sql.encode()).rowcount
    else:
        with closing(sqlite3.connect(str(where))) as file:
            assert file.execute(sql).rowcount
            file.commit()
