"""The outbox on SQLite: what goes out, from what is due through claim and mark to the outcome."""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime

from reminderd.doubt import next_look_at
from reminderd.engines.embedded import claims, doubts, reporting, vitals, volume
from reminderd.engines.embedded.answerbook import AnswerBook
from reminderd.engines.embedded.rows import (
    Row,
    from_ms,
    from_ms_or_none,
    to_ms,
    to_ms_or_none,
    word,
)
from reminderd.interfaces import (
    Claimed,
    Doubt,
    Expired,
    Figure,
    LastSession,
    NewMessage,
    PatientFacts,
    Rendered,
    ReportFilter,
    Settlement,
    Vitals,
)
from reminderd.model import CareProtocol, Channel, Patient, Reason, Reminder
from reminderd.sealing import closed, places

_THESE = "(SELECT value FROM json_each(?))"
_RENDERED = "recipient, language, subject, text, html, segments, envelope, id"
_SEALED_IN_RENDERED = places("messages", _RENDERED)
_SETTLED = "outcome, settled_at, provider_id, code, error, look_at, looks, id"
_SEALED_IN_SETTLED = places("attempts", _SETTLED)
_AWAKE = (
    "AND NOT EXISTS (SELECT 1 FROM json_each(?) AS rest, patients WHERE patients.id = "
    "reminders.patient AND rest.value = patients.clinic || '/' || reminders.channel)"
)


