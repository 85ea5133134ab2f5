"""All patients at a glance, read without the model: the list has to be there at once."""

from pathlib import Path

from reminderd.engine import Listed
from reminderd.engines.embedded.connection import DatabaseError, Statements, connect, translated
from reminderd.engines.tables.sealed import refuse_unfit
from reminderd.sealing import Seal, opened, places

_LISTED = "id, ref, clinic, given_name, family_name, phone, email, timezone, channels"
_SEALED = places("patients", _LISTED)


def patients(database: Path, seal: Seal | None) -> list[Listed]:
    """Everybody but the erased, in the order in which they came.

    Raises ConfigurationError, TryAgainLater, SealBroken.
    """
    connection = connect(database, read_only=True)
    try:
        refuse_unfit(database, Statements(connection), seal)
        rows = connection.execute(
            f"SELECT {_LISTED}, "
            "coalesce((SELECT group_concat(channel, ';') FROM consents "
            "WHERE patient = patients.id AND granted), ''), paused FROM patients "
            "WHERE erased_at IS NULL ORDER BY id"
        )
        return [Listed(*opened(row, _SEALED, row[0], seal)) for row in rows]
    except DatabaseError as error:
        raise translated(error, database) from error
    finally:
        connection.close()
