"""Many clinics in one database: the scope of whoever works for some of them.

The server hides the others' rows by it (`migrations/008-before-tenancy.sql`), so that a statement
need not know of clinics to be scoped.
"""

from collections.abc import Iterable, Iterator, Sequence

from psycopg.sql import SQL, Literal

from reminderd.engines.distributed.pool import Connection
from reminderd.engines.distributed.refusals import place
from reminderd.engines.tables.store import Row
from reminderd.engines.tables.trail import HEAD
from reminderd.errors import ConfigurationError
from reminderd.sealing import OBJECTIONS_KEY

UNSCOPED = "SELECT set_config('reminderd.clinics', '', true);"
_OF_ALL = frozenset((HEAD, OBJECTIONS_KEY))  # notes that there is one of, for the whole database

# Of one clinic after the other, without reading its patients.
_OTHERS = (
    "WITH RECURSIVE known (clinic) AS ("
    "(SELECT clinic FROM patients ORDER BY clinic LIMIT 1) UNION ALL "
    "SELECT (SELECT clinic FROM patients WHERE patients.clinic > known.clinic "
    "ORDER BY clinic LIMIT 1) FROM known WHERE known.clinic IS NOT NULL) "
    "SELECT 1 FROM known WHERE clinic <> ALL(%s) AND NOT row_security_active('patients') LIMIT 1"
)


def scoping(clinics: Sequence[str] | None) -> str:
    """What gives a transaction its scope, and ends with it: nothing where that is everything."""
    if clinics is None:
        return ""
    setting = SQL("SELECT set_config('reminderd.clinics', ({}::text[])::text, true);")
    return setting.format(Literal(list(clinics))).as_string()


def own(name: str, clinics: Sequence[str] | None) -> str:
    """The name under which they keep what everybody has one of: notes, turns, paces.

    It is told apart by the clinic that is configured first, so that it stays when others join.
    """
    if not clinics or name in _OF_ALL:
        return name
    return f"{name}@{clinics[0]}"


def own_notes(notes: Iterable[Row], clinics: Sequence[str]) -> Iterator[Row]:
    """Of all notes those that they keep of their own, by the names that these go by elsewhere."""
    ending = own("", clinics)
    for key, value in notes:
        if ending and key.endswith(ending):
            yield key.removesuffix(ending), value


def limit(connection: Connection, url: str, clinics: Sequence[str] | None) -> None:
    """Give the transaction that has begun its scope. Raises as `refuse_unscoped`."""
    if clinics is not None:
        refuse_unscoped(connection, url, clinics)
        connection.execute(scoping(clinics).encode())


def refuse_unscoped(connection: Connection, url: str, clinics: Sequence[str] | None) -> None:
    """Raise ConfigurationError where the server would not hide other clinics' rows from our role.

    Where there are no others, nothing is to be hidden.
    """
    if clinics is None or not connection.execute(_OTHERS, (list(clinics),)).fetchall():
        return
    raise ConfigurationError(
        [f"{place(url)}: other clinics are in it, and nothing hides them from a superuser"],
        remedy="Connect as a role that is none, has no BYPASSRLS, and owns the database.",
    )
