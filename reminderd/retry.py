"""What next after a temporary error: a growing pause with jitter. Pure: chance is given."""

from datetime import datetime, timedelta

FIRST_PAUSE = timedelta(seconds=30)
LONGEST_PAUSE = timedelta(minutes=30)


def next_try_at(
    now: datetime, attempts: int, *, retry_after: timedelta | None, chance: float
) -> datetime:
    """When to try again after `attempts` failed ones: 30 s, doubling up to half an hour.

    Where the provider names a pause, `retry_after`, it is that one. `chance`, from 0 to 1,
    stretches either by up to a quarter, so that a thousand messages that failed together do not
    come back together.
    """
    doublings = min(max(attempts - 1, 0), 6)
    # A pause of nothing is none: it would be asked without an end.
    pause = retry_after or min(FIRST_PAUSE * 2**doublings, LONGEST_PAUSE)
    return now + pause * (1 + chance / 4)
