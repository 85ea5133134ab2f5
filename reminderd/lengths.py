"""How long, in words of a language: `48 hours`, `3 days`."""

from collections.abc import Iterable
from datetime import timedelta

from babel.dates import format_timedelta
from babel.lists import format_list

from reminderd.durations import Duration


def lengths_of(lengths: Iterable[Duration], locale: str) -> str:
    """`48 hours` of one, `7 days or 14 days` of several."""
    return format_list([_length(each, locale) for each in lengths], "or", locale=locale)


def _length(length: Duration, locale: str) -> str:
    # Above its threshold babel would go on to the next larger unit: 48 hours would be 2 days.
    every = 10**9
    if length.unit == "d":
        return format_timedelta(timedelta(days=length.amount), "day", every, locale=locale)
    if length.unit == "h":
        return format_timedelta(length.elapsed, "hour", every, locale=locale)
    return format_timedelta(length.elapsed, "minute", every, locale=locale)
