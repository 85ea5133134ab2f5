"""The part of the store that knows what check-ins asked, and what was written in reply."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from reminderd.outbox_values import ReportFilter

SILENT_AFTER = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Response:
    """A reply to a check-in: what was decided about it, and the answer that it gives.

    `answer` is `1` to `5`, `all-good`, or None where it is something else.
    """

    reply_id: int
    said_at: datetime
    decision: str | None
    answer: str | None


@dataclass(frozen=True, slots=True)
class Question:
    """A check-in that was sent, or may have been, and everything that was written in reply, in the
    order in which it was said.

    `asked_at` is when it left last.
    """

    reminder_id: int
    patient_id: int
    session_id: int
    protocol: str
    milestone: str
    asked_at: datetime
    is_sent: bool
    responses: tuple[Response, ...] = ()

    @property
    def answer(self) -> str | None:
        """The first answer counts."""
        return next((each.answer for each in self.responses if each.answer), None)

    def is_silent(self, now: datetime) -> bool:
        """Whether it was sent, a day has passed, and nobody has written anything."""
        return self.is_sent and not self.responses and self.asked_at + SILENT_AFTER <= now


class Questions(Protocol):
    """Keeps to which check-in a reply belongs. What was not delivered has asked nothing."""

    def link_reply(self, reply_id: int, reminder_id: int, answer: str | None) -> None:
        """The reply belongs to that check-in; `answer` as in `Response`."""
        ...

    def question(self, reminder_id: int) -> Question | None:
        """That check-in; None where it is none, or never left."""
        ...

    def questions_to(
        self, patient_ids: Collection[int], since: datetime, until: datetime
    ) -> list[Question]:
        """What these patients were asked in that time, both ends included, in that order."""
        ...

    def questions(self, wanted: ReportFilter) -> list[Question]:
        """What was asked, in that order; not that of erased patients."""
        ...

    def silent_check_ins(self, now: datetime) -> list[Question]:
        """What nobody has replied to for a day, of the last seven days, in that order."""
        ...
