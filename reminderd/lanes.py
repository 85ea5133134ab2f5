"""One transport's way out: render, mark durably, hand over side by side, settle.

The mark is written for a small group at a time (as many as the transport takes side by side), in
the same transaction that settles the group before: it bounds what a crash can put in doubt.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

from reminderd.clock import Clock
from reminderd.errors import (
    ContentRefused,
    CredentialsRefused,
    InDoubt,
    OptedOut,
    TemplateFailed,
    Temporary,
    TransportError,
    WrongAddress,
)
from reminderd.interfaces import Claimed, Outbox, Rendered, Settlement, Transport
from reminderd.model import (
    Channel,
    Chart,
    Consent,
    Message,
    Outcome,
    Patient,
    Reason,
    Reminder,
    State,
    public_id,
)
from reminderd.pace import Pace
from reminderd.plan import changes, put_off_until, still_true
from reminderd.practice import Practice, item
from reminderd.render import Composed, Item, Renderer
from reminderd.retry import next_try_at

log = logging.getLogger(__name__)

REST = timedelta(minutes=5)
FAILURES_BEFORE_REST = 5
FRESH = timedelta(seconds=1)  # what was true at the claim is looked at again after this


@dataclass(frozen=True)
class Parcel:
    """A claimed message on its way to a transport."""

    chart: Chart
    channel: Channel
    transport: str
    claimed: Claimed


@dataclass(frozen=True)
class Delivery:
    """An accepted message, as those who watch hear of it."""

    at: datetime
    chart: Chart
    message: Message
    segments: int | None
    reminders: tuple[Reminder, ...]


def _nobody(*_: object) -> None:
    """Nobody listens."""


@dataclass(frozen=True)
class Means:
    """What sending works with.

    `chance` gives random numbers from 0 to 1, `observe` hears of every accepted message, `alive` is
    called whenever something has moved on.
    """

    outbox: Outbox
    practice: Practice
    renderer: Renderer
    clock: Clock
    chance: Callable[[], float]
    observe: Callable[[Delivery], None] = _nobody
    alive: Callable[[], None] = _nobody


@dataclass(frozen=True)
class _Letter:
    """A parcel in words; its reminders are those whose template rendered."""

    parcel: Parcel
    reminders: tuple[Reminder, ...]
    message: Message
    composed: Composed


@dataclass(frozen=True)
class _Verdict:
    """What an attempt came to; `lesson` is what it taught us about the person, if anything."""

    settlement: Settlement
    patient_id: int | None = None
    lesson: Callable[[Patient], Patient] | None = None


class Lane:
    """Carries one transport's messages; keeps its pace and its pauses."""

    def __init__(self, name: str, transport: Transport, means: Means) -> None:
        self.transport = transport
        self.rests_until: datetime | None = None
        self.rests_because: str | None = None
        self._name = name
        self._means = means
        self._outbox = means.outbox
        self._clock = means.clock
        self._installation = means.outbox.note("installation") or ""
        self._pace = Pace(transport.max_per_second) if transport.max_per_second else None
        self._group_size = _group_size(transport)
        self._pool = ThreadPoolExecutor(transport.concurrency, thread_name_prefix=name)
        self._stopping = threading.Event()
        self._failures = 0

    def carry(self, parcels: Sequence[Parcel]) -> int:
        """Send these messages and settle each; returns how many were accepted."""
        accepted = 0
        verdicts: list[_Verdict] = []
        began = self._clock.now()
        for start in range(0, len(parcels), self._group_size):
            group = parcels[start : start + self._group_size]
            verdicts = self._keep_pace(len(group), verdicts)
            now = self._clock.now()
            if self._halted(now):
                verdicts += [_returned(parcel, parcel.claimed.reminders) for parcel in group]
                continue
            self._means.alive()
            if now - began >= FRESH:
                group = list(self._still_right(group, now, verdicts))
            letters = list(self._letters(group, now, verdicts))
            self._record(verdicts, letters)
            verdicts = self._hand_over(letters)
            accepted += sum(each.settlement.outcome is Outcome.ACCEPTED for each in verdicts)
        self._record(verdicts, [])
        return accepted

    def stop(self) -> None:
        """Hand over nothing more: what is in flight is finished, the rest is put back."""
        self._stopping.set()

    def close(self) -> None:
        """Let go of the threads; the transport stays open."""
        self._pool.shutdown(wait=True)

    def _halted(self, now: datetime) -> bool:
        return self._stopping.is_set() or (self.rests_until is not None and now < self.rests_until)

    def _keep_pace(self, count: int, verdicts: list[_Verdict]) -> list[_Verdict]:
        """Wait until so many more may leave; nothing is left open meanwhile."""
        wait = self._pace.wait_seconds(count, time.monotonic()) if self._pace else 0
        if wait == 0:
            return verdicts
        self._record(verdicts, [])
        self._stopping.wait(wait)
        return []

    def _still_right(
        self, parcels: Sequence[Parcel], now: datetime, verdicts: list[_Verdict]
    ) -> Iterator[Parcel]:
        """Those of which everything is still true; the others go back, to be planned again."""
        ids = [each.chart.patient.id or 0 for each in parcels]
        charts = {each.patient.id: each for each in self._charts(ids)}
        for parcel in parcels:
            chart, reminders = charts[parcel.chart.patient.id], parcel.claimed.reminders
            if all(still_true(chart, each, now) for each in reminders):
                yield replace(parcel, chart=chart)
            else:
                verdicts.append(_returned(parcel, reminders))

    # Into words ------------------------------------------------------------------------------

    def _letters(
        self, parcels: Sequence[Parcel], now: datetime, verdicts: list[_Verdict]
    ) -> Iterator[_Letter]:
        """The parcels that may still leave, in words; the others are given a verdict."""
        for parcel in parcels:
            late = [each for each in parcel.claimed.reminders if _too_late(parcel, each, now)]
            if late:
                rows = [_after_wait(parcel, each, now) for each in parcel.claimed.reminders]
                verdicts.append(_returned(parcel, rows))
                continue
            letter = self._letter(parcel, now)
            if isinstance(letter, _Verdict):
                verdicts.append(letter)
            else:
                yield letter

    def _letter(self, parcel: Parcel, now: datetime) -> _Letter | _Verdict:
        patient, clinic = parcel.chart.patient, parcel.chart.clinic
        whole = [(each, item(parcel.chart, each)) for each in parcel.claimed.reminders]
        items = [each for _, each in whole if each is not None]
        failed = [reminder for reminder, each in whole if each is None]
        while items:
            try:
                composed = self._means.renderer.compose(items, patient, clinic, parcel.channel)
                break
            except TemplateFailed as error:
                blamed = [each for each in items if each.reminder.id == error.reminder_id] or items
                failed += [each.reminder for each in blamed]
                items = [each for each in items if each not in blamed]
                log.error("%s: %s", _names(each.reminder for each in blamed), error)
        self._fail_templates(failed)
        if not items:
            return _returned(
                parcel, [_ended(each, State.FAILED, Reason.TEMPLATE) for each in failed]
            )
        return self._addressed(parcel, items, composed, now)

    def _fail_templates(self, failed: Sequence[Reminder]) -> None:
        if failed:
            with self._outbox.transaction():
                self._outbox.save_reminders(
                    [_ended(each, State.FAILED, Reason.TEMPLATE) for each in failed]
                )

    def _addressed(
        self, parcel: Parcel, items: Sequence[Item], composed: Composed, now: datetime
    ) -> _Letter:
        patient = parcel.chart.patient
        reminders = tuple(each.reminder for each in items)
        message = Message(
            id=f"{public_id('msg', parcel.claimed.message_id)}-{self._installation}",
            channel=parcel.channel,
            to=patient.address(parcel.channel) or "",
            recipient_name=f"{patient.given_name} {patient.family_name}".strip(),
            clinic_name=parcel.chart.clinic.name,
            language=composed.language,
            subject=composed.subject,
            text=composed.text,
            html=composed.html,
            valid_for=min(each.expires_at for each in reminders) - now,
            at=now,
        )
        return _Letter(parcel, reminders, message, composed)

    # On the record ---------------------------------------------------------------------------

    def _record(self, verdicts: Sequence[_Verdict], letters: Sequence[_Letter]) -> None:
        """Settle what has ended and mark what is about to leave, in one transaction."""
        if not verdicts and not letters:
            return
        now = self._clock.now()
        with self._outbox.transaction():
            self._outbox.settle([each.settlement for each in verdicts], now)
            self._outbox.mark([_rendered(each) for each in letters], now)
            for verdict in verdicts:
                if verdict.lesson is not None:
                    self._learn(verdict, verdict.lesson, now)

    def _learn(
        self, verdict: _Verdict, lesson: Callable[[Patient], Patient], now: datetime
    ) -> None:
        """Plan again without the channel that does not work; what has no other has failed."""
        assert verdict.patient_id is not None
        (known,) = self._charts([verdict.patient_id])
        self._outbox.update_patient(lesson(known.patient), now)
        (chart,) = self._charts([verdict.patient_id])
        tried = {each.id: each for each in verdict.settlement.reminders}
        self._outbox.save_reminders(
            _ended(each, State.FAILED, Reason.REJECTED)._replace(channel=tried[each.id].channel)
            if each.id in tried and each.reason in (Reason.NO_ADDRESS, Reason.NO_CONSENT)
            else each
            for each in changes(chart, now)
        )

    def _charts(self, patient_ids: Sequence[int]) -> list[Chart]:
        facts, approvals = self._outbox.facts(patient_ids), self._outbox.approvals()
        return self._means.practice.charts(facts, approvals)

    # To the provider ---------------------------------------------------------------------------

    def _hand_over(self, letters: Sequence[_Letter]) -> list[_Verdict]:
        if len(letters) < 2:
            results = [self._send(each) for each in letters]
        else:
            results = list(self._pool.map(self._send, letters))
        now = self._clock.now()
        return [
            self._judge(letter, result, now)
            for letter, result in zip(letters, results, strict=True)
        ]

    def _send(self, letter: _Letter) -> str | TransportError:
        try:
            return self.transport.send(letter.message)
        except TransportError as error:
            return error
        except Exception as error:
            # A stranger's error says nothing about whether the message was accepted.
            return InDoubt(f"{type(error).__name__} in transport {self._name}")

    def _judge(self, letter: _Letter, result: str | TransportError, now: datetime) -> _Verdict:
        if isinstance(result, str):
            self._failures = 0
            self.rests_because = None
            self._means.observe(_delivery(letter, now))
            sent = [_sent(each, now, result) for each in letter.reminders]
            return _verdict(letter, Outcome.ACCEPTED, sent, provider_id=result)
        log.warning("%s by %s: %s", _names(letter.reminders), self._name, result)
        return self._judge_error(letter, result, now)

    def _judge_error(self, letter: _Letter, error: TransportError, now: datetime) -> _Verdict:
        reminders, channel = letter.reminders, letter.parcel.channel
        match error:
            case CredentialsRefused():
                self._rest(now + REST, error)
                return _verdict(letter, Outcome.CREDENTIALS, reminders, error=error)
            case Temporary():
                return _verdict(
                    letter, Outcome.TEMPORARY, self._later(reminders, error, now), error=error
                )
            case WrongAddress():
                tried = [_tried(each) for each in reminders]
                lesson = partial(_without_address, channel=channel)
                return _verdict(letter, Outcome.WRONG_ADDRESS, tried, error=error, lesson=lesson)
            case OptedOut():
                tried = [_tried(each) for each in reminders]
                said = Consent(False, now, f"{self._name} {error.code or ''}".strip())
                lesson = partial(_without_consent, channel=channel, said=said)
                return _verdict(letter, Outcome.OPTED_OUT, tried, error=error, lesson=lesson)
            case ContentRefused():
                failed = [_tried(_ended(each, State.FAILED, Reason.REJECTED)) for each in reminders]
                return _verdict(letter, Outcome.REFUSED, failed, error=error)
        self._count_failure(error, now)
        return _verdict(letter, Outcome.IN_DOUBT, map(_doubted, reminders), error=error)

    def _later(
        self, reminders: Sequence[Reminder], error: Temporary, now: datetime
    ) -> list[Reminder]:
        """Back on the schedule after a pause that grows."""
        attempts = max(each.attempts for each in reminders) + 1
        again_at = next_try_at(
            now, attempts, retry_after=error.retry_after, chance=self._means.chance()
        )
        self._count_failure(error, now, error.retry_after)
        return [_tried(_back(each, min(again_at, each.expires_at))) for each in reminders]

    def _count_failure(
        self, error: TransportError, now: datetime, retry_after: timedelta | None = None
    ) -> None:
        """Many failures in a row, one after the other or side by side, rest the transport."""
        self._failures += 1
        if self._failures >= FAILURES_BEFORE_REST:
            self._failures = 0
            self._rest(next_try_at(now, 1, retry_after=retry_after, chance=0), error)

    def _rest(self, until: datetime, error: TransportError) -> None:
        if self.rests_until is None or until > self.rests_until:
            self.rests_until = until
            self.rests_because = str(error)
            log.error("transport %s rests until %s: %s", self._name, f"{until:%H:%M:%S}Z", error)


