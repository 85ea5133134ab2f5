"""Who has withdrawn consent and was then erased is not written to again unawares. Pure.

Of an erased person only keyed hashes of the addresses stay; the outbox tells which addresses they
match, and since when.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime

from reminderd.model import Channel, Consent, Patient

Address = tuple[Channel, str]
Objections = Mapping[Address, datetime]

SOURCE = "withdrawn before an erasure"


def addresses(patient: Patient) -> Iterator[Address]:
    """Every address of the patient with its channel, whether it works or not."""
    if patient.phone:
        yield Channel.SMS, patient.phone
    if patient.email:
        yield Channel.EMAIL, patient.email


def objected(patient: Patient, objections: Objections) -> list[Channel]:
    """The channels with consent of which the address belongs to somebody who had withdrawn it."""
    return [
        channel
        for channel, address in addresses(patient)
        if patient.consents(channel) and (channel, address) in objections
    ]


def respected(patient: Patient, objections: Objections) -> Patient:
    """The patient with consent withdrawn on those channels, since when it was."""
    withdrawn = {
        channel: Consent(False, objections[channel, address], SOURCE)
        for channel, address in addresses(patient)
        if channel in objected(patient, objections)
    }
    return replace(patient, consent={**patient.consent, **withdrawn}) if withdrawn else patient
