"""What the tables have on PostgreSQL that they do not have on SQLite, and what it means."""

import re
from collections.abc import Collection, Iterator

from reminderd.engines.distributed.steps import OWN_STEPS

TABLES = {
    "migrations": "Which steps led to this schema, and to that of the job queue.",
    "workers": "Who works on this outbox: each process that sends, while it lives.",
    "turns": "What only one worker does at a time.",
    "paces": "How fast all workers together hand over to a transport.",
}
_CLINIC = "The patient's clinic; triggers keep it right."
_CLINICS = "Which clinics those work for who wrote it; `{}`: all, so that it is everybody's."
COLUMNS = {
    "attempts": {
        "worker": "Who claimed it: what a dead worker left open is taken back.",
        "clinic": _CLINIC,
    },
    "messages": {"clinic": _CLINIC},
    "approvals": {"clinics": _CLINICS},
    "alerts": {"clinics": _CLINICS},
    "replies": {"clinics": f"{_CLINICS} Once it is known who has the number, they count."},
    "incidents": {"clinics": f"{_CLINICS} Where a patient has the number, the patients count."},
    "answers": {"worker": "Who hands it over."},
    "reminders": {
        "clinic": "The patient's clinic, by which what is due is found; triggers keep it right."
    },
    "migrations": {
        "name": "The name of its file.",
        "digest": "SHA-256 of what was in it.",
        "at": "When it was done.",
    },
    "workers": {
        "id": "A number. Never used twice.",
        "name": "The machine and the process.",
        "schema": "The schema that its program knows: nothing that it needs is removed under it.",
        "jobs": "The version of its job queue, likewise.",
        "started_at": "When it came, by the clock of the database.",
        "seen_at": "When it was heard of last; after 15 seconds it counts as gone.",
        "trouble": "Why it sends nothing though others do; empty where it sends.",
    },
    "turns": {
        "name": "What it is.",
        "worker": "Whose turn it is.",
        "until": "Until when, by the clock of the database.",
    },
    "paces": {
        "transport": "The transport.",
        "tokens": "How many messages may leave at once, at that instant.",
        "at": "That instant, by the clock of the database.",
    },
}

_TABLE = re.compile(r"^CREATE TABLE (\w+) \(\n(.*?)^\)", re.MULTILINE | re.DOTALL)
_COLUMN = re.compile(r"^    ([a-z]\w*) (bigint|integer|smallint|text|double precision)(.*)$", re.M)
_ADDED = re.compile(r"^ALTER TABLE (\w+) ADD COLUMN (\w+) (\w+(?:\[\])?)(.*)$", re.MULTILINE)


def cluster_part(known: Collection[tuple[str, str]]) -> Iterator[str]:
    """The part of the page on what is not `known`: tables with their columns.

    Raises KeyError for a table or a column that nobody explained.
    """
    yield "## On PostgreSQL\n"
    yield "The same tables and columns stand in the schema `reminderd`, made by numbered steps in"
    yield "[`migrations`](../reminderd/engines/distributed/migrations). Ids and instants are"
    yield "`bigint`, what is 0 or 1 is `smallint`; `to_timestamp(due_at / 1000.0)` reads an"
    yield "instant. Text compares by its bytes. The tables of the job queue stand in the schema"
    yield "`procrastinate`; nothing in them is about a patient. Beside what is above there is:\n"
    tables = {table for table, _ in known}
    for table, all_of_it in columns().items():
        new = [each for each in all_of_it if (table, each[0]) not in known]
        if new:
            yield f"### {table}\n"
            if table not in tables:
                yield f"{TABLES[table]}\n"
            yield "| column | type | | is |"
            yield "|---|---|---|---|"
            for name, kind, rest in new:
                yield f"| `{name}` | {kind} | {_marks(rest)} | {COLUMNS[table][name]} |"
            yield ""


def columns() -> dict[str, list[tuple[str, str, str]]]:
    """Name, type and the rest of every column that the steps make, by table."""
    found: dict[str, list[tuple[str, str, str]]] = {}
    for step in OWN_STEPS:
        for table, body in _TABLE.findall(step.sql):
            found[table] = _COLUMN.findall(body)
        for table, *column in _ADDED.findall(step.sql):
            found[table].append(tuple(column))
    return found


def _marks(rest: str) -> str:
    if "PRIMARY KEY" in rest:
        return "key"
    return "" if "NOT NULL" in rest else "may be empty"
