"""What Twilio does when it calls: a form, signed as its documentation says, to a local port.

Written from the documented scheme, with nothing of ours: HMAC-SHA1 with the account's token over
the address followed by each field's name and value in the order of the names.
"""

import hmac
from base64 import b64encode
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from http.client import HTTPConnection
from urllib.parse import urlencode, urlsplit

from tests.fakes.twilio_server import ACCOUNT, TOKEN

Fields = Iterable[tuple[str, str]]


def signature(url: str, fields: Fields, token: str = TOKEN) -> str:
    text = url + "".join(name + value for name, value in sorted(fields))
    return b64encode(hmac.new(token.encode(), text.encode(), "sha1").digest()).decode()


def status(
    sid: str, status: str = "delivered", *, account: str = ACCOUNT, **more: str
) -> dict[str, str]:
    """The fields of a status callback."""
    return {
        "AccountSid": account,
        "ApiVersion": "2010-04-01",
        "From": "+34600000000",
        "MessageSid": sid,
        "MessageStatus": status,
        "SmsSid": sid,
        "SmsStatus": status,
        "To": "+34600000001",
        **more,
    }


def inbound(
    sid: str,
    text: str = "Thanks!",
    *,
    sender: str = "+34600000001",
    account: str = ACCOUNT,
    **more: str,
) -> dict[str, str]:
    """The fields with which a message to one of the account's numbers is handed on."""
    return {
        "AccountSid": account,
        "ApiVersion": "2010-04-01",
        "Body": text,
        "From": sender,
        "FromCountry": "ES",
        "MessageSid": sid,
        "NumMedia": "0",
        "NumSegments": "1",
        "SmsMessageSid": sid,
        "SmsSid": sid,
        "SmsStatus": "received",
        "To": "+34600000000",
        "ToCountry": "ES",
        **more,
    }  # fmt: skip


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    body: bytes
    headers: Mapping[str, str]


def call(
    url: str,
    fields: Mapping[str, str] | Fields,
    port: int,
    *,
    token: str = TOKEN,
    signed_url: str | None = None,
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
) -> Answer:
    """Post the form for `url` to the port on which a proxy would hand it on."""
    pairs = list(fields.items()) if isinstance(fields, Mapping) else list(fields)
    given = {
        "Content-Type": "application/x-www-form-urlencoded; charset=UTF-8",
        "X-Twilio-Signature": signature(signed_url or url, pairs, token),
        "User-Agent": "TwilioProxy/1.1",
        **(headers or {}),
    }
    parts = urlsplit(url)
    path = f"{parts.path}?{parts.query}" if parts.query else parts.path
    return ask("POST", path, port, urlencode(pairs).encode() if body is None else body, given)


def ask(
    method: str,
    path: str,
    port: int,
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
) -> Answer:
    """One request to a port of this machine."""
    connection = HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        connection.request(method, path, body, {k: v for k, v in (headers or {}).items() if v})
        reply = connection.getresponse()
        return Answer(reply.status, reply.read(), {k.lower(): v for k, v in reply.getheaders()})
    finally:
        connection.close()
