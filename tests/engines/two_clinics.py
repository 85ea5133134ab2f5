"""A clinic in a database that others share, with a row of everything that is kept of a patient."""

from dataclasses import dataclass, replace
from typing import Any

from reminderd.answerbook import Answer
from reminderd.audit import Entry
from reminderd.engines.distributed.outbox import DistributedOutbox
from reminderd.interfaces import Approval, Callback, Claimed, Decision, Incident, Reply, Settlement
from reminderd.model import (
    Outcome,
    Patient,
    Reason,
    Receipt,
    Reminder,
    Session,
    SessionChange,
    Severity,
    State,
    ZoneChange,
)
from reminderd.words import AnswerKind
from tests.core.desk import patient
from tests.engines.rows import EMAIL, HOUR, NOW, a_reminder, marked, saved, with_session

COUNTERS = "SELECT sequencename FROM pg_sequences WHERE schemaname = 'reminderd'"


@dataclass(frozen=True)
class House:
    """What there is of a clinic: whoever reads any of it has crossed over to it."""

    clinic: str
    who: Patient
    session: Session
    sent: Reminder
    due: Reminder
    taken: Claimed
    waiting: int
    reply: int
    incident: Incident
    answer: Answer
    callback: int
    alert: int

    @property
    def provider_id(self) -> str:
        return f"{self.clinic}-sid"

    @property
    def phone(self) -> str:
        assert self.who.phone is not None
        return self.who.phone

    @property
    def id(self) -> int:
        assert self.who.id is not None
        return self.who.id


def number_from(url: str, first: int) -> None:
    """Let the next row of every table have this number, so that it is told from all others."""
    outbox = DistributedOutbox(url)
    for (name,) in outbox.rows(COUNTERS):
        outbox.rows("SELECT setval(to_regclass('reminderd.' || %s), %s)", (name, first))
    outbox.close_all()


def added(outbox: DistributedOutbox, clinic: str, **facts: Any) -> Patient:
    """A new patient of that clinic."""
    with outbox.transaction():
        number, _ = outbox.reserve_ids(1, 0)
        who = replace(patient(**facts), id=number, clinic=clinic)
        outbox.add_patients([who], NOW)
    return who


def moved_in(outbox: DistributedOutbox, clinic: str, name: str, phone: str) -> House:
    """A clinic with a patient, and with everything that becomes of one."""
    who = added(outbox, clinic, name=name, phone=phone, email=f"{name}@example.org", ref="P1")
    session = with_session(outbox, who)
    sent, due, _ = saved(
        outbox,
        a_reminder(session),
        a_reminder(session, milestone="due", channel=EMAIL),
        a_reminder(session, milestone="asked", state=State.HELD, reason=Reason.PAUSED),
    )
    taken = marked(outbox, sent)
    in_doubt = Settlement(
        taken.attempt_id, Outcome.IN_DOUBT, (), provider_id=f"{clinic}-sid", look_at=NOW
    )
    with outbox.transaction():
        outbox.settle([in_doubt], NOW)
        outbox.keep_callback(Callback(None, f"{clinic}-sid", Receipt.SENT), NOW)
        _changed(outbox, session, sent)
    waiting, reply = (_wrote(outbox, f"{clinic}-{n}", phone, f"{name} says {n}") for n in (1, 2))
    incident = _handled(outbox, who, session, reply, sent)
    ids = {table: outbox.rows(f"SELECT max(id) FROM {table}")[0][0] for table in ("callbacks",)}
    with outbox.transaction():
        outbox.add_alert(f"about:{name}", [f"staff-of-{name}@example.org"], NOW)
        (alert,) = outbox.alerts(f"about:{name}")
    answer = outbox.answer_to(reply)
    assert answer is not None
    return House(
        clinic, who, session, sent, due, taken, waiting, reply, incident, answer,
        ids["callbacks"], alert.id,
    )  # fmt: skip


def _changed(outbox: DistributedOutbox, session: Session, sent: Reminder) -> None:
    assert session.protocol_version is not None
    protocol = outbox.protocol(session.protocol_version)
    outbox.add_session_change(SessionChange(session, protocol, NOW, "Alba"))
    outbox.add_zone_change(session.patient_id, ZoneChange("Europe/Madrid", NOW))
    outbox.add_corrections([sent.id or 0], "Alba", NOW)
    text = f"signed for {session.patient_id}"
    outbox.add_approval(
        Approval(protocol.key, 1, text, "Alba", NOW), session.protocol_version, text
    )
    outbox.record([Entry(NOW, "Alba", "done", "pat", session.patient_id)])


def _wrote(outbox: DistributedOutbox, sid: str, phone: str, words: str) -> int:
    with outbox.transaction():
        outbox.keep_reply("console", Reply(sid, phone, "+34999", words), NOW)
    return max(each.id for each in outbox.waiting_replies(None, 9))


def _handled(
    outbox: DistributedOutbox, who: Patient, session: Session, reply: int, sent: Reminder
) -> Incident:
    assert who.id is not None
    assert who.phone is not None
    with outbox.transaction():
        outbox.reply_handled(reply, Decision("pain"), [who.id], NOW)
        incident = Incident(
            outbox.next_incident_id(), Severity.URGENT, who.phone, (who.id,), (reply,), NOW, NOW
        )
        outbox.keep_incident(incident)
        outbox.link_reply(reply, sent.id or 0, "5")
        outbox.add_answer(
            Answer(
                reply, AnswerKind.SAFETY, who.phone, "console", "en", f"Call us, {who.given_name}",
                NOW, NOW + HOUR, NOW,
            )
        )  # fmt: skip
    return incident
