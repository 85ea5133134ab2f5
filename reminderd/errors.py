"""Every error that reminderd raises on purpose: what went wrong, where, and what to do next.

The exit code of the command line is a property of the class (contract, section 6).
"""

from collections.abc import Sequence
from datetime import timedelta


def visible(text: str) -> str:
    """Typed text for a message: on one line, without control characters, cut where it is long."""
    cut = text if len(text) <= 40 else f"{text[:39]}…"
    return "".join(
        each if each.isprintable() else each.encode("unicode_escape").decode() for each in cut
    )


def shown(text: str) -> str:
    """As `visible`, in quotes."""
    return f'"{visible(text)}"'


class ReminderdError(Exception):
    """Something failed; the message is one sentence for a person, `remedy` is the next step."""

    exit_code = 1

    def __init__(self, message: str, *, remedy: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy


class InvalidInput(ReminderdError):
    """A value cannot be accepted as it was given; nothing was written."""

    exit_code = 2


class NotFound(ReminderdError):
    """What a command names does not exist."""

    exit_code = 4


class Refused(ReminderdError):
    """Consent, approval or safety forbids it."""

    exit_code = 5


class TryAgainLater(ReminderdError):
    """Another process holds what is needed, or a provider is down."""

    exit_code = 75


class FaultsFound(ReminderdError):
    """A file holds mistakes; `faults` names every one of them as `file:line: path: message`."""

    exit_code = 1

    def __init__(self, faults: Sequence[str], *, remedy: str | None = None) -> None:
        super().__init__("\n".join(faults), remedy=remedy)
        self.faults = tuple(faults)


class ConfigurationError(FaultsFound):
    """The configuration, a protocol or the database cannot be used as it is."""

    exit_code = 78


class TemplateFailed(ReminderdError):
    """A template could not be rendered; `reminder_id` names the reminder that wanted it, if any."""

    def __init__(
        self, message: str, *, reminder_id: int | None = None, remedy: str | None = None
    ) -> None:
        super().__init__(message, remedy=remedy)
        self.reminder_id = reminder_id


class TransportError(ReminderdError):
    """A transport did not get a message accepted; `code` is the provider's own code."""

    def __init__(self, message: str, *, code: str | None = None) -> None:
        super().__init__(message)
        self.code = code


class Temporary(TransportError):
    """It may well succeed later; nothing was accepted. `retry_after` is the provider's wish."""

    def __init__(
        self, message: str, *, code: str | None = None, retry_after: timedelta | None = None
    ) -> None:
        super().__init__(message, code=code)
        self.retry_after = retry_after


class AtCapacity(Temporary):
    """The provider takes nothing more from us for now: the transport rests, nothing is burned."""


class WrongAddress(TransportError):
    """This number or mailbox cannot receive; another channel may."""


class OptedOut(TransportError):
    """The provider knows that this person does not want to hear from us on this channel."""


class Rejected(TransportError):
    """This one message is refused, or the code is unknown: a person has to look at it."""


class ContentRefused(TransportError):
    """The text is refused, whoever it is for: it stops until a person has looked at it."""


class SenderRefused(TransportError):
    """The sender's number, address or set-up is refused: nothing can leave until that is mended."""


class CredentialsRefused(TransportError):
    """The provider does not accept who we are: the whole transport stops, nothing is burned."""


class InDoubt(TransportError):
    """The request left us and no readable answer came: it may or may not have been accepted."""
