"""The seam of the house to its store, and by name those to what carries a message away."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from reminderd.alert_book import AlertBook
from reminderd.answerbook import AnswerBook
from reminderd.audit import Broken, Entry, Head, Recorded
from reminderd.callback_book import CallbackBook
from reminderd.carriers import Mailbox as Mailbox
from reminderd.carriers import Pollable as Pollable
from reminderd.carriers import Receiver as Receiver
from reminderd.carriers import Repeatable as Repeatable
from reminderd.carriers import Transport as Transport
from reminderd.carriers import Witness as Witness
from reminderd.incident_book import IncidentBook
from reminderd.ledger import Ledger
from reminderd.letterbox import Letterbox
from reminderd.model import (
    Attempt,
    CareProtocol,
    Channel,
    Patient,
    Reason,
    Reminder,
    Session,
    SessionChange,
    State,
    ZoneChange,
)
from reminderd.objections import Address, Objections
from reminderd.outbox_values import Approval as Approval
from reminderd.outbox_values import Callback as Callback
from reminderd.outbox_values import Claimed as Claimed
from reminderd.outbox_values import Decision as Decision
from reminderd.outbox_values import Doubt as Doubt
from reminderd.outbox_values import Expired as Expired
from reminderd.outbox_values import Figure as Figure
from reminderd.outbox_values import Heard as Heard
from reminderd.outbox_values import Incident as Incident
from reminderd.outbox_values import LastSession as LastSession
from reminderd.outbox_values import NewMessage as NewMessage
from reminderd.outbox_values import News as News
from reminderd.outbox_values import PatientFacts as PatientFacts
from reminderd.outbox_values import Pinned as Pinned
from reminderd.outbox_values import Prunable as Prunable
from reminderd.outbox_values import ReminderFilter as ReminderFilter
from reminderd.outbox_values import Removed as Removed
from reminderd.outbox_values import Rendered as Rendered
from reminderd.outbox_values import Reply as Reply
from reminderd.outbox_values import ReportFilter as ReportFilter
from reminderd.outbox_values import Settlement as Settlement
from reminderd.outbox_values import Signed as Signed
from reminderd.outbox_values import StoredMessage as StoredMessage
from reminderd.outbox_values import StoredReply as StoredReply
from reminderd.outbox_values import Vitals as Vitals
from reminderd.units_of_work import UnitsOfWork


class Outbox(
    UnitsOfWork, Ledger, Letterbox, IncidentBook, AnswerBook, AlertBook, CallbackBook, Protocol
):
    """The store of one clinic group: patients, sessions, the outbox rows, attempts.

    Everything that writes runs inside a unit of work; `units_of_work.py` says inside which.
    Methods that take several things cost one round trip, not one each.
    """

    # What comes in -------------------------------------------------------------------------

    def free_ids(self) -> tuple[int, int]:
        """The first free ids of patients and sessions, for a preview; nothing is reserved."""
        ...

    def reserve_ids(self, patients: int, sessions: int) -> tuple[int, int]:
        """The first of so many free ids for patients and for sessions; nobody else gets them."""
        ...

    def add_patients(self, patients: Sequence[Patient], now: datetime) -> None:
        """Store new patients under their reserved ids."""
        ...

    def update_patient(self, patient: Patient, now: datetime) -> None: ...

    def add_sessions(self, sessions: Sequence[Session]) -> None:
        """Store new sessions under their reserved ids, which are in recording order."""
        ...

    def update_session(self, session: Session) -> None: ...

    def add_session_change(self, change: SessionChange) -> None:
        """Keep for good how a session was, and who changed it."""
        ...

    def add_zone_change(self, patient_id: int, change: ZoneChange) -> None:
        """Keep by which zone the patient lived until then."""
        ...

    def pin_protocol(self, protocol: CareProtocol, document: str) -> int:
        """Keep this exact text of a protocol for good and return its id; the same text, one id."""
        ...

    def save_reminders(self, reminders: Iterable[Reminder]) -> None:
        """Insert the reminders without an id and overwrite those that have one."""
        ...

    def add_corrections(self, reminder_ids: Sequence[int], by: str, now: datetime) -> None:
        """Staff have told the patient what holds instead of what these reminders said."""
        ...

    def add_approval(self, approval: Approval, version: int, texts: str) -> None:
        """Keep a signature with what it is for: a pinned protocol and what its templates say."""
        ...

    # What is known -------------------------------------------------------------------------

    def find_patient(self, name: str) -> Patient | None:
        """The patient with that public id or ref."""
        ...

    def patients_by_ref(self, refs: Iterable[str]) -> dict[str, Patient]: ...

    def patients(self) -> list[Patient]: ...

    def session(self, session_id: int) -> Session | None: ...

    def sessions(self, patient_id: int | None = None) -> list[Session]: ...

    def reminder(self, reminder_id: int) -> Reminder | None: ...

    def reminders(self, wanted: ReminderFilter) -> list[Reminder]:
        """Sorted by due (nulls last), nominal, milestone, occurrence, session."""
        ...

    def count_reminders(self, wanted: ReminderFilter) -> int: ...

    def tally(self) -> Mapping[tuple[State, Reason | None], int]:
        """How many reminders there are of each state and reason."""
        ...

    def figures(self, wanted: ReportFilter) -> list[Figure]:
        """Reminders counted by protocol, milestone, channel, state and reason.

        Those without a due instant are in the range of their nominal one.
        """
        ...

    def segments(self, wanted: ReportFilter) -> Mapping[tuple[str, str], float]:
        """Segments of the text messages that were accepted, by protocol and milestone.

        Reminders that left in one message share its segments evenly.
        """
        ...

    def last_sessions(self, protocol: str | None) -> list[LastSession]:
        """The latest session that stands, by patient and by protocol that has a course."""
        ...

    def patients_at(self, protocol: str, at: datetime) -> list[Patient]:
        """Who has a session of that protocol, booked or done, at that instant; without consent."""
        ...

    def course_reminders(self, session_ids: Sequence[int]) -> list[Reminder]:
        """The reminders of these sessions to book the next one."""
        ...

    def protocol(self, version: int) -> CareProtocol:
        """The pinned protocol of that id."""
        ...

    def attempts(self, reminder_id: int) -> list[Attempt]: ...

    def left(self, reminder_id: int) -> list[Rendered]:
        """The messages that carried the reminder, in the words in which they left."""
        ...

    def facts(self, patient_ids: Sequence[int]) -> list[PatientFacts]:
        """Everything about these patients, in the order of the ids."""
        ...

    def bare_facts(self, patient_ids: Sequence[int]) -> list[PatientFacts]:
        """As `facts`, but without any reminder and without what has been changed."""
        ...

    def open_patient_ids(self, now: datetime) -> list[int]:
        """Patients of whom a reminder has an expiry ahead, so that a new plan may differ."""
        ...

    def pinned(self, key: str) -> list[Pinned]:
        """Every text of that protocol that was ever pinned, in the order in which they were."""
        ...

    def patients_under(self, versions: Sequence[int]) -> list[int]:
        """Patients who have a session that stands under one of these pinned texts."""
        ...

    def approvals(self) -> list[Approval]:
        """Every signature, in the order in which they were given."""
        ...

    def signed(self, digest: str) -> Signed:
        """What the latest signature of that digest was for."""
        ...

    def forget_after(self, start: datetime) -> None:
        """As if nothing had been planned or sent after `start`; for copies only.

        What staff called off stays off.
        """
        ...

    def note(self, key: str) -> str | None:
        """A fact that reminderd remembers about itself, such as the tzdata version planned by."""
        ...

    def set_note(self, key: str, value: str) -> None: ...

    # What was done -------------------------------------------------------------------------

    def record(self, entries: Sequence[Entry]) -> None:
        """Add to the audit trail, for good, in the transaction of what is recorded."""
        ...

    def trail(self, patient_id: int | None = None, since: datetime | None = None) -> list[Recorded]:
        """What was done, in order: all of it, or what is about one patient or not older."""
        ...

    def trail_head(self) -> Head:
        """The newest entry, as it is kept apart from the trail."""
        ...

    def trail_fault(self) -> Broken | None:
        """The first place at which the trail does not hold, also where an entry is not listed."""
        ...

    # What people may ask for -----------------------------------------------------------------

    def correspondence(self, patient_id: int) -> list[StoredMessage]:
        """Every message to the patient, as it is kept, in order."""
        ...

    def erase(self, patient: Patient, now: datetime) -> Removed:
        """Remove whatever is personal; what waits is cancelled, and withdrawn consent is kept.

        Raises TryAgainLater while a message is on its way.
        """
        ...

    def scrub(self) -> bool:
        """Outside a transaction: let no byte of what was removed stay in the files.

        False where another process was in the way.
        """
        ...

    def prunable(self, days: int, now: datetime) -> Prunable:
        """What is older than so many times 24 hours; raises Refused for fewer than 30 days."""
        ...

    def prune(self, found: Prunable, days: int, by: str, now: datetime) -> bool:
        """Clear the words of what was found, for good, while others go on sending.

        False where another process was in the way: old bytes may still be in the files.
        """
        ...

    def objections(self, wanted: Collection[Address]) -> Objections:
        """Those of the addresses for which an erased patient had withdrawn consent, since when."""
        ...

    def lift_objections(self, lifted: Collection[Address]) -> None:
        """From now on these addresses may agree again."""
        ...

    # What goes out -------------------------------------------------------------------------

    def next_due(self, without: Sequence[tuple[str, Channel]]) -> datetime | None:
        """When the next scheduled reminder wants a look; `without` as for `due_patients`."""
        ...

    def expire(self, now: datetime) -> Expired:
        """Everything waiting whose expiry has come becomes `expired`, with its reason."""
        ...

    def due_patients(
        self, now: datetime, limit: int, without: Sequence[tuple[str, Channel]]
    ) -> list[int]:
        """Patients of the `limit` earliest due reminders, the earliest first.

        Where more are due the clinics take turns, so that none waits for another's thousands.
        `without` lists (clinic, channel) pairs on which nothing can leave now.
        """
        ...

    def due_facts(self, patient_ids: Sequence[int], now: datetime) -> list[PatientFacts]:
        """As `facts`, but the reminders are only those that are scheduled and due."""
        ...

    def left_since(
        self, patient_ids: Sequence[int], since: datetime
    ) -> Mapping[int, Sequence[datetime]]:
        """When messages of these patients left, or may have, from `since` on."""
        ...

    def due_messages(
        self, now: datetime, planned_until: datetime, due_after: datetime | None, most: int | None
    ) -> int:
        """How many messages would leave or expire at `now`; `most` is enough where it is given.

        Only what was first planned until then, and fell due, or expired, after then.
        """
        ...

    def busiest_hour(self, since: datetime) -> int:
        """The most messages that were accepted in one hour of the clock since then."""
        ...

    def newest_instants(self) -> list[datetime]:
        """When the latest patient, session, change, signature, message and attempt came."""
        ...

    def claim(self, messages: Sequence[NewMessage], now: datetime) -> list[Claimed]:
        """Reminders to `sending`, with their message and an attempt that is only claimed."""
        ...

    def mark(self, rendered: Sequence[Rendered], now: datetime) -> None:
        """These attempts are about to be handed over: from here on a crash means doubt."""
        ...

    def open_attempts(self, attempt_ids: Collection[int]) -> frozenset[int]:
        """Those that are claimed, marked or in doubt; the others somebody else has settled.

        It stays so where the patients are locked (`lock_patients`) before.
        """
        ...

    def settle(self, settlements: Sequence[Settlement], now: datetime) -> None:
        """Write outcomes and what they mean for the reminders."""
        ...

    def take_back(self, patient_id: int, now: datetime) -> None:
        """What was only claimed for the patient is scheduled again: nothing of it has left.

        Whoever claimed it does not send it any more.
        """
        ...

    def recover(self, now: datetime) -> tuple[list[int], int]:
        """After a crash: what was only claimed is scheduled again, what was marked is in doubt.

        Returns the patients of the former, one for each message, and how many are in doubt.
        """
        ...

    # What is in doubt ----------------------------------------------------------------------

    def next_look_at(self, transports: Collection[str]) -> datetime | None:
        """When evidence is looked for next, for a message by one of these transports."""
        ...

    def doubts(
        self, now: datetime, transports: Collection[str], attempt_id: int | None = None
    ) -> list[Doubt]:
        """The messages by these transports that are in doubt and whose next look has come.

        Or that of one attempt alone, if it is one of these.
        """
        ...

    def doubts_of(self, reminder_id: int) -> list[Doubt]:
        """The messages with this reminder of which it is not known whether they were accepted."""
        ...

    def give_up(self, transports: Collection[str], now: datetime) -> int:
        """What is in doubt by any other transport is `unknown`; returns how many messages."""
        ...

    def accepted_ids(self, provider_ids: Collection[str]) -> frozenset[str]:
        """Those of the provider's ids that an attempt already has."""
        ...

    # How it goes ---------------------------------------------------------------------------

    def newest_attempt(self) -> int:
        """The id of the latest attempt; 0 before the first."""
        ...

    def vitals(self, after_attempt: int) -> Vitals:
        """How sending goes; outcomes are those of the attempts after that one."""
        ...

    def close(self) -> None:
        """Close this thread's connection."""
        ...
