"""What templates may speak of: the names that each form of template knows, and what they hold."""

from dataclasses import dataclass

from reminderd.dates import Moment
from reminderd.texts import ALERT, BUNDLE, CORRECTION, DIGEST, HELP, LEAFLET, PLAN, SAFETY


@dataclass(frozen=True, slots=True)
class PatientWords:
    """What a template may say of a patient."""

    given_name: str


@dataclass(frozen=True, slots=True)
class ClinicWords:
    """What a template may say of a clinic."""

    name: str
    phone: str


@dataclass(frozen=True, slots=True)
class SessionWords:
    """What a template may say of a session; `area` is as the clinic typed it."""

    at: Moment
    area: str | None


@dataclass(frozen=True, slots=True)
class Line:
    """The sentence of one reminder in a bundle, and what the bundle may group it by.

    `since` is only there in a correction, where what it speaks of begins later.
    """

    kind: str
    text: str
    until: Moment | None
    since: Moment | None = None


@dataclass(frozen=True, slots=True)
class MovedWords:
    """What a correction may say of a session that is at another time."""

    was: Moment
    now: Moment


@dataclass(frozen=True, slots=True)
class ProtocolWords:
    """What a template may say of a protocol."""

    title: str
    revision: int


# Values, all of them: whoever holds one can read it and do nothing else.
WORDS = frozenset({PatientWords, ClinicWords, SessionWords, Line, MovedWords, ProtocolWords})


@dataclass(frozen=True, slots=True)
class AlertWords:
    """What an alert to the clinic's own people may say.

    `what` is `incident`, `unanswered` (an incident that nobody has taken on for so many `minutes`),
    `hold`, `transport`, `silence`, `text` or `test`, and `id` names it. `severity`, `patients`,
    `number` and `minutes` are of incidents, `why` is of the others; `show` and `do` are commands.
    """

    what: str
    id: str
    severity: str = ""
    patients: str = ""
    number: str = ""
    minutes: int = 0
    why: str = ""
    show: str = ""
    do: str = ""


@dataclass(frozen=True, slots=True)
class Counted:
    """How many there are, and the ids of the first few."""

    number: int = 0
    ids: str = ""


@dataclass(frozen=True, slots=True)
class DigestWords:
    """What the clinic's own people may be told of the day: `messages` are those of the day itself,
    and `waiting` is how much waits for a person in all."""

    messages: int
    waiting: int
    incidents: Counted = Counted()
    failed: Counted = Counted()
    expired: Counted = Counted()
    unknown: Counted = Counted()
    unanswered: Counted = Counted()
    consent: Counted = Counted()
    unconfirmed: Counted = Counted()


@dataclass(frozen=True, slots=True)
class Form:
    """The blocks that a template has to have, and the names that it may use."""

    blocks: tuple[str, ...]
    names: frozenset[str]


OBJECTS = {
    "patient": PatientWords,
    "clinic": ClinicWords,
    "session": SessionWords,
    "protocol": ProtocolWords,
    "alert": AlertWords,
    "digest": DigestWords,
}
FORM = Form(
    ("line", "sms", "subject", "email"),
    frozenset({"patient", "clinic", "session", "day", "days", "until", "next_at"}),
)
FORMS = {
    BUNDLE: Form(("sms", "subject", "email"), frozenset({"patient", "clinic", "lines"})),
    PLAN: Form(("email", "calendar"), frozenset({"patient", "clinic", "rows"})),
    CORRECTION: Form(
        ("sms", "subject", "email"),
        frozenset({"patient", "clinic", "moved", "called_off", "lines", "lifted"}),
    ),
    ALERT: Form(("subject", "email", "note"), frozenset({"clinic", "alert", "since"})),
    DIGEST: Form(("subject", "email"), frozenset({"clinic", "digest", "today"})),
    SAFETY: Form(("sms",), frozenset({"clinic", "emergency_phone", "is_emergency"})),
    HELP: Form(("sms",), frozenset({"clinic", "emergency_phone"})),
    LEAFLET: Form(("page",), frozenset({"clinic", "protocol", "session", "groups"})),
}
