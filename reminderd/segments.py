"""How an SMS is counted: its encoding, its units and the segments it is paid by. Pure.

A text whose every character is in the GSM 03.38 alphabet goes out in septets, 160 alone or 153 a
segment; any other in UTF-16 units, 70 alone or 67 a segment. A character of two units (extension
table, surrogate pair) is never divided between two segments.
"""

import re
import unicodedata
from dataclasses import dataclass
from typing import Literal

_BASIC = (
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENSION = "\f^{}\\[~]|€"

_FOREIGN = re.compile(f"[^{re.escape(_BASIC + _EXTENSION)}]")
_TWO_SEPTETS = re.compile(f"[{re.escape(_EXTENSION)}]")
_SURROGATE_PAIR = re.compile("[\U00010000-\U0010ffff]")

_LOOK_ALIKES = {
    " ": "\t\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u202f\u205f\u3000",
    "": "\u00ad\u200b\u2060\ufeff",
    "\n": "\v\u0085\u2028\u2029",
    "'": "`\u00b4\u02b9\u02bb\u02bc\u0374\u1fef\u1ffd\u2018\u2019\u201a\u201b\u2032\u2035\u2039"
    "\u203a",
    '"': "\u00ab\u00bb\u201c\u201d\u201e\u201f\u2033\u2036",
    "-": "\u2010\u2011\u2012\u2013\u2014\u2015\u2022\u2043\u2212",
    "...": "\u2026",
    "/": "\u2044\u2215",
}
_PLAIN = str.maketrans({each: same for same, many in _LOOK_ALIKES.items() for each in many})


@dataclass(frozen=True, slots=True)
class SmsSize:
    """What an SMS costs: `units` are septets in GSM-7 and UTF-16 code units in UCS-2."""

    encoding: Literal["GSM-7", "UCS-2"]
    units: int
    segments: int


def measure(text: str) -> SmsSize:
    """The size of `text` as an SMS; an empty text still takes one segment."""
    if _FOREIGN.search(text):
        units, segments = _count(text, _SURROGATE_PAIR, alone=70, joined=67)
        return SmsSize("UCS-2", units, segments)
    units, segments = _count(text, _TWO_SEPTETS, alone=160, joined=153)
    return SmsSize("GSM-7", units, segments)


def _count(text: str, double: re.Pattern[str], alone: int, joined: int) -> tuple[int, int]:
    """Units and segments, where characters that match `double` take two units."""
    doubles = [match.start() for match in double.finditer(text)]
    units = len(text) + len(doubles)
    if units <= alone:
        return units, 1
    padding = 0  # units left empty at the end of a segment because a pair did not fit
    for before, position in enumerate(doubles):
        if (position + before + padding) % joined == joined - 1:
            padding += 1
    return units, -(-(units + padding) // joined)


def plain(text: str) -> str:
    """`text` with look-alikes of GSM-7 characters (spaces, quotes, dashes, ellipsis) as these.

    Letters that GSM-7 lacks, such as á, ç or õ, stay: they cannot be saved without misspelling.
    """
    return unicodedata.normalize("NFC", text.translate(_PLAIN))


def culprits(text: str) -> tuple[str, ...]:
    """The characters that force `text` into UCS-2, each once, in the order of the text."""
    return tuple(dict.fromkeys(_FOREIGN.findall(text)))
