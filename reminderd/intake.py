"""What comes in: patients, sessions, edits and signatures, each with the plan that follows.

Every method is one transaction: the fact and the new plan are stored together, or neither is.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import datetime

from reminderd import audit
from reminderd.adjustments import combined, refuse_unfitting
from reminderd.audit import Action, Entry
from reminderd.charts import Change
from reminderd.consents import entered, is_undecided, respecting, settled, with_word
from reminderd.decisions import Decisions
from reminderd.errors import InvalidInput, NotFound, Refused, shown
from reminderd.faults import did_you_mean
from reminderd.ids import public_id
from reminderd.interfaces import Approval, Outbox
from reminderd.model import (
    Adjustment,
    CareProtocol,
    Channel,
    Consent,
    How,
    Milestone,
    Patient,
    Session,
    SessionChange,
    SessionState,
    ZoneChange,
)
from reminderd.objections import addresses, objected
from reminderd.plan import no_longer_true
from reminderd.practice import Practice
from reminderd.protocols import ProtocolLibrary
from reminderd.roster import SessionEntry


class Intake(Decisions):
    """Takes in what staff enter, and what they decide about single reminders."""

    def __init__(
        self, outbox: Outbox, practice: Practice, library: ProtocolLibrary, by: str
    ) -> None:
        super().__init__(outbox, practice, by)
        self._library = library

    def trial(self) -> AbstractContextManager[None]:
        """Inside of it everything is done as if for good; at its end all of it is undone."""
        return self._outbox.trial()

    # Patients --------------------------------------------------------------------------------

    def add_patient(self, patient: Patient, now: datetime) -> Change:
        """Store a new patient; Refused where another has the same ref."""
        return self.enrol(patient, None, now)

    def enrol(self, patient: Patient, session: SessionEntry | None, now: datetime) -> Change:
        """A patient and a first session in one step."""
        self._practice.clinic_of(patient)
        with self._outbox.transaction():
            if patient.ref is not None and self._outbox.find_patient(patient.ref) is not None:
                raise Refused(
                    f'there is already a patient with the ref "{patient.ref}"',
                    remedy=f"Add a session to it: reminderd session add {patient.ref} --protocol …",
                )
            self._refuse_objection(patient)
            number, _ = self._outbox.reserve_ids(1, 0)
            stored = entered(replace(patient, id=number), How.ENROLMENT, self.by)
            self._outbox.add_patients([stored], now)
            self._outbox.record(audit.patient_added(stored, self.by, now))
            if session is None:
                return Change(self.chart(number), ())
            return self._add_session(number, session, now)

    def edit_patient(self, name: str, edit: Callable[[Patient], Patient], now: datetime) -> Change:
        """Change what is known about a patient; the plan follows."""
        with self._outbox.transaction():
            before = self.patient(name)
            after = edit(before)
            if after.phone is not None and after.phone != before.phone:
                after = respecting(after, self._outbox.stops(after.phone), now)
            if after.ref != before.ref and after.ref is not None:
                self._refuse_taken_ref(after.ref)
            self._practice.clinic_of(after)
            self._refuse_objection(after)
            assert before.id is not None
            after = replace(after, id=before.id)
            self._outbox.update_patient(after, now)
            zone = self._practice.zone_of(before)
            if zone is not None and zone != self._practice.zone_of(after):
                self._outbox.add_zone_change(before.id, ZoneChange(zone, now))
            self._outbox.record(audit.patient_changed(before, after, self.by, now))
            return self._plan_one_again(before.id, now)

    def clinics_moved(self, zones: Mapping[str, str], now: datetime) -> None:
        """Keep by which of these zones a clinic's patients lived, where it has another by now."""
        clinics = self._practice.clinics.items()
        moved = {key for key, each in clinics if zones.get(key, each.timezone) != each.timezone}
        for each in self._outbox.patients() if moved else ():
            lives_there = each.clinic in moved and each.timezone is None
            if lives_there and each.erased_at is None and each.id is not None:
                self._outbox.add_zone_change(each.id, ZoneChange(zones[each.clinic], now))

    def _refuse_taken_ref(self, ref: str) -> None:
        if self._outbox.find_patient(ref) is not None:
            raise Refused(f'another patient has the ref "{ref}"')

    def _refuse_objection(self, patient: Patient) -> None:
        """An address on which somebody withdrew consent and was erased is not written to again."""
        objections = self._outbox.objections(list(addresses(patient)))
        refused = objected(patient, objections)
        if refused:
            raise Refused(
                f"consent for {' and '.join(refused)} was withdrawn for this address, before the "
                "data of whom it belonged to was erased",
                remedy="Enter the patient without that consent. Who agrees again, is recorded by: "
                f"reminderd patient consent PATIENT --channels {','.join(refused)} --grant …",
            )

    def record_consent(
        self, name: str, channels: Sequence[Channel], *, granted: bool, source: str, now: datetime
    ) -> Change:
        """The patient has granted or withdrawn consent for these channels."""
        said = Consent(granted, now, source, How.STAFF, self.by)

        def told(patient: Patient) -> Patient:
            for channel in channels:
                patient = with_word(patient, channel, said)
            return patient

        with self._outbox.transaction():
            if granted:
                own = addresses(self.patient(name))
                self._outbox.lift_objections([each for each in own if each[0] in channels])
            return self.edit_patient(name, told, now)

    def pause(self, name: str, now: datetime, *, paused: bool) -> Change:
        """Hold everything of a patient, or let it go on: whoever asked to stop, is answered so."""
        with self._outbox.transaction():
            patient = self.patient(name)
            assert patient.id is not None
            if not paused and is_undecided(patient, self._outbox.statements(patient.id)):
                self._outbox.add_statement(settled(patient, self.by, now))
            return self.edit_patient(name, lambda each: replace(each, paused=paused), now)

    def record_correction(self, name: str, by: str, now: datetime) -> Change:
        """Staff have told the patient what holds, instead of what is no longer true.

        Raises Refused where nothing is to be corrected.
        """
        with self._outbox.transaction():
            patient = self.patient(name)
            assert patient.id is not None
            false = no_longer_true(self.chart(patient.id), now)
            ids = [each.reminder.id for each in false if each.reminder.id is not None]
            if not ids:
                raise Refused(f"nothing has to be corrected: all that {name} was told is true")
            self._outbox.add_corrections(ids, by, now)
            told = {"reminders": [public_id("rem", each) for each in ids]}
            what = public_id("pat", patient.id) or ""
            entry = Entry(now, by, Action.CORRECTION_TOLD, what, patient.id, after=told)
            self._outbox.record([entry])
            return self._plan_one_again(patient.id, now)

    # Sessions --------------------------------------------------------------------------------

    def add_session(self, name: str, session: SessionEntry, now: datetime) -> Change:
        """A treatment that took place (in the past or now) or is booked (ahead)."""
        with self._outbox.transaction():
            patient = self.patient(name)
            assert patient.id is not None
            for other in self._outbox.sessions(patient.id):
                if other.stands and (other.protocol, other.at) == (session.protocol, session.at):
                    raise Refused(
                        f"{public_id('ses', other.id)} is already recorded for this instant",
                        remedy=f"See it with: reminderd session show {public_id('ses', other.id)}",
                    )
            return self._add_session(patient.id, session, now)

    def _add_session(self, patient_id: int, session: SessionEntry, now: datetime) -> Change:
        protocol, version = self.pinned(session.protocol)
        _, number = self._outbox.reserve_ids(0, 1)
        recorded = self.recorded(patient_id, number, session, protocol, now)
        stored = replace(recorded, protocol_version=version)
        self._outbox.add_sessions([stored])
        self._outbox.record(audit.session_added(stored, self.by, now))
        return replace(self._plan_one_again(patient_id, now), session=stored)

    def pinned(self, key: str) -> tuple[CareProtocol, int]:
        """The protocol as it reads today, kept for good, and the id of that text."""
        protocol, document, _ = self._library.find(key)
        return protocol, self._outbox.pin_protocol(protocol, document)

    def recorded(
        self,
        patient_id: int,
        number: int,
        session: SessionEntry,
        protocol: CareProtocol,
        now: datetime,
    ) -> Session:
        """The session as it is stored: done where it lies in the past, else booked."""
        return Session(
            id=number,
            patient_id=patient_id,
            protocol=protocol.key,
            revision=protocol.revision,
            at=session.at,
            recorded_at=now,
            state=_state_at(session.at, now),
            tags=session.tags,
            area=session.area,
        )

    def session_done(self, name: str, at: datetime | None, now: datetime) -> Change:
        """The treatment took place, at `at` where that is not when it was booked for."""

        def done(session: Session) -> Session:
            took_place_at = at or session.at
            if took_place_at > now:
                raise Refused(
                    f"{name} lies ahead: it cannot be done yet",
                    remedy="If it took place earlier than booked, say when: --at 2026-03-28T14:30",
                )
            return replace(session, state=SessionState.DONE, at=took_place_at)

        return self._edit_session(name, done, now)

    def move_session(self, name: str, at: datetime, now: datetime) -> Change:
        """The treatment is at another time; a session moved ahead is booked again.

        Moving alone never says that a treatment took place: that is `session_done`.
        """

        def moved(session: Session) -> Session:
            state = SessionState.BOOKED if at > now else session.state
            return replace(session, at=at, state=state)

        return self._edit_session(name, moved, now)

    def cancel_session(self, name: str, now: datetime, *, no_show: bool = False) -> Change:
        """The treatment was called off, or the patient did not come."""
        state = SessionState.NO_SHOW if no_show else SessionState.CANCELLED
        return self._edit_session(name, lambda each: replace(each, state=state), now)

    def adjust_session(
        self, name: str, milestone_id: str, decision: Adjustment, now: datetime
    ) -> Change:
        """Staff decide otherwise than the protocol, for one milestone of one session.

        Raises NotFound, and Refused where this milestone has no such thing.
        """
        with self._outbox.transaction():
            session, milestone = self._standing(name, milestone_id)
            refuse_unfitting(milestone, decision)
            decided = combined(session.adjustments.get(milestone_id), decision)
            return self._adjust(session, {milestone_id: decided}, decision.by, decision.why, now)

    def withdraw_adjustment(
        self, name: str, milestone_id: str, by: str, why: str, now: datetime
    ) -> Change:
        """For this milestone of this session the protocol counts again."""
        with self._outbox.transaction():
            session, _ = self._standing(name, milestone_id)
            if milestone_id not in session.adjustments:
                raise Refused(f"{milestone_id} of {name} is not adjusted")
            return self._adjust(session, {milestone_id: None}, by, why, now)

    def _adjust(
        self,
        session: Session,
        decided: Mapping[str, Adjustment | None],
        by: str,
        why: str,
        now: datetime,
    ) -> Change:
        all_of_them = {**session.adjustments, **decided}
        kept = {key: each for key, each in all_of_them.items() if each is not None}
        name = public_id("ses", session.id) or ""
        return self._edit_session(
            name, lambda each: replace(each, adjustments=kept), now, by=by, why=why
        )

    def _standing(self, name: str, milestone_id: str) -> tuple[Session, Milestone]:
        session = self.session(name)
        if not session.stands:
            raise Refused(f"{name} is {session.state}: there is nothing to adjust")
        assert session.patient_id is not None
        protocol = self.chart(session.patient_id).protocols[session.id]
        milestone = protocol.milestone(milestone_id)
        if milestone is None:
            there = [each.id for each in protocol.milestones]
            hint = did_you_mean(milestone_id[:100], there)
            raise NotFound(
                f"{protocol.key} has no milestone {shown(milestone_id)}{hint}",
                remedy=f"There is: {', '.join(there)}",
            )
        return session, milestone

    def _edit_session(
        self,
        name: str,
        edit: Callable[[Session], Session],
        now: datetime,
        *,
        by: str | None = None,
        why: str | None = None,
    ) -> Change:
        with self._outbox.transaction():
            before = self.session(name)
            after = edit(before)
            assert after.patient_id is not None
            self.patient(public_id("pat", after.patient_id) or "")  # who was erased has no care
            if after != before:
                protocol = self.chart(after.patient_id).protocols[before.id]
                was = SessionChange(before, protocol, now, by or self.by, why)
                self._outbox.add_session_change(was)
                self._outbox.update_session(after)
                self._outbox.record(audit.session_changed(before, after, was.by, now))
            return replace(self._plan_one_again(after.patient_id, now), session=after)

    # Signatures ------------------------------------------------------------------------------

    def approve(self, key: str, by: str, now: datetime) -> Approval:
        """A doctor signs a protocol with its templates as they are now; what waited is planned."""
        if not by.strip():
            raise InvalidInput("a signature needs a name", remedy='Write: --by "Dr. Name"')
        with self._outbox.transaction():
            protocol, version = self.pinned(key)
            self._practice.refuse_without_texts(protocol)
            digest = self._practice.signature_digest(protocol)
            approval = Approval(protocol.key, protocol.revision, digest, by.strip(), now)
            texts = self._practice.signed_texts(protocol)
            self._outbox.add_approval(approval, version, texts)
            signed = {"revision": protocol.revision, "digest": digest}
            entry = Entry(now, approval.by, Action.PROTOCOL_APPROVED, key, after=signed)
            self._outbox.record([entry])
        self.plan_all_again(now)
        return approval

    def approval_of(self, protocol: CareProtocol) -> Approval | None:
        """The signature that stands under this protocol as it and its templates are now."""
        return self._practice.signature_under(protocol, self._outbox.approvals())


def _state_at(at: datetime, now: datetime) -> SessionState:
    return SessionState.BOOKED if at > now else SessionState.DONE
