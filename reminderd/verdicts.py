"""What an attempt comes to, and what that means for its reminders and its patient. Pure."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

from reminderd.audit import DAEMON
from reminderd.consents import with_word
from reminderd.errors import CredentialsRefused, Temporary, TransportError
from reminderd.interfaces import Claimed, Settlement
from reminderd.model import (
    Channel,
    Chart,
    Consent,
    How,
    Message,
    Outcome,
    Patient,
    Reason,
    Reminder,
    State,
)
from reminderd.plan import put_off_until
from reminderd.render import Composed


@dataclass(frozen=True)
class Parcel:
    """A claimed message on its way to a transport."""

    chart: Chart
    channel: Channel
    transport: str
    claimed: Claimed


@dataclass(frozen=True)
class Letter:
    """A parcel in words; its reminders are those whose template rendered."""

    parcel: Parcel
    reminders: tuple[Reminder, ...]
    message: Message
    composed: Composed


Lesson = Callable[[Patient], Patient]


@dataclass(frozen=True)
class Verdict:
    """What an attempt came to; `lesson` is what it taught us about the person, if anything."""

    settlement: Settlement
    chart: Chart  # as it was at the claim
    lesson: Lesson | None = None


# Unsent ----------------------------------------------------------------------------------------


def returned(parcel: Parcel) -> Verdict:
    """Back on the schedule as it was, as if it had never been taken."""
    return _unsent(parcel, parcel.claimed.reminders)


def unmarked(letter: Letter) -> Verdict:
    """As `returned`, for what was put into words and must not leave as it is."""
    return _unsent(letter.parcel, letter.reminders)


def overtaken(parcel: Parcel, now: datetime) -> Verdict | None:
    """Where time has passed since the claim: too late or asleep by now; None if still in time."""
    fates = [_after_wait(parcel.chart, each, now) for each in parcel.claimed.reminders]
    if all(fate is None for fate in fates):
        return None
    rows = zip(fates, parcel.claimed.reminders, strict=True)
    return _unsent(parcel, (fate or reminder for fate, reminder in rows))


def wordless(parcel: Parcel) -> Verdict:
    """No template of it could be rendered."""
    return _unsent(parcel, map(template_failed, parcel.claimed.reminders))


def template_failed(reminder: Reminder) -> Reminder:
    """The reminder whose template could not be rendered."""
    return _ended(reminder, State.FAILED, Reason.TEMPLATE)


def put_off_where_asleep(chart: Chart, reminder: Reminder, now: datetime) -> Reminder | None:
    """The reminder as it becomes in quiet hours; None where it may leave at `now`."""
    until = put_off_until(chart, reminder, now)
    if until is None:
        return None
    if until < reminder.expires_at:
        return _back(reminder, until)
    return _ended(reminder, State.EXPIRED, Reason.QUIET_HOURS)


def _after_wait(chart: Chart, reminder: Reminder, now: datetime) -> Reminder | None:
    if reminder.expires_at <= now:
        return _ended(reminder, State.EXPIRED, Reason.LATE)
    return put_off_where_asleep(chart, reminder, now)


def _unsent(parcel: Parcel, reminders: Iterable[Reminder]) -> Verdict:
    settlement = Settlement(parcel.claimed.attempt_id, Outcome.RETURNED, tuple(reminders))
    return Verdict(settlement, parcel.chart)


# Handed over -----------------------------------------------------------------------------------


def accepted(letter: Letter, provider_id: str, now: datetime) -> Verdict:
    """The provider has taken it."""
    sent = (
        each._replace(
            state=State.SENT,
            reason=None,
            wake_at=None,
            sent_at=now,
            provider_id=provider_id,
            attempts=each.attempts + 1,
        )
        for each in letter.reminders
    )
    settlement = Settlement(
        letter.parcel.claimed.attempt_id, Outcome.ACCEPTED, tuple(sent), provider_id=provider_id
    )
    return Verdict(settlement, letter.parcel.chart)


def unburned(letter: Letter, error: TransportError) -> Verdict:
    """It is not for this message that nothing leaves: as if it had not been tried."""
    return _failed(letter, _outcome_of(error), letter.reminders, error)


def _outcome_of(error: TransportError) -> Outcome:
    match error:
        case CredentialsRefused():
            return Outcome.CREDENTIALS
        case Temporary():
            return Outcome.TEMPORARY
    return Outcome.REFUSED


def tried_later(letter: Letter, error: TransportError, again_at: datetime) -> Verdict:
    """Back on the schedule for another try, at its expiry at the latest."""
    rows = (_tried(put_off(each, again_at)) for each in letter.reminders)
    return _failed(letter, Outcome.TEMPORARY, rows, error)


def wrong_address(letter: Letter, error: TransportError) -> Verdict:
    """Nobody is there: the address is marked."""
    lesson = partial(without_address, channel=letter.parcel.channel)
    rows = map(_tried, letter.reminders)
    return _failed(letter, Outcome.WRONG_ADDRESS, rows, error, lesson)


def opted_out(letter: Letter, error: TransportError, by: str, now: datetime) -> Verdict:
    """The person has told the provider to stop: consent for the channel is withdrawn."""
    said = told_the_provider(by, error.code, now)
    lesson = partial(without_consent, channel=letter.parcel.channel, said=said)
    return _failed(letter, Outcome.OPTED_OUT, map(_tried, letter.reminders), error, lesson)


def refused(letter: Letter, error: TransportError) -> Verdict:
    """This message is at fault, and would be elsewhere too."""
    return _failed(letter, Outcome.REFUSED, (_tried(rejected(e)) for e in letter.reminders), error)


def doubted(letter: Letter, error: TransportError, look_at: datetime | None) -> Verdict:
    """It may or may not have been taken: evidence is looked for, or else a person has to say."""
    state = State.SENDING if look_at else State.UNKNOWN
    rows = (
        _tried(each._replace(state=state, reason=None, wake_at=None)) for each in letter.reminders
    )
    verdict = _failed(letter, Outcome.IN_DOUBT, rows, error)
    return replace(verdict, settlement=replace(verdict.settlement, look_at=look_at))


def stopped(letter: Letter, error: TransportError, again_at: datetime) -> Verdict:
    """Its text waits for a person; back on the schedule, at its expiry at the latest."""
    rows = (_tried(put_off(each, again_at)) for each in letter.reminders)
    return _failed(letter, Outcome.REFUSED, rows, error)


def put_off(reminder: Reminder, until: datetime) -> Reminder:
    """The reminder on the schedule for `until`, or for its expiry before that."""
    return _back(reminder, min(until, reminder.expires_at))


def rejected(reminder: Reminder) -> Reminder:
    """The reminder that the provider will not deliver."""
    return _ended(reminder, State.FAILED, Reason.REJECTED)


def _failed(
    letter: Letter,
    outcome: Outcome,
    reminders: Iterable[Reminder],
    error: TransportError,
    lesson: Lesson | None = None,
) -> Verdict:
    settlement = Settlement(
        letter.parcel.claimed.attempt_id,
        outcome,
        tuple(reminders),
        code=error.code,
        error=error.message,
    )
    return Verdict(settlement, letter.parcel.chart, lesson)


def _back(reminder: Reminder, wake_at: datetime) -> Reminder:
    return reminder._replace(state=State.SCHEDULED, reason=None, wake_at=wake_at)


def _ended(reminder: Reminder, state: State, reason: Reason) -> Reminder:
    return reminder._replace(state=state, reason=reason, wake_at=None)


def _tried(reminder: Reminder) -> Reminder:
    return reminder._replace(attempts=reminder.attempts + 1)


# What it taught us --------------------------------------------------------------------------------


def without_address(patient: Patient, channel: Channel) -> Patient:
    """Nobody is there: the address is marked."""
    return replace(patient, bad_addresses=patient.bad_addresses | {channel})


def told_the_provider(transport: str, code: str | None, now: datetime) -> Consent:
    """The person has told the provider to stop."""
    return Consent(False, now, f"{transport} {code or ''}".strip(), How.PROVIDER, DAEMON)


def without_consent(patient: Patient, channel: Channel, said: Consent) -> Patient:
    """The person does not want to hear from us on the channel, unless that was known before."""
    return with_word(patient, channel, said) if patient.consents(channel) else patient
