"""What check-ins asked, and which replies belong to them."""

import json
from collections.abc import Collection, Iterable
from datetime import datetime, timedelta

from reminderd.engines.tables.alerts import AlertBook
from reminderd.engines.tables.reporting import narrowing
from reminderd.engines.tables.rows import from_ms, to_ms
from reminderd.engines.tables.store import THESE
from reminderd.interfaces import ReportFilter
from reminderd.questions import Question, Response
from reminderd.sealing import closed, opened, places

_LOOKED_BACK = timedelta(days=7)
_LINK = "reply, reminder, answer"
_SEALED_IN_LINK = places("check_replies", _LINK)
# When it left last, so that it may have arrived.
_ASKED_AT = (
    "(SELECT max(marked_at) FROM message_reminders JOIN attempts USING (message) "
    "WHERE reminder = reminders.id AND marked_at <= ? "
    "AND outcome IN ('accepted', 'marked', 'in-doubt'))"
)
_SELECT = (
    f"SELECT * FROM (SELECT id, patient, session, protocol, milestone, {_ASKED_AT} AS asked_at, "
    "state = 'sent' FROM reminders"
)
_LEFT = (
    "kind = 'check' AND state IN ('sent', 'unknown', 'sending') "
    "AND (receipt IS NULL OR receipt NOT IN ('undelivered', 'failed')) "
    "AND (SELECT erased_at FROM patients WHERE patients.id = patient) IS NULL"
)
_IN_ORDER = ") AS asked WHERE asked_at >= ? ORDER BY asked_at, id"
_SAID_AT = "CASE WHEN sent_at < received_at THEN sent_at ELSE received_at END"
_RESPONSES = (
    f"SELECT {_LINK}, {_SAID_AT} AS said_at, decision FROM check_replies "
    f"JOIN replies ON replies.id = reply WHERE reminder IN {THESE} ORDER BY said_at, reply"
)
_EVER = 2**53


class Questions(AlertBook):
    """The part of the outbox that knows check-ins; implements `questions.Questions`."""

    def link_reply(self, reply_id: int, reminder_id: int, answer: str | None) -> None:
        row = closed((reply_id, reminder_id, answer), _SEALED_IN_LINK, reply_id, self.seal)
        self.execute(f"INSERT INTO check_replies ({_LINK}) VALUES (?, ?, ?)", row)

    def question(self, reminder_id: int) -> Question | None:
        this = "WHERE kind = 'check' AND id = ?"
        found = self._questions(f"{_SELECT} {this} {_IN_ORDER}", _EVER, reminder_id, 0)
        return found[0] if found else None

    def questions_to(
        self, patient_ids: Collection[int], since: datetime, until: datetime
    ) -> list[Question]:
        own = f"session IN (SELECT id FROM sessions WHERE patient IN {THESE})"
        return self._questions(
            f"{_SELECT} WHERE {own} AND {_LEFT} {_IN_ORDER}",
            *(to_ms(until), json.dumps(sorted(patient_ids)), to_ms(since)),
        )

    def questions(self, wanted: ReportFilter) -> list[Question]:
        narrowed, parameters = narrowing(wanted)
        also = f"{narrowed} AND" if narrowed else "WHERE"
        found = self._questions(f"{_SELECT} {also} {_LEFT} {_IN_ORDER}", _EVER, *parameters, 0)
        return [each for each in found if each.is_sent or each.responses]

    def silent_check_ins(self, now: datetime) -> list[Question]:
        since = to_ms(now - _LOOKED_BACK)
        lately = "WHERE state = 'sent' AND sent_at >= ?"  # nothing is sent before it leaves
        sql = f"{_SELECT} {lately} AND {_LEFT} {_IN_ORDER}"
        found = self._questions(sql, to_ms(now), since, since)
        return [each for each in found if each.is_silent(now)]

    def _questions(self, sql: str, *parameters: object) -> list[Question]:
        rows = self.query(sql, parameters)
        responses = self._responses(row[0] for row in rows)
        return [
            Question(
                reminder, patient, session, protocol, milestone, from_ms(asked_at), bool(is_sent),
                tuple(responses.get(reminder, ())),
            )
            for reminder, patient, session, protocol, milestone, asked_at, is_sent in rows
        ]  # fmt: skip

    def _responses(self, reminder_ids: Iterable[int]) -> dict[int, list[Response]]:
        found: dict[int, list[Response]] = {}
        for row in self.query(_RESPONSES, (json.dumps(list(reminder_ids)),)):
            number, reminder, answer, said_at, word = opened(
                row, _SEALED_IN_LINK, row[0], self.seal
            )
            said = Response(number, from_ms(said_at), word, answer)
            found.setdefault(reminder, []).append(said)
        return found
