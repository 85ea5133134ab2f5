"""A calendar as the file that other programs take in (RFC 5545). The only room of icalendar.

What comes with the same `uid` later takes the place of what was there.
"""

import re
from dataclasses import dataclass
from datetime import datetime

# RFC 5545 knows no control characters, and UTF-8 no halves of a pair.
_UNWRITABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]+")


@dataclass(frozen=True, slots=True)
class Event:
    """One date: `[start, end)` between aware instants, and what it says."""

    uid: str
    start: datetime
    end: datetime
    summary: str


@dataclass(frozen=True, slots=True)
class Calendar:
    """Some dates under a name."""

    name: str
    events: tuple[Event, ...]


def written(calendar: Calendar, now: datetime) -> bytes:
    """The calendar's file as of `now`: private, in UTC, without alarms, and nobody is busy."""
    import icalendar

    file = icalendar.Calendar()
    file.add("version", "2.0")
    file.add("prodid", "-//reminderd//aftercare//EN")
    file.add("method", "PUBLISH")
    file.add("x-wr-calname", _one_line(calendar.name))
    for each in calendar.events:
        event = icalendar.Event()
        event.add("uid", each.uid)
        event.add("dtstamp", now)
        event.add("dtstart", each.start)
        event.add("dtend", each.end)
        event.add("summary", _one_line(each.summary))
        event.add("class", "PRIVATE")
        event.add("transp", "TRANSPARENT")
        file.add_component(event)
    content: bytes = file.to_ical()
    return content


def _one_line(text: str) -> str:
    return _UNWRITABLE.sub(" ", text)
