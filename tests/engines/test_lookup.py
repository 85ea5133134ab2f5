"""Who writes from a number is found by it, in whatever state the database has been."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from reminderd.engines.embedded import encrypting, restoring, store
from reminderd.engines.embedded.backup import back_up
from reminderd.engines.embedded.outbox import EmbeddedOutbox
from reminderd.engines.tables import lookup
from reminderd.engines.tables.outbox import TablesOutbox
from reminderd.model import Channel
from reminderd.sealing import Seal
from tests.engines.database_files import read_whole
from tests.engines.rows import EITHER_WAY, EMAIL, LATER, NOW, SEAL, SMS, problems, with_patient
from tests.engines.test_ledger import NUMBER, before_the_ledger

OTHER = Seal(bytes(32), "another file")
NEW = "+34600000077"


def names(outbox: TablesOutbox, address: str, channel: Channel = SMS) -> list[str]:
    return [each.given_name for each in outbox.patients_with(channel, address)]


@EITHER_WAY
def test_a_patient_is_found_by_the_number_of_today_and_no_more_by_the_one_before(
    outbox: TablesOutbox,
) -> None:
    vera = with_patient(outbox, name="Vera")
    with outbox.transaction():
        outbox.update_patient(replace(vera, phone=NEW, email=None), LATER)
    assert (names(outbox, NUMBER), names(outbox, NEW)) == ([], ["Vera"])
    assert names(outbox, vera.email or "", EMAIL) == []
    assert problems(outbox) == []


@EITHER_WAY
def test_of_an_erased_patient_no_number_stays_by_which_to_be_found(outbox: TablesOutbox) -> None:
    vera = with_patient(outbox)
    with outbox.transaction():
        outbox.erase(vera, LATER)
    assert outbox.query(f"SELECT {lookup.NAMES} FROM patients") == [(None, None)]
    assert names(outbox, NUMBER) == []


@EITHER_WAY
@pytest.mark.parametrize("channel", Channel)
def test_nobody_else_is_looked_at_for_that(on_sqlite: EmbeddedOutbox, channel: Channel) -> None:
    wanted = f"SELECT id FROM patients WHERE {lookup.COLUMNS[channel]} = ? ORDER BY id"
    assert read_whole(on_sqlite, wanted, ("x",)) == []


@pytest.mark.parametrize("seal", [SEAL], ids=["encrypted"])
def test_what_stands_in_an_encrypted_file_says_nothing_without_its_key(
    outbox: TablesOutbox,
) -> None:
    with_patient(outbox)
    (found,) = outbox.query(f"SELECT {lookup.NAMES} FROM patients")
    assert all("600000001" not in each and "@" not in each for each in found)
    assert lookup.key(SMS, NUMBER, OTHER) not in found
    assert lookup.key(EMAIL, NUMBER, SEAL) != lookup.key(SMS, NUMBER, SEAL)


def converted(path: Path) -> Seal | None:
    for old, new in ((None, SEAL), (SEAL, OTHER)):
        encrypting.convert(path, old, new)
    encrypting.finish(path)
    return OTHER


def decrypted(path: Path) -> Seal | None:
    encrypting.convert(path, None, SEAL)
    encrypting.convert(path, SEAL, None)
    encrypting.finish(path)
    return None


def restored(path: Path) -> Seal | None:
    back_up(path, path.with_name("a-backup.db"))
    restoring.restore(path.with_name("a-backup.db"), path, NOW, SEAL)
    return SEAL


@pytest.mark.parametrize("changed", [converted, decrypted, restored])
def test_a_database_that_went_over_to_a_key_or_came_back_finds_as_before(
    database: Path, changed: Callable[[Path], Seal | None]
) -> None:
    before = EmbeddedOutbox(database)
    for name in ("Vera", "Bruno"):
        with_patient(before, name=name)
    before.close()
    after = EmbeddedOutbox(database, seal=changed(database))
    assert names(after, NUMBER) == ["Vera", "Bruno"]
    assert problems(after) == []
    after.close()


@pytest.mark.parametrize("seal", [None, SEAL], ids=["plain", "encrypted"])
def test_who_was_there_before_numbers_were_looked_up_is_found_too(
    tmp_path: Path, seal: Seal | None
) -> None:
    path = before_the_ledger(tmp_path / "old.db", seal)
    store.create(path, seal=seal)
    outbox = EmbeddedOutbox(path, seal=seal)
    assert names(outbox, NUMBER) == names(outbox, "Vera@example.org", EMAIL) == ["Vera"]
    outbox.close()


@EITHER_WAY
def test_a_patient_whom_a_stop_would_not_find_is_named(outbox: TablesOutbox) -> None:
    vera = with_patient(outbox)
    with_patient(outbox, name="Bo", phone=NEW)
    with outbox.transaction():
        outbox.execute("UPDATE patients SET phone_key = NULL WHERE id = ?", (vera.id,))
    (said,) = problems(outbox)
    assert said.startswith(f"pat-{vera.id}: is not found by")
