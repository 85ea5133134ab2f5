"""What goes out: `drain(now)` takes what is due, puts it into words, hands it over, settles it.

Read `Dispatch.drain` first, then `lanes.py`, which carries one transport's messages away. In a
cluster every machine drains: they claim side by side, and what came in is one machine's turn.
"""

import logging
from collections import Counter
from collections.abc import Container, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import groupby

from reminderd.answer_lane import AnswerLane
from reminderd.callbacks import Callbacks
from reminderd.circuit import REST
from reminderd.daily import LONGEST_DAY, Wanted, tomorrow, within_the_day
from reminderd.doubts import Doubts
from reminderd.holding import held
from reminderd.ids import public_id
from reminderd.incoming import Replies
from reminderd.interfaces import NewMessage, Transport
from reminderd.lanes import Lane, Means
from reminderd.model import Channel, Chart, Kind, Reason, Reminder
from reminderd.plan import changes, still_true
from reminderd.practice import Route
from reminderd.stopped_texts import stopped
from reminderd.verdicts import Parcel, put_off, put_off_where_asleep

log = logging.getLogger(__name__)

SOON = timedelta(seconds=1)  # until what another worker, or somebody at the desk, had is looked at
_ORDER = {kind: place for place, kind in enumerate(Kind)}


@dataclass(frozen=True)
class Drained:
    """What one call of `drain` did; `more` says that it is worth calling again at once."""

    deliveries: int = 0
    expired: Mapping[Reason, int] = field(default_factory=dict)
    more: bool = False

    def then(self, later: "Drained") -> "Drained":
        """This and what was done after it."""
        expired = Counter(self.expired) + Counter(later.expired)
        deliveries = self.deliveries + later.deliveries
        return Drained(deliveries, dict(expired), self.more or later.more)


