"""What the clinic's own people have to be told at once, while it is so."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from reminderd.holding import held
from reminderd.ids import public_id
from reminderd.interfaces import Incident
from reminderd.model import Clinic, Patient, Severity
from reminderd.resting import episode, resting
from reminderd.sealing import SealBroken
from reminderd.silences import silences
from reminderd.stopped_texts import stopped
from reminderd.vocabulary import AlertWords

if TYPE_CHECKING:
    from reminderd.bootstrap import House
    from reminderd.interfaces import StoredReply

LOOK = "reminderd status"
# A transport that is refused is tried now and then, and for a moment it does not rest.
TRIED_WITHIN = timedelta(minutes=30)
# What lies further ahead was noted by a clock that was wrong: how long it has waited nobody knows.
CLOCKS_DIFFER = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Alarm:
    """One thing to tell, in the name of one clinic. What has the same `key` is told once.

    `is_second`: nobody has acted on it, so that more people are told.
    """

    key: str
    clinic: Clinic
    words: AlertWords
    since: datetime
    is_second: bool = False


def alarms(house: "House", acknowledge_within: timedelta, now: datetime) -> list[Alarm]:
    """Everything that is so at `now`, most pressing first.

    What cannot be opened in the database is left out of what it belongs to; nothing else is.
    """
    return [
        *_incidents(house, acknowledge_within, now),
        *_holds(house),
        *_transports(house, now),
        *_silences(house, now),
        *_texts(house),
    ]


def first_clinic(house: "House") -> Clinic:
    """In whose name one speaks of what concerns all of them."""
    return next(iter(house.practice.clinics.values()))


def _incidents(house: "House", acknowledge_within: timedelta, now: datetime) -> Iterator[Alarm]:
    """Those that nobody has taken on; whoever did is told of the red flags that followed."""
    for each in house.outbox.open_incidents():
        taken_on = each.acknowledged_at
        if taken_on is not None and taken_on >= each.raised_at:
            continue
        waited = now - _so_since(house, each)
        is_late = waited >= acknowledge_within or waited < -CLOCKS_DIFFER
        is_second = taken_on is None and is_late
        minutes = int(acknowledge_within / timedelta(minutes=1)) if is_second else 0
        turn = "second" if is_second else "first"
        key = f"{about(each)}{each.raised_at.isoformat()}/{turn}"
        patients = {one: _patient(house, one) for one in each.patients}
        words = _incident_words(each, patients, minutes)
        yield Alarm(key, _clinic_of(house, patients.values()), words, each.raised_at, is_second)


def _so_since(house: "House", incident: Incident) -> datetime:
    """When it became as serious as it is: whoever goes on writing must not put off the others."""
    if incident.severity is Severity.URGENT:
        return incident.opened_at
    found = filter(None, (_reply(house, each) for each in incident.replies))
    grave = (each for each in found if each.decision and each.decision.word == incident.severity)
    return min(filter(None, (each.handled_at for each in grave)), default=incident.opened_at)


def _reply(house: "House", reply_id: int) -> "StoredReply | None":
    with suppress(SealBroken):
        return house.outbox.reply(reply_id)
    return None


def _patient(house: "House", patient_id: int) -> Patient | None:
    with suppress(SealBroken):
        return house.outbox.find_patient(public_id("pat", patient_id) or "")
    return None


def about(incident: Incident) -> str:
    """How the keys of everything that was told of it begin."""
    return f"incident/{incident.id}/"


def _incident_words(
    incident: Incident, patients: Mapping[int, Patient | None], minutes: int
) -> AlertWords:
    name = public_id("inc", incident.id) or ""
    return AlertWords(
        "unanswered" if minutes else "incident",
        name,
        severity=incident.severity.value,
        patients=", ".join(_named(*each) for each in patients.items()),
        number=incident.number,
        minutes=minutes,
        show=f"reminderd incident show {name}",
        do=f"reminderd incident ack {name}",
    )


def _named(patient_id: int, patient: Patient | None) -> str:
    """`pat-3 (A-17)`: never the person's name."""
    name = public_id("pat", patient_id) or ""
    return f"{name} ({patient.ref})" if patient and patient.ref else name


def _clinic_of(house: "House", patients: Iterable[Patient | None]) -> Clinic:
    known = (house.practice.clinics.get(each.clinic) for each in patients if each)
    return next(filter(None, known), first_clinic(house))


def _holds(house: "House") -> Iterator[Alarm]:
    for each in held(house.outbox):
        words = AlertWords("hold", each.cause, why=each.why, show=LOOK, do=each.do)
        key = f"hold/{each.cause}/{each.since.isoformat()}"
        yield Alarm(key, first_clinic(house), words, each.since)


def _transports(house: "House", now: datetime) -> Iterator[Alarm]:
    for each in resting(house.outbox, house.practice.routes.values(), now - TRIED_WITHIN):
        if each.needs_staff:
            since = episode(house.outbox, each.transport) or each.until
            do = f"reminderd transport test {each.transport}"
            words = AlertWords("transport", each.transport, why=each.why, show=LOOK, do=do)
            key = f"transport/{each.transport}/{since.isoformat()}"
            yield Alarm(key, first_clinic(house), words, min(since, now))


def _silences(house: "House", now: datetime) -> Iterator[Alarm]:
    for each in silences(house.outbox, house.practice.routes.values(), now):
        do = f"reminderd transport test {each.transport}"
        words = AlertWords("silence", each.transport, why=each.why, show=LOOK, do=do)
        key = f"silence/{each.transport}/{each.since.isoformat()}"
        yield Alarm(key, first_clinic(house), words, each.since)


def _texts(house: "House") -> Iterator[Alarm]:
    for each in stopped(house.outbox, house.practice.texts):
        do = f"reminderd preview {each.template}"
        words = AlertWords("text", each.template, why=each.why, show=LOOK, do=do)
        key = f"text/{each.template}/{each.channel}/{each.since.isoformat()}"
        yield Alarm(key, first_clinic(house), words, each.since)
