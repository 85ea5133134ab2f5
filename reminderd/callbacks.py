"""Applying what providers told: evidence, receipts, and another channel where one did not deliver.

Only the thread that sends by a transport applies what is about its messages, between two hand-overs
and never during one, so that an answer and a callback cannot overtake each other.
"""

import logging
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial

from reminderd import audit
from reminderd.ids import public_id
from reminderd.interfaces import Heard, Outbox
from reminderd.model import Chart, Outcome, Patient, Reminder
from reminderd.plan import changes
from reminderd.practice import Practice
from reminderd.receipts import contradicts, evidence, gone_over, raised
from reminderd.verdicts import Lesson, told_the_provider, without_address, without_consent
from reminderd.words import NOT_DELIVERED

log = logging.getLogger(__name__)

AT_ONCE = 100  # in one transaction


class Callbacks:
    """Applies what waits in the outbox, in the order in which it came."""

    def __init__(self, outbox: Outbox, practice: Practice) -> None:
        self._outbox = outbox
        self._practice = practice

    def apply(self, transports: Collection[str] | None, now: datetime) -> None:
        """All of it that is about messages by these transports, or by any."""
        while self._outbox.waiting_callbacks(transports, AT_ONCE):
            with self._outbox.transaction():
                # Read again: another worker may have applied them just before.
                for each in self._outbox.waiting_callbacks(transports, AT_ONCE):
                    heard = self._outbox.heard(each)
                    if heard is not None:
                        self._apply(heard, now)
                    self._outbox.callback_applied(each, now)

    def _apply(self, heard: Heard, now: datetime) -> None:
        told, known = heard.callback, heard.attempt.provider_id
        if contradicts(heard):
            log.error("%s: is %s to the provider, was %s", _name(heard), told.provider_id, known)
            return
        found, carried = evidence(heard), heard.reminders
        if found is not None:
            log.info("%s: it was accepted", _name(heard))
            self._outbox.settle([found], now)
            carried = found.reminders
        changed = raised(carried, told)
        self._outbox.save_reminders(changed)
        if changed and told.receipt in NOT_DELIVERED:
            log.warning("%s: %s (%s)", _name(heard), told.receipt, told.code or "no code")
            self._learn(heard, changed, now)
        if found is not None:  # what has left after all may have become false meanwhile
            self._outbox.save_reminders(changes(self._chart(heard.patient_id), now))

    def _learn(self, heard: Heard, undelivered: Sequence[Reminder], now: datetime) -> None:
        """Where nobody is there, or the person said stop, another channel carries it."""
        lesson, before = _lesson(heard, now), self._chart(heard.patient_id).patient
        if lesson is None or not self._is_still_the_address(before, heard):
            return
        taught = lesson(before)
        self._outbox.update_patient(taught, now)
        self._outbox.record(audit.patient_changed(before, taught, audit.DAEMON, now))
        ids = frozenset(each.id for each in undelivered)
        self._outbox.save_reminders(gone_over(self._chart(heard.patient_id), ids, now))

    def _is_still_the_address(self, patient: Patient, heard: Heard) -> bool:
        """What was learnt of a number says nothing of the one that took its place."""
        sent = self._outbox.correspondence(heard.patient_id)
        to = next(each.to for each in sent if each.id == heard.attempt.message_id)
        known = replace(patient, bad_addresses=frozenset()).address(heard.attempt.channel)
        return to is not None and to == known

    def _chart(self, patient_id: int) -> Chart:
        facts, approvals = self._outbox.facts([patient_id]), self._outbox.approvals()
        return self._practice.charts(facts, approvals)[0]


def _lesson(heard: Heard, now: datetime) -> Lesson | None:
    """What it taught us about the person, if anything."""
    attempt, told = heard.attempt, heard.callback
    match told.meaning:
        case Outcome.WRONG_ADDRESS:
            return partial(without_address, channel=attempt.channel)
        case Outcome.OPTED_OUT:
            said = told_the_provider(attempt.transport, told.code, now)
            return partial(without_consent, channel=attempt.channel, said=said)
    return None


def _name(heard: Heard) -> str:
    return public_id("msg", heard.attempt.message_id) or ""
