"""What Twilio says by itself, of a message of ours or of one to us: one form, read strictly.

Its signature joins names and values without anything between them, so that one genuine request can
be cut into other fields that carry the same signature. What is read here keeps its form, or the
whole request is refused.
"""

import hmac
import re
from base64 import b64encode
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from reminderd.errors import OptedOut, ReminderdError, WrongAddress
from reminderd.model import Outcome, Receipt
from reminderd.outbox_values import Callback, Reply
from reminderd.transports.twilio_codes import CODES

MOST_FIELDS = 100
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9]{0,63}", re.ASCII)
_SID = re.compile(r"(SM|MM)[0-9a-f]{32}", re.ASCII)
_TOKEN = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
_STATUS = re.compile(r"[a-z_-]{1,32}", re.ASCII)
_COUNT = re.compile(r"[0-9]{1,2}", re.ASCII)
# A number, a short code, or one of another channel, as in whatsapp:+34600000001. A name could be a
# piece of something else; who writes by one is heard when the list is asked for.
_ADDRESS = re.compile(r"([a-z]{1,16}:)?\+?[0-9]{1,20}|[a-z]{1,16}:[A-Za-z0-9_.-]{1,64}", re.ASCII)
# What may stand between the words of a message and its sender: else the end of the words could.
_AFTER_WORDS = re.compile(r"(Button|Channel)[A-Za-z]{1,32}", re.ASCII)
_CODE = re.compile(r"[0-9]{1,6}", re.ASCII)

RECEIPTS: Mapping[str, Receipt] = {
    "accepted": Receipt.QUEUED,
    "scheduled": Receipt.QUEUED,
    "queued": Receipt.QUEUED,
    "sending": Receipt.QUEUED,
    "sent": Receipt.SENT,
    "delivered": Receipt.DELIVERED,
    "read": Receipt.DELIVERED,
    "undelivered": Receipt.UNDELIVERED,
    "failed": Receipt.FAILED,
    "canceled": Receipt.FAILED,
}
# The words that it answers by itself, where the account has not chosen others: a call about such a
# message says so in the field OptOutType, its list does not.
ANSWERED = frozenset(
    [
        *("STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT"),
        *("START", "YES", "UNSTOP", "HELP", "INFO"),
    ]
)
_MEANINGS = {WrongAddress: Outcome.WRONG_ADDRESS, OptedOut: Outcome.OPTED_OUT}


class NotGenuine(ReminderdError):
    """It is not what the provider sends us; the message never holds what was in it."""


def fields(text: str) -> dict[str, str]:
    """The fields of a form or a query, each there once; raises NotGenuine."""
    try:
        pairs = parse_qsl(
            text,
            keep_blank_values=True,
            strict_parsing=bool(text),
            errors="strict",
            max_num_fields=MOST_FIELDS,
        )
    except ValueError:
        raise NotGenuine("not a form in UTF-8") from None
    found = dict(pairs)
    if len(found) != len(pairs):
        raise NotGenuine("a field that is there twice")
    if not all(map(_NAME.fullmatch, found)):
        raise NotGenuine("a field with an odd name")
    return found


def is_signed(url: str, form: Mapping[str, str], signature: str, token: str) -> bool:
    """Whether this token has signed the form for the address, by the provider's published scheme.

    As with its own library, the port may be named or left out: that depends on who calls.
    """
    joined = "".join(name + form[name] for name in sorted(form))
    given = signature.encode()
    return any(hmac.compare_digest(_mark(each + joined, token), given) for each in _as_named(url))


def _mark(text: str, token: str) -> bytes:
    return b64encode(hmac.digest(token.encode(), text.encode(), "sha1"))


def _as_named(url: str) -> tuple[str, str]:
    """The address as it is, and with its usual port or without its port."""
    parts = urlsplit(url)
    host = parts.netloc
    named = f"{host}:{443 if parts.scheme == 'https' else 80}"
    other = named if parts.port is None else host.rpartition(":")[0]
    return url, parts._replace(netloc=other).geturl()


def callback(form: Mapping[str, str], query: Mapping[str, str], account_sid: str) -> Callback:
    """What a genuine request says; raises NotGenuine where it is about another account, or odd."""
    if form.get("AccountSid") != account_sid:
        raise NotGenuine("another account")
    return told(
        _required(form, "MessageSid", _SID),
        _required(form, "MessageStatus", _STATUS),
        _optional(form, "ErrorCode", _CODE),
        _optional(query, "attempt", _TOKEN),
    )


def told(sid: str, status: str | None, code: str | None, token: str | None = None) -> Callback:
    """What a status and an error code say of a message, whichever way they came."""
    kind = CODES[int(code)][0] if code and int(code) in CODES else None
    return Callback(
        token=token,
        provider_id=sid,
        # Whatever else it may come to say, it has the message.
        receipt=RECEIPTS.get(status or "", Receipt.QUEUED),
        code=code,
        meaning=_MEANINGS.get(kind) if kind else None,
    )


def listed(record: Any) -> Callback | Reply:
    """What a message in its list tells."""
    if record.direction == "inbound":
        words = record.body or ""
        media = int(record.num_media or 0)
        at, answered = record.date_sent, _is_answered(words)
        return Reply(record.sid, record.from_, record.to, words, media, at, answered)
    code = None if record.error_code is None else str(record.error_code)
    return told(record.sid, record.status, code)


def reply(form: Mapping[str, str], account_sid: str) -> Reply:
    """What a genuine request brings; raises NotGenuine where it is for another account, or odd."""
    if form.get("AccountSid") != account_sid:
        raise NotGenuine("another account")
    provider_id = _required(form, "MessageSid", _SID)
    if form.get("SmsMessageSid", provider_id) != provider_id or "Body" not in form:
        raise NotGenuine("no message that came in")
    between = (name for name in form if "Body" < name < "From")
    if not all(map(_AFTER_WORDS.fullmatch, between)):
        raise NotGenuine("an odd field after the words")
    media = _optional(form, "NumMedia", _COUNT)
    return Reply(
        provider_id,
        _required(form, "From", _ADDRESS),
        _required(form, "To", _ADDRESS),
        form["Body"],
        int(media or 0),
        answered="OptOutType" in form or _is_answered(form["Body"]),
    )


def _is_answered(text: str) -> bool:
    return text.strip().upper() in ANSWERED


def _required(given: Mapping[str, str], name: str, form: re.Pattern[str]) -> str:
    if not form.fullmatch(given.get(name, "")):
        raise NotGenuine(f"no {name}, or an odd one")
    return given[name]


def _optional(given: Mapping[str, str], name: str, form: re.Pattern[str]) -> str | None:
    return _required(given, name, form) if given.get(name) else None
