"""Automatic answers: written with the decision on the reply, marked before they leave."""

import json
import logging
from collections.abc import Sequence
from datetime import datetime

from reminderd.answerbook import REPLACED, Answer
from reminderd.engines.tables.questions import Questions
from reminderd.engines.tables.rows import Row, from_ms, from_ms_or_none, to_ms, to_ms_or_none
from reminderd.engines.tables.store import WORDS
from reminderd.ids import public_id
from reminderd.outbox_values import Callback
from reminderd.receipts import says_more
from reminderd.sealing import closed, opened, places
from reminderd.words import AnswerKind, AnswerState, Receipt

log = logging.getLogger(__name__)

_KEPT = "id, reply, kind, number, transport, language, text, created_at, expires_at, state, wake_at"
_ALL = f"{_KEPT}, tries, marked_at, sent_at, provider_id, code, error, token, receipt"
_SAVED = "state, tries, wake_at, sent_at, provider_id, code, error, id"
_SEALED_IN_KEPT = places("answers", _KEPT)
_SEALED_IN_ALL = places("answers", _ALL)
_SEALED_IN_SAVED = places("answers", _SAVED)
# Where there is a receipt, the provider has it: how the request ended says less than that.
_SAVE = (
    "UPDATE answers SET state = CASE WHEN receipt IS NULL THEN ? ELSE state END, tries = ?, "
    "wake_at = CASE WHEN receipt IS NULL THEN CAST(? AS BIGINT) END, "
    "sent_at = coalesce(?, sent_at), "
    "provider_id = coalesce(provider_id, ?), "
    "code = CASE WHEN receipt IS NULL THEN ? ELSE code END, "
    "error = CASE WHEN receipt IS NULL THEN ? END WHERE id = ?"
)
_TELL = (
    "UPDATE answers SET state = 'sent', wake_at = NULL, sent_at = coalesce(sent_at, marked_at), "
    "provider_id = ?, receipt = ?, code = ?, error = NULL "
    "WHERE id = ? AND coalesce(receipt, '') = ? RETURNING id"
)
_SELECT = (
    f"SELECT {_ALL}, (SELECT json_group_array(patient) FROM reply_patients "
    "WHERE reply_patients.reply = answers.reply) FROM answers"
)


