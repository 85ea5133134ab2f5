"""The few words in which PostgreSQL says otherwise what the tables' statements say."""

import re
from functools import lru_cache

from reminderd.engines.tables.store import THESE, WORDS

_WORDS = "(SELECT json_array_elements_text(%s::json))"
# As an array that is made once: the planner looks each up in the index, however large the table.
_THESE = "= ANY ((SELECT translate(%s, '[]', '{}')::bigint[])::bigint[])"
_LISTED = re.compile(r"json_group_array\(([\w.]+)\)")


@lru_cache(maxsize=1024)
def translated(sql: str) -> str:
    """The same statement for PostgreSQL.

    `CROSS JOIN … ON` is how SQLite is told the order of the tables; PostgreSQL finds its own.
    """
    sql = sql.replace("%", "%%").replace(WORDS, _WORDS).replace(f"IN {THESE}", _THESE)
    sql = _LISTED.sub(r"coalesce(json_agg(\1 ORDER BY \1), '[]')::text", sql)
    return sql.replace("CROSS JOIN", "JOIN").replace("?", "%s")
