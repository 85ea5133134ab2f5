"""When one transport rests: where nothing can leave by it, or one message after another failed."""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from reminderd.errors import (
    AtCapacity,
    ContentRefused,
    CredentialsRefused,
    OptedOut,
    SenderRefused,
    Temporary,
    TransportError,
    WrongAddress,
)
from reminderd.retry import next_try_at

log = logging.getLogger(__name__)

REST = timedelta(minutes=5)
FAILURES_BEFORE_REST = 5
HEAD_START = timedelta(seconds=10)  # at most, of whoever met with a rest before those who heard


class Circuit:
    """Keeps until when a transport rests, and what kept a message from leaving, the latest.

    `chance` gives random numbers from 0 to 1; `keep` is told of each rest and the error behind it.
    """

    def __init__(
        self,
        name: str,
        chance: Callable[[], float],
        keep: Callable[[datetime, TransportError], None],
    ) -> None:
        self.rests_until: datetime | None = None
        self.trouble: str | None = None
        self._name = name
        self._chance = chance
        self._keep = keep
        self._failures = 0
        self._times_full = 0

    def rests(self, now: datetime) -> bool:
        """Whether nothing may be handed over now."""
        return self.rests_until is not None and now < self.rests_until

    def worked(self) -> None:
        """A message was accepted."""
        self._failures = self._times_full = 0

    def met(self, error: TransportError, now: datetime) -> None:
        """A message was not accepted: what that says about all of them."""
        match error:
            case CredentialsRefused() | SenderRefused():
                self.rest(now + REST, error)
            case AtCapacity():
                self.had_no_room(error, now)
            case Temporary():
                self.trouble = str(error)
                self.failed(error, now, error.retry_after)
            case ContentRefused():
                self.trouble = str(error)
            case WrongAddress() | OptedOut():
                return
            case _:
                self.failed(error, now)

    def failed(
        self, error: TransportError, now: datetime, retry_after: timedelta | None = None
    ) -> None:
        """Many failures in a row, one after the other or side by side, rest the transport."""
        self._failures += 1
        if self._failures >= FAILURES_BEFORE_REST:
            self._failures = 0
            self.rest(next_try_at(now, 1, retry_after=retry_after, chance=0), error)

    def had_no_room(self, error: AtCapacity, now: datetime) -> None:
        """It rests as long as the provider says, or else longer each time that it had no room."""
        if not self.rests(now):
            self._times_full += 1
        chance = self._chance()
        until = next_try_at(now, self._times_full, retry_after=error.retry_after, chance=chance)
        self.rest(until, error)

    def heard(self, until: datetime, why: str, now: datetime) -> None:
        """Another machine met with a rest: this one tries a little later than that one."""
        left = until - now
        if left <= timedelta():
            return
        until += min(left, HEAD_START) * (1 + self._chance()) / 2
        if self.rests_until is None or until > self.rests_until:
            self.rests_until, self.trouble = until, why
            log.warning("transport %s rests elsewhere: not before %s", self._name,
                        f"{until:%H:%M:%S}Z")  # fmt: skip

    def rest(self, until: datetime, error: TransportError) -> None:
        """Nothing leaves until then; a longer rest stays."""
        if self.rests_until is None or until > self.rests_until:
            self.rests_until = until
            self.trouble = str(error)
            self._keep(until, error)
            log.error("transport %s rests until %s: %s", self._name, f"{until:%H:%M:%S}Z", error)
