"""No more than so many messages a second: a token bucket, told the time."""


class Pace:
    """Lets `per_second` messages through on average, a second's worth at once at most."""

    def __init__(self, per_second: float) -> None:
        self._per_second = per_second
        self._tokens = max(per_second, 1.0)
        self._checked_at: float | None = None

    def wait_seconds(self, count: int, now_seconds: float) -> float:
        """Take `count` tokens at this monotonic instant; how long to wait before using them."""
        if self._checked_at is not None:
            gained = (now_seconds - self._checked_at) * self._per_second
            self._tokens = min(self._tokens + gained, max(self._per_second, 1.0))
        self._checked_at = now_seconds
        self._tokens -= count
        return max(-self._tokens / self._per_second, 0.0)
