"""Numbers of new rows in PostgreSQL: in one row, nobody else's, and nobody waits for them."""

import threading
from typing import Any

import psycopg

RESERVE = "SELECT reminderd.reserve(%s, %s)"
OF_TABLES = """
SELECT table_name FROM information_schema.columns
WHERE table_schema = 'reminderd' AND column_name = 'id' AND table_name <> 'audit'
"""


def first(connection: psycopg.Connection[tuple[Any, ...]], table: str, count: int) -> int:
    row = connection.execute(RESERVE, (table, count)).fetchone()
    assert row is not None
    return int(row[0])


def test_every_table_counts_for_itself(postgresql: str) -> None:
    with psycopg.connect(postgresql) as connection:
        for (table,) in connection.execute(OF_TABLES).fetchall():
            assert [first(connection, table, count) for count in (0, 3, 0, 1, 0)] == [1, 1, 4, 4, 5]


def test_no_number_is_given_twice(postgresql: str) -> None:
    given: list[range] = []

    def take(seed: int) -> None:
        with psycopg.connect(postgresql, autocommit=True) as connection:
            for turn in range(100):
                count = 1 + (seed * 7 + turn * 13) % 40
                start = first(connection, "messages", count)
                given.append(range(start, start + count))

    threads = [threading.Thread(target=take, args=(seed,)) for seed in range(8)]
    for each in threads:
        each.start()
    for each in threads:
        each.join(60)
    numbers = [number for block in given for number in block]
    assert len(given) == 800
    assert len(numbers) == len(set(numbers))


def test_nobody_waits_for_the_end_of_a_transaction(postgresql: str) -> None:
    with psycopg.connect(postgresql) as one, psycopg.connect(postgresql) as other:
        assert first(one, "messages", 10) == 1  # and its transaction goes on
        other.execute("SET LOCAL lock_timeout = '1s'")
        assert first(other, "messages", 10) == 11


def test_what_is_undone_is_not_given_again(postgresql: str) -> None:
    with psycopg.connect(postgresql) as connection:
        assert first(connection, "patients", 5) == 1
        connection.rollback()
        assert first(connection, "patients", 5) == 6


def test_a_reminder_is_of_its_patients_clinic(postgresql: str) -> None:
    with psycopg.connect(postgresql) as connection:
        connection.execute("SET LOCAL search_path = reminderd")
        connection.execute(
            "INSERT INTO patients (id, clinic, given_name, family_name, channels, created_at, "
            "updated_at) VALUES (1, 'main', '', '', '', 0, 0), (2, 'west', '', '', '', 0, 0)"
        )
        connection.execute("INSERT INTO protocol_versions VALUES (1, 'mesotherapy', 1, '', '{}')")
        connection.execute(
            "INSERT INTO sessions (id, patient, protocol_version, at, state, recorded_at) "
            "VALUES (1, 1, 1, 0, 'done', 0), (2, 2, 1, 0, 'done', 0)"
        )
        connection.execute(
            "INSERT INTO reminders (patient, session, protocol, revision, milestone, occurrence, "
            "kind, topics, template, nominal_at, expires_at, first_planned_at, state) "
            "SELECT id, id, 'mesotherapy', 1, 'sun', 1, 'inform', '', 'sun', 0, 1, 0, 'held' "
            "FROM sessions"
        )
        of = "SELECT clinic FROM reminders ORDER BY patient"
        assert connection.execute(of).fetchall() == [("main",), ("west",)]
        connection.execute("UPDATE patients SET clinic = 'east' WHERE id = 1")
        assert connection.execute(of).fetchall() == [("east",), ("west",)]
