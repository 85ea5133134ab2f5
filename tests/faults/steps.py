"""The named steps of sending, at any of which the power may fail."""

import threading
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from reminderd.alert_book import Alert
from reminderd.answerbook import Answer
from reminderd.audit import Entry
from reminderd.engines.embedded.outbox import EmbeddedOutbox
from reminderd.interfaces import (
    Callback,
    Claimed,
    Decision,
    NewMessage,
    Removed,
    Rendered,
    Reply,
    Settlement,
)
from reminderd.model import Outcome, Patient, Reminder
from reminderd.outbox_values import Incident

AROUND = ("before", "in", "after")
TRANSACTIONS = (
    "the claim", "the mark", "the record", "the plan", "the import", "the recovery", "the word",
    "the erasure", "the callback", "its application", "the reply", "its decision",
    "the incident",
)  # fmt: skip
REQUEST = ("before the request", "after the answer")


class PowerCut(BaseException):
    """The machine went off here; what was not committed is gone."""


class Steps:
    """Counts who passes where, and asks `fails` each time whether this is the end."""

    def __init__(self, fails: Callable[[str, int], None]) -> None:
        self.passed: Counter[str] = Counter()
        self.recorded: set[str] = set()  # the provider's ids whose record is durable
        self._fails = fails

    def passing(self, step: str) -> None:
        self.passed[step] += 1
        self._fails(step, self.passed[step])


class BreakingOutbox(EmbeddedOutbox):
    """The real outbox; whoever works with it passes the named steps."""

    def __init__(self, *given: Any, steps: Steps, **more: Any) -> None:
        super().__init__(*given, **more)
        self.steps = steps
        self._under_way = threading.local()

    def claim(self, messages: Sequence[NewMessage], now: datetime) -> list[Claimed]:
        if not messages:
            return super().claim(messages, now)
        with self._step("the claim"):
            return super().claim(messages, now)

    def mark(self, rendered: Sequence[Rendered], now: datetime) -> None:
        if rendered:
            with self._step("the mark"):
                super().mark(rendered, now)

    def settle(self, settlements: Sequence[Settlement], now: datetime) -> None:
        if settlements:
            with self._step("the record"):
                super().settle(settlements, now)
            accepted = [each for each in settlements if each.outcome is Outcome.ACCEPTED]
            self._under_way.recorded = {each.provider_id for each in accepted if each.provider_id}

    def save_reminders(self, reminders: Iterable[Reminder]) -> None:
        with self._step("the plan"):
            super().save_reminders(reminders)

    def add_patients(self, patients: Sequence[Patient], now: datetime) -> None:
        with self._step("the import"):
            super().add_patients(patients, now)

    def update_patient(self, patient: Patient, now: datetime) -> None:
        with self._step("the word"):
            super().update_patient(patient, now)

    def erase(self, patient: Patient, now: datetime) -> Removed:
        with self._step("the erasure"):
            return super().erase(patient, now)

    def keep_callback(self, callback: Callback, now: datetime) -> bool:
        with self._step("the callback"):
            return super().keep_callback(callback, now)

    def callback_applied(self, callback_id: int, now: datetime) -> None:
        with self._step("its application"):
            super().callback_applied(callback_id, now)

    def keep_reply(self, transport: str, reply: Reply, now: datetime) -> bool:
        with self._step("the reply"):
            return super().keep_reply(transport, reply, now)

    def reply_handled(
        self, reply_id: int, decision: Decision, patient_ids: Sequence[int], now: datetime
    ) -> None:
        with self._step("its decision"):
            super().reply_handled(reply_id, decision, patient_ids, now)

    def keep_incident(self, incident: Incident) -> None:
        with self._step("the incident"):
            super().keep_incident(incident)

    def mark_answers(self, answers: Sequence[Answer], now: datetime) -> None:
        with self._step("the answer's mark"):
            super().mark_answers(answers, now)

    def save_answers(self, answers: Sequence[Answer]) -> None:
        with self._step("the answer's record"):
            super().save_answers(answers)

    def add_alert(self, key: str, recipients: Collection[str], now: datetime) -> None:
        with self._step("the alert"):
            super().add_alert(key, recipients, now)

    def keep_alert(self, alert: Alert) -> None:
        with self._step("the alert's record"):
            super().keep_alert(alert)

    def record(self, entries: Sequence[Entry]) -> None:
        with self._step("the entry"):
            super().record(entries)

    def scrub(self) -> bool:
        self.steps.passing("before the scrub")
        return super().scrub()

    def recover(self, now: datetime) -> tuple[list[int], int]:
        with self._step("the recovery"):
            return super().recover(now)

    @contextmanager
    def _step(self, name: str) -> Iterator[None]:
        self.steps.passing(f"before {name}")
        yield
        self.steps.passing(f"in {name}")
        self._under_way.names.append(name)

    @contextmanager
    def _unit_of_work(self, end: str) -> Iterator[None]:
        self._under_way.names, self._under_way.recorded = [], set()
        with super()._unit_of_work(end):
            yield
        if end == "COMMIT":
            self.steps.recorded |= self._under_way.recorded
            for name in self._under_way.names:
                self.steps.passing(f"after {name}")
