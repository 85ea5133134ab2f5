"""A whole roster at once: what it will cause, before it is stored, and then storing it.

New patients are planned in memory; patients who were known before are planned again when they are
stored, because sending goes on meanwhile. What is known of a patient is never overwritten.
"""

import gc
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby
from typing import NamedTuple

from reminderd import audit
from reminderd.audit import Action
from reminderd.consents import entered
from reminderd.errors import TryAgainLater
from reminderd.ids import public_id
from reminderd.intake import Intake
from reminderd.interfaces import Outbox
from reminderd.model import (
    CareProtocol,
    Channel,
    Chart,
    How,
    Patient,
    Reminder,
    Session,
    State,
)
from reminderd.objections import Objections, addresses, respected
from reminderd.plan import changes
from reminderd.practice import Practice
from reminderd.protocols import ProtocolLibrary
from reminderd.roster import Entry, SessionEntry

CHUNK = 1000


@dataclass(frozen=True)
class Upcoming:
    """One message that will leave, as far as is known today."""

    at: datetime
    chart: Chart
    channel: Channel
    reminders: tuple[Reminder, ...]


@dataclass(frozen=True)
class Prepared:
    """One patient of an import: the chart as it will be, and the reminders that are new or differ.

    `is_new` where the ref was not known; `sessions` are those that will be added.
    """

    chart: Chart
    reminders: tuple[Reminder, ...]
    sessions: tuple[Session, ...]
    is_new: bool

    def messages(self) -> list[Upcoming]:
        """What will leave: what falls due at once on one channel is one message."""
        waiting = [
            each
            for each in self.reminders
            if each.state in (State.SCHEDULED, State.HELD) and each.due_at and each.channel
        ]
        waiting.sort(key=_departure)
        return [
            Upcoming(at, self.chart, Channel(channel), tuple(group))
            for (at, channel), group in groupby(waiting, key=_departure)
        ]


