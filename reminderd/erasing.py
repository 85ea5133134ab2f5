"""What staff do when a person asks for their data to be erased."""

from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

from reminderd.audit import Action, Entry
from reminderd.errors import NotFound, shown
from reminderd.ids import public_id
from reminderd.interfaces import Outbox
from reminderd.model import Channel, Patient


class Erased(NamedTuple):
    """What an erasure came to.

    `cancelled` reminders will not leave, `objections` are the channels on which an earlier
    withdrawal still holds. `is_clean` is False where another process kept the file from being
    written anew, so that old bytes may still be in it.
    """

    patient: str
    cancelled: int
    objections: tuple[Channel, ...]
    is_clean: bool


def erase(outbox: Outbox, name: str, by: str, why: str | None, now: datetime) -> Erased:
    """Remove whatever is personal of a patient, for good; figures stay.

    A patient who was erased before is only cleaned out of the file again. Raises NotFound, and
    TryAgainLater while a message is on its way.
    """
    found = outbox.find_patient(name.strip())
    if found is None:
        raise NotFound(
            f"there is no patient {shown(name)}", remedy="See them all with: reminderd patient list"
        )
    patient = public_id("pat", found.id) or ""
    if found.erased_at is not None:
        return Erased(patient, 0, (), outbox.scrub())
    with outbox.transaction():
        _close_incidents(outbox, found, by, now)
        removed = outbox.erase(found, now)
        facts = {
            "reminders_cancelled": removed.cancelled,
            "objections_kept": list(removed.objections),
            **({"why": why} if why else {}),
        }
        outbox.record([Entry(now, by, Action.ERASED, patient, found.id, after=facts)])
    return Erased(patient, removed.cancelled, removed.objections, outbox.scrub())


def _close_incidents(outbox: Outbox, patient: Patient, by: str, now: datetime) -> None:
    """Nobody can act any more on red flags of this person alone."""
    for each in outbox.incidents(open_only=True):
        unknown = not each.patients and each.number == patient.phone
        if each.patients == (patient.id,) or unknown:
            outbox.keep_incident(replace(each, closed_at=now, closed_by=by))
            name = public_id("inc", each.id) or ""
            outbox.record([Entry(now, by, Action.INCIDENT_CLOSED, name, patient.id)])
