"""All that was ever said of a patient's consent, as lines for people."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from reminderd.cli.output import instant, printable
from reminderd.consents import Statement, closed_by
from reminderd.ids import public_id
from reminderd.model import Channel, How, Wish

if TYPE_CHECKING:
    from reminderd.bootstrap import House
    from reminderd.model import Patient

_HOW = {
    How.EARLIER: "before this record",
    How.ENROLMENT: "at enrolment",
    How.IMPORT: "by a list",
    How.STAFF: "by staff",
    How.REPLY: "by the patient",
    How.PROVIDER: "by the provider",
    How.UNSUBSCRIBE: "by the patient",
    How.ERASURE: "by an erasure",
}


def blocked_number(house: "House", patient: "Patient") -> str | None:
    """The patient's number where it has said STOP: the provider delivers nothing to it."""
    history = house.outbox.statements(patient.id or 0)
    return patient.phone if patient.phone and closed_by(patient.phone, history) else None


def others_with_number(house: "House", patient: "Patient") -> list["Patient"]:
    """Everybody else with the patient's number: a STOP from it stops them too."""
    if patient.phone is None:
        return []
    found = house.outbox.patients_with(Channel.SMS, patient.phone)
    return [each for each in found if each.id != patient.id]


def shared(others: Iterable["Patient"]) -> str:
    """`with pat-2 Bruno, pat-7 Ada: …`, for the line that says whose number it is too."""
    names = ", ".join(f"{public_id('pat', each.id)} {each.given_name}" for each in others)
    return f"the phone, with {names}: STOP and START from it count for all of them"


def lines(history: Iterable[Statement], zone: str) -> Iterator[str]:
    """`2026-03-28T10:00:00+01:00  sms withdrawn of +34600000001 by the patient: “STOP”`."""
    for said in history:
        yield f"{instant(said.at, zone)}  {_what(said)} {_HOW[said.how]}{_known_by(said)}"


def _what(said: Statement) -> str:
    whose = f" of {said.address}" if said.address else ""
    match said.wish:
        case Wish.OBJECTED:
            return f"asked to stop{whose}"
        case Wish.SETTLED:
            return "goes on"
    return f"{said.channel} {said.wish}{whose}"


def _known_by(said: Statement) -> str:
    details = ", ".join(filter(None, [said.by if said.how is How.STAFF else "", said.source]))
    words = f": “{printable(said.words)}”" if said.words else ""
    return (f" ({details})" if details else "") + words
