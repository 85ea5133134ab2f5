"""Consents as rows: the ledger, which is only added to, and the present state, its last word."""

import json
from collections.abc import Sequence
from datetime import datetime

from reminderd.consents import Statement, statement
from reminderd.engines.tables.rows import Row, from_ms, to_ms, word
from reminderd.engines.tables.store import THESE, Store
from reminderd.model import Channel, Consent, How, Patient, Wish
from reminderd.sealing import Seal, closed, opened, places

PRESENT = "patient, channel, granted, at, source, how"
SEALED_IN_PRESENT = places("consents", PRESENT)
_KEPT = "id, patient, channel, wish, address, at, how, by, source, words, recorded_at"
_SEALED_IN_KEPT = places("consent_ledger", _KEPT)
_SET_PRESENT = (
    f"INSERT INTO consents ({PRESENT}) VALUES (?, ?, ?, ?, ?, ?) "
    "ON CONFLICT (patient, channel) DO UPDATE SET granted = excluded.granted, at = excluded.at, "
    "source = excluded.source, how = excluded.how"
)
KEEP = f"INSERT INTO consent_ledger ({_KEPT}) VALUES ({', '.join('?' * 11)})"

Present = dict[int, dict[Channel, Consent]]


def save(store: Store, patients: Sequence[Patient], now: datetime) -> None:
    """Make these consents the present ones; those that are new go into the ledger."""
    before = present(store, [each.id or 0 for each in patients])
    new = [
        (patient, channel, said)
        for patient in patients
        for channel, said in patient.consent.items()
        if not _is_known(said, before.get(patient.id or 0, {}).get(channel))
    ]
    store.execute_many(
        _SET_PRESENT,
        [_present_row(patient.id, channel, said, store.seal) for patient, channel, said in new],
    )
    keep(store, [statement(patient, channel, said, now) for patient, channel, said in new])


def _is_known(said: Consent, before: Consent | None) -> bool:
    # The database keeps milliseconds.
    return before is not None and (said.granted, to_ms(said.at), said.source, said.how) == (
        before.granted, to_ms(before.at), before.source, before.how,
    )  # fmt: skip


def _present_row(patient_id: int | None, channel: Channel, said: Consent, seal: Seal | None) -> Row:
    row = (
        patient_id, channel.value, int(said.granted), to_ms(said.at), said.source, said.how.value,
    )  # fmt: skip
    return closed(row, SEALED_IN_PRESENT, f"{patient_id}/{channel}", seal)


def present(store: Store, patient_ids: Sequence[int]) -> Present:
    """The consents of these patients as they are now."""
    found: Present = {}
    for row in store.query(
        f"SELECT {PRESENT} FROM consents WHERE patient IN {THESE}",
        (json.dumps(patient_ids),),
    ):
        patient, channel, granted, at, source, how = opened(
            row, SEALED_IN_PRESENT, f"{row[0]}/{row[1]}", store.seal
        )
        said = Consent(bool(granted), from_ms(at), source, How(how))
        found.setdefault(patient, {})[Channel(channel)] = said
    return found


# The ledger ------------------------------------------------------------------------------------


def keep(store: Store, statements: Sequence[Statement]) -> None:
    """Add to the ledger."""
    if statements:
        first = store.reserve("consent_ledger", len(statements))
        store.execute_many(
            KEEP,
            [ledger_row(number, each, store.seal) for number, each in enumerate(statements, first)],
        )


def ledger_row(number: int, said: Statement, seal: Seal | None) -> Row:
    """A statement as it is stored under that number."""
    row = (
        number, said.patient_id, word(said.channel), said.wish.value, said.address, to_ms(said.at),
        said.how.value, said.by, said.source, said.words, to_ms(said.recorded_at),
    )  # fmt: skip
    return closed(row, _SEALED_IN_KEPT, number, seal)


def kept(store: Store, where: str, parameters: Sequence[object]) -> list[Statement]:
    """Those rows of the ledger, in the order in which they were recorded."""
    rows = store.query(f"SELECT {_KEPT} FROM consent_ledger WHERE {where} ORDER BY id", parameters)
    return [_statement(opened(row, _SEALED_IN_KEPT, row[0], store.seal)) for row in rows]


def _statement(row: Row) -> Statement:
    _, patient, channel, wish, address, at, how, by, source, words, recorded_at = row
    return Statement(
        patient, channel and Channel(channel), Wish(wish), address, from_ms(at), How(how), by,
        source, words, from_ms(recorded_at),
    )  # fmt: skip
