"""Everything that is kept of one person, and how it is removed so that no byte of it stays."""

import hmac
import json
import secrets
from collections.abc import Collection
from datetime import datetime

from reminderd.consents import statement
from reminderd.engines.tables.claims import take_back
from reminderd.engines.tables.rows import from_ms, to_ms
from reminderd.engines.tables.store import THESE, WORDS
from reminderd.engines.tables.trail import Trail
from reminderd.engines.tables.wordless import NO_ANSWERS
from reminderd.errors import TryAgainLater
from reminderd.interfaces import Removed, StoredMessage
from reminderd.model import Channel, Consent, How, Patient
from reminderd.objections import Address, Objections, addresses
from reminderd.sealing import OBJECTIONS_KEY, closed, opened, places

_STORED = "id, channel, transport, created_at, recipient, language, subject, text, html, segments"
_SEALED_IN_STORED = places("messages", _STORED)
_SEALED_IN_NOTE = places("notes", "key, value")
_OWN_MESSAGES = "(SELECT id FROM messages WHERE patient = ?)"
_OWN_SESSIONS = "(SELECT id FROM sessions WHERE patient = ?)"
# By way of the patient's sessions: there is no index from a message to its reminders.
_CARRIED = (
    "sessions CROSS JOIN reminders ON reminders.session = sessions.id "
    "CROSS JOIN message_reminders ON reminder = reminders.id AND message = messages.id "
    "WHERE sessions.patient = messages.patient"
)
_WORDLESS = (
    f"UPDATE replies SET sender = '', text = '', why = '{{}}', for_staff = 0 WHERE id IN {THESE}"
)
# What others on the same number may have written stays with them.
_ONLY_OWN = (
    "SELECT reply FROM reply_patients WHERE patient = ? AND reply NOT IN "
    "(SELECT reply FROM reply_patients WHERE patient <> ?)"
)
_NOBODYS = "SELECT id, sender FROM replies WHERE id NOT IN (SELECT reply FROM reply_patients)"
_SEALED_IN_NOBODYS = places("replies", "id, sender")
_ONLY_OWN_INCIDENTS = (
    "SELECT incident FROM incident_patients WHERE patient = ? AND incident NOT IN "
    "(SELECT incident FROM incident_patients WHERE patient <> ?)"
)
_NOBODYS_INCIDENTS = (
    "SELECT id, number FROM incidents WHERE id NOT IN (SELECT incident FROM incident_patients)"
)
_SEALED_IN_NOBODYS_INCIDENTS = places("incidents", "id, number")
_NUMBERLESS = f"UPDATE incidents SET number = '', why = NULL WHERE id IN {THESE}"
_REMOVALS = (
    "UPDATE check_replies SET answer = NULL WHERE reminder IN "
    f"(SELECT id FROM reminders WHERE session IN {_OWN_SESSIONS})",
    "UPDATE patients SET ref = NULL, given_name = '', family_name = '', phone = NULL, "
    "email = NULL, phone_key = NULL, email_key = NULL, timezone = NULL, language = NULL, "
    "channels = '', bad_addresses = '', screening = '' WHERE id = ?",
    "DELETE FROM consents WHERE patient = ?",
    "UPDATE consent_ledger SET address = NULL, source = '', words = NULL WHERE patient = ?",
    "DELETE FROM zone_changes WHERE patient = ?",
    "UPDATE sessions SET area = NULL, adjustments = '{}' WHERE patient = ?",
    f"UPDATE session_changes SET adjustments = '{{}}', why = NULL WHERE session IN {_OWN_SESSIONS}",
    "UPDATE messages SET recipient = NULL, subject = NULL, text = NULL, html = NULL, "
    "envelope = NULL WHERE patient = ?",
    f"UPDATE attempts SET error = NULL, look_at = NULL WHERE message IN {_OWN_MESSAGES}",
    # After the check for what is on its way, what is `sending` is in doubt, and stays so.
    "UPDATE reminders SET state = 'unknown' "
    f"WHERE state = 'sending' AND session IN {_OWN_SESSIONS}",
    f"UPDATE reminders SET needs_staff = 0 WHERE needs_staff = 1 AND session IN {_OWN_SESSIONS}",
)


