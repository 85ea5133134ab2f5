"""What must not be seen: people's data in the texts of errors, secrets on an open line."""

import re
from collections.abc import Iterable
from ipaddress import ip_address

_MAILBOX = re.compile(r"[^\s<>\"'(),:;]+@[^\s<>\"'(),:;]+")
# What has digits and is nobody's number: instants, ids of ours, UUIDs, paths.
_KEPT = r"""
    (?<![\w+-]) (?:19|20)\d\d-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01]) (?![\d-])
        (?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d(?!\d))?)?
    | \b(?:pat|ses|rem|msg)-\d+\b
    | \b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b
    | (?<!\w)//?[A-Za-z_.~][^\s"'<>,;:?=&%+@()]*
"""
_NUMBER = r"""
    (?:\+|%2[Bb])\(?\d(?:[\s().-]{0,2}\d){6,}
    | (?<!\w)\d(?:[\s().-]{0,2}\d){6,}(?!\w)
"""
_DIGITS = re.compile(rf"(?P<kept>{_KEPT})|{_NUMBER}", re.VERBOSE)
_LONGEST = 200


def redacted(text: str, private: Iterable[str] = ()) -> str:
    """As `masked`, without `private` too, and 200 characters at most."""
    text = masked(text)
    for each in sorted(filter(None, private), key=len, reverse=True):
        text = re.sub(rf"(?i)(?<!\w){re.escape(each)}(?!\w)", "<hidden>", text)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def masked(text: str) -> str:
    """`text` on one line, without mailboxes and phone numbers."""
    text = " ".join("".join(char if char.isprintable() else " " for char in text).split())
    text = _MAILBOX.sub("<mailbox>", text)
    return _DIGITS.sub(lambda found: found["kept"] or "<number>", text)


def is_loopback(host: str) -> bool:
    """Whether `host` is this machine, so that nobody on the way can listen."""
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost"