class Importer:
    """Takes in rosters; the same roster twice adds nothing."""

    def __init__(
        self, outbox: Outbox, practice: Practice, library: ProtocolLibrary, intake: Intake
    ) -> None:
        self._outbox = outbox
        self._practice = practice
        self._library = library
        self._intake = intake

    def prepare(self, entries: Sequence[Entry], now: datetime) -> list[Prepared]:
        """What storing these entries will cause; writes nothing."""
        with without_collecting():
            return self._prepare(entries, now)

    def _prepare(self, entries: Sequence[Entry], now: datetime) -> list[Prepared]:
        groups = _by_ref(entries)
        known = self._outbox.patients_by_ref(groups)
        approvals = self._outbox.approvals()
        basis = _Basis(
            now,
            {key: self._library.find(key).protocol for key in _keys(entries)},
            frozenset(each.digest for each in approvals),
            _Numbers(*self._outbox.free_ids()),
            self._outbox.objections({one for e in entries for one in addresses(e.patient)}),
        )
        prepared = [
            self._prepare_new(group, basis) for ref, group in groups.items() if ref not in known
        ]
        ids = [each.id for each in known.values() if each.id is not None]
        for chart in self._practice.charts(self._outbox.facts(ids), approvals):
            prepared.append(self._prepare_known(chart, groups[chart.patient.ref or ""], basis))
        return prepared

    def _prepare_new(self, group: Sequence[Entry], basis: "_Basis") -> Prepared:
        listed = respected(group[0].patient, basis.objections)
        numbered = replace(listed, id=basis.numbers.next_patient())
        patient = entered(numbered, How.IMPORT, self._intake.by)
        empty = Chart(patient, self._practice.clinic_of(patient), (), {})
        return self._with_sessions(empty, _sessions(group), basis, is_new=True)

    def _prepare_known(self, chart: Chart, group: Sequence[Entry], basis: "_Basis") -> Prepared:
        there = {(each.protocol, each.at) for each in chart.sessions}
        missing = [each for each in _sessions(group) if (each.protocol, each.at) not in there]
        return self._with_sessions(chart, missing, basis, is_new=False)

    def _with_sessions(
        self, chart: Chart, entries: Sequence[SessionEntry], basis: "_Basis", *, is_new: bool
    ) -> Prepared:
        patient_id, clinic = chart.patient.id, chart.clinic
        assert patient_id is not None
        added: list[tuple[Session, CareProtocol]] = []
        for entry in entries:
            number, protocol = basis.numbers.next_session(), basis.protocols[entry.protocol]
            session = self._intake.recorded(patient_id, number, entry, protocol, basis.now)
            added.append((session, protocol))
        signed = {
            each.id
            for each, protocol in added
            if self._practice.is_signed(protocol, clinic, basis.signed)
        }
        full = replace(
            chart,
            sessions=(*chart.sessions, *(each for each, _ in added)),
            protocols={**chart.protocols, **{each.id: one for each, one in added}},
            approved=chart.approved | signed,
        )
        differing = tuple(changes(full, basis.now)) if added else ()
        return Prepared(full, differing, tuple(each for each, _ in added), is_new)

    # Storing ---------------------------------------------------------------------------------

    def store(
        self,
        prepared: Sequence[Prepared],
        now: datetime,
        progress: Callable[[int], None] = lambda _: None,
        *,
        source: str = "a list",
    ) -> None:
        """Store what was prepared, in few large transactions; `progress` hears how many are in.

        `source` names for the audit trail what it was prepared from.
        Raises TryAgainLater where somebody has stored one of these patients or sessions meanwhile.
        """
        new = [each for each in prepared if each.is_new]
        known = [each for each in prepared if not each.is_new and each.sessions]
        stored = 0
        for chunk, store in [
            *((each, self._store_new) for each in _chunks(new)),
            *((each, self._store_known) for each in _chunks(known)),
        ]:
            with without_collecting(), self._outbox.transaction():
                store(chunk, now, source)
            stored += len(chunk)
            progress(stored)

    def _store_new(self, chunk: Sequence[Prepared], now: datetime, source: str) -> None:
        meanwhile = self._outbox.patients_by_ref(each.chart.patient.ref or "" for each in chunk)
        if meanwhile:
            raise _overtaken(meanwhile)
        sessions = sum(len(each.sessions) for each in chunk)
        numbers = _Numbers(*self._outbox.reserve_ids(len(chunk), sessions))
        versions = self._versions(chunk)
        renumbered = [_renumbered(each, numbers, versions) for each in chunk]
        self._outbox.add_patients([each.patient for each in renumbered], now)
        self._outbox.add_sessions([each for one in renumbered for each in one.sessions])
        self._outbox.save_reminders(each for one in renumbered for each in one.reminders)
        self._outbox.record([_imported(renumbered, source, self._intake.by, now)])

    def _store_known(self, chunk: Sequence[Prepared], now: datetime, source: str) -> None:
        added = [each for one in chunk for each in one.sessions]
        _, first = self._outbox.reserve_ids(0, len(added))
        versions = self._versions(chunk)
        stored = [
            replace(each, id=first + n, protocol_version=versions[each.protocol])
            for n, each in enumerate(added)
        ]
        self._outbox.add_sessions(stored)
        by = f"{self._intake.by}, from {source}"
        self._outbox.record([e for each in stored for e in audit.session_added(each, by, now)])
        ids = [one.chart.patient.id for one in chunk if one.chart.patient.id is not None]
        for chart in self._practice.charts(self._outbox.facts(ids), self._outbox.approvals()):
            if _has_a_double(chart, first):
                raise _overtaken([chart.patient.ref or ""])
            self._outbox.save_reminders(changes(chart, now))

    def _versions(self, chunk: Iterable[Prepared]) -> dict[str, int]:
        keys = sorted({each.protocol for one in chunk for each in one.sessions})
        return {key: self._intake.pinned(key)[1] for key in keys}