class Dispatch:
    """Sends what is due, by some transports side by side; one thread at a time calls it."""

    def __init__(self, means: Means, transports: Mapping[str, Transport]) -> None:
        self._outbox = means.outbox
        self._practice = means.practice
        self._clock = means.clock
        self._alive = means.alive
        self.lanes = {name: Lane(name, each, means) for name, each in transports.items()}
        self._callbacks = Callbacks(means.outbox, means.practice)
        self._replies = Replies(means.outbox, means.decide)
        self._presses, self._time_is_right = means.presses, means.time_is_right
        self._answers = {name: AnswerLane(name, lane, means) for name, lane in self.lanes.items()}
        self._doubts = Doubts(means, transports)
        self._batch = max((each.batch for each in self.lanes.values()), default=1)
        self._turn = f"tend/{'+'.join(sorted(transports))}"
        self._stopping = False
        self._held = False
        self._missed_at: datetime | None = None  # when a claim found nothing that was not taken
        self._pool = ThreadPoolExecutor(max(len(self.lanes), 1), thread_name_prefix="lane")

    def drain(self, now: datetime) -> Drained:
        """Tend to what came in, send a batch, look into doubts; the first and last in turn.

        What is claimed is settled on return; where that cannot be recorded TryAgainLater is raised,
        and the next call begins with it. While sending is held it only tends. Does nothing once it
        was asked to stop.
        """
        done = Drained()
        with self._outbox.turn(self._turn) as is_mine:
            if is_mine:
                done = self.tend(now)
        done = done.then(self.send(now))
        if is_mine and not self._held:
            done = done.then(self.look(now))
        return done

    def tend(self, now: datetime) -> Drained:
        """Apply what came in, answer it, and let expire what is too late."""
        if self._stopping:
            return Drained()
        self._catch_up()
        self._callbacks.apply(self.lanes, now)
        replies_wait = self._replies.apply(self.lanes, now)
        self._answer()
        with self._outbox.beside():
            expired = self._outbox.expire(now)
            self._outbox.expire_answers(now)
        return Drained(expired=expired.by_reason, more=replies_wait)

    def send(self, now: datetime) -> Drained:
        """Claim a batch and carry it away, unless sending is held."""
        if self._stopping:
            return Drained()
        self._catch_up()
        with self._outbox.beside():
            self._held = bool(held(self._outbox))
            parcels, more = ([], False) if self._held else self._claim(now)
        self._alive()
        return Drained(sum(self._carry(parcels)), more=more)

    def look(self, now: datetime) -> Drained:
        """Look for evidence of what is in doubt."""
        if self._stopping:
            return Drained()
        self._callbacks.apply(self.lanes, self._clock.now())  # before anybody is asked
        more = self._doubts.look(now)
        self._callbacks.apply(self.lanes, self._clock.now())  # what the looks have found
        return Drained(more=more)

    def hear(self, now: datetime) -> None:
        """While nothing else may leave: act on what people write, and answer it.

        By a clock that may be wrong only where it presses: whatever else is decided plans again.
        """
        if self._stopping:
            return
        only = None if self._time_is_right() else self._presses
        with self._outbox.turn(self._turn) as is_mine:
            if not is_mine:
                return
            while self._replies.apply(self.lanes, now, only):
                pass
            self._answer()

    def _catch_up(self) -> None:
        for each in self._answers.values():
            each.catch_up()

    def _answer(self) -> None:
        for each in self._answers.values():
            each.send()

    def next_wake_at(self, now: datetime) -> datetime | None:
        """When draining is worthwhile again: what is due, an answer, a doubt, a pause ends."""
        awake = [name for name, each in self.lanes.items() if not each.circuit.rests(now)]
        answer = self._outbox.next_answer_at(awake)
        if self._held:
            return answer
        due = self._outbox.next_due(self._resting(now))
        if due is not None and self._missed_at is not None and due <= self._missed_at:
            due = self._missed_at + SOON  # whoever has it may not have finished yet
        resting = [each.circuit for each in self.lanes.values() if each.circuit.rests(now)]
        rests_until = (each.rests_until for each in resting)
        instants = [due, answer, self._doubts.next_look_at(), *rests_until]
        return min((each for each in instants if each is not None), default=None)

    def show_life(self) -> None:
        """Tell whoever watches over us that somebody looks, even where nothing may leave."""
        self._alive()

    def close(self) -> None:
        """Finish what is in flight and hand the rest back; the transports stay open."""
        self.request_stop()
        self._pool.shutdown(wait=True)
        for each in self._answers.values():
            each.close()
        for lane in self.lanes.values():
            lane.close()

    def inherit(self, predecessor: "Dispatch") -> None:
        """Take over what the one before, which has stopped, could not record."""
        for name, lane in self.lanes.items():
            lane.inherit(predecessor.lanes[name])
            self._answers[name].inherit(predecessor._answers[name])

    def request_stop(self) -> None:
        """Ask a running `drain` to end soon, and every later one at once."""
        self._stopping = True
        for lane in self.lanes.values():
            lane.stop()

    # Claiming --------------------------------------------------------------------------------

    def _claim(self, now: datetime) -> tuple[list[Parcel], bool]:
        outbox = self._outbox
        for lane in self.lanes.values():
            lane.hear_of_rests(now)
        patients = outbox.due_patients(now, self._batch, self._resting(now))
        self._missed_at = None if patients else now
        if not patients:
            return [], False
        approvals = outbox.approvals()
        charts = self._practice.charts(outbox.due_facts(patients, now), approvals)
        others = any(not each.reminders for each in charts)  # took them just before
        stale = [each.patient.id for each in charts if not _all_true(each, now)]
        if stale:
            self._plan_again([each for each in stale if each is not None], now)
            charts = self._practice.charts(outbox.due_facts(patients, now), approvals)
        later: list[Reminder] = []
        wanted: list[Wanted] = []
        refused = {(each.template, each.channel) for each in stopped(outbox, self._practice.texts)}
        for chart in charts:
            ready = _presentable(_awake(chart, now, later), refused, now, later)
            wanted += [(chart, each) for each in self._bundles(chart, ready, now)]
        wanted = self._within_the_day(wanted, now, later)
        outbox.save_reminders(later)
        claimed = outbox.claim([message for _, message in wanted], now)
        parcels = [
            Parcel(chart, message.channel, message.transport, taken)
            for (chart, message), taken in zip(wanted, claimed, strict=True)
        ]
        return parcels, bool(parcels or later or stale or others)

    def _plan_again(self, patient_ids: Sequence[int], now: datetime) -> None:
        """A fact has changed under these patients: their new plan says what becomes of it."""
        facts = self._outbox.facts(patient_ids)
        for chart in self._practice.charts(facts, self._outbox.approvals()):
            self._outbox.save_reminders(changes(chart, now))

    def _bundles(
        self, chart: Chart, reminders: Sequence[Reminder], now: datetime
    ) -> list[NewMessage]:
        """What is due for one patient on one channel is one message."""
        found = []
        by_channel = sorted(reminders, key=lambda each: (each.channel or "", *_place(each)))
        for channel, group in groupby(by_channel, key=lambda each: each.channel):
            assert channel is not None, "what is scheduled has a channel"
            clinic, patient_id = chart.patient.clinic, chart.patient.id
            transport = self._practice.routes.get((clinic, channel))
            if transport and patient_id and self._can_leave(clinic, channel, now):
                found.append(NewMessage(patient_id, channel, transport, tuple(group)))
        return sorted(found, key=lambda each: _place(each.reminders[0]))

    def _within_the_day(
        self, wanted: list[Wanted], now: datetime, later: list[Reminder]
    ) -> list[Wanted]:
        """Without what is more than a patient may get on one day; that goes to `later`."""
        ids = [message.patient_id for _, message in wanted]
        left = self._outbox.left_since(ids, now - LONGEST_DAY)
        may, too_many = within_the_day(wanted, left, self._practice.most_per_day, now)
        for chart, message in too_many:
            name = public_id("pat", message.patient_id)
            log.warning("%s has had as many messages as may be today; the rest waits", name)
            later += [tomorrow(chart, each, now) for each in message.reminders]
        return may

    def _resting(self, now: datetime) -> list[Route]:
        """Clinics' channels on which nothing can leave now."""
        return [
            (clinic, channel)
            for clinic in self._practice.clinics
            for channel in Channel
            if not self._can_leave(clinic, channel, now)
        ]

    def _can_leave(self, clinic: str, channel: Channel, now: datetime) -> bool:
        lane = self.lanes.get(self._practice.routes.get((clinic, channel), ""))
        return lane is not None and not lane.circuit.rests(now)

    # Carrying --------------------------------------------------------------------------------

    def _carry(self, parcels: Sequence[Parcel]) -> list[int]:
        loads: dict[str, list[Parcel]] = {}
        for parcel in parcels:
            loads.setdefault(parcel.transport, []).append(parcel)
        work = [(self.lanes[name], load) for name, load in loads.items()]
        if len(work) == 1:
            return [work[0][0].carry(work[0][1])]
        carried = [self._pool.submit(lane.carry, load) for lane, load in work]
        wait(carried)  # all of them, also where one of them raises
        return [each.result() for each in carried]


