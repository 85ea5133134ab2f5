"""A sealed value says nothing without its key, and is noticed when it is not what was put there."""

import sys
from base64 import b64decode, b64encode
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reminderd.errors import ConfigurationError
from reminderd.sealing import (
    TABLES,
    Seal,
    SealBroken,
    closed,
    opened,
    places,
    read_key,
)

KEY = bytes(range(32))
SEAL = Seal(KEY, "a test")
PLACE = "patients.phone of row 17"
COLUMNS = "id, given_name, paused, phone"
AT = places("patients", COLUMNS)


@given(st.text(), st.text(max_size=40))
def test_what_is_closed_opens_again_whatever_it_says(text: str, place: str) -> None:
    assert SEAL.open(SEAL.close(text, place), place) == text


@given(st.text(min_size=4))
def test_nothing_of_the_text_is_seen_and_no_two_are_alike(text: str) -> None:
    sealed = {SEAL.close(text, PLACE) for _ in range(3)}
    assert len(sealed) == 3
    assert all(text not in each for each in sealed)


@given(st.text(), st.data())
def test_one_changed_character_is_noticed(text: str, data: st.DataObject) -> None:
    sealed = SEAL.close(text, PLACE)
    at = data.draw(st.integers(0, len(sealed) - 1))
    other = data.draw(st.characters(codec="ascii").filter(lambda char: char != sealed[at]))
    changed = sealed[:at] + other + sealed[at + 1 :]
    # The last digit of base64 has bits that stand for nothing.
    if not (at >= len(sealed.rstrip("=")) - 1 and _means_the_same(changed, sealed)):
        _refused(changed)


def _means_the_same(one: str, other: str) -> bool:
    try:
        return b64decode(one[3:], validate=True) == b64decode(other[3:], validate=True)
    except ValueError:
        return False


@given(st.text(min_size=1), st.data())
def test_a_cut_value_is_noticed(text: str, data: st.DataObject) -> None:
    sealed = SEAL.close(text, PLACE)
    _refused(sealed[: data.draw(st.integers(0, len(sealed) - 1))])


@pytest.mark.parametrize(
    "other", ["patients.phone of row 18", "patients.email of row 17", "patients.phone of row 1"]
)
def test_a_value_that_was_moved_to_another_place_is_noticed(other: str) -> None:
    _refused(SEAL.close("+34600000001", other))


@given(st.text(min_size=1))
def test_a_value_that_was_put_there_readable_is_noticed(text: str) -> None:
    _refused(text)


def _refused(stored: str) -> None:
    with pytest.raises(SealBroken) as caught:
        SEAL.open(stored, PLACE)
    assert str(caught.value).startswith(f"{PLACE} cannot be opened")
    assert len(stored) < 4 or stored not in str(caught.value)


def test_another_key_opens_nothing_and_has_another_name() -> None:
    other = Seal(bytes(32), "elsewhere")
    assert other.key_id != SEAL.key_id
    assert Seal(KEY, "elsewhere").key_id == SEAL.key_id
    with pytest.raises(SealBroken):
        other.open(SEAL.close("Ana", PLACE), PLACE)


def test_a_key_shows_nowhere() -> None:
    shown = f"{SEAL!r} {SEAL} {SEAL.key_id} {sorted(SEAL.__dict__)}"
    assert KEY.hex() not in shown
    assert SEAL.key_id not in KEY.hex()
    assert repr(KEY) not in repr(SEAL.__dict__)


def test_threads_may_share_a_seal() -> None:
    def both(number: int) -> bool:
        text = f"text {number}" * 50
        return SEAL.open(SEAL.close(text, PLACE), PLACE) == text

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(both, range(2000)))


def test_a_key_is_32_bytes_in_base64_and_a_wrong_one_is_not_repeated() -> None:
    assert read_key(b64encode(KEY).decode() + "\n") == KEY
    for wrong in ("", "topsecret", b64encode(KEY[:31]).decode(), b64encode(KEY).decode()[:-1]):
        with pytest.raises(ValueError, match="openssl rand -base64 32") as caught:
            read_key(wrong)
        assert not wrong or wrong not in str(caught.value)


def test_without_the_package_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cryptography.hazmat.primitives.ciphers.aead", None)
    with pytest.raises(ConfigurationError) as caught:
        Seal(KEY, "file key")
    assert "cryptography" in str(caught.value)
    assert "pip install cryptography" in str(caught.value.remedy)


def test_a_row_without_a_seal_is_the_very_same() -> None:
    row = (17, "Ana", 0, None)
    assert closed(row, AT, 17, None) is row
    assert opened(row, AT, 17, None) is row


def test_of_a_row_what_is_personal_is_sealed_and_nothing_stays_nothing() -> None:
    stored = closed((17, "Ana", 0, None), AT, 17, SEAL)
    assert stored[0::2] == (17, 0)
    assert "Ana" not in str(stored)
    assert stored[3] is None
    assert opened(stored, AT, 17, SEAL) == (17, "Ana", 0, None)
    with pytest.raises(SealBroken, match=r"patients\.given_name of row 18"):
        opened(stored, AT, 18, SEAL)


def test_a_column_is_found_by_its_table_whatever_else_is_read() -> None:
    names = "attempts.id, messages.text, error, patients.text"
    assert places("messages", names) == ((1, "messages.text"),)
    assert places("attempts", names) == ((2, "attempts.error"),)
    assert {each.table for each in TABLES} >= {"patients", "messages", "sessions", "consents"}
