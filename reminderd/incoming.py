"""What people write to us: each reply is handed on once, to whoever decides what is done about it.

Only the thread that sends by a transport handles what came by it, between two drains.
"""

import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime

from reminderd.errors import TryAgainLater
from reminderd.ids import public_id
from reminderd.incidents import incident_name, raise_flag
from reminderd.interfaces import Decision, Outbox, StoredReply
from reminderd.letterbox import FAILED, Decide, Hurrying, to_the_staff
from reminderd.model import Channel, Patient, Severity

log = logging.getLogger(__name__)

AT_ONCE = 25  # in one transaction: sending must not wait for long
MANY = 1000  # that are looked at where some may wait


class Replies:
    """Hands each reply to `decide`, with every patient who has that number, in one transaction
    with whatever that changes.
    """

    def __init__(self, outbox: Outbox, decide: Decide = to_the_staff) -> None:
        self._outbox = outbox
        self._decide = decide
        self._seen = 0  # the newest of which it is known whether it hurries
        self._hurried: list[int] = []

    def apply(
        self,
        transports: Collection[str] | None,
        now: datetime,
        only: Callable[[StoredReply], bool] | None = None,
    ) -> bool:
        """Handle what came by these transports, or by any; True where more of it waits.

        `only` says of which, where the others are to wait. A reply about which `decide` fails is an
        incident for the staff, and nothing else has changed.
        """
        if only is None:
            waiting = self._next(transports)
        else:
            many = self._outbox.waiting_replies(transports, MANY)
            waiting = [each for each in many if only(each)][:AT_ONCE]
        if not waiting:
            return False
        try:
            ids = {who.id or 0 for each in waiting for who in self._who_has(each)}
            with self._outbox.transaction():
                self._outbox.lock_patients(ids)  # at once: one by one they would cross with others
                for each in self._still_waiting(waiting):
                    self._handle(each, now)
        except TryAgainLater:
            raise
        except Exception:
            for each in waiting:
                self._handle_or_pass_on(each, now)
        return len(waiting) == AT_ONCE or bool(self._hurried)

    def _next(self, transports: Collection[str] | None) -> list[StoredReply]:
        """In the order in which they came; where many wait, those first that hurry."""
        waiting = self._outbox.waiting_replies(transports, AT_ONCE)
        if len(waiting) < AT_ONCE or not isinstance(self._decide, Hurrying):
            self._hurried.clear()
            return waiting
        for number, words in self._outbox.waiting_words(transports, self._seen):
            self._seen = number
            if _hurries(self._decide, words):
                self._hurried.append(number)
        first = self._outbox.waiting_replies(transports, AT_ONCE, self._hurried)
        if not first:  # all of them are handled
            self._hurried.clear()
        return first or waiting

    def _handle_or_pass_on(self, reply: StoredReply, now: datetime) -> None:
        try:
            with self._outbox.transaction():
                for each in self._still_waiting([reply]):
                    self._handle(each, now)
        except TryAgainLater:
            raise
        except Exception as error:
            failed = type(error).__name__  # its words may hold those of the patient
            log.error("%s: goes to the staff as it is: %s", public_id("rep", reply.id), failed)
            self._call_a_person(reply, {"failed": failed}, now)

    def _call_a_person(self, reply: StoredReply, why: Mapping[str, str], now: datetime) -> None:
        """Nobody knows what it says: it may be a red flag, so it is taken for one."""
        patients = self._who_has(reply)
        try:
            with self._outbox.transaction():
                if not self._still_waiting([reply]):
                    return
                incident = raise_flag(self._outbox, reply, Severity.URGENT, patients, now)
                why_so = {**why, "incident": incident_name(incident)}
                self._write(reply, Decision(FAILED, why_so), patients, now)
        except TryAgainLater:
            raise
        except Exception as error:  # as where the database was tampered with
            log.error("%s: no incident: %s", public_id("rep", reply.id), type(error).__name__)
            with self._outbox.transaction():
                if self._still_waiting([reply]):
                    self._write(reply, Decision(FAILED, why), patients, now)

    def _still_waiting(self, replies: Sequence[StoredReply]) -> list[StoredReply]:
        """Those of them of which another worker has not decided meanwhile, in their order."""
        ids = [each.id for each in replies]
        waiting = {each.id for each in self._outbox.waiting_replies(None, len(ids), ids)}
        return [each for each in replies if each.id in waiting]

    def _handle(self, reply: StoredReply, now: datetime) -> None:
        patients = self._who_has(reply)
        self._write(reply, self._decide(reply, patients, now), patients, now)

    def _who_has(self, reply: StoredReply) -> list[Patient]:
        return self._outbox.patients_with(Channel.SMS, reply.reply.sender)

    def _write(
        self, reply: StoredReply, decision: Decision, patients: Sequence[Patient], now: datetime
    ) -> None:
        ids = [each.id for each in patients if each.id is not None]
        self._outbox.reply_handled(reply.id, decision, ids, now)
        whom = ", ".join(public_id("pat", each) or "" for each in ids) or "an unknown number"
        log.info("%s from %s: %s", public_id("rep", reply.id), whom, _discreet(decision))


def _hurries(decide: Hurrying, words: str) -> bool:
    """Where that cannot be said it waits in line, and whoever decides fails there."""
    try:
        return decide.hurries(words)
    except Exception:
        return False


def _discreet(decision: Decision) -> str:
    """What is done about it, and not what it means: that says how a patient is."""
    if decision.for_staff:
        return "for the staff"
    return "answer" if decision.word == "all-good" else decision.word
