"""The words of the house as frozen value objects.

Instants are aware datetimes in UTC. A local time is a `time` without a zone and only becomes an
instant in `hours.py`. Identifiers are the integers of the database; `ids.py` writes them for
people.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from typing import NamedTuple

from reminderd.calendar_file import Calendar
from reminderd.durations import Duration as Duration
from reminderd.durations import QuietHours as QuietHours
from reminderd.durations import local_time as local_time
from reminderd.words import (
    Channel as Channel,
)
from reminderd.words import (
    How as How,
)
from reminderd.words import (
    Kind as Kind,
)
from reminderd.words import (
    Outcome as Outcome,
)
from reminderd.words import (
    QuietPolicy as QuietPolicy,
)
from reminderd.words import (
    Reason as Reason,
)
from reminderd.words import (
    Receipt as Receipt,
)
from reminderd.words import (
    Resolution as Resolution,
)
from reminderd.words import (
    Screening as Screening,
)
from reminderd.words import (
    SessionState as SessionState,
)
from reminderd.words import (
    Severity as Severity,
)
from reminderd.words import (
    State as State,
)
from reminderd.words import (
    Wish as Wish,
)

SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*", re.ASCII)  # names in files: clinics, protocols, topics


@dataclass(frozen=True, slots=True)
class Clinic:
    """Who treats: its name and phone for the texts, and the zone and hours it works by.

    `leaving` holds the channels whose transport leaves the machine: only these need a signature
    under the protocol. `confirms` says whether a booked session waits to be marked done.
    `emergency_phone` is what people there call in an emergency.
    """

    key: str
    name: str
    phone: str
    timezone: str
    country: str
    language: str
    quiet_hours: QuietHours
    leaving: frozenset[Channel] = frozenset()
    confirms: bool = True
    emergency_phone: str = "112"


@dataclass(frozen=True, slots=True)
class Consent:
    """Whether the patient wants to hear from us on a channel, since when, and how we know.

    `by` and `words`, who wrote it down and what the patient said, go into the ledger; as present
    state they are not read back.
    """

    granted: bool
    at: datetime
    source: str
    how: How = How.STAFF
    by: str = field(default="", compare=False)
    words: str | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Patient:
    """A person in aftercare. `timezone` and `language` are the clinic's where they are None.

    `bad_addresses` holds the channels whose address a provider called wrong. `screening` is for the
    eyes of staff: no text and no log line ever speaks of it. Of a patient with `erased_at` nothing
    personal is left.
    """

    clinic: str
    given_name: str
    family_name: str = ""
    id: int | None = None
    ref: str | None = None
    phone: str | None = None
    email: str | None = None
    timezone: str | None = None
    language: str | None = None
    channels: tuple[Channel, ...] = (Channel.SMS, Channel.EMAIL)
    consent: Mapping[Channel, Consent] = field(default_factory=dict)
    paused: bool = False
    bad_addresses: frozenset[Channel] = frozenset()
    screening: frozenset[Screening] = field(default=frozenset(), repr=False)
    erased_at: datetime | None = None

    def address(self, channel: Channel) -> str | None:
        """Where a message on `channel` goes, or None where there is no usable address."""
        if channel in self.bad_addresses:
            return None
        return self.phone if channel is Channel.SMS else self.email

    def consents(self, channel: Channel) -> bool:
        """Whether the patient has agreed to hear from us on `channel`."""
        consent = self.consent.get(channel)
        return consent is not None and consent.granted


@dataclass(frozen=True, slots=True)
class Adjustment:
    """A staff decision about one milestone of one session, with its author and reason."""

    by: str
    why: str
    off: bool = False
    holds: Duration | None = None
    at: time | None = None


@dataclass(frozen=True, slots=True)
class Session:
    """A treatment at an instant; it keeps the protocol that it was recorded under.

    `protocol_version` names the pinned text of the protocol in the store. `withheld_by` is the
    open incident for which nothing that reassures is said of it.
    """

    patient_id: int | None
    protocol: str
    revision: int
    at: datetime
    recorded_at: datetime
    state: SessionState = SessionState.DONE
    id: int | None = None
    protocol_version: int | None = None
    tags: frozenset[str] = frozenset()
    area: str | None = None
    adjustments: Mapping[str, Adjustment] = field(default_factory=dict)
    withheld_by: int | None = None

    @property
    def stands(self) -> bool:
        """Whether the treatment took place or is still going to."""
        return self.state in (SessionState.BOOKED, SessionState.DONE)


@dataclass(frozen=True, slots=True)
class Elapsed:
    """Timing `after` (positive) or `before` (negative): elapsed time from the session."""

    offset: timedelta


@dataclass(frozen=True, slots=True)
class OnDays:
    """Timing `day` or `days` with `at`: one reminder a day, `first` to `last` after the session."""

    first: int
    last: int
    at: time


@dataclass(frozen=True, slots=True)
class CourseLead:
    """Timing `lead` with `at`: that many days from when the next session of the course is due."""

    days: int
    at: time


Timing = Elapsed | OnDays | CourseLead


@dataclass(frozen=True, slots=True)
class Milestone:
    """One rule of a protocol (contract, section 3, has the meaning of every field)."""

    id: str
    kind: Kind
    topics: frozenset[str]
    timing: Timing
    template: str
    holds: Duration | None = None
    expires: Duration | None = None
    quiet: QuietPolicy = QuietPolicy.DEFER
    channels: tuple[Channel, ...] | None = None
    only_for: frozenset[str] = frozenset()
    source: str | None = None
    note: str | None = None

    @property
    def is_pre_care(self) -> bool:
        """Whether it speaks before the treatment."""
        if isinstance(self.timing, OnDays):
            return self.timing.first < 0
        return isinstance(self.timing, Elapsed) and self.timing.offset < timedelta(0)

    @property
    def occurrences(self) -> int:
        """How many reminders one session gets from it."""
        if isinstance(self.timing, OnDays):
            return self.timing.last - self.timing.first + 1
        return 1


@dataclass(frozen=True, slots=True)
class Course:
    """How many sessions a course has and how far apart they are; the last interval repeats."""

    intervals: tuple[Duration, ...]
    minimum: int | None = None
    maximum: int | None = None

    def interval_after(self, place: int) -> Duration:
        """The pause after the session at `place`, counting from 1."""
        return self.intervals[min(place, len(self.intervals)) - 1]

    def is_complete_after(self, place: int) -> bool:
        """Whether no session follows the one at `place`, because the maximum is reached."""
        return self.maximum is not None and place >= self.maximum


@dataclass(frozen=True, slots=True)
class CareProtocol:
    """A clinic's aftercare rules as data. `digest` is over its content, whatever its layout."""

    key: str
    title: str
    revision: int
    milestones: tuple[Milestone, ...]
    sources: Mapping[str, str] = field(default_factory=dict)
    course: Course | None = None
    digest: str = ""

    def milestone(self, milestone_id: str) -> Milestone | None:
        """The milestone of that id, or None where this revision has none."""
        return next((each for each in self.milestones if each.id == milestone_id), None)


