"""When evidence is looked for after a message may or may not have been accepted. Pure.

The instants are those of the contract, section 5.
"""

from datetime import datetime, timedelta

LOOKS = (
    timedelta(seconds=30),
    timedelta(minutes=2),
    timedelta(minutes=10),
    timedelta(minutes=60),
)
MOST_COPIES = 3


def next_look_at(marked_at: datetime, looks: int) -> datetime | None:
    """The look after so many; `marked_at` is when the message was about to leave; None: no more."""
    return marked_at + LOOKS[looks] if looks < len(LOOKS) else None


def looks_made(marked_at: datetime, looks: int, now: datetime) -> int:
    """How many there were with the one at `now`: one that comes late stands for those it missed."""
    missed = sum(marked_at + each <= now for each in LOOKS)
    return max(looks + 1, missed)
