"""The outbox on PostgreSQL: what leads from due through claim and mark to the outcome.

The patient's row is the lock of everything about the patient: whoever claims, marks, settles or
plans holds it first, in the order of the ids. Rows are written a list at a time.
"""

import json
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from datetime import datetime, timedelta

from reminderd.answerbook import Answer
from reminderd.audit import Broken, Entry
from reminderd.engines.distributed import tenancy, turns
from reminderd.engines.distributed.clocks import SharedClock
from reminderd.engines.distributed.leases import ALIVE
from reminderd.engines.distributed.memory import Memory
from reminderd.engines.distributed.paces import SharedPace
from reminderd.engines.distributed.store import PATIENCE_SECONDS, PostgresStore
from reminderd.engines.distributed.unnested import insert, update
from reminderd.engines.distributed.workers import Lease, seen
from reminderd.engines.tables import claims, leaving
from reminderd.engines.tables.outbox import TablesOutbox
from reminderd.engines.tables.rows import (
    REMINDER_COLUMNS,
    from_ms_or_none,
    reminder_row,
    to_ms,
)
from reminderd.engines.tables.store import THESE
from reminderd.interfaces import (
    Claimed,
    Expired,
    NewMessage,
    PatientFacts,
    Rendered,
    Reply,
    Settlement,
)
from reminderd.model import Channel, Reason, Reminder
from reminderd.sealing import Seal
from reminderd.units_of_work import NOT_KEPT, Worker

_OWN = "SELECT id FROM patients WHERE id = ANY(%s) ORDER BY id FOR NO KEY UPDATE"
_OWN_OF_CALLBACKS = (
    "SELECT id FROM patients WHERE id IN (SELECT patient FROM callbacks "
    "JOIN attempts ON attempts.id = attempt JOIN messages ON messages.id = message "
    "WHERE callbacks.id = ANY(%s)) ORDER BY id FOR NO KEY UPDATE"
)
# Of which clinics something is due: one look into the index for each.
_CLINICS = (
    "WITH RECURSIVE clinics (clinic) AS ("
    "(SELECT clinic FROM reminders WHERE state = 'scheduled' ORDER BY clinic LIMIT 1) UNION ALL "
    "SELECT (SELECT clinic FROM reminders WHERE state = 'scheduled' "
    "AND reminders.clinic > clinics.clinic ORDER BY clinic LIMIT 1) "
    "FROM clinics WHERE clinics.clinic IS NOT NULL)"
)
_NEXT_DUE_OF_ALL = "SELECT min(wake_at) FROM reminders WHERE state = 'scheduled'"
# Whoever works for some clinics knows which, and need not look past the others' to find them.
_OUR_CLINICS = "WITH clinics (clinic) AS (SELECT unnest(scope()))"
_NEXT_DUE = (
    f"{_CLINICS} SELECT min(next.wake_at) FROM clinics CROSS JOIN LATERAL ("
    "SELECT wake_at FROM reminders WHERE state = 'scheduled' AND reminders.clinic = clinics.clinic "
    "AND reminders.clinic || '/' || channel <> ALL(%s) ORDER BY wake_at LIMIT 1) AS next"
)
# An equal share for each clinic that has something due, so that none waits for another. The
# reminders are locked as well: what another worker has claimed meanwhile is seen as it is now.
DUE = (
    f"{_CLINICS}, due_clinics AS (SELECT clinic FROM clinics WHERE EXISTS ("
    "SELECT 1 FROM reminders WHERE state = 'scheduled' AND reminders.clinic = clinics.clinic "
    "AND wake_at <= %(now)s AND reminders.clinic || '/' || channel <> ALL(%(without)s))) "
    "SELECT due.patient FROM due_clinics CROSS JOIN LATERAL ("
    "SELECT patient, wake_at FROM reminders JOIN patients ON patients.id = patient "
    "WHERE state = 'scheduled' AND reminders.clinic = due_clinics.clinic AND wake_at <= %(now)s "
    "AND reminders.clinic || '/' || channel <> ALL(%(without)s) ORDER BY wake_at "
    "LIMIT greatest(%(limit)s / (SELECT count(*) FROM due_clinics), 1) "
    "FOR NO KEY UPDATE OF patients, reminders SKIP LOCKED) AS due ORDER BY due.wake_at"
)
# What expires is found among what wakes, as it never wakes after that, and among what is held.
# What somebody works on just now is looked at again by the next sweep.
_EXPIRE = (
    "WITH waiting AS (SELECT id, patient FROM reminders "
    "WHERE state = 'scheduled' AND wake_at <= %(now)s AND expires_at <= %(now)s UNION ALL "
    "SELECT id, patient FROM reminders WHERE state = 'held' AND expires_at <= %(now)s), "
    "late AS (SELECT waiting.id FROM waiting JOIN patients ON patients.id = patient "
    "ORDER BY patients.id FOR NO KEY UPDATE OF patients SKIP LOCKED) "
    "UPDATE reminders SET reason = CASE state WHEN 'scheduled' THEN 'late' ELSE reason END, "
    "state = 'expired', wake_at = NULL FROM late WHERE reminders.id = late.id "
    "AND state IN ('scheduled', 'held') AND expires_at <= %(now)s RETURNING reason"
)
_ORPHANED = f"NOT EXISTS (SELECT 1 FROM workers WHERE workers.id = worker AND {ALIVE})"
# Where the answer to COMMIT was lost a worker lives that does not know what it has taken.
_UNKNOWN_AFTER = timedelta(minutes=15)
_OPEN_ORPHANS = (
    "outcome IN ('claimed', 'marked') "
    f"AND (outcome = 'claimed' AND claimed_at <= %(unknown)s OR {_ORPHANED})"
)
_ORPHANS = (
    "SELECT attempts.id, message, patient, outcome, marked_at FROM attempts "
    f"JOIN messages ON messages.id = message WHERE {_OPEN_ORPHANS}"
)
_DOUBT_ANSWERS = "UPDATE answers SET state = 'unknown' WHERE"
_ORPHANED_ANSWERS = f"state = 'marked' AND (marked_at <= %(unknown)s OR {_ORPHANED})"
_TRAIL = 0x72656D11  # the advisory lock of whoever adds to the trail
_ANY_ORPHAN = (
    f"SELECT 1 FROM attempts WHERE {_OPEN_ORPHANS} UNION ALL "
    f"SELECT 1 FROM answers WHERE {_ORPHANED_ANSWERS} LIMIT 1"
)
_NOTE = "SELECT value FROM notes WHERE key IN (%(own)s, %(everybodys)s) ORDER BY key = %(own)s DESC"
_SEEN = "SELECT 1 FROM attempts WHERE id = %s AND message = %s AND claimed_at = %s"