ReminderKey = tuple[int | None, str, int]


class Reminder(NamedTuple):
    """One milestone of one session, planned for one instant: a row of the outbox.

    A tuple, because there are thirty of them for every session and a dataclass takes thrice as
    long to make.

    `first_planned_at` is when it was first thought of. `wake_at` is when sending looks at it next:
    `due_at`, unless the night or a retry put it off. `needs_staff` is set where the planner found
    something that only a person can settle.
    """

    session_id: int | None
    protocol: str
    revision: int
    milestone: str
    occurrence: int
    kind: Kind
    topics: frozenset[str]
    template: str
    nominal_at: datetime
    expires_at: datetime
    state: State
    first_planned_at: datetime
    id: int | None = None
    patient_id: int | None = None
    channel: Channel | None = None
    due_at: datetime | None = None
    wake_at: datetime | None = None
    reason: Reason | None = None
    attempts: int = 0
    sent_at: datetime | None = None
    provider_id: str | None = None
    receipt: str | None = None
    needs_staff: bool = False

    @property
    def key(self) -> ReminderKey:
        """What makes it this reminder and no other, through every new plan."""
        return (self.session_id, self.milestone, self.occurrence)


@dataclass(frozen=True, slots=True)
class SessionChange:
    """How a session was until staff changed it at `at`, who did that, and why if they said."""

    was: Session
    protocol: CareProtocol
    at: datetime
    by: str
    why: str | None = None


@dataclass(frozen=True, slots=True)
class ZoneChange:
    """The zone that a patient lived by until `at`."""

    was: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Chart:
    """Everything known about one patient that planning and sending need.

    `protocols` are by session id; `approved` holds the ids of the sessions whose protocol is
    signed as it stands; `reminders` are those planned before. `changes` and `zones` are in the
    order in which staff made them; `corrected` says when staff told the patient what holds instead
    of a reminder, by its id.
    """

    patient: Patient
    clinic: Clinic
    sessions: tuple[Session, ...]
    protocols: Mapping[int | None, CareProtocol]
    reminders: tuple[Reminder, ...] = ()
    approved: frozenset[int | None] = frozenset()
    changes: tuple[SessionChange, ...] = ()
    corrected: Mapping[int | None, datetime] = field(default_factory=dict)
    zones: tuple[ZoneChange, ...] = ()

    @property
    def timezone(self) -> str:
        """The zone the patient lives by."""
        return self.patient.timezone or self.clinic.timezone


@dataclass(frozen=True, slots=True)
class Message:
    """What leaves: one or more reminders of one patient, rendered for one channel.

    `id` is stable: transports derive the provider's idempotence from it (the Message-ID of a
    mail). `valid_for` is how long it is still worth delivering from the moment of sending.
    `calendar` goes with a mail as a file (`calendar_file.written`), and `unsubscribe` is the
    address behind its button. `attempt` is the random id of this hand-over, by which the provider
    may speak of it. `to_staff` is for the clinic's own people, who cannot unsubscribe.
    """

    id: str
    channel: Channel
    to: str
    recipient_name: str
    clinic_name: str
    language: str
    subject: str | None
    text: str
    html: str | None
    valid_for: timedelta
    at: datetime
    calendar: Calendar | None = None
    unsubscribe: str | None = None
    attempt: str | None = field(default=None, compare=False)
    to_staff: bool = False


@dataclass(frozen=True, slots=True)
class Attempt:
    """One hand-over of a message to a transport, as `reminder explain` shows it."""

    message_id: int
    channel: Channel
    transport: str
    outcome: Outcome
    claimed_at: datetime
    marked_at: datetime | None
    settled_at: datetime | None
    provider_id: str | None
    code: str | None
    error: str | None
