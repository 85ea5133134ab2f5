"""Values that only the holder of a key can read, each bound to its place. Pure but for chance.

AES-256-GCM with a random nonce. The place (a column and its row) is authenticated with the value,
so that a value which was changed, cut, or moved to another row is noticed when it is opened.
"""

import hmac
import os
from base64 import b64decode
from binascii import Error as NotBase64
from binascii import a2b_base64, b2a_base64
from collections.abc import Callable
from typing import Any, NamedTuple

from reminderd.errors import ConfigurationError, ReminderdError

KEY_BYTES = 32
MAKE_ONE = "make one with: openssl rand -base64 32"
_VERSION = "s1:"
_NONCE_BYTES = 12
_MARK_BYTES = 16


class SealBroken(ReminderdError):
    """What is in the database is not what was put there; the message never holds the value."""


def read_key(text: str) -> bytes:
    """The 32 bytes behind base64 text; raises ValueError, which never holds the text."""
    try:
        key = b64decode(text.strip(), validate=True)
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES:
        raise ValueError(f"must be {KEY_BYTES} random bytes in base64; {MAKE_ONE}")
    return key


class Seal:
    """Closes and opens values with one key; may be used by several threads.

    `origin` says where the key comes from, `key_id` names it without giving it away.
    """

    def __init__(self, key: bytes, origin: str) -> None:
        """Raises ConfigurationError where the package that does it is not installed."""
        try:
            from cryptography.exceptions import InvalidTag
            from cryptography.hazmat.primitives.ciphers.aead import AESGCM
            from cryptography.hazmat.primitives.hashes import SHA256
            from cryptography.hazmat.primitives.kdf.hkdf import HKDF
        except ImportError as error:
            raise ConfigurationError(
                [f"{origin}: encryption needs the package cryptography, which is not installed"],
                remedy="Install it beside reminderd: pip install cryptography",
            ) from error

        def derived(purpose: bytes, length: int) -> bytes:
            return HKDF(SHA256(), length, salt=None, info=b"reminderd " + purpose).derive(key)

        self.origin = origin
        self.key_id = derived(b"key id", 4).hex()
        self._cipher = AESGCM(derived(b"values", KEY_BYTES))
        self._marks = derived(b"marks", KEY_BYTES)
        self._unreadable = (ValueError, NotBase64, InvalidTag)

    def close(self, text: str, place: str) -> str:
        """The text so that only this key opens it, and only at this place."""
        nonce = os.urandom(_NONCE_BYTES)
        closed = self._cipher.encrypt(nonce, text.encode(), place.encode())
        return _VERSION + b2a_base64(nonce + closed, newline=False).decode()

    def mark(self, text: str, place: str) -> str:
        """The same for the same text and place, and nothing to whoever has no key."""
        return hmac.digest(self._marks, f"{place}:{text}".encode(), "sha256")[:_MARK_BYTES].hex()

    def open(self, closed: str, place: str) -> str:
        """The text that was closed for this place; raises SealBroken, which names the place."""
        try:
            if not closed.startswith(_VERSION):
                raise ValueError
            data = a2b_base64(closed[len(_VERSION) :], strict_mode=True)
            nonce, rest = data[:_NONCE_BYTES], data[_NONCE_BYTES:]
            return self._cipher.decrypt(nonce, rest, place.encode()).decode()
        except self._unreadable:
            # Without the cause: what could not be read stays out of every traceback.
            raise SealBroken(
                f"{place} cannot be opened: it was changed, cut, or moved here from another row",
                remedy="See them all: reminderd db check; then restore a backup: "
                "reminderd db restore FILE",
            ) from None


# In rows -----------------------------------------------------------------------------------------


class Sealed(NamedTuple):
    """Columns of a table that are sealed, what names a row of it, and in which rows if not in all.

    They are what is personal and what SQL never has to compare.
    """

    table: str
    row: tuple[str, ...]
    columns: tuple[str, ...]
    only: str = "TRUE"


OBJECTIONS_KEY = "objections-key"  # the note with the key of the hashes of erased addresses

TABLES = (
    Sealed("patients", ("id",), ("given_name", "family_name", "phone", "email", "screening")),
    Sealed("consents", ("patient", "channel"), ("source",)),
    Sealed("consent_ledger", ("id",), ("address", "source", "words")),
    Sealed("sessions", ("id",), ("area", "adjustments")),
    Sealed("session_changes", ("id",), ("adjustments", "why")),
    Sealed("messages", ("id",), ("recipient", "subject", "text", "html", "envelope")),
    Sealed("attempts", ("id",), ("error",)),
    Sealed("replies", ("id",), ("sender", "text", "why")),
    Sealed("incidents", ("id",), ("number", "why")),
    Sealed("alerts", ("id",), ("recipient", "error")),
    Sealed("check_replies", ("reply",), ("answer",)),
    Sealed("answers", ("id",), ("number", "text", "error")),
    Sealed("notes", ("key",), ("value",), f"key = '{OBJECTIONS_KEY}'"),
)
_NOTHING = "{}"  # says no more than that there is nothing, like None and an empty text

Places = tuple[tuple[int, str], ...]
Row = tuple[Any, ...]


def places(table: str, columns: str) -> Places:
    """Where in a list of columns, such as `id, patients.phone`, the sealed ones of a table are."""
    own = next(each.columns for each in TABLES if each.table == table)
    names = [name.strip().removeprefix(f"{table}.") for name in columns.split(",")]
    return tuple((at, f"{table}.{name}") for at, name in enumerate(names) if name in own)


def closed(row: Row, at: Places, key: object, seal: Seal | None) -> Row:
    """The row as it is stored; `key` names it in its table, as in `17` or `17/sms`."""
    return row if seal is None else _with_each(row, at, key, seal.close)


def opened(row: Row, at: Places, key: object, seal: Seal | None) -> Row:
    """The row as it was before it was stored; raises SealBroken."""
    return row if seal is None else _with_each(row, at, key, seal.open)


def readable(row: Row, at: Places, key: object, seal: Seal | None) -> Row:
    """As `opened`, with None in place of what cannot be opened."""

    def read(closed: str, place: str) -> str | None:
        assert seal is not None
        try:
            return seal.open(closed, place)
        except SealBroken:
            return None

    return row if seal is None else _with_each(row, at, key, read)


def _with_each(row: Row, at: Places, key: object, change: Callable[[str, str], str | None]) -> Row:
    values = list(row)
    for index, column in at:
        value = row[index]
        if value and value != _NOTHING:
            values[index] = change(value, f"{column} of row {key}")
    return tuple(values)
