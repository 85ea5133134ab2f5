"""Consents as rows: the ledger, which is only added to, and the present state, its last word."""

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from reminderd.consents import Statement, statement
from reminderd.engines.embedded.connection import Connection
from reminderd.engines.embedded.rows import Row, from_ms, to_ms, word
from reminderd.model import Channel, Consent, How, Patient, Wish
from reminderd.sealing import Seal, closed, opened, places

if TYPE_CHECKING:
    from reminderd.engines.embedded.store import Store

_THESE = "(SELECT value FROM json_each(?))"
_PRESENT = "patient, channel, granted, at, source, how"
_SEALED_IN_PRESENT = places("consents", _PRESENT)
_KEPT = "id, patient, channel, wish, address, at, how, by, source, words, recorded_at"
_SEALED_IN_KEPT = places("consent_ledger", _KEPT)
_KEEP = f"INSERT INTO consent_ledger ({_KEPT}) VALUES ({', '.join('?' * 11)})"

Present = dict[int, dict[Channel, Consent]]


def save(store: "Store", patients: Sequence[Patient], now: datetime) -> None:
    """Make these consents the present ones; those that are new go into the ledger."""
    before = present(store, [each.id or 0 for each in patients])
    new = [
        (patient, channel, said)
        for patient in patients
        for channel, said in patient.consent.items()
        if not _is_known(said, before.get(patient.id or 0, {}).get(channel))
    ]
    store.connection.executemany(
        f"INSERT OR REPLACE INTO consents ({_PRESENT}) VALUES (?, ?, ?, ?, ?, ?)",
        [_present_row(patient.id, channel, said, store.seal) for patient, channel, said in new],
    )
    keep(
        store.connection,
        [statement(patient, channel, said, now) for patient, channel, said in new],
        store.seal,
    )


def _is_known(said: Consent, before: Consent | None) -> bool:
    # The database keeps milliseconds.
    return before is not None and (said.granted, to_ms(said.at), said.source, said.how) == (
        before.granted, to_ms(before.at), before.source, before.how,
    )  # fmt: skip


def _present_row(patient_id: int | None, channel: Channel, said: Consent, seal: Seal | None) -> Row:
    row = (
        patient_id, channel.value, int(said.granted), to_ms(said.at), said.source, said.how.value,
    )  # fmt: skip
    return closed(row, _SEALED_IN_PRESENT, f"{patient_id}/{channel}", seal)


def present(store: "Store", patient_ids: Sequence[int]) -> Present:
    """The consents of these patients as they are now."""
    found: Present = {}
    for row in store.query(
        f"SELECT {_PRESENT} FROM consents WHERE patient IN {_THESE}",
        (json.dumps(patient_ids),),
    ):
        patient, channel, granted, at, source, how = opened(
            row, _SEALED_IN_PRESENT, f"{row[0]}/{row[1]}", store.seal
        )
        said = Consent(bool(granted), from_ms(at), source, How(how))
        found.setdefault(patient, {})[Channel(channel)] = said
    return found


# The ledger ------------------------------------------------------------------------------------


def keep(connection: Connection, statements: Iterable[Statement], seal: Seal | None) -> None:
    """Add to the ledger."""
    (last,) = connection.execute(
        "SELECT seq FROM sqlite_sequence WHERE name = 'consent_ledger'"
    ).fetchone()
    connection.executemany(
        _KEEP,
        [_row(number, each, seal) for number, each in enumerate(statements, last + 1)],
    )


def _row(number: int, said: Statement, seal: Seal | None) -> Row:
    row = (
        number, said.patient_id, word(said.channel), said.wish.value, said.address, to_ms(said.at),
        said.how.value, said.by, said.source, said.words, to_ms(said.recorded_at),
    )  # fmt: skip
    return closed(row, _SEALED_IN_KEPT, number, seal)


def kept(store: "Store", where: str, parameters: Sequence[object]) -> list[Statement]:
    """Those rows of the ledger, in the order in which they were recorded."""
    rows = store.query(f"SELECT {_KEPT} FROM consent_ledger WHERE {where} ORDER BY id", parameters)
    return [_statement(opened(row, _SEALED_IN_KEPT, row[0], store.seal)) for row in rows]


def _statement(row: Row) -> Statement:
    _, patient, channel, wish, address, at, how, by, source, words, recorded_at = row
    return Statement(
        patient, channel and Channel(channel), Wish(wish), address, from_ms(at), How(how), by,
        source, words, from_ms(recorded_at),
    )  # fmt: skip


def begin(connection: Connection, seal: Seal | None) -> None:
    """Fill the ledger of an older database from the consents that are in it."""
    rows = connection.execute(
        f"SELECT {_PRESENT}, phone, email, updated_at FROM consents "
        "JOIN patients ON patients.id = patient ORDER BY patient, channel"
    ).fetchall()
    keep(connection, [_earlier(row, seal) for row in rows], seal)


def _earlier(row: Row, seal: Seal | None) -> Statement:
    row = opened(row, _SEALED_IN_PRESENT, f"{row[0]}/{row[1]}", seal)
    patient, channel, granted, at, source, how, phone, email, updated_at = row
    _, phone, email = opened(
        (patient, phone, email), places("patients", "id, phone, email"), patient, seal
    )
    return Statement(
        patient, Channel(channel), Wish.GRANTED if granted else Wish.WITHDRAWN,
        phone if channel == Channel.SMS else email, from_ms(at), How(how), "", source, None,
        from_ms(max(at, updated_at)),
    )  # fmt: skip
