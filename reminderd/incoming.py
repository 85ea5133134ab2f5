"""What people write to us: each reply is handed on once, to whoever decides what is done about it.

Only the thread that sends by a transport handles what came by it, between two drains.
"""

import logging
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from reminderd.errors import TryAgainLater
from reminderd.ids import public_id
from reminderd.interfaces import Decision, Outbox, StoredReply
from reminderd.letterbox import TO_THE_STAFF, Decide, to_the_staff
from reminderd.model import Patient

log = logging.getLogger(__name__)

AT_ONCE = 100  # in one transaction: sending must not wait for long


class Replies:
    """Hands each reply to `decide`, with every patient who has that number, in one transaction
    with whatever that changes.
    """

    def __init__(self, outbox: Outbox, decide: Decide = to_the_staff) -> None:
        self._outbox = outbox
        self._decide = decide

    def apply(self, transports: Collection[str] | None, now: datetime) -> bool:
        """Handle what came by these transports, or by any; True where more of it waits.

        A reply about which `decide` fails goes to the staff, and nothing else has changed.
        """
        waiting = self._outbox.waiting_replies(transports, AT_ONCE)
        if not waiting:
            return False
        by_number = _by_number(self._outbox.patients(), {each.reply.sender for each in waiting})
        try:
            with self._outbox.transaction():
                for each in waiting:
                    self._handle(each, by_number, now)
        except TryAgainLater:
            raise
        except Exception:
            for each in waiting:
                self._handle_or_pass_on(each, by_number, now)
        return len(waiting) == AT_ONCE

    def _handle_or_pass_on(
        self, reply: StoredReply, by_number: Mapping[str, list[Patient]], now: datetime
    ) -> None:
        try:
            with self._outbox.transaction():
                self._handle(reply, by_number, now)
        except TryAgainLater:
            raise
        except Exception as error:
            failed = type(error).__name__  # its words may hold those of the patient
            log.error("%s: goes to the staff as it is: %s", public_id("rep", reply.id), failed)
            decision = Decision(TO_THE_STAFF, {"failed": failed})
            with self._outbox.transaction():
                self._write(reply, decision, by_number.get(reply.reply.sender, []), now)

    def _handle(
        self, reply: StoredReply, by_number: Mapping[str, list[Patient]], now: datetime
    ) -> None:
        patients = by_number.get(reply.reply.sender, [])
        self._write(reply, self._decide(reply, patients, now), patients, now)

    def _write(
        self, reply: StoredReply, decision: Decision, patients: Sequence[Patient], now: datetime
    ) -> None:
        ids = [each.id for each in patients if each.id is not None]
        self._outbox.reply_handled(reply.id, decision, ids, now)
        whom = ", ".join(public_id("pat", each) or "" for each in ids) or "an unknown number"
        # Not what it means: that says how a patient is.
        said = "for the staff" if decision.for_staff else decision.word
        log.info("%s from %s: %s", public_id("rep", reply.id), whom, said)


def _by_number(patients: Sequence[Patient], numbers: Collection[str]) -> dict[str, list[Patient]]:
    found: dict[str, list[Patient]] = {}
    for each in patients:
        if each.phone in numbers and each.phone is not None:
            found.setdefault(each.phone, []).append(each)
    return found