class Erasing(Trail):
    """The part of the outbox that knows what is kept of a person, and removes it."""

    def correspondence(self, patient_id: int) -> list[StoredMessage]:
        rows = self.query(
            f"SELECT {_STORED}, (SELECT json_group_array(reminder) FROM {_CARRIED}) "
            "FROM messages WHERE patient = ? ORDER BY id",
            (patient_id,),
        )
        return [
            StoredMessage(
                row[0], Channel(row[1]), row[2], from_ms(row[3]), row[4], row[5], row[6],
                row[7], row[8], row[9], tuple(sorted(json.loads(row[10]))),
            )
            for row in (opened(each, _SEALED_IN_STORED, each[0], self.seal) for each in rows)
        ]  # fmt: skip

    # Objections that outlive the person's data ------------------------------------------------

    def objections(self, wanted: Collection[Address]) -> Objections:
        key = self._objections_key()
        if key is None or not wanted:
            return {}
        hashes = {_hash(key, each): each for each in wanted}
        rows = self.query(
            f"SELECT address, at FROM objections WHERE address IN {WORDS}",
            (json.dumps(list(hashes)),),
        )
        return {hashes[address]: from_ms(at) for address, at in rows}

    def lift_objections(self, lifted: Collection[Address]) -> None:
        key = self._objections_key()
        if key is not None:
            self.execute_many(
                "DELETE FROM objections WHERE address = ?", [(_hash(key, each),) for each in lifted]
            )

    def _keep_objections(self, patient: Patient) -> list[Channel]:
        said = {
            (channel, address): patient.consent[channel].at
            for channel, address in addresses(patient)
            if channel in patient.consent and not patient.consents(channel)
        }
        key = self._objections_key() or (self._new_objections_key() if said else "")
        self.execute_many(
            "INSERT INTO objections (address, channel, at) VALUES (?, ?, ?) "
            "ON CONFLICT (address) DO UPDATE SET channel = excluded.channel, at = excluded.at",
            [(_hash(key, each), each[0].value, to_ms(at)) for each, at in said.items()],
        )
        return [channel for channel, _ in said]

    def _objections_key(self) -> str | None:
        note = OBJECTIONS_KEY, self.note(OBJECTIONS_KEY)
        key: str | None = opened(note, _SEALED_IN_NOTE, OBJECTIONS_KEY, self.seal)[1]
        return key

    def _new_objections_key(self) -> str:
        key = secrets.token_hex(32)
        note = closed((OBJECTIONS_KEY, key), _SEALED_IN_NOTE, OBJECTIONS_KEY, self.seal)
        self.set_note(*note)
        return key

    def secret(self) -> bytes | None:
        key = self._objections_key()
        return None if key is None else bytes.fromhex(key)

    def make_secret(self) -> bytes:
        with self.transaction():
            return self.secret() or bytes.fromhex(self._new_objections_key())

    # Removing -----------------------------------------------------------------------------------

    def erase(self, patient: Patient, now: datetime) -> Removed:
        assert patient.id is not None
        take_back(self, now, patient.id)
        self._refuse_on_its_way(patient.id)
        objections = self._keep_objections(patient)
        self._end_consents(patient, now)
        cancelled = self.query(
            "UPDATE reminders SET state = 'cancelled', reason = 'erased', wake_at = NULL "
            f"WHERE session IN {_OWN_SESSIONS} AND state IN ('scheduled', 'held') RETURNING id",
            (patient.id,),
        )
        self._remove_replies(patient)
        self._remove_incidents(patient)
        for removal in _REMOVALS:
            self.execute(removal, (patient.id,))
        self.execute(
            "UPDATE patients SET erased_at = ?, updated_at = ? WHERE id = ?",
            (to_ms(now), to_ms(now), patient.id),
        )
        return Removed(len(cancelled), tuple(objections))

    def _end_consents(self, patient: Patient, now: datetime) -> None:
        """That somebody had agreed is told without whom; from now on nobody has."""
        for channel, said in patient.consent.items():
            if said.granted:
                ended = Consent(False, max(now, said.at), "", How.ERASURE)
                self.add_statement(statement(patient, channel, ended, now))

    def _remove_replies(self, patient: Patient) -> None:
        """Those of this patient alone, and what came from that number before it was known."""
        own = [row[0] for row in self.query(_ONLY_OWN, (patient.id, patient.id))]
        for row in self.query(_NOBODYS):
            number, sender = opened(row, _SEALED_IN_NOBODYS, row[0], self.seal)
            if sender and sender == patient.phone:
                own.append(number)
        for removal in (_WORDLESS, NO_ANSWERS):
            self.execute(removal, (json.dumps(own),))
        self.execute("DELETE FROM reply_patients WHERE patient = ?", (patient.id,))

    def _remove_incidents(self, patient: Patient) -> None:
        """As of replies: that there was a red flag stays, without the number and what was found."""
        own = [row[0] for row in self.query(_ONLY_OWN_INCIDENTS, (patient.id, patient.id))]
        for row in self.query(_NOBODYS_INCIDENTS):
            incident, number = opened(row, _SEALED_IN_NOBODYS_INCIDENTS, row[0], self.seal)
            if number and number == patient.phone:
                own.append(incident)
        self.execute(_NUMBERLESS, (json.dumps(own),))
        self.execute("DELETE FROM incident_patients WHERE patient = ?", (patient.id,))

    def _refuse_on_its_way(self, patient_id: int) -> None:
        open_attempts = self.query(
            f"SELECT 1 FROM attempts WHERE message IN {_OWN_MESSAGES} "
            "AND outcome = 'marked' LIMIT 1",
            (patient_id,),
        )
        if open_attempts:
            raise TryAgainLater(
                "a message to this patient is on its way",
                remedy="Wait a moment and erase again. If no daemon runs, `reminderd run --once` "
                "settles what a crash left open.",
            )


def _hash(key: str, address: Address) -> str:
    """Says nothing to whoever has no key, and is the same for the same address."""
    channel, where = address
    text = f"{channel.value}:{where.casefold()}"
    return hmac.new(bytes.fromhex(key), text.encode(), "sha256").hexdigest()
