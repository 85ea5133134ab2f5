"""No more than so many messages a second: token buckets."""

from typing import Protocol


class Pace(Protocol):
    """Lets so many messages a second through on average, a second's worth at once at most."""

    def wait_seconds(self, count: int, now_seconds: float) -> float:
        """Take `count` tokens; how many seconds to wait before using them.

        `now_seconds` is by a clock of this process that nobody can set. One that several machines
        share goes by its store's clock instead, and raises TryAgainLater where that is away.
        """
        ...


class OwnPace:
    """The pace of one process, in memory."""

    def __init__(self, per_second: float) -> None:
        self._per_second = per_second
        self._tokens = max(per_second, 1.0)
        self._checked_at: float | None = None

    def wait_seconds(self, count: int, now_seconds: float) -> float:
        """As `Pace` says."""
        if self._checked_at is not None:
            gained = (now_seconds - self._checked_at) * self._per_second
            self._tokens = min(self._tokens + gained, max(self._per_second, 1.0))
        self._checked_at = now_seconds
        self._tokens -= count
        return max(-self._tokens / self._per_second, 0.0)
