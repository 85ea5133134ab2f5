"""What providers tell by themselves: kept as it comes, applied by the thread that sends."""

import json
from collections.abc import Collection
from datetime import datetime

from reminderd.engines.tables.erasing import Erasing
from reminderd.engines.tables.rows import (
    REMINDER_COLUMNS,
    Row,
    from_ms,
    reminder_from,
    to_ms,
    word,
)
from reminderd.engines.tables.store import NO_LIMIT, WORDS
from reminderd.interfaces import Callback, Heard
from reminderd.model import Outcome, Receipt

AT_ONCE = 1000  # attempts that are looked at
_KEEP = (
    "INSERT INTO callbacks (attempt, provider_id, receipt, code, meaning, received_at) "
    "VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (provider_id, receipt) DO NOTHING"
)
_HEARD = (
    "SELECT attempts.id, message, patient, token, callbacks.provider_id, receipt, callbacks.code, "
    "meaning FROM callbacks JOIN attempts ON attempts.id = attempt "
    "JOIN messages ON messages.id = message WHERE callbacks.id = ?"
)
_LATEST = (
    "SELECT attempts.id, claimed_at, provider_id, marked_at, "
    "transport = ? AND outcome = 'accepted' "
    "AND provider_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM callbacks WHERE "
    "attempt = attempts.id AND receipt IN ('delivered', 'undelivered', 'failed')) "
    "FROM attempts CROSS JOIN messages ON messages.id = message WHERE attempts.id < ? "
    "ORDER BY attempts.id DESC LIMIT ?"
)
# By way of the patient's sessions: there is no index from a message to its reminders.
_CARRIED = (
    f"SELECT {', '.join(f'reminders.{name}' for name in REMINDER_COLUMNS.split(', '))}, "
    "EXISTS (SELECT 1 FROM message_reminders AS later "
    "WHERE later.reminder = reminders.id AND later.message > ?) FROM sessions "
    "CROSS JOIN reminders ON reminders.session = sessions.id "
    "CROSS JOIN message_reminders ON message_reminders.reminder = reminders.id "
    "AND message_reminders.message = ? WHERE sessions.patient = ? ORDER BY reminders.id"
)


class Callbacks(Erasing):
    """The part of the outbox that is the inbox of providers."""

    def keep_callback(self, callback: Callback, now: datetime) -> bool:
        attempt = self._attempt(callback)
        if attempt is None:
            return False
        self.execute(
            _KEEP,
            (
                attempt,
                callback.provider_id,
                callback.receipt.value,
                callback.code,
                word(callback.meaning),
                to_ms(now),
            ),
        )
        return True

    def _attempt(self, callback: Callback) -> int | None:
        """By the random id where it came with one, and by nothing else then."""
        name, value = "token", callback.token
        if value is None:
            name, value = "provider_id", callback.provider_id
        rows = self.query(f"SELECT max(id) FROM attempts WHERE {name} = ?", (value,))
        return None if rows[0][0] is None else int(rows[0][0])

    def waiting_callbacks(self, transports: Collection[str] | None, most: int) -> list[int]:
        # Of what is being handed over right now, the answer comes first.
        ours, names = "", []
        if transports is not None:
            ours, names = f"AND transport IN {WORDS}", [json.dumps(sorted(transports))]
        rows = self.query(
            "SELECT callbacks.id FROM callbacks "
            "CROSS JOIN attempts ON attempts.id = attempt "
            "CROSS JOIN messages ON messages.id = message "
            f"WHERE applied_at IS NULL AND outcome NOT IN ('claimed', 'marked') {ours} "
            "ORDER BY callbacks.id LIMIT ?",
            (*names, most),
        )
        return [row[0] for row in rows]

    def heard(self, callback_id: int) -> Heard | None:
        (row,) = self.query(_HEARD, (callback_id,))
        attempt_id, message_id, patient_id, *told = row
        carried = self.query(_CARRIED, (message_id, message_id, patient_id))
        if not carried:
            return None
        attempts = self.attempts(carried[0][0])
        return Heard(
            id=callback_id,
            callback=_callback(told),
            patient_id=patient_id,
            attempt_id=attempt_id,
            attempt=next(each for each in attempts if each.message_id == message_id),
            reminders=tuple(reminder_from(each[:-1]) for each in carried),
            overtaken=frozenset(each[0] for each in carried if each[-1]),
        )

    def told(self, patient_id: int) -> dict[int, list[tuple[datetime, Callback]]]:
        found: dict[int, list[tuple[datetime, Callback]]] = {}
        for message, at, *told in self.query(
            "SELECT message, received_at, token, callbacks.provider_id, receipt, callbacks.code, "
            "meaning FROM messages JOIN attempts ON attempts.message = messages.id "
            "JOIN callbacks ON attempt = attempts.id WHERE patient = ? ORDER BY callbacks.id",
            (patient_id,),
        ):
            found.setdefault(message, []).append((from_ms(at), _callback(told)))
        return found

    def disputed(self, since: datetime) -> list[Heard]:
        rows = self.query(
            "SELECT callbacks.id FROM callbacks JOIN attempts ON attempts.id = attempt "
            "WHERE received_at >= ? AND outcome = 'accepted' "
            "AND callbacks.provider_id <> attempts.provider_id ORDER BY callbacks.id",
            (to_ms(since),),
        )
        return [each for each in (self.heard(row[0]) for row in rows) if each is not None]

    def open_receipts(self, transport: str, since: datetime) -> dict[str, datetime]:
        found: dict[str, datetime] = {}
        # Ids rise with the instants, and there is no index on these: whoever reads stops in time.
        last, claimed_at = NO_LIMIT, to_ms(since)
        while claimed_at >= to_ms(since):
            rows = self.query(_LATEST, (transport, last, AT_ONCE))
            for _, claimed_at, provider_id, at, is_open in rows:
                if claimed_at >= to_ms(since) and is_open:
                    found[provider_id] = from_ms(at)
            if len(rows) < AT_ONCE:
                break
            last = rows[-1][0]
        return found

    def callback_applied(self, callback_id: int, now: datetime) -> None:
        self.execute("UPDATE callbacks SET applied_at = ? WHERE id = ?", (to_ms(now), callback_id))


def _callback(row: Row | list[str]) -> Callback:
    token, provider_id, receipt, code, meaning = row
    means = None if meaning is None else Outcome(meaning)
    return Callback(token, provider_id, Receipt(receipt), code, means)