class EmbeddedOutbox(AnswerBook):
    """Implements `interfaces.Outbox` on one database file.

    Raises ConfigurationError where the file is missing, unreadable or of another schema, and
    TryAgainLater where another process keeps it locked.
    """

    def next_due(self, without: Sequence[tuple[str, Channel]] = ()) -> datetime | None:
        awake, parameters = _awake(without)
        rows = self.query(
            f"SELECT wake_at FROM reminders WHERE state = 'scheduled' {awake} "
            "ORDER BY wake_at LIMIT 1",
            parameters,
        )
        return from_ms_or_none(rows[0][0]) if rows else None

    def expire(self, now: datetime) -> Expired:
        # Two statements, each of which walks one small index; wake_at is never after the expiry.
        late = self.query(
            "UPDATE reminders SET state = 'expired', reason = 'late', wake_at = NULL "
            "WHERE state = 'scheduled' AND wake_at <= ?1 AND expires_at <= ?1 RETURNING reason",
            (to_ms(now),),
        )
        held = self.query(
            "UPDATE reminders SET state = 'expired' WHERE state = 'held' AND expires_at <= ? "
            "RETURNING reason",
            (to_ms(now),),
        )
        rows = [*late, *held]
        counts: dict[Reason, int] = {}
        for (reason,) in rows:
            counts[Reason(reason)] = counts.get(Reason(reason), 0) + 1
        return Expired(counts)

    def due_patients(
        self, now: datetime, limit: int, without: Sequence[tuple[str, Channel]] = ()
    ) -> list[int]:
        awake, parameters = _awake(without)
        rows = self.query(
            "SELECT patient FROM reminders WHERE state = 'scheduled' AND wake_at <= ? "
            f"{awake} ORDER BY wake_at LIMIT ?",
            (to_ms(now), *parameters, limit),
        )
        return list(dict.fromkeys(row[0] for row in rows))

    def due_facts(self, patient_ids: Sequence[int], now: datetime) -> list[PatientFacts]:
        return self._facts(patient_ids, "AND state = 'scheduled' AND wake_at <= ?", (to_ms(now),))

    def left_since(self, patient_ids: Sequence[int], since: datetime) -> dict[int, list[datetime]]:
        return volume.left_since(self, patient_ids, since)

    def due_messages(
        self, now: datetime, planned_until: datetime, due_after: datetime | None, most: int | None
    ) -> int:
        return volume.due_messages(self, now, planned_until, due_after, most)

    def busiest_hour(self, since: datetime) -> int:
        return volume.busiest_hour(self, since)

    def newest_instants(self) -> list[datetime]:
        return volume.newest_instants(self)

    def claim(self, messages: Sequence[NewMessage], now: datetime) -> list[Claimed]:
        first_message, first_attempt = self._next_id("messages"), self._next_id("attempts")
        claimed = [
            Claimed(first_message + n, first_attempt + n, each.reminders)
            for n, each in enumerate(messages)
        ]
        at = to_ms(now)
        execute = self.connection.executemany
        execute(
            "UPDATE reminders SET state = 'sending', wake_at = NULL WHERE id = ?",
            [(reminder.id,) for each in messages for reminder in each.reminders],
        )
        execute(
            "INSERT INTO messages (id, patient, channel, transport, created_at) "
            "VALUES (?, ?, ?, ?, ?)",
            [
                (each.message_id, new.patient_id, new.channel.value, new.transport, at)
                for each, new in zip(claimed, messages, strict=True)
            ],
        )
        execute(
            "INSERT INTO message_reminders (reminder, message) VALUES (?, ?)",
            [(reminder.id, each.message_id) for each in claimed for reminder in each.reminders],
        )
        execute(
            "INSERT INTO attempts (id, message, outcome, claimed_at) VALUES (?, ?, 'claimed', ?)",
            [(each.attempt_id, each.message_id, at) for each in claimed],
        )
        return claimed

    def mark(self, rendered: Sequence[Rendered], now: datetime) -> None:
        messages = self._messages_of(each.attempt_id for each in rendered)
        self.connection.executemany(
            "UPDATE messages SET recipient = ?, language = ?, subject = ?, text = ?, html = ?, "
            "segments = ?, envelope = ? WHERE id = ?",
            [self._rendered_row(each, messages[each.attempt_id]) for each in rendered],
        )
        self.connection.executemany(
            "UPDATE attempts SET outcome = 'marked', marked_at = ?, token = ? WHERE id = ?",
            [(to_ms(now), each.token, each.attempt_id) for each in rendered],
        )

    def _messages_of(self, attempts: Iterable[int]) -> dict[int, int]:
        ids = json.dumps(list(attempts))
        return dict(self.query(f"SELECT id, message FROM attempts WHERE id IN {_THESE}", (ids,)))

    def _rendered_row(self, each: Rendered, message: int) -> Row:
        row = (
            each.to, each.language, each.subject, each.text, each.html, each.segments,
            each.envelope, message,
        )  # fmt: skip
        return closed(row, _SEALED_IN_RENDERED, message, self.seal)

    def open_attempts(self, attempt_ids: Collection[int]) -> frozenset[int]:
        rows = self.query(
            f"SELECT id FROM attempts WHERE id IN {_THESE} "
            "AND outcome IN ('claimed', 'marked', 'in-doubt')",
            (json.dumps(list(attempt_ids)),),
        )
        return frozenset(row[0] for row in rows)

    def settle(self, settlements: Sequence[Settlement], now: datetime) -> None:
        self.connection.executemany(
            "UPDATE attempts SET outcome = ?, settled_at = ?, provider_id = ?, code = ?, "
            "error = ?, look_at = ?, looks = ? WHERE id = ?",
            [self._settled_row(each, now) for each in settlements],
        )
        self.connection.executemany(
            "UPDATE reminders SET state = ?, reason = ?, channel = ?, wake_at = ?, attempts = ?, "
            "sent_at = ?, provider_id = ? WHERE id = ?",
            [
                (
                    reminder.state.value,
                    word(reminder.reason),
                    word(reminder.channel),
                    to_ms_or_none(reminder.wake_at),
                    reminder.attempts,
                    to_ms_or_none(reminder.sent_at),
                    reminder.provider_id,
                    reminder.id,
                )
                for each in settlements
                for reminder in each.reminders
            ],
        )

    def _settled_row(self, each: Settlement, now: datetime) -> Row:
        row = (
            each.outcome.value, to_ms(now), each.provider_id, each.code, each.error,
            to_ms_or_none(each.look_at), each.looks, each.attempt_id,
        )  # fmt: skip
        return closed(row, _SEALED_IN_SETTLED, each.attempt_id, self.seal)

    def forget_after(self, start: datetime) -> None:
        """As if nothing had been planned or sent after `start`; for copies only.

        What staff called off stays off.
        """
        self.connection.execute(
            "UPDATE reminders SET state = 'skipped', reason = 'past', channel = NULL, "
            "wake_at = NULL, sent_at = NULL, provider_id = NULL, receipt = NULL, attempts = 0, "
            "needs_staff = 0, first_planned_at = ? "
            "WHERE (state <> 'sent' OR sent_at > ?) AND reason IS NOT 'by-staff'",
            (to_ms(start), to_ms(start)),
        )

    # What becomes of it all -----------------------------------------------------------------

    def figures(self, wanted: ReportFilter) -> list[Figure]:
        return reporting.figures(self, wanted)

    def segments(self, wanted: ReportFilter) -> Mapping[tuple[str, str], float]:
        return reporting.segments(self, wanted)

    def last_sessions(self, protocol: str | None) -> list[LastSession]:
        return reporting.last_sessions(self, protocol, self.protocol)

    def patients_at(self, protocol: str, at: datetime) -> list[Patient]:
        return reporting.patients_at(self, protocol, at)

    def course_reminders(self, session_ids: Sequence[int]) -> list[Reminder]:
        return reporting.course_reminders(self, session_ids)

    def protocol(self, version: int) -> CareProtocol:
        return self._protocol(version)

    def take_back(self, patient_id: int, now: datetime) -> None:
        claims.take_back(self, now, patient_id)

    def newest_attempt(self) -> int:
        return vitals.newest_attempt(self)

    def vitals(self, after_attempt: int) -> Vitals:
        return vitals.vitals(self, after_attempt)

    # After a crash --------------------------------------------------------------------------

    def recover(self, now: datetime) -> tuple[list[int], int]:
        returned = claims.take_back(self, now)
        self.doubt_answers()
        marked = self.query("SELECT id, marked_at FROM attempts WHERE outcome = 'marked'")
        self.connection.executemany(
            "UPDATE attempts SET outcome = 'in-doubt', settled_at = ?, look_at = ? WHERE id = ?",
            [
                (to_ms(now), to_ms_or_none(next_look_at(from_ms(marked_at), 0)), attempt)
                for attempt, marked_at in marked
            ],
        )
        return returned, len(marked)

    # What is in doubt -----------------------------------------------------------------------

    def next_look_at(self, transports: Collection[str]) -> datetime | None:
        return doubts.next_look_at(self, transports)

    def doubts(self, now: datetime, transports: Collection[str]) -> list[Doubt]:
        return doubts.due(self, now, transports)

    def doubts_of(self, reminder_id: int) -> list[Doubt]:
        return doubts.of_reminder(self, reminder_id)

    def give_up(self, transports: Collection[str], now: datetime) -> int:
        return doubts.give_up(self, transports, now)

    def accepted_ids(self, provider_ids: Collection[str]) -> frozenset[str]:
        return doubts.accepted_ids(self, provider_ids)


def _awake(without: Sequence[tuple[str, Channel]]) -> tuple[str, tuple[str, ...]]:
    """The condition that leaves out clinics' channels whose transport rests."""
    if not without:
        return "", ()
    return _AWAKE, (json.dumps([f"{clinic}/{channel}" for clinic, channel in without]),)
