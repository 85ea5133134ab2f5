"""The ground truth: what the providers have accepted, whatever they said about it."""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime

from reminderd.model import Channel


@dataclass(frozen=True)
class Accepted:
    """One message that a provider has taken; copies that a mailbox shows once have one `key`."""

    key: str
    message: int
    channel: Channel
    to: str
    text: str
    provider_id: str
    at: datetime


@dataclass
class Ledger:
    """Everything that was accepted, in order."""

    entries: list[Accepted] = field(default_factory=list)
    answers: list[Accepted] = field(default_factory=list)  # by the answer's number
    undelivered: set[str] = field(default_factory=set)  # provider's ids of which we were told so

    def of_messages(self, messages: set[int]) -> list[Accepted]:
        return [each for each in self.entries if each.message in messages]

    def keys(self) -> dict[int, set[str]]:
        """By message, one for each that was accepted."""
        found: dict[int, set[str]] = defaultdict(set)
        for each in self.entries:
            found[each.message].add(each.key)
        return found

    @property
    def void(self) -> set[str]:
        """Keys of what reached nobody, as the provider has told us: it may go another way."""
        return {each.key for each in self.entries if each.provider_id in self.undelivered}

    def keys_of(self, messages: set[int]) -> set[str]:
        """One for each message that a person received."""
        return {each.key for each in self.of_messages(messages)}
