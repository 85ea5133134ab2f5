"""What patients themselves say about being written to: STOP, START, other words, a button.

Every method is one transaction: the word in the ledger, the consents and the new plan are stored
together, or none of it. A number may belong to several people; all of them are meant.
"""

from dataclasses import replace
from datetime import datetime

from reminderd import audit
from reminderd.audit import Action, Entry
from reminderd.charts import Change, Charts
from reminderd.consents import (
    BY_BUTTON,
    BY_TEXT,
    PATIENT,
    closed_by,
    ends,
    objection,
    statement,
    with_word,
)
from reminderd.ids import public_id
from reminderd.model import Channel, Clinic, Consent, How, Patient
from reminderd.objections import addresses
from reminderd.unsubscribing import Tokens


class Wishes(Charts):
    """Takes in what patients say; called by whoever has understood it."""

    def withdraw_number(
        self, number: str, words: str, said_at: datetime, now: datetime
    ) -> list[Change]:
        """STOP: everybody with that number gets no text messages from now on.

        Returns what changed for each of those to whom it does; a newer grant stands.
        """
        said = Consent(False, said_at, BY_TEXT, How.REPLY, PATIENT, words)
        with self._outbox.transaction():
            heard = [(each, self._stopped(each, number, said, now)) for each in self._at(number)]
            return [self._take(before, after, now) for before, after in heard if after is not None]

    def restore_number(
        self, number: str, words: str, said_at: datetime, now: datetime
    ) -> list[Change]:
        """START: what that same number had closed is open again; what still holds is planned.

        Nobody is opted in by it who was not before, nor whom staff, a form or another number had
        taken off.
        """
        said = Consent(True, said_at, BY_TEXT, How.REPLY, PATIENT, words)
        with self._outbox.transaction():
            opened = [each for each in self._at(number) if self._opens(each, number, said, now)]
            return [self._take(each, with_word(each, Channel.SMS, said), now) for each in opened]

    def object_softly(
        self, number: str, words: str, said_at: datetime, now: datetime
    ) -> list[Change]:
        """Words that ask us to stop: all channels of these patients are held until staff decide."""
        with self._outbox.transaction():
            return [self._hold(each, number, words, said_at, now) for each in self._at(number)]

    def unsubscribing(self, token: str) -> Patient | None:
        """Whose button it is, wanted or not any more; None where the token is none of ours."""
        found = self._unsubscribing(token)
        return found[0] if found else None

    def unsubscribe(self, token: str, now: datetime) -> Patient | None:
        """The button in a mail: nothing more on that channel to whoever still has that address.

        Returns whose it is, also where there is nothing to withdraw any more; None as above.
        """
        with self._outbox.transaction():
            found = self._unsubscribing(token)
            if found is None:
                return None
            patient, channel, is_present = found
            if is_present and patient.consents(channel):
                said = Consent(False, now, BY_BUTTON, How.UNSUBSCRIBE, PATIENT)
                self._take(patient, with_word(patient, channel, said), now)
            return patient

    def clinic_of(self, patient: Patient) -> Clinic | None:
        """Who treats the patient; None where that clinic is not configured any more."""
        return self._practice.clinics.get(patient.clinic)

    def _unsubscribing(self, token: str) -> tuple[Patient, Channel, bool] | None:
        """The patient and the channel, and whether the address is still the patient's."""
        secret = self._outbox.secret()
        if secret is None:
            return None
        tokens = Tokens(secret)
        wanted = tokens.read(token)
        patient = wanted and self._outbox.find_patient(public_id("pat", wanted.patient_id) or "")
        if wanted is None or patient is None:
            return None
        known = dict(addresses(patient)).get(wanted.channel)
        return patient, wanted.channel, known is not None and tokens.is_of(wanted, known)

    def _at(self, number: str) -> list[Patient]:
        return self._outbox.patients_with(Channel.SMS, number)

    def _stopped(
        self, patient: Patient, number: str, said: Consent, now: datetime
    ) -> Patient | None:
        """The patient as the STOP leaves them; None where it changes nothing, or came too late."""
        present = patient.consent.get(Channel.SMS)
        if present is None:
            return None
        if present.granted and ends(said, present, now):
            return with_word(patient, Channel.SMS, said)
        if present.granted or self._is_closed_by(number, patient):
            if said.at >= present.at:  # said once more: a START from in between opens nothing
                return with_word(patient, Channel.SMS, said)
            self._outbox.add_statement(statement(patient, Channel.SMS, said, now))
        return None

    def _opens(self, patient: Patient, number: str, said: Consent, now: datetime) -> bool:
        """Whether the START opens something; one that only confirms outlasts an older STOP."""
        present = patient.consent.get(Channel.SMS)
        if present is None or said.at < present.at:
            return False
        if present.granted:
            self._outbox.update_patient(with_word(patient, Channel.SMS, said), now)
            return False
        return self._is_closed_by(number, patient)

    def _is_closed_by(self, number: str, patient: Patient) -> bool:
        return closed_by(number, self._outbox.statements(patient.id or 0))

    def _take(self, before: Patient, after: Patient, now: datetime) -> Change:
        assert after.id is not None
        self._outbox.update_patient(after, now)
        self._outbox.record(audit.patient_changed(before, after, PATIENT, now))
        return self._plan_one_again(after.id, now)

    def _hold(
        self, patient: Patient, number: str, words: str, said_at: datetime, now: datetime
    ) -> Change:
        assert patient.id is not None
        self._outbox.add_statement(objection(patient, number, words, said_at, now))
        self._outbox.update_patient(replace(patient, paused=True), now)
        what = public_id("pat", patient.id) or ""
        before, after = {"paused": patient.paused}, {"paused": True}
        entry = Entry(now, PATIENT, Action.OBJECTED, what, patient.id, None, before, after)
        self._outbox.record([entry])
        return self._plan_one_again(patient.id, now)
