"""How a patient is found by a number or an address: by a column that SQL can compare.

What is sealed looks otherwise each time. So a keyed hash of it stands beside it; in a database that
is not encrypted, the address itself.
"""

from collections.abc import Iterator

from reminderd.engines.tables.sealed import Kept, kept
from reminderd.engines.tables.store import Statements
from reminderd.model import Channel, Patient
from reminderd.sealing import Seal, SealBroken, Sealed, opened

COLUMNS = {Channel.SMS: "phone_key", Channel.EMAIL: "email_key"}
NAMES = ", ".join(COLUMNS.values())
_ADDRESSES = Sealed("patients", ("id",), ("phone", "email"))

Keys = tuple[str | None, str | None]


def key(channel: Channel, address: str, seal: Seal | None) -> str:
    """What stands in the column of that channel where a patient has the address."""
    plain = address.casefold()
    return plain if seal is None else seal.mark(plain, f"patients.{COLUMNS[channel]}")


def keys(patient: Patient, seal: Seal | None) -> Keys:
    """What stands in `COLUMNS` beside a patient."""
    return _keys(patient.phone, patient.email, seal)


def fill(database: Statements, seal: Seal | None) -> None:
    """Write the columns anew, for all patients; their numbers open with `seal`."""
    for page in kept(database, _ADDRESSES):
        database.execute_many(
            "UPDATE patients SET phone_key = ?, email_key = ? WHERE id = ?",
            [(*_keys_of(each, seal), each.row[0]) for each in page],
        )


def misplaced(database: Statements, seal: Seal | None) -> Iterator[int]:
    """Patients who are not found by what they have; not those of whom that cannot be read."""
    for page in kept(database, _ADDRESSES):
        for each in page:
            (found,) = database.query(f"SELECT {NAMES} FROM patients WHERE id = ?", (each.row[0],))
            try:
                if tuple(found) != _keys_of(each, seal):
                    yield each.row[0]
            except SealBroken:
                continue


def _keys_of(row: Kept, seal: Seal | None) -> Keys:
    _, phone, email = opened(row.row, row.at, row.name, seal)
    return _keys(phone, email, seal)


def _keys(phone: str | None, email: str | None, seal: Seal | None) -> Keys:
    return (
        key(Channel.SMS, phone, seal) if phone else None,
        key(Channel.EMAIL, email, seal) if email else None,
    )
