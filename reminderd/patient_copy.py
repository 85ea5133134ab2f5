"""The patient's copy of a plan: rows of a table in local time, events of a calendar. Pure."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from reminderd import dates
from reminderd.calendar_file import Calendar, Event
from reminderd.dates import Moment
from reminderd.hours import ONE_DAY, zone
from reminderd.ids import public_id

_SHORT = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Entry:
    """One reminder of the plan: when, and its `line`.

    A restriction holds from `at` to `until`; anything else has no `until`. `day` is set for a
    milestone of several days, and then `undated` is the line without numbers of days, or None where
    it has no such form. `series` is what these days have in common.
    """

    reminder_id: int | None
    series: tuple[int | None, str]
    at: datetime
    text: str
    until: datetime | None = None
    day: int | None = None
    undated: str | None = None


@dataclass(frozen=True, slots=True)
class Copy:
    """Every date of a plan, and what the calendar in the attached file is called."""

    name: str
    entries: tuple[Entry, ...]


@dataclass(frozen=True, slots=True)
class Row:
    """What a template may say of one row of the table.

    `at` and `until`: it will hold between them; `until` alone: it holds now. `at` and `last`: daily
    at the same time between these dates; `at` alone: once.
    """

    text: str
    at: Moment | None
    last: Moment | None
    until: Moment | None


@dataclass(frozen=True, slots=True)
class Reader:
    """Where and in which locale the copy is read; what began by `since` is in force there."""

    zone: str
    locale: str
    since: datetime

    def moment(self, instant: datetime) -> Moment:
        """`instant` as a template holds it."""
        return dates.moment(instant, self.zone, self.locale)

    def clock(self, instant: datetime) -> datetime:
        """What the clock on the reader's wall shows."""
        return instant.astimezone(zone(self.zone)).replace(tzinfo=None)


def rows(entries: Iterable[Entry], reader: Reader) -> list[Row]:
    """The table in the order of time, each thing once, days in a row as one."""
    in_order = sorted(entries, key=_place)
    said = [each for each in in_order if not _is_covered(each, in_order, reader.since)]
    return list(dict.fromkeys(_row(run, reader) for run in _runs(said, reader)))


def calendar(copy: Copy, clinic: str, installation: str) -> Calendar:
    """An event for every entry; a reminder of this clinic always has the same uid."""
    events = (
        Event(
            uid=f"{public_id('rem', each.reminder_id)}.{clinic}.{installation}",
            start=each.at,
            end=each.until or each.at + _SHORT,
            summary=each.text,
        )
        for each in sorted(copy.entries, key=_place)
    )
    return Calendar(copy.name, tuple(events))


def _place(entry: Entry) -> tuple[datetime, bool, datetime]:
    """By time; what is forbidden from then on comes first, by its end."""
    return (entry.at, entry.until is None, entry.until or entry.at)


def _is_covered(entry: Entry, entries: Sequence[Entry], since: datetime) -> bool:
    """Whether another restriction says the same for all of its time and more."""
    if entry.until is None:
        return False
    mine = (max(entry.at, since), entry.until)
    for other in entries:
        if other.until is not None and other.text == entry.text:
            start, end = max(other.at, since), other.until
            if start <= mine[0] and end >= mine[1] and (start, end) != mine:
                return True
    return False


def _runs(entries: Iterable[Entry], reader: Reader) -> list[list[Entry]]:
    """The entries in their order; days that differ in nothing but their date are together."""
    runs: list[list[Entry]] = []
    latest: dict[tuple[int | None, str], list[Entry]] = {}
    for entry in entries:
        run = latest.get(entry.series)
        if run is not None and _is_next_day(run[-1], entry, reader):
            run.append(entry)
        else:
            latest[entry.series] = [entry]
            runs.append(latest[entry.series])
    return runs


def _is_next_day(entry: Entry, following: Entry, reader: Reader) -> bool:
    return (
        entry.undated is not None
        and entry.undated == following.undated
        and _differ_in_day_alone(entry, following)
        and reader.clock(following.at) - reader.clock(entry.at) == ONE_DAY
    )


def _differ_in_day_alone(entry: Entry, following: Entry) -> bool:
    days = (str(entry.day), str(following.day))
    one, other = (re.split(r"(\d+)", each.text) for each in (entry, following))
    return len(one) == len(other) and all(
        here == there or (here, there) == days for here, there in zip(one, other, strict=True)
    )


def _row(run: Sequence[Entry], reader: Reader) -> Row:
    first = run[0]
    if first.until is not None:
        at = None if first.at <= reader.since else reader.moment(first.at)
        return Row(first.text, at, None, reader.moment(first.until))
    if len(run) > 1:
        assert first.undated is not None, "only what reads the same every day is told together"
        return Row(first.undated, reader.moment(first.at), reader.moment(run[-1].at), None)
    return Row(first.text, reader.moment(first.at), None, None)
