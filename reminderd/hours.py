"""Elapsed and calendar time, and quiet hours. Pure: no clock is read here.

Going from local to absolute follows RFC 9557 / Temporal `compatible`: a local time that does not
exist moves forward by the length of the gap, one that exists twice is the first of the two.
"""

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from importlib import resources
from zoneinfo import ZoneInfo

from reminderd.errors import shown
from reminderd.model import Duration, QuietHours

ONE_DAY = timedelta(days=1)
Period = tuple[datetime, datetime]


@lru_cache(maxsize=1024)
def zone(name: str) -> ZoneInfo:
    """The IANA zone from the packaged tzdata, never the machine's; ValueError where unknown."""
    *folders, file = name.split("/")
    package = ".".join(["tzdata.zoneinfo", *folders])
    try:
        with resources.files(package).joinpath(file).open("rb") as data:
            return ZoneInfo.from_file(data, key=name)
    except (OSError, ModuleNotFoundError, TypeError, ValueError) as error:
        raise ValueError(
            f'{shown(name)} is not a time zone; write for example "Europe/Madrid"'
        ) from error


@lru_cache(maxsize=65536)
def resolve(zone_name: str, day: date, at: time) -> datetime:
    """The instant, in UTC, at which clocks in the zone show `day` and `at`."""
    # With fold=0, Python reads a time in a gap by the offset before it, and the first of two.
    local = datetime.combine(day, at, tzinfo=zone(zone_name)).replace(fold=0)
    return local.astimezone(UTC)


def local_date(zone_name: str, instant: datetime) -> date:
    """The calendar date in the zone at that instant."""
    return instant.astimezone(zone(zone_name)).date()


def add(zone_name: str, instant: datetime, duration: Duration) -> datetime:
    """`instant` plus a duration: `m` and `h` elapsed on the UTC line, `d` by the calendar."""
    if duration.unit != "d":
        return instant + duration.elapsed
    if duration.amount == 0:
        return instant
    local = instant.astimezone(zone(zone_name))
    return resolve(zone_name, local.date() + duration.amount * ONE_DAY, local.time())


@lru_cache(maxsize=16384)
def quiet_period(zone_name: str, quiet: QuietHours, instant: datetime) -> Period | None:
    """The quiet period `[start, end)` that holds `instant`, or None where nobody is asleep."""
    for period in _periods_around(zone_name, local_date(zone_name, instant), quiet):
        if period[0] <= instant < period[1]:
            return period
    return None


def quiet_periods(
    zone_name: str, quiet: QuietHours, first: datetime, last: datetime
) -> list[Period]:
    """Every quiet period that can hold an instant from `first` to `last`, in order."""
    start, end = local_date(zone_name, first) - 2 * ONE_DAY, local_date(zone_name, last) + ONE_DAY
    days = (start + n * ONE_DAY for n in range((end - start).days + 1))
    periods = (_period(zone_name, day, quiet) for day in days)
    return [period for period in periods if period is not None]


@lru_cache(maxsize=4096)
def _periods_around(zone_name: str, day: date, quiet: QuietHours) -> tuple[Period, ...]:
    """Every quiet period that can hold an instant of that day."""
    # Two days back: a zone that skipped a day stretches the night before it.
    nights = (_period(zone_name, day + days * ONE_DAY, quiet) for days in (0, -1, 1, -2))
    return tuple(period for period in nights if period is not None)


def _period(zone_name: str, day: date, quiet: QuietHours) -> Period | None:
    """The quiet period that begins on `day`, or None where there is none on that day."""
    if quiet.start == quiet.end:
        return None
    last_day = day if quiet.start < quiet.end else day + ONE_DAY
    start, end = resolve(zone_name, day, quiet.start), resolve(zone_name, last_day, quiet.end)
    return (start, end) if start < end else None


def end_of_quiet(zone_name: str, quiet: QuietHours, instant: datetime) -> datetime:
    """The first instant from `instant` on that lies outside quiet hours."""
    while (period := quiet_period(zone_name, quiet, instant)) is not None:
        instant = period[1]
    return instant
