"""What people type about a patient and a session, checked: values, or every fault in words.

Each `read_…` function takes text without surrounding spaces and raises ValueError with what is
wrong and what to write instead.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from functools import lru_cache
from typing import TYPE_CHECKING, TypeVar

from reminderd.errors import shown
from reminderd.faults import did_you_mean
from reminderd.hours import resolve, zone
from reminderd.ids import looks_like_public_id
from reminderd.model import SLUG, Channel, Clinic, Consent, Patient, Screening

if TYPE_CHECKING:
    from phonenumbers import PhoneNumber

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a field, and what to write instead."""

    field: str
    message: str


class Form:
    """Fields as typed; it reads them one by one and keeps every fault."""

    def __init__(self, raw: Mapping[str, str]) -> None:
        self._raw = raw
        self.faults: list[Fault] = []

    def has(self, field: str) -> bool:
        """Whether anything was written there."""
        return bool(self._raw.get(field, "").strip())

    def read(
        self,
        field: str,
        reader: Callable[[str], Value],
        *,
        default: Value | None = None,
        missing: str | None = None,
    ) -> Value | None:
        """What `reader` makes of the field: the default where it is empty, None where it is wrong.

        `missing` is the fault of an empty field that has no default.
        """
        if not self.has(field):
            if default is None and missing is not None:
                self.faults.append(Fault(field, missing))
            return default
        text = self._raw[field]
        try:
            # A key is kept as it stands: a space too many would make it another patient's.
            return reader(plain(text if field == "ref" else text.strip()))
        except ValueError as error:
            self.faults.append(Fault(field, str(error)))
            return None


def read_patient(
    raw: Mapping[str, str],
    clinics: Mapping[str, Clinic],
    now: datetime,
    source: str,
    separator: str = ";",
) -> tuple[Patient | None, list[Fault]]:
    """The patient whom the columns of a patient list describe, or all faults at once.

    A missing or empty field is not given: then the clinic is the only one or "main", the channels
    are sms and email, timezone and language are the clinic's. Consent is as of `now` and names
    `source`; `separator` stands between channels, and between the words of `screening`.
    """
    form = Form(raw)
    clinic = form.read(
        "clinic",
        lambda text: _clinic(text, clinics),
        default=_default_clinic(clinics),
        missing=f"is missing; write one of {', '.join(sorted(clinics))}",
    )
    channels = form.read(
        "channels", lambda text: read_channels(text, separator), default=tuple(Channel)
    )
    given_name = form.read("given_name", read_name, missing="is missing; write the given name")
    patient = Patient(
        clinic=clinic.key if clinic else "",
        given_name=given_name or "",
        family_name=form.read("family_name", read_name) or "",
        ref=form.read("ref", read_ref),
        phone=form.read("phone", lambda text: _phone(text, clinic, channels or ())),
        email=form.read("email", read_email),
        timezone=form.read("timezone", read_timezone),
        language=form.read("language", read_language),
        channels=channels or (),
        consent={
            channel: Consent(True, now, source)
            for channel in form.read("consent", lambda text: read_channels(text, separator)) or ()
        },
        screening=form.read("screening", lambda text: read_screening(text, separator))
        or frozenset(),
    )
    return (None if form.faults else patient), form.faults


def unknown(word: str, noun: str, known: Iterable[str]) -> str:
    """What to say about a name that nobody knows."""
    names = sorted(known)
    hint = did_you_mean(word[:100], names)
    return f"{shown(word)} is not a {noun}{hint or '; known are ' + ', '.join(names)}"


# What ends a line, steers a terminal or turns the direction of writing for what follows.
_UNSEEN = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


def plain(text: str) -> str:
    """The text in Unicode's composed form; ValueError where it holds control characters."""
    if text.isascii() and text.isprintable():
        return text  # the common case, in which there is nothing to find or to compose
    if _UNSEEN.search(text):
        raise ValueError(f"{shown(text)} holds a line break or a control character; remove it")
    return unicodedata.normalize("NFC", text)


def _default_clinic(clinics: Mapping[str, Clinic]) -> Clinic | None:
    return next(iter(clinics.values())) if len(clinics) == 1 else clinics.get("main")


def _clinic(text: str, clinics: Mapping[str, Clinic]) -> Clinic:
    if text not in clinics:
        raise ValueError(unknown(text, "clinic", clinics))
    return clinics[text]


def read_name(text: str) -> str:
    """A given or family name, in any script."""
    if len(text) > 100:
        raise ValueError(f"has {len(text)} characters; write at most 100")
    if "=?" in text:
        raise ValueError(f'{shown(text)} holds "=?", which mail programs decode; remove it')
    if not any(map(str.isalpha, text)):
        raise ValueError(f"{shown(text)} is not a name; write it in letters of any script")
    return text


