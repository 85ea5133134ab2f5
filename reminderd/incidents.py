"""Red flags: one incident at a time for a number, until a person has acted on it and closed it.

Every method is one transaction: the incident, what is withheld for it, and the trail. Nothing here
judges how a patient is; what a reply means is said by `replies/`.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from reminderd.audit import DAEMON, Action, Entry
from reminderd.charts import Change, Charts, not_found
from reminderd.errors import Refused
from reminderd.ids import internal_id, public_id
from reminderd.interfaces import Outbox, ReminderFilter, StoredReply
from reminderd.model import Patient, Reason, Reminder, Severity, State
from reminderd.outbox_values import Incident
from reminderd.plan import WAITING, sort_key
from reminderd.replies.reading import Reading
from reminderd.replies.words import Meaning
from reminderd.rules import REASSURING
from reminderd.words import Aftermath

TICK = timedelta(milliseconds=1)
_SEVERITIES = {Meaning.EMERGENCY: Severity.EMERGENCY, Meaning.URGENT: Severity.URGENT}


@dataclass(frozen=True)
class Closed:
    """An incident that somebody has closed, and what that led to for each of its patients."""

    incident: Incident
    changes: tuple[Change, ...]


class Incidents(Charts):
    """Opens them where a reply holds a red flag, and takes what staff say about them."""

    def open(
        self, reply: StoredReply, reading: Reading, patients: Sequence[Patient], now: datetime
    ) -> str | None:
        """For a red flag: a new incident, or one more red flag in that which is open.

        What would reassure is withheld from everybody with that number. Returns the incident that
        is open now for the number, or for anybody who has it, whatever the reply means; None where
        there is none.
        """
        severity = next((each for word, each in _SEVERITIES.items() if reading.means(word)), None)
        with self._outbox.transaction():
            if severity is None:
                known = _open_of(self._outbox, reply.reply.sender, patients)
                return incident_name(known) if known else None
            raised = raise_flag(self._outbox, reply, severity, patients, now)
            self._plan_all(raised, now)
            return incident_name(raised)

    def acknowledge(self, name: str, by: str, now: datetime) -> Incident:
        """A person takes it on; whoever did so since the latest red flag stays.

        Raises Refused where it is closed.
        """
        with self._outbox.transaction():
            incident = self._still_open(name)
            if incident.acknowledged_at and incident.acknowledged_at >= incident.raised_at:
                return incident
            taken_on = replace(incident, acknowledged_at=now, acknowledged_by=by)
            self._outbox.keep_incident(taken_on)
            self._record(Action.INCIDENT_ACKNOWLEDGED, taken_on, by, now)
            return taken_on

    def close(self, name: str, why: str, texts: Aftermath, by: str, now: datetime) -> Closed:
        """A person has acted on it: its replies are done with, and so is the withholding.

        What was withheld goes out as far as it is still valid, or is called off. Raises Refused
        where it is closed already.
        """
        with self._outbox.transaction():
            incident = self._still_open(name)
            if incident.acknowledged_at is None:
                incident = self.acknowledge(name, by, now)
            if texts is Aftermath.STOP:
                self._call_off(incident)
            closed = replace(incident, closed_at=now, closed_by=by, why=why)
            self._outbox.keep_incident(closed)
            self._record(Action.INCIDENT_CLOSED, closed, by, now, texts=texts.value)
            self._done_with(closed, by, now)
            return Closed(closed, self._plan_all(closed, now))

    def incident(self, name: str) -> Incident:
        """The incident of that id; NotFound where there is none."""
        number = internal_id("inc", name)
        found = None if number is None else self._outbox.incident(number)
        if found is None:
            raise not_found("incident", name)
        return found

    def awaiting(self, reply_id: int) -> str | None:
        """The open incident that a reply belongs to: to have read the reply does not end it."""
        known = self._outbox.incidents(open_only=True)
        return next((incident_name(each) for each in known if reply_id in each.replies), None)

    def withheld(self, incident: Incident) -> list[Reminder]:
        """What waits for its end, in the order of the plan."""
        return self._reassuring(incident, WAITING) if incident.is_open else []

    def too_late(self, incident: Incident) -> list[Reminder]:
        """What was withheld until its time was over: only a person can tell that by now."""
        expired = self._reassuring(incident, frozenset({State.EXPIRED}))
        lost = (each for each in expired if each.expires_at >= incident.opened_at)
        return [each for each in lost if each.reason is Reason.PAUSED]

    def _reassuring(self, incident: Incident, states: frozenset[State]) -> list[Reminder]:
        of_all = (
            reminder
            for session in incident.sessions
            for reminder in self._outbox.reminders(
                ReminderFilter(session_id=session, states=states)
            )
        )
        return sorted((each for each in of_all if each.kind in REASSURING), key=sort_key)

    def _plan_all(self, incident: Incident, now: datetime) -> tuple[Change, ...]:
        """But for whom no clinic is configured any more: staff have to know of them all the same,
        and nothing leaves to them.
        """
        found = (self._outbox.find_patient(public_id("pat", e) or "") for e in incident.patients)
        ours = [each for each in found if each and each.clinic in self._practice.clinics]
        return tuple(self._plan_one_again(each.id or 0, now) for each in ours)

    # What staff say --------------------------------------------------------------------------

    def _still_open(self, name: str) -> Incident:
        incident = self.incident(name)
        if not incident.is_open:
            raise Refused(
                f"{incident_name(incident)} is closed: {incident.closed_by} has seen to it",
                remedy=f"See how: reminderd incident show {incident_name(incident)}",
            )
        return incident

    def _call_off(self, incident: Incident) -> None:
        self._outbox.save_reminders(
            each._replace(state=State.CANCELLED, reason=Reason.BY_STAFF, wake_at=None)
            for each in self.withheld(incident)
        )

    def _done_with(self, incident: Incident, by: str, now: datetime) -> None:
        """Nobody has to read its replies any more."""
        for number in incident.replies:
            reply = self._outbox.reply(number)
            if reply is not None and reply.decision is not None and reply.decision.for_staff:
                self._outbox.reply_done(number, by, now)

    def _record(
        self, action: Action, incident: Incident, by: str, now: datetime, **facts: str
    ) -> None:
        self._outbox.record(_entries(action, incident, by, now, **facts))


def raise_flag(
    outbox: Outbox,
    reply: StoredReply,
    severity: Severity,
    patients: Sequence[Patient],
    now: datetime,
) -> Incident:
    """A new incident for the number, or one more red flag in that which is open; in a transaction.

    Nothing that reassures leaves from then on, also before anything is planned again.
    """
    number = reply.reply.sender
    known = _open_of(outbox, number)
    fresh = known or Incident(outbox.next_incident_id(), severity, number, (), (), now, now)
    raised_at = _raised_at(outbox, known, patients, now)
    raised = _with(_raised(fresh, severity, raised_at), reply, patients)
    outbox.keep_incident(raised)
    action = Action.INCIDENT_RAISED if known else Action.INCIDENT_OPENED
    outbox.record(_entries(action, raised, DAEMON, now))
    return raised


def _raised_at(
    outbox: Outbox, known: Incident | None, patients: Sequence[Patient], now: datetime
) -> datetime:
    """Now, but by a clock that is behind: after what staff were told, and what took place."""
    told = (known.raised_at, known.acknowledged_at) if known else ()
    after = [each + TICK for each in told if each is not None]
    treated_at = outbox.treated_until([each.id for each in patients if each.id is not None])
    return max(now, *after, treated_at or now)


def incident_name(incident: Incident) -> str:
    """`inc-1`."""
    return public_id("inc", incident.id) or ""


def _open_of(outbox: Outbox, number: str, patients: Sequence[Patient] = ()) -> Incident | None:
    whom = {each.id for each in patients}
    known = outbox.open_incidents()
    return next((e for e in known if e.number == number or whom.intersection(e.patients)), None)


def _entries(
    action: Action, incident: Incident, by: str, now: datetime, **facts: str
) -> list[Entry]:
    """One for each of its patients, or about nobody; not how serious it is."""
    whom, name = incident.patients or (None,), incident_name(incident)
    return [Entry(now, by, action, name, each, after=facts) for each in whom]


def _raised(incident: Incident, severity: Severity, now: datetime) -> Incident:
    """Staff are told anew; where it is worse than before, somebody has to take it on anew."""
    order = list(Severity)
    if order.index(severity) >= order.index(incident.severity):
        return replace(incident, raised_at=now)
    return replace(
        incident, severity=severity, raised_at=now, acknowledged_at=None, acknowledged_by=None
    )


def _with(incident: Incident, reply: StoredReply, patients: Sequence[Patient]) -> Incident:
    """With one more red flag, and with who has the number by now."""
    whom = [each.id for each in patients if each.id is not None]
    replies = _joined(incident.replies, [reply.id])
    return replace(incident, patients=_joined(incident.patients, whom), replies=replies)


def _joined(known: tuple[int, ...], more: Iterable[int]) -> tuple[int, ...]:
    return tuple(sorted({*known, *more}))
