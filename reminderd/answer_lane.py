"""How an automatic answer leaves: a durable mark, one request, the outcome on record.

Neither the night nor a pause nor consent keeps it back: it answers a message. Whether it left is
known or `unknown`; it is never sent twice.
"""

import logging
from dataclasses import replace
from datetime import datetime

from reminderd.answerbook import Answer
from reminderd.errors import (
    AtCapacity,
    ContentRefused,
    CredentialsRefused,
    OptedOut,
    Rejected,
    SenderRefused,
    Temporary,
    TransportError,
    TryAgainLater,
    WrongAddress,
)
from reminderd.holding import MOVED, RESTORED, held
from reminderd.ids import public_id
from reminderd.interfaces import Outbox
from reminderd.lanes import Lane, Means
from reminderd.model import Channel, Message
from reminderd.retry import next_try_at
from reminderd.words import AnswerState

log = logging.getLogger(__name__)


class AnswerLane:
    """Sends the answers to what came by one lane's transport; only the thread that sends by it."""

    def __init__(self, name: str, lane: Lane, means: Means) -> None:
        self._name = name
        self._lane = lane
        self._means = means
        self._outbox = means.outbox
        self._ended: list[Answer] = []  # not on record yet
        self._installation = means.outbox.note("installation") or ""

    def send(self) -> None:
        """Hand over what waits and may leave now; raises TryAgainLater as `Lane.carry` does.

        A clock or a volume that may be wrong holds no answer back. A database that is older than it
        was does: it may not know that they have left.
        """
        while answers := self._marked():
            results = self._lane.exchange([self._message(each) for each in answers])
            now = self._means.clock.now()
            for each, result in zip(answers, results, strict=True):
                self._ended.append(self._judged(each, result, now))
            self.catch_up()

    def catch_up(self) -> None:
        """Record what has ended; what cannot be recorded now is kept, and TryAgainLater raised."""
        if self._ended:
            with self._outbox.transaction():
                self._outbox.save_answers(self._ended)
            self._ended = []
        self._lane.catch_up()

    def close(self) -> None:
        """Record what has ended; where that fails, the next start takes it for a crash."""
        try:
            self.catch_up()
        except TryAgainLater as error:
            for each in self._ended:
                log.error("%s: %s, not recorded: %s", _name(each), each.state, error)

    def inherit(self, predecessor: "AnswerLane") -> None:
        """Take over what the one before could not record."""
        self._ended, predecessor._ended = predecessor._ended, []

    def _marked(self) -> list[Answer]:
        """The next few that are about to leave."""
        due = self._due()
        if not due:
            return []
        self._lane.keep_pace(len(due))
        with self._outbox.transaction():
            new_token = self._means.new_token
            answers = [replace(each, token=each.token or new_token()) for each in self._due()]
            self._outbox.mark_answers(answers, self._means.clock.now())
        self._means.alive()
        return answers

    def _due(self) -> list[Answer]:
        now = self._means.clock.now()
        if self._lane.rests(now) or _is_an_old_one(self._outbox):
            return []
        return self._outbox.due_answers(self._name, now, self._lane.group_size)

    def _message(self, answer: Answer) -> Message:
        now = self._means.clock.now()
        return Message(
            id=f"{_name(answer)}-{self._installation}",
            channel=Channel.SMS,
            to=answer.number,
            recipient_name="",
            clinic_name="",
            language=answer.language,
            subject=None,
            text=answer.text,
            html=None,
            valid_for=answer.expires_at - now,
            at=now,
            attempt=answer.token,
        )

    def _judged(self, answer: Answer, result: str | TransportError, now: datetime) -> Answer:
        tried = replace(answer, tries=answer.tries + 1, wake_at=None)
        if isinstance(result, str):
            self._lane.circuit.worked()
            log.info("%s: sent", _name(answer))
            return replace(tried, state=AnswerState.SENT, sent_at=now, provider_id=result)
        log.warning("%s by %s: %s", _name(answer), self._name, result)
        self._lane.circuit.met(result, now)
        told = replace(tried, code=result.code, error=result.message)
        match result:
            case CredentialsRefused() | SenderRefused() | AtCapacity():  # it was not tried
                return replace(told, tries=answer.tries, state=AnswerState.WAITING, wake_at=now)
            case Temporary():
                again_at = self._again_at(told, result)
                return replace(told, state=AnswerState.WAITING, wake_at=again_at)
            case WrongAddress() | OptedOut() | ContentRefused() | Rejected():
                return replace(told, state=AnswerState.FAILED)
        return replace(told, state=AnswerState.UNKNOWN)

    def _again_at(self, answer: Answer, error: Temporary) -> datetime:
        now, chance = self._means.clock.now(), self._means.chance()
        return next_try_at(now, answer.tries, retry_after=error.retry_after, chance=chance)


def _is_an_old_one(outbox: Outbox) -> bool:
    """Whether more may have been answered than this database knows of."""
    return any(each.cause in (RESTORED, MOVED) for each in held(outbox))


def _name(answer: Answer) -> str:
    return public_id("ans", answer.id) or ""
