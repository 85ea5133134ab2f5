"""The outbox on SQLite: what goes out, from what is due through claim and mark to the outcome."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime

from reminderd.engines.embedded import reporting
from reminderd.engines.embedded.records import Records
from reminderd.engines.embedded.rows import from_ms_or_none, to_ms, to_ms_or_none, word
from reminderd.interfaces import (
    Claimed,
    Expired,
    Figure,
    LastSession,
    NewMessage,
    PatientFacts,
    Rendered,
    ReportFilter,
    Settlement,
)
from reminderd.model import CareProtocol, Channel, Outcome, Reason, Reminder, State

_AWAKE = (
    "AND NOT EXISTS (SELECT 1 FROM json_each(?) AS rest, patients WHERE patients.id = "
    "reminders.patient AND rest.value = patients.clinic || '/' || reminders.channel)"
)


class EmbeddedOutbox(Records):
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
        self.connection.executemany(
            "UPDATE messages SET recipient = ?, language = ?, subject = ?, text = ?, html = ?, "
            "segments = ? WHERE id = (SELECT message FROM attempts WHERE id = ?)",
            [
                (
                    each.to,
                    each.language,
                    each.subject,
                    each.text,
                    each.html,
                    each.segments,
                    each.attempt_id,
                )
                for each in rendered
            ],
        )
        self.connection.executemany(
            "UPDATE attempts SET outcome = 'marked', marked_at = ? WHERE id = ?",
            [(to_ms(now), each.attempt_id) for each in rendered],
        )

    def settle(self, settlements: Sequence[Settlement], now: datetime) -> None:
        self.connection.executemany(
            "UPDATE attempts SET outcome = ?, settled_at = ?, provider_id = ?, code = ?, "
            "error = ? WHERE id = ?",
            [
                (
                    each.outcome.value,
                    to_ms(now),
                    each.provider_id,
                    each.code,
                    each.error,
                    each.attempt_id,
                )
                for each in settlements
            ],
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

    def course_reminders(self, session_ids: Sequence[int]) -> list[Reminder]:
        return reporting.course_reminders(self, session_ids)

    def protocol(self, version: int) -> CareProtocol:
        return self._protocol(version)

    # After a crash --------------------------------------------------------------------------

    def recover(self, now: datetime) -> tuple[int, int]:
        claimed = self._close_attempts(Outcome.CLAIMED, Outcome.RETURNED, State.SCHEDULED, now)
        marked = self._close_attempts(Outcome.MARKED, Outcome.IN_DOUBT, State.UNKNOWN, now)
        return claimed, marked

    def _close_attempts(self, found: Outcome, outcome: Outcome, state: State, now: datetime) -> int:
        rows = self.query(
            "SELECT id, message FROM attempts "
            "WHERE outcome = ? AND outcome IN ('claimed', 'marked')",
            (found,),
        )
        messages = json.dumps([row[1] for row in rows])
        self.connection.execute(
            "UPDATE reminders SET state = ?, wake_at = CASE ? WHEN 'scheduled' THEN due_at END "
            "WHERE state = 'sending' AND id IN (SELECT reminder FROM message_reminders "
            "WHERE message IN (SELECT value FROM json_each(?)))",
            (state, state, messages),
        )
        self.connection.execute(
            "UPDATE attempts SET outcome = ?, settled_at = ? "
            "WHERE id IN (SELECT value FROM json_each(?))",
            (outcome, to_ms(now), json.dumps([row[0] for row in rows])),
        )
        return len(rows)


def _awake(without: Sequence[tuple[str, Channel]]) -> tuple[str, tuple[str, ...]]:
    """The condition that leaves out clinics' channels whose transport rests."""
    if not without:
        return "", ()
    return _AWAKE, (json.dumps([f"{clinic}/{channel}" for clinic, channel in without]),)