class AnswerBook(Questions):
    """The part of the outbox that keeps answers; implements `answerbook.AnswerBook`."""

    def add_answer(self, answer: Answer) -> None:
        number = self.reserve("answers", 1)
        row = (
            number, answer.reply_id, answer.kind.value, answer.number, answer.transport,
            answer.language, answer.text, to_ms(answer.created_at), to_ms(answer.expires_at),
            answer.state.value, to_ms_or_none(answer.wake_at),
        )  # fmt: skip
        self.execute(
            f"INSERT INTO answers ({_KEPT}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            closed(row, _SEALED_IN_KEPT, number, self.seal),
        )

    def answers_since(self, since: datetime) -> list[Answer]:
        return self._answers(
            "WHERE state = 'waiting' OR (marked_at >= ? AND state IN ('marked', 'sent', 'unknown'))"
            " ORDER BY id",
            to_ms(since),
        )

    def is_our_number(self, number: str) -> bool:
        return bool(self.query("SELECT 1 FROM replies WHERE recipient = ? LIMIT 1", (number,)))

    def due_answers(self, transport: str, now: datetime, most: int) -> list[Answer]:
        return self._answers(
            "WHERE state = 'waiting' AND wake_at <= ? AND expires_at > ? AND transport = ? "
            "ORDER BY kind = 'safety' DESC, id LIMIT ?",
            to_ms(now), to_ms(now), transport, most,
        )  # fmt: skip

    def next_answer_at(self, transports: Sequence[str]) -> datetime | None:
        rows = self.query(
            f"SELECT min(wake_at) FROM answers WHERE state = 'waiting' AND transport IN {WORDS}",
            (json.dumps(sorted(transports)),),
        )
        return from_ms_or_none(rows[0][0])

    def mark_answers(self, answers: Sequence[Answer], now: datetime) -> None:
        self.execute_many(
            "UPDATE answers SET state = 'marked', wake_at = NULL, marked_at = ?, token = ? "
            "WHERE id = ?",
            [(to_ms(now), each.token, each.id) for each in answers],
        )

    def save_answers(self, answers: Sequence[Answer]) -> None:
        self.execute_many(
            _SAVE,
            [closed(_saved(each), _SEALED_IN_SAVED, each.id, self.seal) for each in answers],
        )

    def expire_answers(self, now: datetime) -> int:
        expired = self.query(
            "UPDATE answers SET state = 'expired', wake_at = NULL "
            "WHERE state = 'waiting' AND expires_at <= ? RETURNING id",
            (to_ms(now),),
        )
        return len(expired)

    def doubt_answers(self) -> int:
        marked = self.query(
            "UPDATE answers SET state = 'unknown' WHERE state = 'marked' RETURNING id"
        )
        return len(marked)

    def answer_to(self, reply_id: int) -> Answer | None:
        found = self._answers("WHERE reply = ?", reply_id)
        return found[0] if found else None

    def stranded_answers(self) -> list[Answer]:
        return self._answers(
            "WHERE (state IN ('unknown', 'failed', 'expired') AND coalesce(code, '') <> ? "
            "OR receipt IN ('undelivered', 'failed')) "
            "AND reply IN (SELECT id FROM replies WHERE for_staff = 1) ORDER BY id",
            REPLACED,
        )

    # What providers tell of them ---------------------------------------------------------------

    def keep_callback(self, callback: Callback, now: datetime) -> bool:
        return super().keep_callback(callback, now) or self._keep_receipt(callback)

    def open_receipts(self, transport: str, since: datetime) -> dict[str, datetime]:
        rows = self.query(
            "SELECT provider_id, marked_at FROM answers WHERE marked_at >= ? AND transport = ? "
            "AND state = 'sent' AND provider_id IS NOT NULL "
            "AND (receipt IS NULL OR receipt IN ('queued', 'sent'))",
            (to_ms(since), transport),
        )
        return super().open_receipts(transport, since) | {sid: from_ms(at) for sid, at in rows}

    def doubted_answers(self, transport: str, since: datetime, most: int) -> list[Answer]:
        return self._answers(
            "WHERE state = 'unknown' AND marked_at >= ? AND transport = ? AND text <> '' "
            "AND token IS NOT NULL ORDER BY marked_at DESC LIMIT ?",
            to_ms(since), transport, most,
        )  # fmt: skip

    def _keep_receipt(self, callback: Callback) -> bool:
        """By the random id where it came with one, and by nothing else then."""
        told = callback
        name, value = ("token", told.token) if told.token else ("provider_id", told.provider_id)
        rows = self.query(
            f"SELECT id, provider_id, receipt FROM answers WHERE {name} = ?", (value,)
        )
        if not rows:
            return False
        ((number, known, before),) = rows
        if known not in (None, told.provider_id):
            answer = public_id("ans", number)
            log.error("%s: is %s to the provider, was %s", answer, told.provider_id, known)
        elif says_more(told.receipt, before):
            row = (told.provider_id, told.receipt.value, told.code, number, before or "")
            if not self.query(_TELL, row):  # another machine was told of it at the same moment
                return self._keep_receipt(callback)
        return True

    def _answers(self, where: str, *parameters: object) -> list[Answer]:
        rows = self.query(f"{_SELECT} {where}", parameters)
        return [_answer(opened(each, _SEALED_IN_ALL, each[0], self.seal)) for each in rows]


def _saved(answer: Answer) -> Row:
    return (
        answer.state.value, answer.tries, to_ms_or_none(answer.wake_at),
        to_ms_or_none(answer.sent_at), answer.provider_id, answer.code, answer.error, answer.id,
    )  # fmt: skip


def _answer(row: Row) -> Answer:
    (number, reply, kind, to, transport, language, text, created_at, expires_at, state, wake_at,
     tries, marked_at, sent_at, provider_id, code, error, token, receipt,
     patients) = row  # fmt: skip
    return Answer(
        id=number,
        reply_id=reply,
        kind=AnswerKind(kind),
        number=to,
        transport=transport,
        language=language,
        text=text,
        created_at=from_ms(created_at),
        expires_at=from_ms(expires_at),
        wake_at=from_ms_or_none(wake_at),
        state=AnswerState(state),
        tries=tries,
        marked_at=from_ms_or_none(marked_at),
        sent_at=from_ms_or_none(sent_at),
        provider_id=provider_id,
        code=code,
        error=error,
        patients=tuple(sorted(json.loads(patients))),
        token=token,
        receipt=Receipt(receipt) if receipt else None,
    )
