"""The consents of a database from before the ledger become its first rows."""

from reminderd.consents import Statement
from reminderd.engines.embedded.connection import Connection
from reminderd.engines.tables.consents import KEEP, PRESENT, SEALED_IN_PRESENT, ledger_row
from reminderd.engines.tables.rows import Row, from_ms
from reminderd.model import Channel, How, Wish
from reminderd.sealing import Seal, opened, places


def begin(connection: Connection, seal: Seal | None) -> None:
    """Fill the ledger of an older database from the consents that are in it."""
    rows = connection.execute(
        f"SELECT {PRESENT}, phone, email, updated_at FROM consents "
        "JOIN patients ON patients.id = patient ORDER BY patient, channel"
    ).fetchall()
    earlier = [_earlier(row, seal) for row in rows]
    connection.executemany(
        KEEP, [ledger_row(number, each, seal) for number, each in enumerate(earlier, 1)]
    )


def _earlier(row: Row, seal: Seal | None) -> Statement:
    row = opened(row, SEALED_IN_PRESENT, f"{row[0]}/{row[1]}", seal)
    patient, channel, granted, at, source, how, phone, email, updated_at = row
    _, phone, email = opened(
        (patient, phone, email), places("patients", "id, phone, email"), patient, seal
    )
    return Statement(
        patient, Channel(channel), Wish.GRANTED if granted else Wish.WITHDRAWN,
        phone if channel == Channel.SMS else email, from_ms(at), How(how), "", source, None,
        from_ms(max(at, updated_at)),
    )  # fmt: skip
