"""The outbox on SQLite: what goes out, from what is due through claim and mark to the outcome."""

import json
from collections.abc import Collection, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import datetime, timedelta
from pathlib import Path

from reminderd.engines.embedded.connection import PATIENCE_SECONDS
from reminderd.engines.embedded.fairness import Line
from reminderd.engines.embedded.store import SqliteStore
from reminderd.engines.tables import claims
from reminderd.engines.tables.leaving import became_row, rendered_row, settled_row
from reminderd.engines.tables.outbox import TablesOutbox
from reminderd.engines.tables.rows import (
    from_ms_or_none,
    to_ms,
)
from reminderd.engines.tables.store import THESE
from reminderd.interfaces import (
    Claimed,
    Expired,
    NewMessage,
    Rendered,
    Settlement,
)
from reminderd.model import Channel, Reason
from reminderd.pace import OwnPace, Pace
from reminderd.sealing import Seal
from reminderd.units_of_work import NOT_KEPT, Worker

_AWAKE = (
    "AND NOT EXISTS (SELECT 1 FROM json_each(?) AS rest, patients WHERE patients.id = "
    "reminders.patient AND rest.value = patients.clinic || '/' || reminders.channel)"
)


class EmbeddedOutbox(SqliteStore, TablesOutbox):
    """Implements `interfaces.Outbox` on one database file.

    Raises ConfigurationError where the file is missing, unreadable or of another schema, and
    TryAgainLater where another process keeps it locked.
    """

    def __init__(
        self,
        path: Path,
        *,
        seal: Seal | None = None,
        durable: bool = True,
        patience_seconds: float = PATIENCE_SECONDS,
    ) -> None:
        self._protocols = {}
        self._line = Line(self)
        super().__init__(path, seal=seal, durable=durable, patience_seconds=patience_seconds)

    @contextmanager
    def trial(self) -> Iterator[None]:
        try:
            with super().trial():
                yield
        finally:
            self._protocols.clear()  # what was pinned is undone, and its id is given again

    def beside(self) -> AbstractContextManager[None]:
        return self.transaction()

    def turn(self, name: str, kept: timedelta = NOT_KEPT) -> AbstractContextManager[bool]:
        return nullcontext(True)

    def pace(self, transport: str, per_second: float) -> Pace:
        return OwnPace(per_second)

    def workers(self) -> list[Worker]:
        return []

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
        in_turns = self._line.first(now, limit, (awake, parameters)) if len(rows) == limit else None
        return list(dict.fromkeys(row[0] for row in rows)) if in_turns is None else in_turns

    def claim(self, messages: Sequence[NewMessage], now: datetime) -> list[Claimed]:
        first_message = self.reserve("messages", len(messages))
        first_attempt = self.reserve("attempts", len(messages))
        claimed = [
            Claimed(first_message + n, first_attempt + n, each.reminders)
            for n, each in enumerate(messages)
        ]
        at = to_ms(now)
        execute = self.execute_many
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
        self.execute_many(
            "UPDATE messages SET recipient = ?, language = ?, subject = ?, text = ?, html = ?, "
            "segments = ?, envelope = ? WHERE id = ?",
            [rendered_row(each, self.seal) for each in rendered],
        )
        self.execute_many(
            "UPDATE attempts SET outcome = 'marked', marked_at = ?, token = ? WHERE id = ?",
            [(to_ms(now), each.token, each.attempt_id) for each in rendered],
        )

    def open_attempts(self, attempt_ids: Collection[int]) -> frozenset[int]:
        rows = self.query(
            f"SELECT id FROM attempts WHERE id IN {THESE} "
            "AND outcome IN ('claimed', 'marked', 'in-doubt')",
            (json.dumps(list(attempt_ids)),),
        )
        return frozenset(row[0] for row in rows)

    def settle(self, settlements: Sequence[Settlement], now: datetime) -> None:
        self.execute_many(
            "UPDATE attempts SET outcome = ?, settled_at = ?, provider_id = ?, code = ?, "
            "error = ?, look_at = ?, looks = ? WHERE id = ?",
            [settled_row(each, now, self.seal) for each in settlements],
        )
        self.execute_many(
            "UPDATE reminders SET state = ?, reason = ?, channel = ?, wake_at = ?, attempts = ?, "
            "sent_at = ?, provider_id = ? WHERE id = ?",
            [became_row(reminder) for each in settlements for reminder in each.reminders],
        )

    # After a crash --------------------------------------------------------------------------

    def recover(self, now: datetime) -> tuple[list[int], int]:
        returned = claims.take_back(self, now)
        self.doubt_answers()
        marked = self.query("SELECT id, marked_at FROM attempts WHERE outcome = 'marked'")
        claims.doubt(self, marked, now)
        return returned, len(marked)


def _awake(without: Sequence[tuple[str, Channel]]) -> tuple[str, tuple[str, ...]]:
    """The condition that leaves out clinics' channels whose transport rests."""
    if not without:
        return "", ()
    return _AWAKE, (json.dumps([f"{clinic}/{channel}" for clinic, channel in without]),)
