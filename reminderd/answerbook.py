"""The automatic answer to a reply, as it is kept, and the part of the store that keeps it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from reminderd.words import AnswerKind, AnswerState, Receipt

REPLACED = "replaced"  # the code of a waiting answer in whose place a more pressing one goes


@dataclass(frozen=True, slots=True)
class Answer:
    """What whoever wrote is told at once, in the words in which it leaves, or waits to leave.

    `patients` had the number when the reply was handled. `wake_at` is set while it waits,
    `marked_at` once it was about to be handed over. `tries` are those that may have reached the
    provider; it speaks of them by the random `token`. `receipt` is what became of it afterwards.
    """

    reply_id: int
    kind: AnswerKind
    number: str
    transport: str
    language: str
    text: str
    created_at: datetime
    expires_at: datetime
    wake_at: datetime | None
    id: int | None = None
    state: AnswerState = AnswerState.WAITING
    tries: int = 0
    marked_at: datetime | None = None
    sent_at: datetime | None = None
    provider_id: str | None = None
    code: str | None = None
    error: str | None = None
    patients: tuple[int, ...] = ()
    token: str | None = None
    receipt: Receipt | None = None


class AnswerBook(Protocol):
    """Keeps at most one answer to each reply, for good."""

    def add_answer(self, answer: Answer) -> None:
        """Keep it under an id of its own; it waits to be sent."""
        ...

    def answers_since(self, since: datetime) -> list[Answer]:
        """Those that wait, and those that have left or may have since then."""
        ...

    def is_our_number(self, number: str) -> bool:
        """Whether anybody has ever written to it."""
        ...

    def due_answers(self, transport: str, now: datetime, most: int) -> list[Answer]:
        """The first of those by this transport that wait, may leave now and are not too late."""
        ...

    def next_answer_at(self, transports: Sequence[str]) -> datetime | None:
        """When the next of those by these transports wants a look."""
        ...

    def mark_answers(self, answers: Sequence[Answer], now: datetime) -> None:
        """They are about to be handed over by their tokens: from here on a crash means doubt."""
        ...

    def save_answers(self, answers: Sequence[Answer]) -> None:
        """Write how they are: the state and what goes with it, not the words.

        One that has a receipt is `sent`, whatever became of the request.
        """
        ...

    def expire_answers(self, now: datetime) -> int:
        """Those that wait and are too late are `expired`; returns how many."""
        ...

    def doubt_answers(self) -> int:
        """After a crash: those that were marked are `unknown`; returns how many."""
        ...

    def answer_to(self, reply_id: int) -> Answer | None: ...

    def doubted_answers(self, transport: str, since: datetime, most: int) -> list[Answer]:
        """Those by this transport that may have left since then, the latest first."""
        ...

    def stranded_answers(self) -> list[Answer]:
        """Those that are not known to have left, or did not arrive, to replies that wait for a
        person."""
        ...
