"""The words of the house that have a fixed set of values (contract, sections 3 and 4)."""

from enum import StrEnum


class Channel(StrEnum):
    """What a patient has: a phone that takes texts, a mailbox."""

    SMS = "sms"
    EMAIL = "email"


class Kind(StrEnum):
    """What a milestone is for (contract, section 3). In the order in which a bundle says them."""

    RESTRICTION = "restriction"
    RELEASE = "release"
    CHECK = "check"
    ROUTINE = "routine"
    INFORM = "inform"
    COURSE = "course"


class QuietPolicy(StrEnum):
    """What becomes of a reminder whose nominal instant falls into quiet hours."""

    DEFER = "defer"
    ADVANCE = "advance"
    DROP = "drop"
    IGNORE = "ignore"


class State(StrEnum):
    """Where a reminder is in its life (contract, section 4)."""

    SCHEDULED = "scheduled"
    HELD = "held"
    SENDING = "sending"
    SENT = "sent"
    FAILED = "failed"
    UNKNOWN = "unknown"
    EXPIRED = "expired"
    CANCELLED = "cancelled"
    SKIPPED = "skipped"


class Reason(StrEnum):
    """Why a reminder is skipped, held, cancelled, expired or failed."""

    PAST = "past"
    QUIET_HOURS = "quiet-hours"
    SUPERSEDED = "superseded"
    CONFLICT = "conflict"
    DUPLICATE = "duplicate"
    BOOKED = "booked"
    NOT_APPLICABLE = "not-applicable"
    OVERRIDE = "override"
    NO_ADDRESS = "no-address"
    NO_CONSENT = "no-consent"
    UNAPPROVED = "unapproved"
    PAUSED = "paused"
    UNCONFIRMED = "unconfirmed"
    SESSION_CANCELLED = "session-cancelled"
    OPTED_OUT = "opted-out"
    BY_STAFF = "by-staff"
    ERASED = "erased"
    CHANGED = "changed"
    LATE = "late"
    REJECTED = "rejected"
    TEMPLATE = "template"


class Wish(StrEnum):
    """What was said about being written to, as the consent ledger keeps it."""

    GRANTED = "granted"
    WITHDRAWN = "withdrawn"
    OBJECTED = "objected"  # in words that a person has to read: all channels are held
    SETTLED = "settled"  # staff have read them, and it goes on


class How(StrEnum):
    """How it became known what a patient wishes."""

    EARLIER = "earlier"  # before the ledger was kept
    ENROLMENT = "enrolment"
    IMPORT = "import"
    STAFF = "staff"
    REPLY = "reply"
    PROVIDER = "provider"  # the person told the provider
    UNSUBSCRIBE = "unsubscribe"
    ERASURE = "erasure"


class Severity(StrEnum):
    """How soon a person has to act on a red flag."""

    EMERGENCY = "emergency"
    URGENT = "urgent"


class SessionState(StrEnum):
    """A treatment lies ahead, took place, was called off, or the patient did not come."""

    BOOKED = "booked"
    DONE = "done"
    CANCELLED = "cancelled"
    NO_SHOW = "no-show"


class Screening(StrEnum):
    """What calls for caution before mesotherapy (source S2, "Am I a good candidate")."""

    ECZEMA = "eczema"
    PSORIASIS = "psoriasis"
    CLOTTING_DISORDER = "clotting-disorder"
    PREGNANCY = "pregnancy"
    BREASTFEEDING = "breastfeeding"


class Resolution(StrEnum):
    """What staff say of a message that may or may not have been accepted."""

    SENT = "sent"  # it arrived
    DROP = "drop"  # leave it at that
    RESEND = "resend"  # it did not arrive: send it again


class Aftermath(StrEnum):
    """What staff decide, at the end of an incident, about the texts that were withheld."""

    RESUME = "resume"  # what is still valid goes out
    STOP = "stop"  # none of them does


class Outcome(StrEnum):
    """How one attempt ended, or how far it has come."""

    CLAIMED = "claimed"  # taken from the schedule, nothing has left
    MARKED = "marked"  # about to be handed to the transport: from here on a crash means doubt
    ACCEPTED = "accepted"
    RETURNED = "returned"  # put back unsent: a fact changed, or the transport rests
    TEMPORARY = "temporary"
    WRONG_ADDRESS = "wrong-address"
    OPTED_OUT = "opted-out"
    REFUSED = "refused"
    CREDENTIALS = "credentials"
    IN_DOUBT = "in-doubt"


class Receipt(StrEnum):
    """What the provider said of a message after it had accepted it (contract, section 5)."""

    QUEUED = "queued"
    SENT = "sent"
    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"
    FAILED = "failed"


NOT_DELIVERED = frozenset({Receipt.UNDELIVERED, Receipt.FAILED})


class AnswerKind(StrEnum):
    """What an automatic answer is for."""

    SAFETY = "safety"  # how to get help at once: the answer to a red flag
    HELP = "help"  # who writes


class AnswerState(StrEnum):
    """Where an automatic answer is on its way."""

    WAITING = "waiting"
    MARKED = "marked"  # about to be handed over: from here on a crash means doubt
    SENT = "sent"
    UNKNOWN = "unknown"  # it may have left; it is never sent again
    FAILED = "failed"
    EXPIRED = "expired"