def _group_size(transport: Transport) -> int:
    """How many leave side by side: never more at once than may leave in a second."""
    if transport.max_per_second is None:
        return transport.concurrency
    return min(transport.concurrency, max(int(transport.max_per_second), 1))


def put_off_where_asleep(chart: Chart, reminder: Reminder, now: datetime) -> Reminder | None:
    """The reminder as it becomes in quiet hours; None where it may leave at `now`."""
    until = put_off_until(chart, reminder, now)
    if until is None:
        return None
    if until < reminder.expires_at:
        return _back(reminder, until)
    return _ended(reminder, State.EXPIRED, Reason.QUIET_HOURS)


def _too_late(parcel: Parcel, reminder: Reminder, now: datetime) -> bool:
    return reminder.expires_at <= now or put_off_until(parcel.chart, reminder, now) is not None


def _after_wait(parcel: Parcel, reminder: Reminder, now: datetime) -> Reminder:
    """Time has passed since the claim: too late, asleep by now, or simply the next message."""
    if reminder.expires_at <= now:
        return _ended(reminder, State.EXPIRED, Reason.LATE)
    return put_off_where_asleep(parcel.chart, reminder, now) or reminder


def _back(reminder: Reminder, wake_at: datetime) -> Reminder:
    return reminder._replace(state=State.SCHEDULED, reason=None, wake_at=wake_at)


