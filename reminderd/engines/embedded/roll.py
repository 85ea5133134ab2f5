"""All patients at a glance, read without the model: the list has to be there at once."""

from pathlib import Path
from typing import NamedTuple

from reminderd.engines.embedded.connection import DatabaseError, connect, translated


class Listed(NamedTuple):
    """A patient as the list shows one; `timezone` is None where it is the clinic's."""

    id: int
    ref: str | None
    clinic: str
    given_name: str
    family_name: str
    phone: str | None
    email: str | None
    timezone: str | None
    channels: str
    consented: str
    paused: int


def patients(database: Path) -> list[Listed]:
    """Everybody but the erased, in the order in which they came.

    Raises ConfigurationError, TryAgainLater.
    """
    connection = connect(database, read_only=True)
    try:
        rows = connection.execute(
            "SELECT id, ref, clinic, given_name, family_name, phone, email, timezone, channels, "
            "coalesce((SELECT group_concat(channel, ';') FROM consents "
            "WHERE patient = patients.id AND granted), ''), paused FROM patients "
            "WHERE erased_at IS NULL ORDER BY id"
        )
        return [Listed(*row) for row in rows]
    except DatabaseError as error:
        raise translated(error, database) from error
    finally:
        connection.close()
