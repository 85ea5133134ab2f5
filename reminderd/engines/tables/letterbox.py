"""What people write to us: kept as it comes, each message of a provider once."""

import json
from collections.abc import Collection, Sequence
from datetime import datetime

from reminderd.engines.tables.callbacks import Callbacks
from reminderd.engines.tables.rows import Row, from_ms, from_ms_or_none, to_ms, to_ms_or_none
from reminderd.engines.tables.store import NO_LIMIT, THESE, WORDS
from reminderd.interfaces import Decision, Reply, StoredReply
from reminderd.sealing import closed, opened, places

_KEPT = "id, transport, provider_id, sender, recipient, text, media, answered, sent_at, received_at"
_ALL = f"{_KEPT}, handled_at, decision, why, for_staff, done_at, done_by"
_SEALED_IN_ALL = places("replies", _ALL)
_SEALED_IN_KEPT = places("replies", _KEPT)
_ANSWER = "check_replies.reminder, check_replies.answer"
_SEALED_IN_ANSWER = places("check_replies", f"{_ALL}, {_ANSWER}")
_SEALED_IN_WORDS = places("replies", "id, text")
_HANDLED = "handled_at, decision, why, for_staff, id"
_SEALED_IN_HANDLED = places("replies", _HANDLED)
_SELECT = (
    f"SELECT {_ALL}, {_ANSWER}, (SELECT json_group_array(patient) FROM reply_patients "
    "WHERE reply = replies.id) FROM replies LEFT JOIN check_replies ON reply = replies.id"
)


class Letterbox(Callbacks):
    """The part of the outbox that keeps replies; implements `letterbox.Letterbox`."""

    def keep_reply(self, transport: str, reply: Reply, now: datetime) -> bool:
        known = self.query(
            "SELECT 1 FROM replies WHERE transport = ? AND provider_id = ?",
            (transport, reply.provider_id),
        )
        if known:
            return False
        number = self.reserve("replies", 1)
        row = (
            number, transport, reply.provider_id, reply.sender, reply.recipient, reply.text,
            reply.media, int(reply.answered), to_ms_or_none(reply.sent_at), to_ms(now),
        )  # fmt: skip
        kept = self.query(
            f"INSERT INTO replies ({_KEPT}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
            "ON CONFLICT (transport, provider_id) DO NOTHING RETURNING id",
            closed(row, _SEALED_IN_KEPT, number, self.seal),
        )
        return bool(kept)

    def waiting_replies(
        self, transports: Collection[str] | None, most: int, of: Collection[int] | None = None
    ) -> list[StoredReply]:
        where, parameters = _waiting(transports)
        if of is not None:
            where, parameters = f"{where} AND id IN {THESE}", [*parameters, json.dumps(list(of))]
        return self._replies(f"{where} ORDER BY id LIMIT ?", *parameters, most)

    def waiting_words(
        self, transports: Collection[str] | None, after: int
    ) -> list[tuple[int, str]]:
        where, parameters = _waiting(transports)
        rows = self.query(
            f"SELECT id, text FROM replies {where} AND id > ? ORDER BY id", (*parameters, after)
        )
        whole = (opened(row, _SEALED_IN_WORDS, row[0], self.seal) for row in rows)
        return [(number, words) for number, words in whole]

    def reply_handled(
        self, reply_id: int, decision: Decision, patient_ids: Sequence[int], now: datetime
    ) -> None:
        why = json.dumps(decision.why, sort_keys=True, ensure_ascii=False)
        row = to_ms(now), decision.word, why, int(decision.for_staff), reply_id
        self.execute(
            "UPDATE replies SET handled_at = ?, decision = ?, why = ?, for_staff = ? WHERE id = ?",
            closed(row, _SEALED_IN_HANDLED, reply_id, self.seal),
        )
        self.execute_many(
            "INSERT INTO reply_patients (reply, patient) VALUES (?, ?) ON CONFLICT DO NOTHING",
            [(reply_id, each) for each in patient_ids],
        )

    def reply(self, reply_id: int) -> StoredReply | None:
        found = self._replies("WHERE id = ?", reply_id)
        return found[0] if found else None

    def replies(
        self, *, patient_id: int | None = None, for_staff: bool = False, most: int | None = None
    ) -> list[StoredReply]:
        where, parameters = "WHERE TRUE", []
        if patient_id is not None:
            where += " AND id IN (SELECT reply FROM reply_patients WHERE patient = ?)"
            parameters.append(patient_id)
        if for_staff:
            where += " AND for_staff = 1"
        limit = NO_LIMIT if most is None else most
        return self._replies(f"{where} ORDER BY id DESC LIMIT ?", *parameters, limit)

    def reply_done(self, reply_id: int, by: str, now: datetime) -> None:
        self.execute(
            "UPDATE replies SET for_staff = 0, done_at = ?, done_by = ? WHERE id = ?",
            (to_ms(now), by, reply_id),
        )

    def _replies(self, where: str, *parameters: object) -> list[StoredReply]:
        rows = self.query(f"{_SELECT} {where}", parameters)
        sealed = (*_SEALED_IN_ALL, *_SEALED_IN_ANSWER)
        return [_stored(opened(each, sealed, each[0], self.seal)) for each in rows]


def _waiting(transports: Collection[str] | None) -> tuple[str, list[object]]:
    where = "WHERE handled_at IS NULL"
    if transports is None:
        return where, []
    return f"{where} AND transport IN {WORDS}", [json.dumps(sorted(transports))]


def _stored(row: Row) -> StoredReply:
    (number, transport, provider_id, sender, recipient, text, media, answered, sent_at,
     received_at, handled_at, word, why, for_staff, done_at, done_by, question, answer,
     patients) = row  # fmt: skip
    sent_at, answered = from_ms_or_none(sent_at), bool(answered)
    return StoredReply(
        number,
        transport,
        Reply(provider_id, sender, recipient, text, media, sent_at, answered),
        from_ms(received_at),
        from_ms_or_none(handled_at),
        None if word is None else Decision(word, json.loads(why), bool(for_staff)),
        tuple(sorted(json.loads(patients))),
        from_ms_or_none(done_at),
        done_by,
        question,
        answer,
    )
