"""What the replies of mail servers mean, as data; anything not listed goes to a person.

The enhanced status code (RFC 3463) decides where there is one, the three digits of RFC 5321 else.
"""

import re
from collections.abc import Iterable, Mapping
from enum import StrEnum

from reminderd.errors import (
    AtCapacity,
    ContentRefused,
    CredentialsRefused,
    Rejected,
    SenderRefused,
    Temporary,
    TransportError,
    WrongAddress,
)
from reminderd.transports.privacy import redacted

Verdict = tuple[type[TransportError], str]


class Phase(StrEnum):
    """How far a message has come; everything listed here is before the final dot."""

    CONNECT = "connect"
    STARTTLS = "STARTTLS"
    AUTH = "AUTH"
    MAIL = "MAIL"
    RCPT = "RCPT"
    DATA = "DATA"


# An exact code comes before its class.
ENHANCED: Mapping[str, Verdict] = {
    "5.1": (WrongAddress, "the mailbox or its domain does not exist"),
    "5.1.7": (SenderRefused, "the sender's address is malformed"),
    "5.1.8": (SenderRefused, "the sender's domain is not accepted"),
    "5.2": (WrongAddress, "the mailbox does not take mail"),
    "5.2.3": (Rejected, "the mail is longer than this mailbox takes"),
    "5.4.1": (WrongAddress, "the recipient's server does not take mail for this address"),
    "5.4.4": (WrongAddress, "no way leads to the recipient's domain"),
    "5.6.7": (WrongAddress, "the server cannot carry an address with such letters"),
    "5.7": (ContentRefused, "a policy of the server refuses the text"),
    "5.7.8": (CredentialsRefused, "user name or password are wrong"),
    "5.7.9": (CredentialsRefused, "the server wants a stronger way to sign in"),
    "5.7.14": (CredentialsRefused, "the server wants the account's trust confirmed"),
}

ANYWHERE: Mapping[int, Verdict] = {
    530: (CredentialsRefused, "the server wants a user name and password"),
    534: (CredentialsRefused, "the server wants a stronger way to sign in"),
    535: (CredentialsRefused, "user name or password are wrong"),
    538: (CredentialsRefused, "the server wants encryption before it lets anybody sign in"),
}

OF_THE_RECIPIENT: Mapping[int, Verdict] = {
    550: (WrongAddress, "the mailbox is not available"),
    551: (WrongAddress, "the recipient is not at this server"),
    552: (WrongAddress, "the mailbox is full"),
    553: (WrongAddress, "the mailbox's name is not allowed"),
    556: (WrongAddress, "the domain takes no mail"),
}

_LATER: Verdict = (Temporary, "the server asks to try again later")
_BUSY: Verdict = (AtCapacity, "the server takes nothing more for now")
_UNREADABLE: Verdict = (Temporary, "the server's reply is not readable")
_SIGN_IN: Verdict = (CredentialsRefused, "the server does not let us sign in")
_SENDER: Verdict = (SenderRefused, "the server refuses us as the sender")
_POLICY: Verdict = (Rejected, "a policy of the server keeps us from this mailbox")
_UNKNOWN: Verdict = (Rejected, "the server refuses for a reason that a person has to read")


def refusal(
    phase: Phase, code: int, reply: bytes | str, private: Iterable[str] = ()
) -> TransportError:
    """The error for a refusing reply before the final dot; `private` is kept out of its text."""
    text = reply.decode("utf-8", "replace") if isinstance(reply, bytes) else reply
    match = re.match(r"\s*([245]\.\d{1,3}\.\d{1,3})\b", text, re.ASCII)
    enhanced = match[1] if match else None
    kind, meaning = _verdict(phase, code, enhanced)
    said = redacted(text[match.end() :] if match else text, private)
    shown = f"{code} {enhanced}" if enhanced else str(code)
    return kind(f"{phase}: {shown}: {meaning} ({said})", code=enhanced or str(code))


def _verdict(phase: Phase, code: int, enhanced: str | None) -> Verdict:
    if not 400 <= code <= 599:
        return _UNREADABLE
    # Before RCPT nobody has heard of the recipient or the text: what is at fault is the sender.
    about_nobody = phase not in (Phase.RCPT, Phase.DATA)
    if code < 500 or (enhanced or "").startswith("4"):
        busy = about_nobody or code == 421 or (enhanced or "").startswith("4.3.")
        return _BUSY if busy else _LATER
    if phase is Phase.AUTH:
        return _SIGN_IN
    of_recipient = OF_THE_RECIPIENT if phase is Phase.RCPT else {}
    known = _by_enhanced(enhanced) or ANYWHERE.get(code) or of_recipient.get(code) or _UNKNOWN
    if about_nobody and known[0] in (WrongAddress, ContentRefused, Rejected):
        return _SENDER
    # Before DATA nobody has seen the text.
    return _POLICY if phase is Phase.RCPT and known[0] is ContentRefused else known


def _by_enhanced(enhanced: str | None) -> Verdict | None:
    if enhanced is None:
        return None
    return ENHANCED.get(enhanced) or ENHANCED.get(enhanced.rpartition(".")[0])