def read_ref(text: str) -> str:
    """The clinic's own key for a patient."""
    if len(text) > 64:
        raise ValueError(f"has {len(text)} characters; write at most 64")
    if " " in text or not text.isprintable():
        raise ValueError(f"{shown(text)} holds a space or an unseen character; remove it")
    if looks_like_public_id(text):
        raise ValueError(f"{shown(text)} looks like an id of reminderd's own; write another key")
    return text


_DIALLED = re.compile(r"[+\uff0b]?[\d\s().\u2010-\u2015\u2212-]*")
_WRITE_PHONE = "write one number with its country code, for example +34 600 000 000"
_NOBODYS = {
    "PREMIUM_RATE": "a premium-rate number",
    "SHARED_COST": "a shared-cost number",
    "PAGER": "a pager",
    "VOICEMAIL": "the number of a mailbox for voice",
    "UAN": "a company's access number",
}


def _phone(text: str, clinic: Clinic | None, channels: tuple[Channel, ...]) -> str | None:
    if clinic is None and not text.startswith("+"):
        return None  # the unknown clinic is the fault: its country says how to read the number
    return read_phone(text, clinic.country if clinic else None, Channel.SMS in channels)


def read_phone(text: str, country: str | None, for_sms: bool) -> str:
    """A phone number as E.164, read as dialled in `country`; `for_sms` wants a mobile."""
    import phonenumbers

    dialled = _DIALLED.match(text)
    if dialled and dialled.end() < len(text):
        strange = shown(text[dialled.end()])
        raise ValueError(
            f"{shown(text)} holds {strange}; {_WRITE_PHONE}, without letters or an extension"
        )
    try:
        number = phonenumbers.parse(text, country)
    except phonenumbers.NumberParseException as error:
        raise ValueError(f"{shown(text)} is not a phone number; {_WRITE_PHONE}") from error
    # A number without a type is not valid; asking for both takes twice as long.
    kind = phonenumbers.PhoneNumberType.to_string(phonenumbers.number_type(number))
    if kind == "UNKNOWN":
        raise ValueError(f"{shown(text)} {_why_invalid(number)}; {_WRITE_PHONE}")
    if kind in _NOBODYS:
        raise ValueError(f"{shown(text)} is {_NOBODYS[kind]}; write the patient's own number")
    if for_sms and kind not in ("MOBILE", "FIXED_LINE_OR_MOBILE"):
        raise ValueError(
            f"{shown(text)} is not a mobile and cannot take an SMS; write a mobile number,"
            ' or only "email" as channels'
        )
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _why_invalid(number: "PhoneNumber") -> str:
    import phonenumbers

    reasons = {
        phonenumbers.ValidationResult.TOO_SHORT: "is too short for a phone number",
        phonenumbers.ValidationResult.TOO_LONG: "is too long for one phone number",
    }
    reason = phonenumbers.is_possible_number_with_reason(number)
    return reasons.get(reason, "is a number that nobody can have")


def read_email(text: str) -> str:
    """One email address, of any script, without a name; nothing is looked up."""
    import email_validator

    try:
        checked = email_validator.validate_email(text, check_deliverability=False, strict=True)
        return checked.normalized
    except email_validator.EmailNotValidError as error:
        reason = "there is more than one @" if text.count("@") > 1 else str(error).rstrip(".")
        raise ValueError(
            f"{shown(text)} is not one email address: {reason};"
            " write it alone, for example ana@example.org"
        ) from error


def read_timezone(text: str) -> str:
    """The name of an IANA time zone."""
    try:
        zone(text)
    except ValueError as error:
        hint = _zone_hint(text[:100]) or '; write for example "Europe/Madrid"'
        raise ValueError(f"{shown(text)} is not a time zone{hint}") from error
    return text


@lru_cache(maxsize=1024)
def _zone_hint(text: str) -> str:
    from importlib.resources import files

    names = files("tzdata").joinpath("zones").read_text("utf-8").split()
    # Only places: an abbreviation is close to many zones that are hours away.
    return did_you_mean(text, [each for each in names if "/" in each])


_LANGUAGE = re.compile(
    r"[a-z]{2,3}([-_][a-z]{4})?([-_]([a-z]{2}|[0-9]{3}))?", re.ASCII | re.IGNORECASE
)


