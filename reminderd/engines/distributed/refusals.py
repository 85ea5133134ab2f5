"""What PostgreSQL's errors mean to a person: try again later, or correct something."""

import re

import psycopg
from psycopg.conninfo import conninfo_to_dict

from reminderd.errors import ConfigurationError, Refused, ReminderdError, TryAgainLater

# A server says why it lets nobody in only in words, and perhaps in its own language. What is not
# among these is taken for something that passes.
_FINAL = re.compile(
    r"authentication failed|does not exist|no such (database|user)|no pg_hba\.conf entry"
    r"|no password supplied|not permitted to log in|permission denied"
    r"|SSL was required|certificate|invalid .*(connection option|value)"
    r"|failed to resolve host(?!.*(Errno -3\b|[Tt]emporary))"
)
# Classes and codes of SQLSTATE that pass: connection, rollback, resources, operator, locks, and
# what became of a transaction: we stood still for too long in it, or the server is a standby now.
_PASSING = ("08", "25", "40", "53", "57", "55P03", "58")
_REF = "patients_ref_of_clinic"
_RIGHTS = ("42501", "28")
_NO_TABLE = "42P01"


def place(url: str) -> str:
    """The database that `url` names, for a message: without the password.

    Raises ConfigurationError where it is not an address of PostgreSQL.
    """
    try:
        named = conninfo_to_dict(url)
    except psycopg.Error:
        # The library's own words may quote the whole address.
        raise ConfigurationError(
            ["database.url: this is not an address of PostgreSQL"],
            remedy="Write it so: postgresql://USER@HOST/DATABASE",
        ) from None
    host = named.get("host") or "this machine"
    port = f":{named['port']}" if named.get("port") else ""
    role = f" as {named['user']}" if named.get("user") else ""
    name = named.get("dbname") or named.get("user") or "of that role"
    return f"database {name} on {host}{port}{role}"


def nothing_here(where: str) -> ConfigurationError:
    """The refusal of a database that no worker has begun yet."""
    return ConfigurationError(
        [f"{where}: there is no database of reminderd here"],
        remedy="The first worker makes it (`reminderd run`), or `reminderd init`, where "
        "database.url in the configuration is right.",
    )


def unreachable(error: psycopg.Error, url: str) -> ReminderdError:
    """Why nobody is let in: exit 78 where something has to be corrected, else 75."""
    where, text = place(url), _first_line(error)
    if _FINAL.search(text):
        return ConfigurationError(
            [f"{where}: {text}"],
            remedy="Correct database.url or database.password, or let the role in: createuser, "
            "createdb, pg_hba.conf.",
        )
    return TryAgainLater(
        f"{where}: {text}",
        remedy="Is the server running? The daemon goes on by itself; give a command again.",
    )


def translated(error: psycopg.Error, url: str) -> ReminderdError:
    """What an error of a statement means; no value from a row is in the message."""
    where, state = place(url), error.sqlstate or ""
    # Only the first words: the details of a constraint quote rows.
    text = error.diag.message_primary or _first_line(error)
    is_cut = not state and isinstance(error, psycopg.OperationalError | psycopg.InterfaceError)
    if is_cut or state.startswith(_PASSING):
        return TryAgainLater(
            f"{where}: {text}",
            remedy="The daemon goes on by itself; give a command again.",
        )
    if error.diag.constraint_name == _REF:
        return Refused("another patient of that clinic has the same ref")
    if state == _NO_TABLE:
        return nothing_here(where)
    remedy = "Check that it is a reminderd database of this version: reminderd db migrate"
    if state.startswith(_RIGHTS):
        remedy = (
            "Give the role its rights: it owns the database, or has CREATE on it. A patient is "
            "changed by whoever has the patient's clinic in the configuration."
        )
    return ConfigurationError([f"{where}: {text}"], remedy=remedy)


def _first_line(error: psycopg.Error) -> str:
    line = str(error).strip().partition("\n")[0]
    return line.rpartition(" failed: ")[2] if " failed: " in line else line
