"""What the planner found on its way to a reminder, one step at a time. `explain` tells it."""

from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple

from reminderd.model import Reminder


class Rule(StrEnum):
    """What can decide about a reminder; the comments say what a step's `detail` holds."""

    NOMINAL = "nominal"  # the milestone's timing
    LONGER_HOLD = "longer-hold"  # the id of the restriction that staff adjusted
    AT_TREATMENT = "at-treatment"
    TAGS = "tags"  # the tags of which the session has none
    TURNED_OFF = "turned-off"  # the adjustment
    NO_TIME_LEFT = "no-time-left"  # the adjustment
    ASLEEP = "asleep"  # the adjustment
    DEFERRED = "deferred"
    ADVANCED = "advanced"
    IGNORED = "ignored"
    DROPPED = "dropped"
    TOO_LATE = "too-late"
    PAST = "past"
    FORBIDDEN = "forbidden"  # the ban
    CHANNEL = "channel"  # the channel
    NO_CHANNEL = "no-channel"  # the reason
    BOOKED = "booked"  # the later session
    COURSE_COMPLETE = "course-complete"  # the course's maximum
    HELD = "held"  # the reason
    WITHHELD = "withheld"  # the public id of the incident
    DUPLICATE = "duplicate"  # the ids of the sessions whose reminders stay
    UNTRUE = "untrue"  # the `corrections.Untrue`


class Step(NamedTuple):
    """One thing that a rule found, and at which instant; `detail` names the other party."""

    rule: Rule
    at: datetime | None = None
    detail: Any = None  # what stands beside its rule, of the type that the rule gives it


class Planned(NamedTuple):
    """A reminder as it is to be from now on, and the steps that led there."""

    reminder: Reminder
    steps: tuple[Step, ...]
