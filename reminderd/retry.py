"""What next after a temporary error: a growing pause with jitter. Pure: chance is given."""

from datetime import datetime, timedelta

FIRST_PAUSE = timedelta(seconds=30)
LONGEST_PAUSE = timedelta(minutes=30)


def next_try_at(
    now: datetime, attempts: int, *, retry_after: timedelta | None, chance: float
) -> datetime:
    """When to try again after `attempts` failed ones: 30 s, doubling up to half an hour.

    `chance`, from 0 to 1, stretches the pause by up to a quarter, so that a thousand messages that
    failed together do not come back together. The provider's own wish is a lower bound.
    """
    doublings = min(max(attempts - 1, 0), 6)
    pause: timedelta = min(FIRST_PAUSE * 2**doublings, LONGEST_PAUSE)
    pause += pause * chance / 4
    return now + max(pause, retry_after or timedelta(0))
