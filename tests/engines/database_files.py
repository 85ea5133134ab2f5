"""What happens to a database file: something is sent from it, it is damaged, it is an old one."""

from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from sqlite_utils import Database

from reminderd.engines.embedded import connection, schema
from reminderd.engines.embedded.outbox import EmbeddedOutbox
from reminderd.interfaces import NewMessage
from reminderd.model import Channel
from tests.engines.rows import one

NOW = datetime(2026, 3, 10, 9, 30, tzinfo=UTC)


def claims_one(outbox: EmbeddedOutbox) -> None:
    reminder = one(outbox)
    assert reminder.patient_id is not None
    with outbox.transaction():
        outbox.claim([NewMessage(reminder.patient_id, Channel.SMS, "sms", (reminder,))], NOW)


def files(database: Path) -> set[str]:
    return {each.name for each in database.parent.iterdir()}


def damage(database: Path) -> None:
    """Overwrite what stands in the middle of the file."""
    content = bytearray(database.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 20_000] = b"\xaa" * 20_000
    database.write_bytes(content)


def read_whole(outbox: EmbeddedOutbox, sql: str, given: Sequence[object] = ()) -> list[str]:
    """The tables of which a query reads all rows, or all entries of an index."""
    steps = [row[3] for row in outbox.query(f"EXPLAIN QUERY PLAN {sql}", given)]
    return [each for each in steps if each.startswith("SCAN") and "json_each" not in each]


def an_older(path: Path) -> Path:
    """A database of the first schema, with a patient in it."""
    with closing(connection.connect(path, create=True)) as old:
        schema.migrations().apply(Database(old), stop_before="002-what-changed")
        old.execute("INSERT INTO notes VALUES ('installation', 'kept')")
        old.execute(
            "INSERT INTO patients (clinic, given_name, family_name, channels, created_at, "
            "updated_at) VALUES ('main', 'Ana', '', 'sms', 0, 0)"
        )
        old.execute("PRAGMA user_version = 1")
        old.commit()
    return path
