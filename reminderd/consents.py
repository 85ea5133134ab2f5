"""What was said about being written to, and which word counts: the latest that was said. Pure.

A word counts from when the person said it, not from when it arrived. A STOP loses to no older
grant; a START opens only what the same number had closed.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from reminderd.model import Channel, Consent, How, Patient, Wish

PATIENT = "patient"  # who wrote to us, or pressed a button
BY_TEXT = "text message"
BY_BUTTON = "unsubscribe button"

OPT_OUTS = frozenset({How.REPLY, How.UNSUBSCRIBE})  # the patient told us
_BY_NUMBER = frozenset({How.REPLY, How.PROVIDER})


@dataclass(frozen=True, slots=True)
class Statement:
    """One row of the ledger: what was said of an address, when, how, by whom, in which words.

    `channel` is None where it is about all of them. `at` is when it was said, `recorded_at` when it
    was written down.
    """

    patient_id: int
    channel: Channel | None
    wish: Wish
    address: str | None
    at: datetime
    how: How
    by: str
    source: str
    words: str | None
    recorded_at: datetime


def statement(
    patient: Patient, channel: Channel, said: Consent, recorded_at: datetime
) -> Statement:
    """The row for this word of a stored patient about the address of that channel."""
    assert patient.id is not None
    address = patient.phone if channel is Channel.SMS else patient.email
    wish = Wish.GRANTED if said.granted else Wish.WITHDRAWN
    return Statement(
        patient.id, channel, wish, address, said.at, said.how, said.by, said.source, said.words,
        recorded_at,
    )  # fmt: skip


def with_word(patient: Patient, channel: Channel, said: Consent) -> Patient:
    """The patient as this word, which counts, leaves them; it is never older than what it ends."""
    before = patient.consent.get(channel)
    at = max(said.at, before.at) if before else said.at
    return replace(patient, consent={**patient.consent, channel: replace(said, at=at)})


def entered(patient: Patient, how: How, by: str) -> Patient:
    """The new patient as somebody has entered them: so, and by whom, the consents are known."""
    known = {channel: replace(said, how=how, by=by) for channel, said in patient.consent.items()}
    return replace(patient, consent=known)


def ends(said: Consent, present: Consent, now: datetime) -> bool:
    """Whether a withdrawal ends a grant: also one of the same second, or by a clock that was wrong.

    Providers tell whole seconds.
    """
    granted_at = min(present.at, now)
    return said.at.replace(microsecond=0) >= granted_at.replace(microsecond=0)


def respecting(patient: Patient, stops: Iterable[Statement], now: datetime) -> Patient:
    """The patient who has got a number of which somebody said `stops`: an older grant ends."""
    last, present = last_word(stops, Channel.SMS), patient.consent.get(Channel.SMS)
    if last is None or last.wish is Wish.GRANTED or present is None or not present.granted:
        return patient
    said = Consent(False, last.at, BY_TEXT, How.REPLY, PATIENT, last.words)
    return with_word(patient, Channel.SMS, said) if ends(said, present, now) else patient


def closed_by(number: str, history: Iterable[Statement]) -> bool:
    """Whether the present word on text messages is a withdrawal by that same number."""
    last = last_word(history, Channel.SMS)
    return (
        last is not None
        and last.wish is Wish.WITHDRAWN
        and last.how in _BY_NUMBER
        and last.address == number
    )


def last_word(history: Iterable[Statement], channel: Channel) -> Statement | None:
    """The word that counts for the channel; `history` is in the order in which it was recorded."""
    said = [
        each
        for each in history
        if each.channel is channel and each.wish in (Wish.GRANTED, Wish.WITHDRAWN)
    ]
    return max(reversed(said), key=lambda each: each.at, default=None)


def objection(patient: Patient, number: str, words: str, at: datetime, now: datetime) -> Statement:
    """The patient, or somebody with that number, asked not to be written to, in words."""
    return Statement(
        patient.id or 0, None, Wish.OBJECTED, number, at, How.REPLY, PATIENT, BY_TEXT, words, now
    )


def settled(patient: Patient, by: str, now: datetime) -> Statement:
    """Staff have read what the patient asked, and it goes on."""
    return Statement(
        patient.id or 0, None, Wish.SETTLED, None, now, How.STAFF, by, "resumed", None, now
    )


def is_undecided(patient: Patient, history: Iterable[Statement]) -> bool:
    """Whether the patient asked not to be written to, and staff have not decided yet."""
    wishes = [each.wish for each in history if each.wish in (Wish.OBJECTED, Wish.SETTLED)]
    may_be_written_to = any(patient.consents(channel) for channel in Channel)
    return patient.paused and may_be_written_to and wishes[-1:] == [Wish.OBJECTED]
