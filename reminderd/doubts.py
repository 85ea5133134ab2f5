"""Settling what is in doubt: the provider's own list, or the very same message once more.

Contract, section 5: absence from a list proves nothing, and only where a second copy is recognised
as the same does one leave.
"""

import logging
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from reminderd.doubt import MOST_COPIES, looks_made, next_look_at
from reminderd.envelope import opened
from reminderd.errors import TransportError
from reminderd.ids import public_id
from reminderd.interfaces import Callback, Repeatable, Settlement, Transport, Witness
from reminderd.lanes import Means
from reminderd.model import Message, Outcome, Reminder, State
from reminderd.outbox_values import Doubt
from reminderd.plan import put_off_until, still_true

log = logging.getLogger(__name__)

AT_ONCE = 16  # looks between two drains: sending must not wait for a provider that does not answer
CLOCKS_DIFFER_BY = timedelta(minutes=1)


class Doubts:
    """Looks for evidence of the messages of some transports."""

    def __init__(self, means: Means, transports: Mapping[str, Transport]) -> None:
        self._means = means
        self._outbox = means.outbox
        self._transports = transports

    def next_look_at(self) -> datetime | None:
        """When the next look is due."""
        return self._outbox.next_look_at(self._transports)

    def look(self, now: datetime) -> bool:
        """Make the looks that are due, a few at a time; True where there are more."""
        due = self._outbox.doubts(now, self._transports)
        for doubt in due[:AT_ONCE]:
            if not self._means.time_is_right():
                return False
            # Looks take their time: a copy must not leave in the night that has begun meanwhile.
            self._settle(doubt, self._means.clock.now())
            self._means.alive()
        return len(due) > AT_ONCE

    def _settle(self, doubt: Doubt, now: datetime) -> None:
        transport = self._transports[doubt.transport]
        found = self._evidence(transport, doubt) if isinstance(transport, Witness) else None
        if found is not None:
            self._record(_accepted(doubt, found.provider_id), found)
            return
        looked = _looked(doubt, now, settleable=isinstance(transport, Witness | Repeatable))
        with self._outbox.transaction():
            self._outbox.lock_patients([doubt.patient_id])
            if not self._outbox.doubts(now, [doubt.transport], doubt.attempt_id):
                return  # another worker has looked, or somebody has said what became of it
            # A withdrawal that was committed before counts.
            copy = self._copy(doubt, now) if isinstance(transport, Repeatable) else None
            # Counted before a copy leaves, so that a crash never makes one more of them.
            self._outbox.settle([looked], now)
        if copy is not None and isinstance(transport, Repeatable):
            self._repeat(transport, doubt, copy)

    def _evidence(self, transport: Witness, doubt: Doubt) -> Callback | None:
        """What the provider's list says of the message, where it has one that is nobody else's."""
        try:
            since = doubt.marked_at - CLOCKS_DIFFER_BY
            listed = {
                each.provider_id: each for each in transport.find(doubt.to, doubt.text, since)
            }
        except Exception as error:
            log.warning("%s: no look at the provider's list: %s", _name(doubt), _said(error))
            return None
        known = self._outbox.accepted_ids(listed)
        return next((told for sid, told in listed.items() if sid not in known), None)

    def _copy(self, doubt: Doubt, now: datetime) -> Message | None:
        """The very same message, where it may be sent again now; None where it may not."""
        (facts,) = self._outbox.facts([doubt.patient_id])
        (chart,) = self._means.practice.charts([facts], self._outbox.approvals())
        expires_at = min(each.expires_at for each in doubt.reminders)
        may_leave = doubt.looks < MOST_COPIES and now < expires_at
        same_address = chart.patient.address(doubt.channel) == doubt.to
        if not (may_leave and same_address):
            return None
        for each in doubt.reminders:
            if not still_true(chart, each, now) or put_off_until(chart, each, now) is not None:
                return None
        return opened(doubt, expires_at - now)

    def _repeat(self, transport: Repeatable, doubt: Doubt, copy: Message) -> None:
        try:
            provider_id = transport.send_again(copy)
        except Exception as error:
            log.warning("%s: sent again, and still in doubt: %s", _name(doubt), _said(error))
            return
        self._record(_accepted(doubt, provider_id))

    def _record(self, settlement: Settlement, told: Callback | None = None) -> None:
        now = self._means.clock.now()
        with self._outbox.transaction():
            if self._outbox.open_attempts([settlement.attempt_id]):
                self._outbox.settle([settlement], now)
            if told is not None:  # what became of it is applied as if the provider had called
                self._outbox.keep_callback(told, now)


def _accepted(doubt: Doubt, provider_id: str) -> Settlement:
    sent = (
        each._replace(
            state=State.SENT, reason=None, sent_at=doubt.marked_at, provider_id=provider_id
        )
        for each in doubt.reminders
    )
    log.info("%s: it was accepted", _name(doubt))
    return Settlement(doubt.attempt_id, Outcome.ACCEPTED, tuple(sent), provider_id=provider_id)


def _looked(doubt: Doubt, now: datetime, *, settleable: bool) -> Settlement:
    """One look more; after the last one, or where none can help, it is for a person to say."""
    looks = looks_made(doubt.marked_at, doubt.looks, now)
    look_at = next_look_at(doubt.marked_at, looks) if settleable else None
    reminders: tuple[Reminder, ...] = doubt.reminders
    if look_at is None:
        log.error("%s: whether it was accepted is not known", _name(doubt))
        reminders = tuple(each._replace(state=State.UNKNOWN) for each in reminders)
    return replace(
        Settlement(doubt.attempt_id, Outcome.IN_DOUBT, reminders),
        code=doubt.code,
        error=doubt.error,
        look_at=look_at,
        looks=looks,
    )


def _said(error: Exception) -> str:
    """A stranger's error ends no look, and its words may hold what belongs in no log."""
    return str(error) if isinstance(error, TransportError) else type(error).__name__


def _name(doubt: Doubt) -> str:
    return public_id("msg", doubt.message_id) or ""