class DistributedOutbox(PostgresStore, TablesOutbox):
    """Implements `interfaces.Outbox` on a database that several machines share.

    It finds the patients of `clinics` alone and what is theirs, as if there were no others; None
    means everything. Raises ConfigurationError where the server does not let us in or the
    database is of another schema, and TryAgainLater where it cannot be reached, or somebody else
    holds what is needed.
    """

    def __init__(
        self,
        url: str,
        *,
        seal: Seal | None = None,
        clinics: Sequence[str] | None = None,
        patience_seconds: float = PATIENCE_SECONDS,
    ) -> None:
        self._protocols = {}
        self._memory = Memory()
        super().__init__(url, seal=seal, clinics=clinics, patience_seconds=patience_seconds)

    @contextmanager
    def trial(self) -> Iterator[None]:
        try:
            with super().trial():
                yield
        finally:
            self._protocols.clear()  # what was pinned is undone, and its id is given again

    def hold_where_forgotten(self, now: datetime) -> bool:
        """Hold sending where the database lacks what this process has seen in it."""
        seen = self._memory.wanted()
        if seen is None or self.rows(_SEEN, seen):
            return False
        with self.transaction():
            self._memory.hold(self, now)
        if self._present is None:  # else it may still be undone, and is to be held again
            self._memory.forget()
        return True

    def lock_patients(self, patient_ids: Collection[int]) -> None:
        self.rows(_OWN, (sorted(patient_ids),))

    # Beside others ---------------------------------------------------------------------------

    def turn(self, name: str, kept: timedelta = NOT_KEPT) -> AbstractContextManager[bool]:
        return turns.turn(self.rows, tenancy.own(name, self.clinics), self.worker, kept)

    def pace(self, transport: str, per_second: float) -> SharedPace:
        return SharedPace(self.rows, tenancy.own(transport, self.clinics), per_second)

    def workers(self) -> list[Worker]:
        return seen(self.rows)

    @contextmanager
    def on_duty(self, name: str) -> Iterator[SharedClock]:
        """Send together with the others, as long as the `with` lasts; gives the clock of all."""
        clock = SharedClock()
        with Lease(self.rows, self.join(name), clock).held():
            yield clock

    # What is due ---------------------------------------------------------------------------

    def next_due(self, without: Sequence[tuple[str, Channel]] = ()) -> datetime | None:
        if self.clinics is None and not without:
            rows = self.rows(_NEXT_DUE_OF_ALL)
        else:
            rows = self.rows(self._by_clinic(_NEXT_DUE), (_pairs(without),))
        return from_ms_or_none(rows[0][0])

    def due_patients(
        self, now: datetime, limit: int, without: Sequence[tuple[str, Channel]] = ()
    ) -> list[int]:
        if self.hold_where_forgotten(now):
            return []
        given = {"now": to_ms(now), "without": _pairs(without), "limit": limit}
        return list(dict.fromkeys(row[0] for row in self.rows(self._by_clinic(DUE), given)))

    def _by_clinic(self, sql: str) -> str:
        return sql if self.clinics is None else sql.replace(_CLINICS, _OUR_CLINICS)

    def due_facts(self, patient_ids: Sequence[int], now: datetime) -> list[PatientFacts]:
        # By an index of what is scheduled: nothing of a long past is read.
        which = f"patient IN {THESE} AND state = 'scheduled' AND wake_at <= ?"
        return self._facts(patient_ids, which, (json.dumps(list(patient_ids)), to_ms(now)))

    def expire(self, now: datetime) -> Expired:
        reasons = (Reason(row[0]) for row in self.rows(_EXPIRE, {"now": to_ms(now)}))
        return Expired(dict(Counter(reasons)))

    # From the claim to the outcome ------------------------------------------------------------

    def claim(self, messages: Sequence[NewMessage], now: datetime) -> list[Claimed]:
        if not messages:
            return []
        first_message = self.reserve("messages", len(messages))
        first_attempt = self.reserve("attempts", len(messages))
        claimed = [
            Claimed(first_message + n, first_attempt + n, each.reminders)
            for n, each in enumerate(messages)
        ]
        at, carried = (
            to_ms(now),
            [(reminder.id, each.message_id) for each in claimed for reminder in each.reminders],
        )
        found = self.rows(
            "UPDATE reminders SET state = 'sending', wake_at = NULL WHERE id = ANY(%s) "
            "RETURNING id, clinic",
            ([each[0] for each in carried],),
        )
        of = {row[0]: row[1] for row in found}
        clinics = [of.get(each.reminders[0].id) for each in claimed]
        self.rows(
            *insert(
                "messages",
                "id, patient, channel, transport, created_at, clinic",
                [
                    (each.message_id, new.patient_id, new.channel.value, new.transport, at, clinic)
                    for each, new, clinic in zip(claimed, messages, clinics, strict=True)
                ],
            )
        )
        self.rows(*insert("message_reminders", "reminder, message", carried))
        self.rows(
            *insert(
                "attempts",
                "id, message, outcome, claimed_at, worker, clinic",
                [
                    (each.attempt_id, each.message_id, "claimed", at, self.worker, clinic)
                    for each, clinic in zip(claimed, clinics, strict=True)
                ],
            )
        )
        return claimed

    def open_attempts(self, attempt_ids: Collection[int]) -> frozenset[int]:
        rows = self.rows(
            "SELECT id FROM attempts WHERE id = ANY(%s) "
            "AND outcome IN ('claimed', 'marked', 'in-doubt')",
            (list(attempt_ids),),
        )
        return frozenset(row[0] for row in rows)

    def mark(self, rendered: Sequence[Rendered], now: datetime) -> None:
        if not rendered:
            return
        words = [leaving.rendered_row(each, self.seal) for each in rendered]
        marked = [
            ("marked", to_ms(now), each.token, self.worker, each.attempt_id) for each in rendered
        ]
        self.rows(*update("messages", leaving.RENDERED, words))
        mark, values = update("attempts", "outcome, marked_at, token, worker, id", marked)
        self._memory.keep(self.rows(f"{mark} RETURNING attempts.id, message, claimed_at", values))

    def settle(self, settlements: Sequence[Settlement], now: datetime) -> None:
        if not settlements:
            return
        settled = [leaving.settled_row(each, now, self.seal) for each in settlements]
        became = [leaving.became_row(one) for each in settlements for one in each.reminders]
        self.rows(*update("attempts", leaving.SETTLED, settled))
        self.rows(*update("reminders", leaving.BECAME, became))

    def save_reminders(self, reminders: Iterable[Reminder]) -> None:
        new, known = [], []
        for reminder in reminders:
            row = reminder_row(reminder)
            if reminder.id is None:
                new.append(row)
            else:
                known.append((reminder.id, *row))
        if new:
            first = self.reserve("reminders", len(new))
            rows = [(number, *row) for number, row in enumerate(new, first)]
            self.rows(*insert("reminders", REMINDER_COLUMNS, rows))
        if known:
            self.rows(*update("reminders", REMINDER_COLUMNS, known))

    # After a crash --------------------------------------------------------------------------

    def has_orphans(self, now: datetime) -> bool:
        """Whether anything is there to `recover`."""
        return bool(self.rows(_ANY_ORPHAN, _unknown_at(now)))

    def recover(self, now: datetime) -> tuple[list[int], int]:
        given = _unknown_at(now)
        found = self.rows(_ORPHANS, given)
        self.lock_patients({row[2] for row in found})
        found = self.rows(_ORPHANS, given)  # as they are now that nobody else changes them
        returned = claims.put_back(self, [row[:3] for row in found if row[3] == "claimed"], now)
        marked = [(row[0], row[4]) for row in found if row[3] == "marked"]
        claims.doubt(self, marked, now)
        self.rows(f"{_DOUBT_ANSWERS} {_ORPHANED_ANSWERS}", given)
        return returned, len(marked)

    def doubt_answers(self) -> int:
        return len(self.rows(f"{_DOUBT_ANSWERS} state = 'marked' AND {_ORPHANED} RETURNING id"))

    def mark_answers(self, answers: Sequence[Answer], now: datetime) -> None:
        super().mark_answers(answers, now)
        ids = [each.id for each in answers]
        self.rows("UPDATE answers SET worker = %s WHERE id = ANY(%s)", (self.worker, ids))

    def record(self, entries: Sequence[Entry]) -> None:
        # Each entry seals the one before it, so that nobody may add to the trail meanwhile.
        self.rows("SELECT pg_advisory_xact_lock(%s)", (_TRAIL,))
        super().record(entries)

    def trail_fault(self) -> Broken | None:
        with self.transaction():
            self.rows(tenancy.UNSCOPED)
            try:
                return super().trail_fault()
            finally:
                self.rows(tenancy.scoping(self.clinics) or tenancy.UNSCOPED)

    # Notes of one's own, where one has noted something ------------------------------------------

    def note(self, key: str) -> str | None:
        rows = self.rows(_NOTE, {"own": tenancy.own(key, self.clinics), "everybodys": key})
        return str(rows[0][0]) if rows else None

    def set_note(self, key: str, value: str) -> None:
        super().set_note(tenancy.own(key, self.clinics), value)

    # What comes in ---------------------------------------------------------------------------

    def waiting_callbacks(self, transports: Collection[str] | None, most: int) -> list[int]:
        found = super().waiting_callbacks(transports, most)
        if self.for_update():
            self.rows(_OWN_OF_CALLBACKS, (found,))  # all at once: one by one they would cross
        return found

    def keep_reply(self, transport: str, reply: Reply, now: datetime) -> bool:
        self.tell()  # whoever has the turn to act on it may be on another machine
        # PostgreSQL has no place for U+0000; nothing else of what was written is lost.
        return super().keep_reply(
            transport, replace(reply, text=reply.text.replace("\x00", "\ufffd")), now
        )


def _unknown_at(now: datetime) -> dict[str, int]:
    return {"unknown": to_ms(now - _UNKNOWN_AFTER)}


def _pairs(without: Sequence[tuple[str, Channel]]) -> list[str]:
    return [f"{clinic}/{channel.value}" for clinic, channel in without]
