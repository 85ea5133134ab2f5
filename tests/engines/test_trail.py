"""The audit trail: added to, never changed, and whoever goes round that is found out."""

from collections.abc import Callable

import pytest

from reminderd.audit import Action, Entry, Head, broken
from reminderd.engines.embedded.outbox import EmbeddedOutbox
from reminderd.engines.tables.outbox import TablesOutbox
from reminderd.errors import ReminderdError
from reminderd.interfaces import Outbox
from tests.engines.rows import EITHER_WAY, HOUR, LATER, NOW, side_by_side

pytestmark = EITHER_WAY


def entry(what: str = "pat-1", patient: int | None = 1, **facts: object) -> Entry:
    return Entry(NOW, "alba", Action.PATIENT_EDITED, what, patient, after={"facts": facts})


def recorded(outbox: Outbox, *entries: Entry) -> None:
    with outbox.transaction():
        outbox.record(entries)


def test_an_entry_comes_back_with_every_field(outbox: Outbox) -> None:
    full = Entry(
        LATER, "Zoë; the nurse", Action.IMPORTED, "pat-1 to pat-9", 1, 9,
        before={"channels": ["sms"], "paused": False, "timezone": None},
        after={"consent": {"sms": "granted"}, "ünï": "→"},
    )  # fmt: skip
    recorded(outbox, full, entry())
    assert [each.entry for each in outbox.trail()] == [full, entry()]
    assert [each.number for each in outbox.trail()] == [1, 2]
    assert outbox.trail_head() == Head(2, outbox.trail()[1].digest)


def test_a_trail_that_was_written_in_many_pieces_is_whole(outbox: Outbox) -> None:
    assert broken(outbox.trail(), outbox.trail_head()) is None
    for number in range(5):
        recorded(outbox, *[entry(n=number)] * number)
    assert len(outbox.trail()) == 10
    assert broken(outbox.trail(), outbox.trail_head()) is None


def test_writers_side_by_side_make_one_whole_trail(outbox: Outbox) -> None:
    side_by_side(outbox, 8, lambda: recorded(outbox, entry(), entry()))
    assert len(outbox.trail()) == 16
    assert broken(outbox.trail(), outbox.trail_head()) is None


def test_the_trail_can_be_narrowed_to_a_patient_and_to_what_is_not_older(outbox: Outbox) -> None:
    of_many = Entry(NOW - HOUR, "alba", Action.IMPORTED, "pat-1 to pat-3", 1, 3)
    of_none = Entry(NOW, "alba", Action.PROTOCOL_APPROVED, "care")
    recorded(outbox, of_many, entry("ses-4", 2), entry("ses-5", 5), of_none)
    assert [each.number for each in outbox.trail(2)] == [1, 2]
    assert [each.number for each in outbox.trail(since=NOW)] == [2, 3, 4]
    assert [each.number for each in outbox.trail(2, NOW)] == [2]
    assert outbox.trail(4) == []


def test_an_entry_goes_with_what_it_records(outbox: Outbox) -> None:
    recorded(outbox, entry())
    with outbox.trial():
        outbox.record([entry()])
    assert len(outbox.trail()) == 1
    assert outbox.trail_head().number == 1
    recorded(outbox, entry())
    assert broken(outbox.trail(), outbox.trail_head()) is None


# What the database refuses ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE audit SET by = 'nobody' WHERE id = 1",
        "DELETE FROM audit WHERE id = 2",
        "DELETE FROM audit",
        "INSERT INTO audit SELECT * FROM audit WHERE id = 1 "
        "ON CONFLICT (id) DO UPDATE SET by = 'nobody'",
        "INSERT INTO audit SELECT 9, at, by, action, what, patient, last_patient, before, after, "
        "digest FROM audit WHERE id = 1",
    ],
)
def test_the_database_refuses_to_change_the_trail(outbox: TablesOutbox, sql: str) -> None:
    recorded(outbox, entry(), entry())
    before = outbox.trail()
    with pytest.raises(ReminderdError, match="the audit trail"), outbox.transaction():
        outbox.execute(sql)
    assert outbox.trail() == before


def test_no_word_of_sqlite_gets_round_that(on_sqlite: EmbeddedOutbox) -> None:
    recorded(on_sqlite, entry())
    with pytest.raises(ReminderdError, match="the audit trail"), on_sqlite.transaction():
        on_sqlite.execute("INSERT OR REPLACE INTO audit SELECT * FROM audit WHERE id = 1")


@pytest.mark.parametrize(
    ("sql", "number"),
    [
        ("UPDATE audit SET by = 'nobody' WHERE id = 2", 2),
        ("UPDATE audit SET after = 'no JSON' WHERE id = 2", 2),
        ("UPDATE audit SET action = 'no-such-thing' WHERE id = 2", 2),
        ("DELETE FROM audit WHERE id = 2", 2),
        ("DELETE FROM audit WHERE id = 3", 3),
        ("DELETE FROM audit", 1),
        ("DELETE FROM notes WHERE key = 'audit-head'", 3),
    ],
)
def test_who_changes_it_by_another_way_is_found_out(
    outbox: TablesOutbox, tamper: Callable[[str], None], sql: str, number: int
) -> None:
    recorded(outbox, entry(), entry(), entry())
    tamper(sql)
    fault = broken(outbox.trail(), outbox.trail_head())
    assert fault is not None
    assert fault.number == number
