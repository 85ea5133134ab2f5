"""Damage, and rows that contradict each other, are found."""

from pathlib import Path

import pytest

from reminderd.engines.embedded import soundness
from reminderd.engines.embedded.outbox import EmbeddedOutbox
from reminderd.findings import Level
from tests.engines.database_files import claims_one, damage
from tests.engines.rows import with_patient


@pytest.fixture
def outbox(on_sqlite: EmbeddedOutbox) -> EmbeddedOutbox:
    """This is promised of a file."""
    return on_sqlite


def problems(database: Path) -> list[str]:
    return [
        f"{each.subject}: {each.message}"
        for each in soundness.examine(database)
        if each.level is Level.PROBLEM
    ]


def test_a_sound_database_has_no_problem(database: Path, outbox: EmbeddedOutbox) -> None:
    claims_one(outbox)
    assert problems(database) == []


@pytest.mark.parametrize(
    ("sql", "said"),
    [
        ("UPDATE reminders SET state = 'sent', wake_at = NULL", "rem-1: sent, and no accepted"),
        (
            "UPDATE reminders SET state = 'sending', wake_at = NULL; "
            "UPDATE attempts SET outcome = 'returned'",
            "rem-1: being sent, and no attempt is open",
        ),
        (
            "UPDATE reminders SET state = 'scheduled', wake_at = due_at; "
            "UPDATE attempts SET outcome = 'accepted'",
            "rem-1: accepted by a provider, and yet waiting",
        ),
        (
            "INSERT INTO messages (patient, channel, transport, created_at) VALUES (1, 'sms', 's', "
            "0); INSERT INTO message_reminders VALUES (1, 2); INSERT INTO attempts (message, "
            "outcome, claimed_at) VALUES (2, 'accepted', 0); UPDATE attempts SET outcome = "
            "'accepted'; UPDATE reminders SET state = 'sent'",
            "rem-1: in more than one accepted message",
        ),
        ("UPDATE sqlite_sequence SET seq = 0 WHERE name = 'messages'", "messages: the newest is 1"),
        ("DELETE FROM sqlite_sequence WHERE name = 'attempts'", "attempts: the newest is 1"),
        ("PRAGMA foreign_keys = OFF; DELETE FROM patients", "its row in patients is missing"),
        ("INSERT INTO notes VALUES ('held', '?')", "cannot be read"),
        ("DROP TRIGGER audit_is_not_changed", "schema: trigger audit_is_not_changed is missing"),
        ("DROP INDEX attempts_by_token", "schema: index attempts_by_token is missing"),
        (
            "DROP TRIGGER audit_is_not_shortened; CREATE TRIGGER audit_is_not_shortened "
            "BEFORE DELETE ON audit BEGIN SELECT 1; END",
            "schema: trigger audit_is_not_shortened is altered",
        ),
        ("PRAGMA user_version = 1", "schema: 1, not"),
        ("PRAGMA user_version = 999", "schema: 999, written by a newer reminderd"),
    ],
)
def test_rows_that_contradict_each_other_are_found(
    database: Path, outbox: EmbeddedOutbox, sql: str, said: str
) -> None:
    claims_one(outbox)
    outbox.connection.executescript(sql)
    assert any(said in each for each in problems(database)), problems(database)


def test_damage_is_found(database: Path, outbox: EmbeddedOutbox) -> None:
    for _ in range(200):
        with_patient(outbox)
    outbox.close()
    damage(database)
    assert problems(database)
