"""One transport's way out: render, mark durably, hand over side by side, settle.

The mark is written for a small group at a time (as many as the transport takes side by side), in
the same transaction that settles the group before: it bounds what a crash can put in doubt.
"""

import logging
import secrets
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from reminderd import audit
from reminderd.circuit import REST, Circuit
from reminderd.clock import Clock
from reminderd.doubt import next_look_at
from reminderd.envelope import sealed
from reminderd.errors import (
    AtCapacity,
    ContentRefused,
    CredentialsRefused,
    InDoubt,
    OptedOut,
    Rejected,
    SenderRefused,
    Temporary,
    TransportError,
    TryAgainLater,
    WrongAddress,
)
from reminderd.interfaces import Outbox, Rendered, Repeatable, StoredReply, Transport, Witness
from reminderd.last_look import LastLook
from reminderd.letterbox import Decide, to_the_staff
from reminderd.letters import Letters, names
from reminderd.model import Chart, Message, Outcome, Patient, Reason, Reminder
from reminderd.plan import changes
from reminderd.practice import Practice
from reminderd.render import Renderer
from reminderd.resting import Hearsay, Rest, rest
from reminderd.retry import next_try_at
from reminderd.stopped_texts import stop
from reminderd.verdicts import (
    Letter,
    Parcel,
    Verdict,
    accepted,
    doubted,
    opted_out,
    refused,
    rejected,
    returned,
    stopped,
    tried_later,
    unburned,
    wrong_address,
)

log = logging.getLogger(__name__)

BATCH = 500
AHEAD_SECONDS = 10  # what is claimed may leave within


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


def _always() -> bool:
    """Nobody doubts the time."""
    return True


def _anything(_: StoredReply) -> bool:
    """Nobody knows which."""
    return True


def _random_token() -> str:
    """Long enough that nobody guesses it."""
    return secrets.token_urlsafe(16)


@dataclass(frozen=True)
class Means:
    """What sending works with.

    `chance` gives random numbers from 0 to 1, `observe` hears of every accepted message, `alive` is
    called whenever something has moved on, `time_is_right` says whether the clock can be believed,
    `new_token` gives each attempt its random id, `decide` says what is done about a reply,
    `presses` whether it cannot wait until the clock is right, and so many are `sharing` what a
    transport may do side by side.
    """

    outbox: Outbox
    practice: Practice
    renderer: Renderer
    clock: Clock
    chance: Callable[[], float]
    observe: Callable[[Delivery], None] = _nobody
    alive: Callable[[], None] = _nobody
    time_is_right: Callable[[], bool] = _always
    new_token: Callable[[], str] = _random_token
    decide: Decide = to_the_staff
    presses: Callable[[StoredReply], bool] = _anything
    sharing: int = 1


