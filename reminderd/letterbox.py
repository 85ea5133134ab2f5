"""The part of the store that keeps what people write to us, and the seam to who decides on it."""

from collections.abc import Callable, Collection, Sequence
from datetime import datetime
from typing import Protocol, runtime_checkable

from reminderd.model import Patient
from reminderd.outbox_values import Decision, Reply, StoredReply
from reminderd.questions import Questions

TO_THE_STAFF = "staff"
FAILED = "failed"  # nothing could sort it: a person has to, and soon

# Asked once about each reply, with everybody who has that number, in a transaction.
Decide = Callable[[StoredReply, Sequence[Patient], datetime], Decision]


@runtime_checkable
class Hurrying(Protocol):
    """Whoever decides, and knows whose words cannot wait in line behind others."""

    def hurries(self, words: str) -> bool:
        """Whether they are to be handled first; asked of each reply once, so it has to be quick."""
        ...


def to_the_staff(reply: StoredReply, patients: Sequence[Patient], now: datetime) -> Decision:
    """A person reads it."""
    return Decision(TO_THE_STAFF)


class Letterbox(Questions, Protocol):
    """Keeps each reply once, for good, with what was decided about it."""

    def keep_reply(self, transport: str, reply: Reply, now: datetime) -> bool:
        """Keep it until it is handled; False where it is kept already."""
        ...

    def waiting_replies(
        self, transports: Collection[str] | None, most: int, of: Collection[int] | None = None
    ) -> list[StoredReply]:
        """The first that wait to be handled, that came by one of these transports or by any; of
        these alone, if any are named.
        """
        ...

    def waiting_words(
        self, transports: Collection[str] | None, after: int
    ) -> list[tuple[int, str]]:
        """Id and words of all that wait, of those that came after that one."""
        ...

    def reply_handled(
        self, reply_id: int, decision: Decision, patient_ids: Sequence[int], now: datetime
    ) -> None:
        """It waits no more; these patients have that number."""
        ...

    def reply(self, reply_id: int) -> StoredReply | None: ...

    def replies(
        self, *, patient_id: int | None = None, for_staff: bool = False, most: int | None = None
    ) -> list[StoredReply]:
        """The latest first; those of one patient, or that wait for a person."""
        ...

    def reply_done(self, reply_id: int, by: str, now: datetime) -> None:
        """A person has read it: it is off the staff's list."""
        ...