@dataclass(frozen=True)
class _Basis:
    """What every patient of one import is planned by."""

    now: datetime
    protocols: Mapping[str, CareProtocol]
    signed: frozenset[str]
    numbers: "_Numbers"
    objections: Objections


@dataclass
class _Numbers:
    """The next free ids of patients and sessions."""

    patient: int
    session: int

    def next_patient(self) -> int:
        self.patient += 1
        return self.patient - 1

    def next_session(self) -> int:
        self.session += 1
        return self.session - 1


@contextmanager
def without_collecting() -> Iterator[None]:
    """Let the garbage collector rest: it walks over all that was prepared, again and again.

    Value objects hold no cycles, so it would find nothing; it costs a tenth of an import.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


class _Stored(NamedTuple):
    """A new patient as it goes into the store."""

    patient: Patient
    sessions: tuple[Session, ...]
    reminders: tuple[Reminder, ...]


def _imported(stored: Sequence[_Stored], source: str, by: str, now: datetime) -> audit.Entry:
    """One entry for all of them: there are thousands, under ids without a gap."""
    first, last = stored[0].patient.id, stored[-1].patient.id
    return audit.Entry(
        now,
        by,
        Action.IMPORTED,
        f"{public_id('pat', first)} to {public_id('pat', last)}",
        first,
        last,
        after={
            "from": source,
            "patients": len(stored),
            "sessions": sum(len(each.sessions) for each in stored),
        },
    )


def _renumbered(one: Prepared, numbers: _Numbers, versions: dict[str, int]) -> _Stored:
    """The patient under the ids that were reserved, should somebody have been quicker."""
    patient, number = one.chart.patient, numbers.next_patient()
    if number != patient.id:
        patient = replace(patient, id=number)
    ids = {each.id: numbers.next_session() for each in one.sessions}
    sessions = tuple(
        replace(
            each,
            id=ids[each.id],
            patient_id=patient.id,
            protocol_version=versions[each.protocol],
        )
        for each in one.sessions
    )
    reminders = one.reminders
    if patient.id != one.chart.patient.id or any(old != new for old, new in ids.items()):
        reminders = tuple(
            each._replace(patient_id=patient.id, session_id=ids[each.session_id])
            for each in reminders
        )
    return _Stored(patient, sessions, reminders)


def _has_a_double(chart: Chart, first: int) -> bool:
    """Whether one of the sessions from that id on was there already."""
    before = {(each.protocol, each.at) for each in chart.sessions if (each.id or 0) < first}
    return any(
        (each.protocol, each.at) in before for each in chart.sessions if (each.id or 0) >= first
    )


def _overtaken(refs: Iterable[str]) -> TryAgainLater:
    return TryAgainLater(
        f"somebody has entered {', '.join(refs)} meanwhile",
        remedy="Import the list once more: it adds what is still missing.",
    )


def _departure(reminder: Reminder) -> tuple[datetime, str]:
    assert reminder.due_at is not None
    assert reminder.channel is not None
    return (reminder.due_at, reminder.channel)


def _by_ref(entries: Iterable[Entry]) -> dict[str, list[Entry]]:
    groups: dict[str, list[Entry]] = {}
    for entry in entries:
        groups.setdefault(entry.patient.ref or "", []).append(entry)
    return groups


def _keys(entries: Iterable[Entry]) -> set[str]:
    return {each.session.protocol for each in entries if each.session is not None}


def _sessions(group: Iterable[Entry]) -> list[SessionEntry]:
    """The sessions of one patient's rows, each once."""
    return list(dict.fromkeys(each.session for each in group if each.session is not None))


def _chunks(prepared: Sequence[Prepared]) -> Iterable[Sequence[Prepared]]:
    return (prepared[start : start + CHUNK] for start in range(0, len(prepared), CHUNK))


def differences(stored: Patient, entered: Patient) -> list[str]:
    """The columns in which an entry differs from what is known; what is known stays."""
    columns = ("given_name", "family_name", "phone", "email", "timezone", "language", "channels")
    return [each for each in columns if getattr(stored, each) != getattr(entered, each)]