class Lane:
    """Carries one transport's messages; keeps its pace and its pauses."""

    def __init__(self, name: str, transport: Transport, means: Means) -> None:
        self.transport = transport
        self.circuit = Circuit(name, means.chance, self._note_rest)
        self._hearsay = Hearsay(means.outbox, name)
        self._name = name
        self._means = means
        self._outbox = means.outbox
        self._clock = means.clock
        self._last_look = LastLook(means.outbox, means.practice)
        self._letters = Letters(means.outbox, means.practice, means.renderer, means.new_token)
        per_second = transport.max_per_second
        self._pace = means.outbox.pace(name, per_second) if per_second else None
        threads = max(transport.concurrency // means.sharing, 1)
        self.group_size = _group_size(transport, threads)
        self.batch = _batch(transport)
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix=name)
        self._stopping = threading.Event()
        # Asked once: a Protocol takes its time to answer, and each message would ask.
        self._is_repeatable = isinstance(transport, Repeatable)
        # What is not on record yet: outcomes, and what else they have taught.
        self._ended: list[Verdict] = []
        self._notes: list[Callable[[], None]] = []

    def carry(self, parcels: Sequence[Parcel]) -> int:
        """Send these messages and settle each; returns how many were accepted.

        Raises TryAgainLater where that cannot be recorded; `catch_up` does it later.
        """
        left = list(parcels)
        try:
            return self._carry(left)
        except TryAgainLater:  # what is not marked has not left
            self._ended += map(returned, left)
            raise

    def catch_up(self) -> None:
        """Record what has ended; what cannot be recorded now is kept, and TryAgainLater raised."""
        self._record(self._ended, [])

    def hear_of_rests(self, now: datetime) -> None:
        """Rest where another machine in the cluster has found out that one has to."""
        news = self._hearsay.news()
        if news is not None:
            self.circuit.heard(news.until, news.why, now)

    def inherit(self, predecessor: "Lane") -> None:
        """Take over what the one before could not record."""
        self._ended, predecessor._ended = predecessor._ended, []
        self._notes, predecessor._notes = predecessor._notes, []

    def stop(self) -> None:
        """Hand over nothing more: what is in flight is finished, the rest is put back."""
        self._stopping.set()

    def close(self) -> None:
        """Let go of the threads; the transport stays open.

        What cannot be recorded even now is told to the log: the next start takes it for a crash.
        """
        self._pool.shutdown(wait=True)
        try:
            self.catch_up()
        except TryAgainLater as error:
            log.error("stopped before everything was recorded: %s", error)
            for each in (verdict.settlement for verdict in self._ended):
                if each.outcome is not Outcome.RETURNED:
                    what = " ".join(filter(None, (each.outcome, each.provider_id, each.code)))
                    log.error("%s: %s, not recorded: in doubt at the next start",
                              names(each.reminders), what)  # fmt: skip

    def _carry(self, left: list[Parcel]) -> int:
        """Group by group; `left` are those that are not marked yet."""
        count = 0
        while left:
            group = left[: self.group_size]
            self.keep_pace(len(group))
            now = self._clock.now()
            if self._halted(now):
                self._ended += map(returned, left)
                left.clear()
                break
            self._means.alive()
            letters = self._marked(group, now)
            del left[: len(group)]
            count += self._hand_over(letters)
        self.catch_up()
        return count

    def rests(self, now: datetime) -> bool:
        """Whether nothing may be handed over now."""
        return self._stopping.is_set() or self.circuit.rests(now)

    def _halted(self, now: datetime) -> bool:
        return self.rests(now) or not self._means.time_is_right()

    def keep_pace(self, count: int) -> None:
        """Wait until so many more may leave; nothing is left open meanwhile."""
        wait = self._pace.wait_seconds(count, time.monotonic()) if self._pace else 0
        if wait > 0:
            self.catch_up()
            self._stopping.wait(wait)

    def _marked(self, parcels: Sequence[Parcel], now: datetime) -> list[Letter]:
        """Those that may still leave, in words and marked; the others are settled."""
        ended = list(self._ended)
        letters = list(self._letters.written(parcels, now, ended))
        return self._record(ended, letters)

    # On the record ---------------------------------------------------------------------------

    def _record(self, verdicts: Sequence[Verdict], letters: Sequence[Letter]) -> list[Letter]:
        """Settle all that has ended and mark what is about to leave, in one transaction.

        Returns what is marked: not what staff, or a process that should not be there, took back.
        """
        if not verdicts and not letters and not self._notes:
            return []
        now = self._clock.now()
        with self._outbox.beside():
            ids = [each.settlement.attempt_id for each in verdicts]
            ids += [each.parcel.claimed.attempt_id for each in letters]
            charts = [each.chart for each in verdicts] + [each.parcel.chart for each in letters]
            self._outbox.lock_patients({each.patient.id or 0 for each in charts})
            ours = self._outbox.open_attempts(ids)
            verdicts = [each for each in verdicts if each.settlement.attempt_id in ours]
            kept = [each for each in letters if each.parcel.claimed.attempt_id in ours]
            marked = list(self._last_look.still_right(kept, now, verdicts))
            self._outbox.settle([each.settlement for each in verdicts], now)
            self._outbox.mark([self._rendered(each) for each in marked], now)
            self._last_look.plan_again(verdicts, now)
            for verdict in verdicts:
                if verdict.lesson is not None:
                    self._learn(verdict, verdict.lesson, now)
            for write in self._notes:
                write()
            if self._notes:
                self._hearsay.forget()
        self._ended, self._notes = [], []
        if len(kept) < len(letters):
            log.info("%d messages were taken back before they left", len(letters) - len(kept))
        return marked

    def _rendered(self, letter: Letter) -> Rendered:
        message, size = letter.message, letter.composed.size
        return Rendered(
            attempt_id=letter.parcel.claimed.attempt_id,
            message_id=letter.parcel.claimed.message_id,
            to=message.to,
            language=message.language,
            subject=message.subject,
            text=message.text,
            html=message.html,
            segments=size.segments if size else None,
            envelope=sealed(message) if self._is_repeatable else None,
            token=message.attempt,
        )

    def _learn(self, verdict: Verdict, lesson: Callable[[Patient], Patient], now: datetime) -> None:
        """Plan again without the channel that does not work; what has no other has failed."""
        patient_id = verdict.chart.patient.id or 0
        (known,) = self._charts([patient_id])
        taught = lesson(known.patient)
        self._outbox.update_patient(taught, now)
        self._outbox.record(audit.patient_changed(known.patient, taught, audit.DAEMON, now))
        (chart,) = self._charts([patient_id])
        tried = {each.id: each for each in verdict.settlement.reminders}
        self._outbox.save_reminders(
            rejected(each)._replace(channel=tried[each.id].channel)
            if each.id in tried and each.reason in (Reason.NO_ADDRESS, Reason.NO_CONSENT)
            else each
            for each in changes(chart, now)
        )

    def _charts(self, patient_ids: Sequence[int]) -> list[Chart]:
        facts, approvals = self._outbox.facts(patient_ids), self._outbox.approvals()
        return self._means.practice.charts(facts, approvals)

    # To the provider ---------------------------------------------------------------------------

    def _hand_over(self, letters: Sequence[Letter]) -> int:
        """Send them side by side; returns how many were accepted."""
        results = self.exchange([each.message for each in letters])
        now = self._clock.now()
        self._ended += [
            self._judge(letter, result, now)
            for letter, result in zip(letters, results, strict=True)
        ]
        return sum(isinstance(each, str) for each in results)

    def exchange(self, messages: Sequence[Message]) -> list[str | TransportError]:
        """Hand them over side by side; of each the provider's name for it, or what went wrong."""
        if len(messages) < 2:
            return [self._send(each) for each in messages]
        return list(self._pool.map(self._send, messages))

    def _send(self, message: Message) -> str | TransportError:
        try:
            return self.transport.send(message)
        except TransportError as error:
            return error
        except Exception as error:
            # A stranger's error says nothing about whether the message was accepted.
            return InDoubt(f"{type(error).__name__} in transport {self._name}")

    def _judge(self, letter: Letter, result: str | TransportError, now: datetime) -> Verdict:
        if isinstance(result, str):
            self.circuit.worked()
            self._means.observe(_delivery(letter, now))
            return accepted(letter, result, now)
        log.warning("%s by %s: %s", names(letter.reminders), self._name, result)
        return self._judge_error(letter, result, now)

    def _judge_error(self, letter: Letter, error: TransportError, now: datetime) -> Verdict:
        self.circuit.met(error, now)
        match error:
            case CredentialsRefused() | SenderRefused() | AtCapacity():
                return unburned(letter, error)
            case Temporary():
                return tried_later(letter, error, self._again_at(letter, error, now))
            case WrongAddress():
                return wrong_address(letter, error)
            case OptedOut():
                return opted_out(letter, error, self._name, now)
            case ContentRefused():
                self._stop_text(letter, error, now)
                return stopped(letter, error, now + REST)
            case Rejected():
                return refused(letter, error)
        settleable = isinstance(self.transport, Witness | Repeatable)
        return doubted(letter, error, next_look_at(now, 0) if settleable else None)

    def _again_at(self, letter: Letter, error: Temporary, now: datetime) -> datetime:
        """After a pause that grows with the attempts."""
        attempts = max(each.attempts for each in letter.reminders) + 1
        chance = self._means.chance()
        return next_try_at(now, attempts, retry_after=error.retry_after, chance=chance)

    def _note_rest(self, until: datetime, error: TransportError) -> None:
        needs_staff = isinstance(error, CredentialsRefused | SenderRefused)
        rests = Rest(self._name, until, str(error), needs_staff)
        self._notes.append(partial(rest, self._outbox, rests, while_sending=True))

    def _stop_text(self, letter: Letter, error: ContentRefused, now: datetime) -> None:
        """Whose text of a bundle is at fault nobody knows: none of them leaves for now."""
        templates = sorted({each.template for each in letter.reminders})
        texts, channel = self._means.practice.texts, letter.message.channel
        why = f"{self._name}: {error}"
        self._notes.append(partial(stop, self._outbox, texts, templates, channel, why, now))
        log.error("texts refused by %s, they wait: %s", self._name, ", ".join(templates))


def _group_size(transport: Transport, threads: int) -> int:
    """How many leave side by side: never more at once than may leave in a second."""
    if transport.max_per_second is None:
        return threads
    return min(threads, max(int(transport.max_per_second), 1))


def _batch(transport: Transport) -> int:
    """How many are claimed at once: nobody waits for long behind what was claimed for others."""
    if transport.max_per_second is None:
        return BATCH
    return min(max(int(transport.max_per_second * AHEAD_SECONDS), 1), BATCH)


def _delivery(letter: Letter, at: datetime) -> Delivery:
    size = letter.composed.size
    segments = size.segments if size else None
    return Delivery(at, letter.parcel.chart, letter.message, segments, letter.reminders)
