"""How rows of the database are named for people: `pat-12`, `ses-7`, `rem-31`, `rep-2`, `inc-1`,
`ans-1`.

The prefix keeps them apart from a clinic's own keys, which are often bare numbers.
"""

import re

_PREFIXES = ("pat", "ses", "rem", "msg", "rep", "inc", "ans")
_PUBLIC_ID = re.compile(rf"({'|'.join(_PREFIXES)})-([1-9]\d{{0,17}})", re.ASCII)


def public_id(prefix: str, number: int | None) -> str | None:
    """`public_id("pat", 12)` is `"pat-12"`; None stays None."""
    return None if number is None else f"{prefix}-{number}"


def internal_id(prefix: str, text: str) -> int | None:
    """The number behind `pat-12`, or None where `text` is not an identifier of that kind.

    Spaces around it, as pasted, do not count.
    """
    match = _PUBLIC_ID.fullmatch(text.strip())
    return int(match[2]) if match and match[1] == prefix else None


def looks_like_public_id(text: str) -> bool:
    """Whether `text` could be taken for one of our own identifiers."""
    return _PUBLIC_ID.fullmatch(text) is not None
