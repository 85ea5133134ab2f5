"""A restriction that a protocol file may hold is always told before it is over."""

import contextlib
from collections.abc import Mapping
from datetime import date, time, timedelta
from functools import cache
from itertools import product

import pytest

from reminderd import hours
from reminderd.errors import FaultsFound
from reminderd.model import Kind, Milestone
from tests.core.protocol_file import HEAD, faults, restriction, said_at, the_milestone


@pytest.mark.parametrize(
    "values",
    [
        {"after": "12h"},
        {"after": "13h"},
        {"after": "23h", "holds": "1d"},  # the day may have 23 hours
        {"after": None, "day": 0, "at": "20:00"},  # a session at midnight
        {"after": None, "day": 0, "at": "11:00"},  # the clock goes back that night
        {"after": None, "day": 1, "at": "09:00"},
        {"after": None, "days": [0, 2], "at": "09:00", "holds": "2d"},
        {"holds": "0m"},
        {"after": None, "day": -1, "at": "23:00"},  # moved past a midnight session by a gap
    ],
)
def test_a_file_is_refused_whose_reminder_may_come_when_it_is_over(
    values: dict[str, object],
) -> None:
    assert [each for each in faults(HEAD + restriction(**values)) if "can be over" in each]


@pytest.mark.parametrize(
    "values",
    [
        {"after": "11h"},
        {"after": "22h", "holds": "1d"},
        {"after": None, "day": 0, "at": "10:00"},
        {"after": None, "day": 0, "at": "00:00", "holds": "30m"},
        {"after": None, "day": 2, "at": "09:00", "holds": "3d"},
        {"after": None, "day": 2, "at": "09:00", "expires": "1h"},
        {"after": None, "before": "24h", "holds": "0m"},
        {"after": None, "day": -1, "at": "22:00", "holds": "0m"},
    ],
)
def test_a_file_is_accepted_whose_reminder_always_has_time(values: dict[str, object]) -> None:
    assert the_milestone(restriction(**values)).kind is Kind.RESTRICTION


CLOCK_CHANGES = [
    ("Europe/Madrid", date(2026, 3, 29)),
    ("Europe/Madrid", date(2026, 10, 25)),
    ("Australia/Lord_Howe", date(2026, 10, 4)),
    ("America/Santiago", date(2026, 9, 6)),  # at midnight
    ("America/Nuuk", date(2026, 3, 28)),  # in the last hour of the day
    ("America/Nuuk", date(2026, 10, 24)),
]
TIMINGS: list[Mapping[str, object]] = [
    *({"after": f"{each}h"} for each in range(50)),
    *(
        {"after": None, "day": day, "at": f"{hour:02}:00"}
        for day in range(-1, 3)
        for hour in range(24)
    ),
]
LENGTHS = [f"{hours}h" for hours in range(80)], [f"{days}d" for days in range(4)]


def shortest(timing: Mapping[str, object], lengths: list[str]) -> Milestone | None:
    """The restriction of that timing with the first of `lengths` that a file may say."""
    for holds in lengths:
        with contextlib.suppress(FaultsFound):
            return the_milestone(restriction(**timing, holds=holds))
    return None


@cache
def tight_rules() -> list[Milestone]:
    """Restrictions that leave as little time as a file may leave."""
    found = (shortest(timing, lengths) for timing in TIMINGS for lengths in LENGTHS)
    return [rule for rule in found if rule is not None]


@pytest.mark.parametrize(("zone", "day"), CLOCK_CHANGES)
def test_what_is_accepted_has_time_around_every_clock_change(zone: str, day: date) -> None:
    assert len(tight_rules()) > 200
    for shift, clock in product(range(-3, 2), [time(0), time(0, 1), time(2, 30), time(23, 59)]):
        session = hours.resolve(zone, day + timedelta(days=shift), clock)
        for rule in tight_rules():
            assert rule.holds is not None
            over = session if rule.is_pre_care else hours.add(zone, session, rule.holds)
            said = said_at(rule, zone, session)
            assert (said if rule.is_pre_care else max(said, session)) < over, (rule, session)
