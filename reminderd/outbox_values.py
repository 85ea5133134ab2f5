"""What an outbox is given and gives back, as frozen values. `interfaces.Outbox` has the verbs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from reminderd.model import (
    Attempt,
    CareProtocol,
    Channel,
    Outcome,
    Patient,
    Reason,
    Receipt,
    Reminder,
    Session,
    SessionChange,
    Severity,
    State,
    ZoneChange,
)


@dataclass(frozen=True, slots=True)
class PatientFacts:
    """One patient as the store knows it; the fields are those of `model.Chart`."""

    patient: Patient
    sessions: tuple[Session, ...]
    protocols: Mapping[int | None, CareProtocol]
    reminders: tuple[Reminder, ...]
    changes: tuple[SessionChange, ...] = ()
    corrected: Mapping[int | None, datetime] = field(default_factory=dict)
    zones: tuple[ZoneChange, ...] = ()


@dataclass(frozen=True, slots=True)
class Claimed:
    """A message taken from the schedule: its reminders are `sending`, nothing has left yet."""

    message_id: int
    attempt_id: int
    reminders: tuple[Reminder, ...]


@dataclass(frozen=True, slots=True)
class NewMessage:
    """What one claim asks for: these reminders of one patient, to leave on one channel."""

    patient_id: int
    channel: Channel
    transport: str
    reminders: tuple[Reminder, ...]


@dataclass(frozen=True, slots=True)
class Rendered:
    """What is about to leave, kept with the message: to whom, and in which words."""

    attempt_id: int
    message_id: int
    to: str
    language: str
    subject: str | None
    text: str
    html: str | None
    segments: int | None
    envelope: str | None = None  # see `envelope.py`
    token: str | None = None  # the attempt's random id


@dataclass(frozen=True, slots=True)
class Settlement:
    """What became of one attempt, and with it of its reminders.

    `reminders` are the rows as they are from now on (state, reason, due_at, channel, sent_at,
    provider_id, attempts). `look_at` is when evidence is looked for, after so many `looks`, while
    the attempt is in doubt.
    """

    attempt_id: int
    outcome: Outcome
    reminders: tuple[Reminder, ...]
    provider_id: str | None = None
    code: str | None = None
    error: str | None = None
    look_at: datetime | None = None
    looks: int = 0


@dataclass(frozen=True, slots=True)
class Doubt:
    """A message that may or may not have been accepted, as it left; evidence is looked for."""

    attempt_id: int
    message_id: int
    patient_id: int
    channel: Channel
    transport: str
    marked_at: datetime
    looks: int
    code: str | None
    error: str | None
    to: str
    language: str
    subject: str | None
    text: str
    html: str | None
    envelope: str | None
    reminders: tuple[Reminder, ...]


@dataclass(frozen=True, slots=True)
class Call:
    """A request to one of our hooks, not yet believed. `query` is raw; headers by lower case."""

    query: str
    body: bytes
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Callback:
    """What a provider told of one message by itself, once it is known to be the provider's word.

    `token` is the random id of the attempt, where it came with one. `meaning` is set where the code
    says that nobody is there (`wrong-address`) or that the person said stop (`opted-out`).
    """

    token: str | None
    provider_id: str
    receipt: Receipt
    code: str | None = None
    meaning: Outcome | None = None


@dataclass(frozen=True, slots=True)
class Heard:
    """A callback that waits to be applied, with the attempt that it is about as it is now.

    `reminders` are those that the attempt's message carried; those in `overtaken` have left, or may
    have, in a later message.
    """

    id: int
    callback: Callback
    patient_id: int
    attempt_id: int
    attempt: Attempt
    reminders: tuple[Reminder, ...]
    overtaken: frozenset[int | None] = frozenset()


@dataclass(frozen=True, slots=True)
class Reply:
    """What somebody wrote to a number of ours, once it is known to be the provider's word.

    `media` is how many pictures or other files came with it; they stay with the provider. `sent_at`
    is when the provider got it, where it says so; `answered`: the provider answers it by itself.
    """

    provider_id: str
    sender: str
    recipient: str
    text: str
    media: int = 0
    sent_at: datetime | None = None
    answered: bool = False


@dataclass(frozen=True, slots=True)
class News:
    """A message in a provider's list, one of ours or one to us; `at` is by the provider's clock."""

    at: datetime
    told: Callback | Reply


@dataclass(frozen=True, slots=True)
class Decision:
    """What is done about a reply: `word` names it, `why` is a JSON object for those who ask.

    While `for_staff`, it waits for a person.
    """

    word: str
    why: Mapping[str, Any] = field(default_factory=dict)
    for_staff: bool = True


@dataclass(frozen=True, slots=True)
class StoredReply:
    """A reply as it is kept; `patients` had that number when it was handled.

    `question` is the check-in, a reminder, that it belongs to, and `answer` what it answers to
    that: `1` to `5`, or `all-good`.
    """

    id: int
    transport: str
    reply: Reply
    received_at: datetime
    handled_at: datetime | None = None
    decision: Decision | None = None
    patients: tuple[int, ...] = ()
    done_at: datetime | None = None
    done_by: str | None = None
    question: int | None = None
    answer: str | None = None

    @property
    def said_at(self) -> datetime:
        """When the person wrote it, as far as that is known; never later than it was received."""
        return min(self.reply.sent_at or self.received_at, self.received_at)


@dataclass(frozen=True, slots=True)
class Incident:
    """A red flag that a person has to act on; open until somebody closes it.

    `patients` had that number when it came, and may be nobody. `replies` are the red flags in
    order; `raised_at` is when the latest came, of which staff are told anew. `sessions` took place
    by then: while it is open, nothing is said of them that reassures. `why` is what was found when
    it was closed.
    """

    id: int
    severity: Severity
    number: str
    patients: tuple[int, ...]
    replies: tuple[int, ...]
    opened_at: datetime
    raised_at: datetime
    acknowledged_at: datetime | None = None
    acknowledged_by: str | None = None
    closed_at: datetime | None = None
    closed_by: str | None = None
    why: str | None = None
    sessions: tuple[int, ...] = ()

    @property
    def is_open(self) -> bool:
        """Whether nobody has closed it."""
        return self.closed_at is None

    @property
    def state(self) -> str:
        """`open`, `acknowledged` or `closed`."""
        if not self.is_open:
            return "closed"
        return "acknowledged" if self.acknowledged_at else "open"


@dataclass(frozen=True, slots=True)
class StoredMessage:
    """A message as it is kept: what it was rendered to is None until it was about to leave."""

    id: int
    channel: Channel
    transport: str
    created_at: datetime
    to: str | None
    language: str | None
    subject: str | None
    text: str | None
    html: str | None
    segments: int | None
    reminder_ids: tuple[int, ...]

    @property
    def is_wordless(self) -> bool:
        """Whether it was in words once, and they are no longer kept."""
        return self.language is not None and self.text is None


@dataclass(frozen=True, slots=True)
class Removed:
    """What an erasure did: so many reminders cancelled, on these channels consent stays refused."""

    cancelled: int
    objections: tuple[Channel, ...]


@dataclass(frozen=True, slots=True)
class Prunable:
    """Messages whose words may go, and how many as old stay: something of theirs is still open.

    `replies` are those to us that wait for nobody.
    """

    messages: Sequence[int]
    kept: int
    replies: Sequence[int] = ()


@dataclass(frozen=True, slots=True)
class Vitals:
    """How sending goes: what became of attempts, how many are in doubt, what was decided on
    replies.
    """

    outcomes: Mapping[tuple[Channel, Outcome], int]
    doubts: int
    replies: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Approval:
    """A signature under a protocol and its templates, by digest."""

    protocol: str
    revision: int
    digest: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Pinned:
    """A text of a protocol that is kept for good, and how many sessions are under it."""

    id: int
    revision: int
    digest: str
    document: str
    sessions: int


@dataclass(frozen=True, slots=True)
class Signed:
    """What a signature was for: the pinned protocol and what its templates said.

    None where it was given before these were kept.
    """

    document: str | None
    texts: str | None


@dataclass(frozen=True, slots=True)
class ReminderFilter:
    """Which reminders a listing wants; what is None or empty does not narrow it."""

    patient_id: int | None = None
    session_id: int | None = None
    protocol: str | None = None
    states: frozenset[State] = frozenset()
    reasons: frozenset[Reason] = frozenset()
    due_from: datetime | None = None
    due_until: datetime | None = None
    needs_staff: bool = False
    limit: int | None = None


@dataclass(frozen=True, slots=True)
class Expired:
    """What a sweep found too late, by state before it."""

    by_reason: Mapping[Reason, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ReportFilter:
    """What a report is about; what is None does not narrow it. The instants are `[start, end)`."""

    protocol: str | None = None
    start: datetime | None = None
    end: datetime | None = None


@dataclass(frozen=True, slots=True)
class Figure:
    """How many reminders of a milestone on a channel are in a state for a reason.

    `late` and `latest` are from the due instant to the sending: of all together, and the worst.
    """

    protocol: str
    milestone: str
    channel: Channel | None
    state: State
    reason: Reason | None
    count: int
    late: timedelta
    latest: timedelta


@dataclass(frozen=True, slots=True)
class LastSession:
    """A session that no other of its course follows, its place, its patient without consents."""

    patient: Patient
    session: Session
    protocol: CareProtocol
    place: int
