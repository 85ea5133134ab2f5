"""Sessions go over from the text of a protocol that they were recorded under to today's."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

from reminderd import audit
from reminderd.charts import Change
from reminderd.intake import Intake
from reminderd.interfaces import Outbox
from reminderd.model import CareProtocol, Chart, Session, SessionChange
from reminderd.practice import Practice
from reminderd.timing import Treatment, speaks_until

CHUNK = 500


class Migrated(NamedTuple):
    """A patient of whom sessions went over: those as they were, the chart before, what changed."""

    sessions: tuple[Session, ...]
    before: Chart
    change: Change


class Migrator:
    """Lets sessions under an older text go on under today's; what was sent stays."""

    def __init__(self, outbox: Outbox, practice: Practice, intake: Intake) -> None:
        self._outbox = outbox
        self._practice = practice
        self._intake = intake

    def migrate(
        self,
        key: str,
        now: datetime,
        observe: Callable[[Migrated], None],
        *,
        patient_id: int | None = None,
    ) -> CareProtocol:
        """Migrate all sessions that it matters for, or one patient's; returns today's protocol.

        It matters for a session that stands and of which either text has something ahead. One
        transaction; `observe` hears of every patient while it is open, so it must not wait for
        anybody. Raises NotFound, FaultsFound where today's file holds mistakes, and Refused where
        a text is missing.
        """
        with self._outbox.transaction():
            protocol, version = self._intake.pinned(key)
            self._practice.refuse_without_texts(protocol)
            older = [each.id for each in self._outbox.pinned(key) if each.id != version]
            ids = self._outbox.patients_under(older)
            if patient_id is not None:
                ids = [each for each in ids if each == patient_id]
            for start in range(0, len(ids), CHUNK):
                for each in self._migrate(ids[start : start + CHUNK], protocol, version, now):
                    observe(each)
        return protocol

    def _migrate(
        self, ids: Sequence[int], protocol: CareProtocol, version: int, now: datetime
    ) -> list[Migrated]:
        before: dict[int | None, tuple[Chart, list[Session]]] = {}
        for chart in self._charts(ids):
            sessions = [
                each
                for each in chart.sessions
                if each.protocol_version != version and _goes_over(chart, each, protocol, now)
            ]
            if sessions:
                before[chart.patient.id] = (chart, sessions)
                self._pin(chart, sessions, protocol, version, now)
        moved = [each for each in before if each is not None]
        self._intake.plan_again(moved, now)
        return [
            Migrated(tuple(sessions), was, Change(chart, ()))
            for chart in self._charts(moved)
            for was, sessions in [before[chart.patient.id]]
        ]

    def _charts(self, ids: Sequence[int]) -> list[Chart]:
        return self._practice.charts(self._outbox.facts(ids), self._outbox.approvals())

    def _pin(
        self,
        chart: Chart,
        sessions: Sequence[Session],
        protocol: CareProtocol,
        version: int,
        now: datetime,
    ) -> None:
        why = f"migrated to revision {protocol.revision}"
        for each in sessions:
            pinned = chart.protocols[each.id]
            self._outbox.add_session_change(SessionChange(each, pinned, now, self._intake.by, why))
            after = replace(each, protocol_version=version, revision=protocol.revision)
            self._outbox.update_session(after)
            self._outbox.record(audit.session_changed(each, after, self._intake.by, now))


def _goes_over(chart: Chart, session: Session, protocol: CareProtocol, now: datetime) -> bool:
    """Whether the session stands and something of it lies ahead, under its own text or the new."""
    if not session.stands or session.protocol != protocol.key:
        return False
    own = Treatment.of(chart, session)
    return session.at > now or any(
        speaks_until(each) > now for each in (own, replace(own, protocol=protocol))
    )