def _place(reminder: Reminder) -> tuple[int, datetime, str, int, int]:
    """Restriction, release, check, routine, inform, course; then as they fall due."""
    due_at = reminder.due_at or reminder.nominal_at
    kind = _ORDER[reminder.kind]
    return (kind, due_at, reminder.milestone, reminder.occurrence, reminder.session_id or 0)


def _all_true(chart: Chart, now: datetime) -> bool:
    return all(still_true(chart, reminder, now) for reminder in chart.reminders)


def _awake(chart: Chart, now: datetime, later: list[Reminder]) -> list[Reminder]:
    """Those that may leave at this hour; the others go to `later` with what becomes of them."""
    ready = []
    for reminder in chart.reminders:
        asleep = put_off_where_asleep(chart, reminder, now)
        if asleep is None:
            ready.append(reminder)
        else:
            later.append(asleep)
    return ready


def _presentable(
    reminders: Sequence[Reminder],
    refused: Container[tuple[str, Channel | None]],
    now: datetime,
    later: list[Reminder],
) -> list[Reminder]:
    """Those whose text no provider has refused; the others go to `later`."""
    later += [
        put_off(each, now + REST) for each in reminders if (each.template, each.channel) in refused
    ]
    return [each for each in reminders if (each.template, each.channel) not in refused]
