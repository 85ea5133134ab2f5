"""The link behind the *Unsubscribe* button of a mail: signed, and without anything personal. Pure.

It names a patient, a channel and a keyed digest of the address. It does not expire: whoever digs
out an old mail still wants to stop. For another address of the patient it means nothing.
"""

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import NamedTuple

from reminderd.model import Channel

_CHANNELS = tuple(Channel)
_DIGEST_BYTES = 16
_ID_BYTES = 8
_LENGTH = _ID_BYTES + 1 + 2 * _DIGEST_BYTES


class Wanted(NamedTuple):
    """Who wants to get nothing more, on which channel, and a digest of which address."""

    patient_id: int
    channel: Channel
    digest: bytes


class Tokens:
    """Makes and reads tokens with the key of one database."""

    def __init__(self, secret: bytes) -> None:
        self._key = hmac.digest(secret, b"reminderd unsubscribe", "sha256")

    def token(self, patient_id: int, channel: Channel, address: str) -> str:
        """What the link ends with, in letters that need no escape."""
        head = patient_id.to_bytes(_ID_BYTES) + bytes([_CHANNELS.index(channel)])
        body = head + self._digest(channel, address)
        return _encoded(body + self._signature(body))

    def read(self, token: str) -> Wanted | None:
        """What a token of ours says; None for anything else."""
        data = _decoded(token)
        body, signature = data[:-_DIGEST_BYTES], data[-_DIGEST_BYTES:]
        if len(data) != _LENGTH or not hmac.compare_digest(signature, self._signature(body)):
            return None
        number, channel = int.from_bytes(body[:_ID_BYTES]), _CHANNELS[body[_ID_BYTES]]
        return Wanted(number, channel, body[_ID_BYTES + 1 :])

    def is_of(self, wanted: Wanted, address: str) -> bool:
        """Whether a token was made for that address."""
        return hmac.compare_digest(wanted.digest, self._digest(wanted.channel, address))

    def _digest(self, channel: Channel, address: str) -> bytes:
        return self._sealed(f"address:{channel}:{address.casefold()}".encode())

    def _signature(self, body: bytes) -> bytes:
        return self._sealed(b"token:" + body)

    def _sealed(self, data: bytes) -> bytes:
        return hmac.digest(self._key, data, "sha256")[:_DIGEST_BYTES]


def _encoded(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def _decoded(token: str) -> bytes:
    """Nothing where it is not exactly what `_encoded` gives."""
    try:
        data = urlsafe_b64decode(token + "=" * (-len(token) % 4))
    except ValueError:
        return b""
    return data if _encoded(data) == token else b""
