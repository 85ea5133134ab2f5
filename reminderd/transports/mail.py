"""The bytes of a mail: the same message always gives the same bytes.

Assembled by hand, because the standard library's message classes take several times as long; the
tests read the result back with them.
"""

import re
from binascii import b2a_base64, b2a_qp
from dataclasses import dataclass
from email.utils import format_datetime
from hashlib import sha256
from urllib.parse import quote

from reminderd.calendar_file import written
from reminderd.errors import Rejected, WrongAddress
from reminderd.model import Message

# Line ends, other control characters, lone surrogates, and the start of an encoded word: some
# mail libraries decode the latter and write the line ends inside it as they are.
_UNSAFE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]|=\?")
_ADDRESS = re.compile(r"[^\s\"(),:;<>@\[\\\]]{1,64}@[^\s\"(),:;<>@\[\\\]]{1,255}")
_MAILBOX = re.compile(r'\s*(?:"?([^"<>]*?)"?\s*<([^<>]+)>|(\S+))\s*')
_PLAIN_LENGTH = 60  # longer header texts become encoded words, which fold
_WORD_BYTES = 45  # of an encoded word: 72 characters of the 75 allowed


@dataclass(frozen=True, slots=True)
class Mailbox:
    """A name and an address, as in `Alba Skin Clinic <care@example.org>`."""

    name: str
    address: str

    @classmethod
    def parse(cls, text: str) -> "Mailbox":
        """Read `name <address>` or an address alone; raises ValueError with what is expected."""
        match = _MAILBOX.fullmatch(text)
        address = (match[2] or match[3]).strip() if match else ""
        if not (match and address.isascii() and _safe_address(address)) or _UNSAFE.search(text):
            raise ValueError('write for example "Alba Skin Clinic <care@example.org>"')
        return cls((match[1] or "").strip(), address)

    @property
    def domain(self) -> str:
        """What stands behind the @."""
        return self.address.rpartition("@")[2]


def compose(message: Message, sender: Mailbox) -> bytes:
    """The whole mail with CRLF line ends; `sender` without a name speaks in the clinic's.

    Raises Rejected for names and subjects that could smuggle in a header, WrongAddress for
    an address that is none.
    """
    if not _safe_address(message.to):
        raise WrongAddress("the address is not a mail address")
    headers = {
        "From": _person(sender.name or message.clinic_name, sender.address, "From"),
        "To": _person(message.recipient_name, message.to, "To"),
        "Subject": _words(header_text(message.subject or "", "the subject")),
        "Date": format_datetime(message.at),
        "Message-ID": message_id(message, sender),
        "Auto-Submitted": "auto-generated",
        "X-Auto-Response-Suppress": "OOF, AutoReply",
        **_unsubscribing(message, sender),
        "Content-Language": header_text(message.language, "the language"),
        "MIME-Version": "1.0",
    }
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return head.encode() + _body(message)


def _unsubscribing(message: Message, sender: Mailbox) -> dict[str, str]:
    """The way out of a patient's mail: one click where we can be reached (RFC 8058), or a mail."""
    if message.to_staff:
        return {}
    by_mail = f"<mailto:{quote(sender.address, safe='@')}?subject=unsubscribe>"
    if message.unsubscribe is None:
        return {"List-Unsubscribe": by_mail}
    address = header_text(message.unsubscribe, "the address to unsubscribe at")
    return {
        "List-Unsubscribe": f"<{address}>,\r\n {by_mail}",
        "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
    }


def message_id(message: Message, sender: Mailbox) -> str:
    """The Message-ID: the same for every copy of a message, different for any other."""
    return f"<{header_text(message.id, 'the id')}.{_digest(message)}@{sender.domain}>"


def _digest(message: Message) -> str:
    # An id alone may return in a new database, and mailboxes drop what bears an id seen before.
    parts = (message.id, message.to, message.subject or "", message.text)
    return sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:20]


def _safe_address(address: str) -> bool:
    return _ADDRESS.fullmatch(address) is not None and _UNSAFE.search(address) is None


def header_text(text: str, what: str) -> str:
    """`text` fit for one header line; raises Rejected where it could smuggle in another."""
    if _UNSAFE.search(text):
        raise Rejected(f'{what} holds control characters or "=?"', code="unsafe-header")
    return " ".join(text.split())


def _person(name: str, address: str, header: str) -> str:
    name = header_text(name, f"the name in {header}")
    if not name:
        return f"<{address}>"
    if name.isascii() and len(name) <= _PLAIN_LENGTH:
        escaped = name.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}" <{address}>'
    return f"{_encoded_words(name)}\r\n <{address}>"


def _words(text: str) -> str:
    return text if text.isascii() and len(text) <= _PLAIN_LENGTH else _encoded_words(text)


def _encoded_words(text: str) -> str:
    chunks, chunk = [], b""
    for char in map(str.encode, text):
        if len(chunk) + len(char) > _WORD_BYTES:
            chunks.append(chunk)
            chunk = b""
        chunk += char
    words = (b2a_base64(each, newline=False).decode() for each in [*chunks, chunk])
    return "\r\n ".join(f"=?utf-8?b?{word}?=" for word in words)


def _body(message: Message) -> bytes:
    words = _part("plain", message.text)
    # No encoded line can hold "=_", so a boundary cannot occur in a part.
    digest = _digest(message)
    if message.html is not None:
        words = _together("alternative", f"=_{digest}", words, _part("html", message.html))
    if message.calendar is None:
        return words
    file = _calendar(written(message.calendar, message.at))
    return _together("mixed", f"=_+{digest}", words, file)  # neither begins with the other


def _together(kind: str, boundary: str, first: bytes, second: bytes) -> bytes:
    head = f'Content-Type: multipart/{kind};\r\n boundary="{boundary}"\r\n\r\n'
    cut = f"--{boundary}\r\n".encode()
    return b"".join((head.encode(), cut, first, cut, second, f"--{boundary}--\r\n".encode()))


def _calendar(content: bytes) -> bytes:
    head = (
        "Content-Type: text/calendar; charset=utf-8; method=PUBLISH\r\n"
        'Content-Disposition: attachment; filename="aftercare.ics"\r\n'
        "Content-Transfer-Encoding: base64\r\n\r\n"
    )
    return head.encode() + _base64_lines(content)


def _part(kind: str, text: str) -> bytes:
    data = ("\r\n".join(text.splitlines()) + "\r\n").encode("utf-8", "replace")
    foreign = len(data) - len(text)  # grows with every character outside ASCII
    if foreign * 3 > len(data):
        encoding, coded = b"base64", _base64_lines(data)
    else:
        encoding, coded = b"quoted-printable", b2a_qp(data)
    head = f'Content-Type: text/{kind}; charset="utf-8"\r\nContent-Transfer-Encoding: '.encode()
    return head + encoding + b"\r\n\r\n" + coded


def _base64_lines(data: bytes) -> bytes:
    lines = (b2a_base64(data[at : at + 57], newline=False) for at in range(0, len(data), 57))
    return b"\r\n".join(lines) + b"\r\n"
