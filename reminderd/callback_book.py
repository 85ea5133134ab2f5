"""The part of the store that keeps what providers tell of messages by themselves."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from reminderd.outbox_values import Callback, Heard


class CallbackBook(Protocol):
    """Keeps each of them once, until it is applied and for good."""

    def keep_callback(self, callback: Callback, now: datetime) -> bool:
        """Keep it until it is applied, each message and receipt once.

        What is about an automatic answer is applied at once. False, and nothing is kept, where it
        is about no attempt and no answer of ours.
        """
        ...

    def waiting_callbacks(self, transports: Collection[str] | None, most: int) -> list[int]:
        """The first that wait to be applied, of messages by one of these transports or by any.

        Not those of a message that is being handed over. In a unit of work the patients whom they
        are about are its own from here on.
        """
        ...

    def heard(self, callback_id: int) -> Heard | None:
        """A callback, and what it is about as that is now; None where nothing of it is left."""
        ...

    def told(self, patient_id: int) -> Mapping[int, Sequence[tuple[datetime, Callback]]]:
        """By the message that it is about, when a provider told what; in order."""
        ...

    def disputed(self, since: datetime) -> list[Heard]:
        """Those that came since then and name another message than the one on record."""
        ...

    def open_receipts(self, transport: str, since: datetime) -> Mapping[str, datetime]:
        """Messages and answers accepted since then of which more may be told: the provider's id,
        and when."""
        ...

    def callback_applied(self, callback_id: int, now: datetime) -> None:
        """It waits no more."""
        ...
