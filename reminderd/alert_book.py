"""The part of the store that remembers who at the clinic is to be told of what, and was."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Alert:
    """One thing that one recipient is told once; `key` says which, and never holds a patient's
    words, name or number.

    While `wake_at` is set it waits to be sent, then; `sent_at` is when somebody's mail server or
    service took it. With neither it was given up, and `error` says why.
    """

    id: int
    key: str
    recipient: str
    created_at: datetime
    wake_at: datetime | None
    tries: int = 0
    sent_at: datetime | None = None
    error: str | None = None


class AlertBook(Protocol):
    """Keeps every alert for good."""

    def known_alerts(self, keys: Collection[str]) -> frozenset[str]:
        """Those of the keys of which somebody is being told, or was."""
        ...

    def add_alert(self, key: str, recipients: Collection[str], now: datetime) -> None:
        """Each of them is to be told at once; nothing where the key is known already."""
        ...

    def waiting_alerts(self, now: datetime) -> list[Alert]:
        """Those to be sent by now, in the order in which they were added.

        A recipient that cannot be opened any more is empty.
        """
        ...

    def keep_alert(self, alert: Alert) -> None:
        """How it stands from now on."""
        ...

    def alerts(self, about: str) -> list[Alert]:
        """All with a key that begins so, in the order in which they were added."""
        ...

    def untold_alerts(self) -> list[Alert]:
        """Those that failed and are tried again."""
        ...
