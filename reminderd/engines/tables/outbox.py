"""What both outboxes have in common; sending, which is hot, each does in its own way."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from reminderd.engines.tables import claims, doubts, pruning, reporting, vitals, volume
from reminderd.engines.tables.answerbook import AnswerBook
from reminderd.engines.tables.rows import to_ms
from reminderd.interfaces import (
    Doubt,
    Figure,
    LastSession,
    PatientFacts,
    Prunable,
    ReportFilter,
    Vitals,
)
from reminderd.model import CareProtocol, Patient, Reminder


class TablesOutbox(AnswerBook):
    """All of `interfaces.Outbox` but the units of work, and what leads from due to sent."""

    def due_facts(self, patient_ids: Sequence[int], now: datetime) -> list[PatientFacts]:
        return self._facts(patient_ids, "state = 'scheduled' AND wake_at <= ?", (to_ms(now),))

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

    def forget_after(self, start: datetime) -> None:
        self.execute(
            "UPDATE reminders SET state = 'skipped', reason = 'past', channel = NULL, "
            "wake_at = NULL, sent_at = NULL, provider_id = NULL, receipt = NULL, attempts = 0, "
            "needs_staff = 0, first_planned_at = ? "
            "WHERE (state <> 'sent' OR sent_at > ?) AND coalesce(reason, '') <> 'by-staff'",
            (to_ms(start), to_ms(start)),
        )

    def newest_attempt(self) -> int:
        return vitals.newest_attempt(self)

    def vitals(self, after_attempt: int) -> Vitals:
        return vitals.vitals(self, after_attempt)

    def prunable(self, days: int, now: datetime) -> Prunable:
        return pruning.prunable(self, days, now)

    def prune(self, found: Prunable, days: int, by: str, now: datetime) -> bool:
        return pruning.prune(self, found, days, by, now)

    # What is in doubt -----------------------------------------------------------------------

    def next_look_at(self, transports: Collection[str]) -> datetime | None:
        return doubts.next_look_at(self, transports)

    def doubts(
        self, now: datetime, transports: Collection[str], attempt_id: int | None = None
    ) -> list[Doubt]:
        return doubts.due(self, now, transports, attempt_id)

    def doubts_of(self, reminder_id: int) -> list[Doubt]:
        return doubts.of_reminder(self, reminder_id)

    def give_up(self, transports: Collection[str], now: datetime) -> int:
        return doubts.give_up(self, transports, now)

    def accepted_ids(self, provider_ids: Collection[str]) -> frozenset[str]:
        return doubts.accepted_ids(self, provider_ids)
