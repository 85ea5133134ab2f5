"""Protocol files as text, what is wrong with one, and when it means to speak."""

import json
import re
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from reminderd import hours, protocols
from reminderd.errors import FaultsFound
from reminderd.model import Elapsed, Milestone, OnDays

PACKAGED = Path(__file__).parents[2] / "config" / "protocols"
KEYS = [
    "mesotherapy",
    "mesotherapy-basic",
    "mesotherapy-course",
    "mesotherapy-facial",
    "mesotherapy-gentle",
]
HEAD = 'key = "care"\ntitle = "Care"\nrevision = 1\nsources = { S = "A document" }\n'
COURSE = '[course]\nintervals = ["7d"]\n'


def milestone(**values: object) -> str:
    """One milestone as TOML: a sound inform, changed by `values`; None takes a key away."""
    table = {"id": "tip", "kind": "inform", "topics": ["tip"], "after": "0m", "expires": "1d"}
    given = {key: value for key, value in {**table, **values}.items() if value is not None}
    lines = [f"{key} = {json.dumps(value)}" for key, value in given.items()]
    return "\n".join(["[[milestones]]", *lines, ""])


def restriction(**values: object) -> str:
    """A sound restriction without `expires`, changed by `values`."""
    return milestone(**{"kind": "restriction", "holds": "12h", "expires": None, **values})


def faults(text: str) -> list[str]:
    """What is wrong with a text, without the name of its file."""
    with pytest.raises(FaultsFound) as caught:
        protocols.parse(text, "care.toml")
    assert all(re.match(r"care\.toml:[1-9]\d*: ", each) for each in caught.value.faults)
    return [each.removeprefix("care.toml:") for each in caught.value.faults]


def the_milestone(text: str) -> Milestone:
    return protocols.parse(HEAD + COURSE + text, "care.toml").milestones[0]


def said_at(rule: Milestone, zone: str, session: datetime) -> datetime:
    match rule.timing:
        case Elapsed(offset):
            return session + offset
        case OnDays(first, _, clock):
            day = hours.local_date(zone, session) + timedelta(days=first)
            return hours.resolve(zone, day, clock)
    raise AssertionError(rule.timing)
