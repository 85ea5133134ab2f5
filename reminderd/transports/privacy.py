"""What must not be seen: people's data in the texts of errors, secrets on an open line."""

import re
from collections.abc import Iterable
from ipaddress import ip_address

_MAILBOX = re.compile(r"[^\s<>\"'(),:;]+@[^\s<>\"'(),:;]+")
_DIGITS = re.compile(r"(?:\+|%2[Bb])?\d(?:[\s().-]{0,2}\d){6,}")
_LONGEST = 200


def redacted(text: str, private: Iterable[str] = ()) -> str:
    """`text` on one line of 200 characters, without mailboxes, phone numbers and `private`."""
    text = " ".join("".join(char if char.isprintable() else " " for char in text).split())
    text = _DIGITS.sub("<number>", _MAILBOX.sub("<mailbox>", text))
    for each in sorted(filter(None, private), key=len, reverse=True):
        text = re.sub(rf"(?i)(?<!\w){re.escape(each)}(?!\w)", "<hidden>", text)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def is_loopback(host: str) -> bool:
    """Whether `host` is this machine, so that nobody on the way can listen."""
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost"
