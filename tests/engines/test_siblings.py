"""Both databases hold the same: tables, columns, what may be empty, words, keys and guards."""

import re
from collections.abc import Iterator
from enum import StrEnum
from typing import Any

import psycopg
import pytest
from sqlite_utils import Database

from docs.cluster_tables import columns
from reminderd import words
from reminderd.engines.embedded import schema

# What only one of them has. Workers are a cluster's; SQLite notes its steps in its own way.
ONLY_POSTGRES = {"migrations", "workers", "turns", "paces"}
ONLY_POSTGRES_COLUMNS = {("attempts", "worker"), ("answers", "worker")}
OF_CLINICS = {"clinic", "clinics"}  # whose a row is, where clinics share a database
ENUMS = {frozenset(one): one for one in vars(words).values()
         if isinstance(one, type) and issubclass(one, StrEnum) and one is not StrEnum}  # fmt: skip

COLUMNS = """
SELECT table_name, column_name, is_nullable = 'NO', column_default FROM information_schema.columns
WHERE table_schema = 'reminderd' ORDER BY table_name, ordinal_position
"""
CHECKS = """
SELECT relname, pg_get_constraintdef(pg_constraint.oid) FROM pg_constraint
JOIN pg_class ON pg_class.oid = conrelid
WHERE contype = 'c' AND pg_class.relnamespace = 'reminderd'::regnamespace
"""
FOREIGN_KEYS = """
SELECT conrelid::regclass::text, attname, confrelid::regclass::text FROM pg_constraint
JOIN pg_attribute ON attrelid = conrelid AND attnum = ANY (conkey)
WHERE contype = 'f' AND connamespace = 'reminderd'::regnamespace
"""
KEYS = """
SELECT relname, array_agg(attname::text) FROM pg_index
JOIN pg_class ON pg_class.oid = indrelid
JOIN pg_attribute ON attrelid = indrelid AND attnum = ANY (indkey)
WHERE indisunique AND relnamespace = 'reminderd'::regnamespace GROUP BY relname, indexrelid
"""

Connection = psycopg.Connection[tuple[Any, ...]]
Column = tuple[str, str]


@pytest.fixture
def sqlite() -> Iterator[Database]:
    fresh = Database(memory=True)
    schema.migrations().apply(fresh)
    yield fresh
    fresh.close()


@pytest.fixture
def other(postgresql: str) -> Iterator[Connection]:
    with psycopg.connect(postgresql) as connection:
        yield connection


def tables(sqlite: Database) -> list[str]:
    return [name for name in sqlite.table_names() if not name.startswith(("_", "sqlite_"))]


def of_postgres(table: str) -> bool:
    return table not in ONLY_POSTGRES


def test_the_same_columns_may_be_empty(sqlite: Database, other: Connection) -> None:
    # In SQLite a single number as key is never empty, whatever its declaration.
    ours = {
        (table, column.name): bool(column.notnull or column.is_pk)
        for table in tables(sqlite)
        for column in sqlite[table].columns
    }
    theirs = {(row[0], row[1]): row[2] for row in other.execute(COLUMNS) if of_postgres(row[0])}
    more = {name for name in theirs if name not in ours and name[1] not in OF_CLINICS}
    assert more == ONLY_POSTGRES_COLUMNS
    assert {name: theirs.get(name) for name in ours} == ours


def test_what_the_house_does_not_say_has_the_same_default(
    sqlite: Database, other: Connection
) -> None:
    ours = {
        (table, column.name): str(column.default_value).strip("'")
        for table in tables(sqlite)
        for column in sqlite[table].columns
        if column.default_value is not None
    }
    theirs = {
        (row[0], row[1]): str(row[3]).partition("::")[0].strip("'")
        for row in other.execute(COLUMNS)
        if row[3] is not None and of_postgres(row[0]) and row[1] not in {"id", *OF_CLINICS}
    }
    assert theirs == ours


def test_the_words_are_those_of_the_house_in_both(sqlite: Database, other: Connection) -> None:
    ours = {
        (table, named[1]): frozenset(re.findall(r"= '([a-z-]+)'", named[0]))
        for table in tables(sqlite)
        for named in re.finditer(r"CHECK \((\w+) IS NULL OR [^)]*\)", sqlite[table].schema)
    }
    theirs = {
        (table, named[1]): frozenset(re.findall(r"'([a-z-]+)'::text", text))
        for table, text in other.execute(CHECKS)
        if (named := re.match(r"CHECK \(\((\w+) = ANY \(ARRAY\['", text))
    }
    assert theirs == ours
    assert all(each in ENUMS for each in theirs.values())


