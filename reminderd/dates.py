"""Dates and times as a patient reads them: in the patient's zone and language, without a year."""

import re
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from functools import lru_cache

from babel import Locale, UnknownLocaleError
from babel.dates import format_date, format_time

from reminderd.hours import zone

# How date and time are joined inside a sentence; babel's are for headings.
_JOINED = {
    "en": "{1} at {0}",
    "es": "{1} a las {0}",
    "de": "{1}, {0}",
    "fr": "{1} à {0}",
    "pt": "{1}, às {0}",
    "ar": "{1} الساعة {0}",
}
# Where a sentence writes the time otherwise than a clock.
_CLOCK = {"fr": "H'\u00a0h\u00a0'mm", "de": "H:mm 'Uhr'"}
_FIRST = {"fr": "d'er'"}  # where the first of a month is told as an ordinal: 1er avril


@dataclass(frozen=True, slots=True, order=True)
class Moment:
    """An instant as a template holds it: to be compared, or shown through a filter."""

    _local: datetime
    _locale: str = field(compare=False)


UNKNOWN = Moment(datetime.max.replace(tzinfo=UTC), "")  # an instant to be filled in by hand
BLANK = "_" * 12  # how a filter shows it


def moment(instant: datetime, zone_name: str, locale: str) -> Moment:
    """`instant` on the clocks of a zone, to be told in a locale that `locale_for` named."""
    return Moment(instant.astimezone(zone(zone_name)), locale)


def date_of(value: object) -> str:
    """`Saturday 28 March`."""
    told = _moment(value)
    return BLANK if told == UNKNOWN else _date(told._local.date(), told._locale)


def time_of(value: object) -> str:
    """`14:30`, or `2:30 PM` where people write it so."""
    told = _moment(value)
    return BLANK if told == UNKNOWN else _time(told._local.hour, told._local.minute, told._locale)


def datetime_of(value: object) -> str:
    """`Saturday 28 March at 14:30`, as it stands after "until" or "hasta el"."""
    if _moment(value) == UNKNOWN:
        return BLANK
    locale = _moment(value)._locale
    joined = _JOINED.get(locale[:2]) or str(Locale.parse(locale).datetime_formats["long"])
    text = joined.replace("{1}", date_of(value)).replace("{0}", time_of(value))
    return text.replace("a las 1:", "a la 1:").replace("às 01:", "à 01:")


@lru_cache(maxsize=256)
def locale_for(language: str, country: str) -> str:
    """The locale in which `language`, with or without a region, is told to people in `country`."""
    base = language.partition("_")[0]
    # English without a region of its own is told as in Europe: 24 hours, the day before the month.
    fallback = ["en_150"] if language == "en" else [language, base, "en_150"]
    regional = [language] if "_" in language else [f"{language}_{country}"]
    return next(name for name in regional + fallback if _is_known(name))


@lru_cache(maxsize=256)
def is_right_to_left(language: str) -> bool:
    """Whether the language is written from right to left."""
    base = language.partition("_")[0]
    return _is_known(base) and Locale.parse(base).text_direction == "rtl"


def _is_known(name: str) -> bool:
    try:
        Locale.parse(name)
    except (UnknownLocaleError, ValueError):
        return False
    return True


def _moment(value: object) -> Moment:
    if not isinstance(value, Moment):
        raise TypeError(f"expected an instant such as session.at, and there is {value!r}")
    return value


@lru_cache(maxsize=8192)
def _date(day: date, locale: str) -> str:
    pattern = _day_pattern(locale)
    if day.day == 1:
        pattern = re.sub(r"\bd\b", _FIRST.get(locale[:2], "d"), pattern, count=1)
    return format_date(day, pattern, locale=locale)


@lru_cache(maxsize=8192)
def _time(hour: int, minute: int, locale: str) -> str:
    # Arabic outside the Arab countries, as clocks there show it: 12:00 ص is taken for noon by some.
    shape = "HH:mm" if locale == "ar" else _CLOCK.get(locale[:2], "short")
    return format_time(time(hour, minute), shape, locale=locale)


@lru_cache(maxsize=256)
def _day_pattern(locale: str) -> str:
    """Weekday, day and month in full, in the order that the language has for them."""
    patterns = Locale.parse(locale).datetime_skeletons
    shape = next(name for name in ("MMMMEEEEd", "MMMMEd", "MMMEd") if name in patterns)
    full = re.sub("MMM+", "MMMM", re.sub("E+|ccc+", "EEEE", patterns[shape].pattern))
    # Inside a sentence, these have no comma here: "until Saturday 28 March".
    return re.sub("EEEE[,،] d", "EEEE d", full) if locale[:2] in ("en", "es", "ar") else full