def _ended(reminder: Reminder, state: State, reason: Reason) -> Reminder:
    return reminder._replace(state=state, reason=reason, wake_at=None)


def _tried(reminder: Reminder) -> Reminder:
    return reminder._replace(attempts=reminder.attempts + 1)


def _doubted(reminder: Reminder) -> Reminder:
    return _tried(reminder._replace(state=State.UNKNOWN, reason=None, wake_at=None))


def _sent(reminder: Reminder, now: datetime, provider_id: str) -> Reminder:
    return reminder._replace(
        state=State.SENT,
        reason=None,
        wake_at=None,
        sent_at=now,
        provider_id=provider_id,
        attempts=reminder.attempts + 1,
    )


def _without_address(patient: Patient, channel: Channel) -> Patient:
    return replace(patient, bad_addresses=patient.bad_addresses | {channel})


def _without_consent(patient: Patient, channel: Channel, said: Consent) -> Patient:
    return replace(patient, consent={**patient.consent, channel: said})


def _returned(parcel: Parcel, reminders: Sequence[Reminder]) -> _Verdict:
    return _Verdict(Settlement(parcel.claimed.attempt_id, Outcome.RETURNED, tuple(reminders)))


def _verdict(
    letter: _Letter,
    outcome: Outcome,
    reminders: Iterable[Reminder],
    *,
    provider_id: str | None = None,
    error: TransportError | None = None,
    lesson: Callable[[Patient], Patient] | None = None,
) -> _Verdict:
    settlement = Settlement(
        letter.parcel.claimed.attempt_id,
        outcome,
        tuple(reminders),
        provider_id=provider_id,
        code=error.code if error else None,
        error=error.message if error else None,
    )
    return _Verdict(settlement, letter.parcel.chart.patient.id, lesson)


def _rendered(letter: _Letter) -> Rendered:
    size = letter.composed.size
    return Rendered(
        attempt_id=letter.parcel.claimed.attempt_id,
        to=letter.message.to,
        language=letter.composed.language,
        subject=letter.composed.subject,
        text=letter.composed.text,
        html=letter.composed.html,
        segments=size.segments if size else None,
    )


def _delivery(letter: _Letter, at: datetime) -> Delivery:
    size = letter.composed.size
    segments = size.segments if size else None
    return Delivery(at, letter.parcel.chart, letter.message, segments, letter.reminders)


def _names(reminders: Iterable[Reminder]) -> str:
    return ", ".join(public_id("rem", each.id) or "" for each in reminders)