@lru_cache(maxsize=1024)
def read_language(text: str) -> str:
    """A language, with or without a region: `pt`, `pt_BR`; `pt-br` is read as the latter."""
    from babel.core import Locale, UnknownLocaleError

    try:
        if _LANGUAGE.fullmatch(text):
            return str(Locale.parse(text.replace("-", "_")))
    except UnknownLocaleError:
        pass
    raise ValueError(f'{shown(text)} is not a language; write for example "es", "en" or "pt_BR"')


@lru_cache(maxsize=1024)
def read_channels(text: str, separator: str = ";") -> tuple[Channel, ...]:
    """Channels in the order in which they are written."""
    words = _words(text.lower(), separator)
    wrong = next((word for word in words if word not in set(Channel)), None)
    if wrong is not None:
        raise ValueError(_wrong_channel(wrong, separator))
    if not words or len(set(words)) < len(words):
        what = "names a channel twice" if words else "names no channel"
        raise ValueError(f'{shown(text)} {what}; write "sms{separator}email", "sms" or "email"')
    return tuple(map(Channel, words))


def _words(text: str, separator: str) -> list[str]:
    return [word for each in text.split(separator) if (word := each.strip())]


def _wrong_channel(word: str, separator: str) -> str:
    parts = [each for each in re.split(r"[;,|/+&\s]+", word) if each]
    if parts and set(parts) <= set(Channel):
        return f'{shown(word)} is not one channel; write "{separator.join(dict.fromkeys(parts))}"'
    return unknown(word, "channel", Channel)


def read_screening(text: str, separator: str = ";") -> frozenset[Screening]:
    """What calls for caution before the treatment; every word that is not known is named."""
    words = _words(text.lower(), separator)
    wrong = dict.fromkeys(word for word in words if word not in set(Screening))
    if wrong:
        raise ValueError("; ".join(unknown(word, "screening word", Screening) for word in wrong))
    if not words:
        raise ValueError(f"{shown(text)} names nothing; write one of {', '.join(Screening)}")
    return frozenset(map(Screening, words))


_INSTANT = re.compile(
    r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:\d{2})?",
    re.ASCII | re.IGNORECASE,
)
_WRITE_INSTANT = 'write for example "2026-03-28T14:30"'


def read_instant(text: str, zone_name: str) -> datetime:
    """An instant in UTC: RFC 3339, or without an offset as local time in the zone.

    A local time that a clock change skips or repeats is read as `hours.resolve` says.
    """
    if not _INSTANT.fullmatch(text):
        is_date = re.fullmatch(r"\d{4}-\d{2}-\d{2}", text, re.ASCII)
        what = "has no time" if is_date else "is not year-month-day and a time"
        raise ValueError(f"{shown(text)} {what}; {_WRITE_INSTANT}")
    try:
        local = datetime.fromisoformat(text.upper())
        if local.tzinfo is None:
            return resolve(zone_name, local.date(), local.time())
        return local.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise ValueError(
            f"{shown(text)} is a day or a time that does not exist; {_WRITE_INSTANT}"
        ) from error


def read_day(text: str, zone_name: str) -> datetime:
    """The beginning of a date in the zone, in UTC."""
    try:
        return resolve(zone_name, date.fromisoformat(text), time.min)
    except (ValueError, OverflowError) as error:
        raise ValueError(
            f'{shown(text)} is a day that does not exist; write for example "2026-03-28"'
        ) from error


def read_session_at(text: str, zone_name: str, now: datetime) -> datetime:
    """As `read_instant`, from a year before `now` to two years after it."""
    at = read_instant(text, zone_name)
    if at < _years_from(now, -1):
        raise ValueError(f"{shown(text)} is more than a year past; check the year")
    if at > _years_from(now, 2):
        raise ValueError(f"{shown(text)} is more than two years ahead; check the year")
    return at


def _years_from(now: datetime, years: int) -> datetime:
    is_leap_day = (now.month, now.day) == (2, 29)
    return now.replace(year=now.year + years, day=28 if is_leap_day else now.day)


def read_tags(text: str) -> frozenset[str]:
    """The tags of a session, each a word in small letters; semicolons stand between them."""
    tags = _words(text, ";")
    for tag in tags:
        if not SLUG.fullmatch(tag):
            better = re.sub(r"[^a-z0-9]+", "-", tag.lower()).strip("-") or "weight-loss"
            raise ValueError(
                f"{shown(tag)} is not a tag: small letters, digits and hyphens;"
                f" write {shown(better)}"
            )
    return frozenset(tags)


def read_area(text: str) -> str:
    """The treated area, in the clinic's words."""
    if len(text) > 100:
        raise ValueError(f"has {len(text)} characters; write at most 100")
    return text