def test_flags_and_what_goes_together_are_checked_in_both(
    sqlite: Database, other: Connection
) -> None:
    found = [(table, text) for table, text in other.execute(CHECKS) if of_postgres(table)]
    for table in tables(sqlite):
        ours = len(re.findall(r"\bCHECK \(", sqlite[table].schema))
        assert len([text for name, text in found if name == table]) == ours, table


def test_what_belongs_to_what_is_the_same(sqlite: Database, other: Connection) -> None:
    ours = {
        (table, each.column, each.other_table)
        for table in tables(sqlite)
        for each in sqlite[table].foreign_keys
    }
    assert {tuple(row) for row in other.execute(FOREIGN_KEYS)} == ours


def test_what_exists_once_is_the_same(sqlite: Database, other: Connection) -> None:
    ours = {
        (table, frozenset(each.columns))
        for table in tables(sqlite)
        for each in sqlite[table].indexes
        if each.unique
    } | {(table, frozenset(sqlite[table].pks)) for table in tables(sqlite)}
    theirs = {
        (row[0], frozenset(row[1]) - OF_CLINICS)
        for row in other.execute(KEYS)
        if of_postgres(row[0])
    }
    assert theirs == ours


def test_every_index_of_one_is_in_the_other(sqlite: Database, other: Connection) -> None:
    ours = {
        each.name
        for table in tables(sqlite)
        for each in sqlite[table].indexes
        if not each.name.startswith("sqlite_")
    }
    theirs = {row[0] for row in other.execute("SELECT indexname FROM pg_indexes")}
    assert ours <= theirs


def test_what_only_postgresql_has_is_documented(sqlite: Database, other: Connection) -> None:
    documented = {(table, each[0]) for table, found in columns().items() for each in found}
    assert {(row[0], row[1]) for row in other.execute(COLUMNS)} == documented


def test_text_is_compared_by_its_bytes(other: Connection) -> None:
    elsewise = other.execute(
        "SELECT table_name, column_name FROM information_schema.columns "
        "WHERE table_schema = 'reminderd' AND data_type = 'text' "
        "AND collation_name IS DISTINCT FROM 'C'"
    )
    assert elsewise.fetchall() == []


ENTRY = "INSERT INTO reminderd.audit VALUES (%s, 0, 'a', 'b', 'c', NULL, NULL, '{}', '{}', 'd')"
PERSON = (
    "INSERT INTO reminderd.patients (clinic, given_name, family_name, channels, created_at, "
    "updated_at) VALUES ('main', '', '', '', 0, 0) RETURNING id"
)
SAID = (
    "INSERT INTO reminderd.consent_ledger (patient, wish, at, how, by, source, recorded_at) "
    "VALUES (%s, 'granted', 0, 'staff', '', '', 0)"
)


def test_the_audit_trail_only_goes_on_at_its_end(other: Connection) -> None:
    other.execute(ENTRY, (1,))
    other.execute(ENTRY, (2,))
    for number in (2, 4, 0):
        with pytest.raises(psycopg.IntegrityError, match="only goes on"), other.transaction():
            other.execute(ENTRY, (number,))


@pytest.mark.parametrize(
    ("statement", "refused"),
    [
        ("UPDATE reminderd.audit SET by = 'x'", "never changed"),
        ("DELETE FROM reminderd.audit", "never shortened"),
        ("TRUNCATE reminderd.audit", "never shortened"),
        ("UPDATE reminderd.consent_ledger SET at = 1", "never changed"),
        ("DELETE FROM reminderd.consent_ledger", "never shortened"),
        ("TRUNCATE reminderd.consent_ledger", "never shortened"),
    ],
)
def test_what_proves_is_not_changed(other: Connection, statement: str, refused: str) -> None:
    other.execute(ENTRY, (1,))
    other.execute(SAID, other.execute(PERSON).fetchone())
    with pytest.raises(psycopg.IntegrityError, match=refused):
        other.execute(statement.encode())


def test_what_is_personal_leaves_the_ledger(other: Connection) -> None:
    other.execute(SAID, other.execute(PERSON).fetchone())
    other.execute("UPDATE reminderd.consent_ledger SET address = NULL, source = '', words = NULL")
