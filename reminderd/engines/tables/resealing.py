"""Every value of a database goes over from one key to another, from none, or to none."""

from reminderd.engines.tables import lookup
from reminderd.engines.tables.sealed import UNSCRUBBED, kept, note_key
from reminderd.engines.tables.store import Statements
from reminderd.sealing import TABLES, Seal, Sealed, closed, opened


def reseal(database: Statements, old: Seal | None, new: Seal | None) -> None:
    """What is sealed with `old` is sealed with `new` from now on; None is: with nothing.

    Old values may lie in files until somebody has removed them: a note says so. Raises SealBroken
    where a value does not open with `old`; call it in a transaction.
    """
    for each in TABLES:
        _reseal(database, each, old, new)
    lookup.fill(database, new)
    note_key(database, new)
    database.execute(
        "INSERT INTO notes (key, value) VALUES (?, '') ON CONFLICT (key) DO NOTHING", (UNSCRUBBED,)
    )


def _reseal(database: Statements, table: Sealed, old: Seal | None, new: Seal | None) -> None:
    columns = ", ".join(f"{name} = ?" for name in table.columns)
    row = " AND ".join(f"{name} = ?" for name in table.row)
    width = len(table.row)
    for page in kept(database, table):
        changed = [
            closed(opened(each.row, each.at, each.name, old), each.at, each.name, new)
            for each in page
        ]
        database.execute_many(
            f"UPDATE {table.table} SET {columns} WHERE {row}",
            [(*each[width:], *each[:width]) for each in changed],
        )
