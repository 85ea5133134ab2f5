"""A clinic's year in a second: patients, staff, outages, faults and power cuts, all from one seed.

Everything that sends is real; clock, chance, providers and the power are not.
"""

import shutil
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from random import Random
from typing import Any
from unittest.mock import patch

from reminderd import bootstrap, daemon, dispatch, lanes, protocols
from reminderd.bootstrap import House
from reminderd.clock import VirtualClock
from reminderd.dispatch import Dispatch
from reminderd.engines.embedded import store
from reminderd.errors import NotFound, Refused, TryAgainLater
from reminderd.intake import Intake
from reminderd.interfaces import Callback, ReminderFilter
from reminderd.lanes import Means
from reminderd.model import Channel, Message, State
from tests.core.build import at
from tests.end_to_end.life import CONFIG
from tests.faults.answers import unmarked
from tests.faults.checker import wrongs
from tests.faults.fates import fates
from tests.faults.happenings import Happenings, Scale
from tests.faults.ledger import Ledger
from tests.faults.providers import MailProvider, TextProvider, number_of
from tests.faults.scenes import SEAL
from tests.faults.steps import BreakingOutbox, PowerCut, Steps
from tests.faults.window import calls_well, why_not

START = at("2026-03-01 09:00")
YEAR = timedelta(days=365)
CUTS = 8  # power cuts a year, at most
RARE = ("the erasure", "the scrub", "the import", "the word", "the recovery")
RARELY = 6  # times as likely is it that the power fails there
ENDLESS = 3000  # requests, drains and wake-ups a year: several times as many as there are

SEALED = 0.25  # of all years are on an encrypted database
ENOUGH = 20  # broken promises, by which a year is known to be bad


Desk = dict[str, tuple[object, ...]]


class Endless(BaseException):
    """Sending wakes, or sends, for ever."""


@dataclass
class Outcome:
    """What a year came to."""

    seed: int
    wrongs: list[str]
    counts: Counter[str] = field(default_factory=Counter)
    fates: Counter[tuple[str, str]] = field(default_factory=Counter)  # (fault, state)


_read_once = cache(protocols.read)  # no protocol changes here


class InOrder:
    """In place of a pool of threads: one after the other, so that a seed always tells the same."""

    def __init__(self, *_: object, **__: object) -> None:
        """Takes what a pool takes."""

    def map(self, work: Callable[[Any], Any], *items: Any) -> list[Any]:
        return list(map(work, *items))

    def shutdown(self, **_: object) -> None:
        """Nothing runs."""


class Ground:
    """What all years of one process share: the configuration and an empty database."""

    def __init__(self, folder: Path) -> None:
        (folder / "reminderd.toml").write_text(CONFIG)
        self.folder = folder
        self.settings = bootstrap.load_settings(folder / "reminderd.toml", {})
        self.empty = folder / "empty.db"
        store.create(self.empty)
        store.create(folder / "sealed.db", seal=SEAL)
        self.house = bootstrap.open_house(self.settings, database=self.empty, durable=False)
        self.house.outbox.close()

    def database(self, *, sealed: bool) -> Path:
        """A fresh empty one, in place of the last."""
        path = self.folder / "year.db"
        for each in self.folder.glob("year.db*"):
            each.unlink()
        shutil.copyfile(self.folder / "sealed.db" if sealed else self.empty, path)
        return path


class Year(Happenings):
    """One clinic from START on."""

    outbox_class: type[BreakingOutbox] = BreakingOutbox
    ground_class: type[Ground] = Ground

    def __init__(self, ground: Ground, seed: int, scale: Scale) -> None:
        self.seed, self.scale, self.ground = seed, scale, ground
        self.chance = Random(seed)
        self.clock = VirtualClock(START)
        self.ledger, self.counts, self.violations = Ledger(), Counter[str](), list[str]()
        self.steps = Steps(self._power)
        self.seal = SEAL if self.chance.random() < SEALED else None
        self.path = ground.database(sealed=self.seal is not None)
        self.withdrawn: dict[tuple[int, Channel], datetime] = {}
        self.ill: dict[int, datetime] = {}
        self.erased: set[int] = set()
        self._acknowledged: Desk = {}
        self.serving = self._providers()
        self._cuts = self._rounds = 0
        self._on = self._at_the_desk = False
        self._patients = 0

    # The machine -----------------------------------------------------------------------------

    def _power(self, step: str, _: int) -> None:
        chance = self.scale.cut_chance * (RARELY if step.endswith(RARE) else 1)
        if self._on and self._cuts < CUTS and self.chance.random() < chance:
            self._cuts += 1
            self.counts[f"cut {step}"] += 1
            self._on = False
            raise PowerCut(step)

    def _start(self) -> None:
        """As the daemon starts: with what a crash may have left behind."""
        self._open()
        self._knows_everything()
        self._on = True
        daemon._start(self.house, self.clock, self.serving)

    def _open(self) -> None:
        outbox = self.outbox_class(self.path, seal=self.seal, durable=False, steps=self.steps)
        house = self.ground.house
        intake = Intake(outbox, house.practice, house.library, by="Ana")
        self.house: House = replace(house, outbox=outbox, intake=intake)
        self.dispatches = [self._dispatch(name) for name in self.serving]

    def _dispatch(self, name: str) -> Dispatch:
        house = self.house
        means = Means(
            house.outbox, house.practice, house.renderer, self.clock, self.chance.random,
            new_token=lambda: f"{self.chance.getrandbits(64):x}",
        )  # fmt: skip
        return Dispatch(means, {name: self.serving[name]})

    def _providers(self) -> dict[str, Any]:
        given = (
            self.seed, self.scale.troubles, self.clock, self.ledger, self.steps, self._requested,
            self.counts,
        )  # fmt: skip
        self.texts: TextProvider | Any = TextProvider(Channel.SMS, *given)
        return {"console": self.texts, "file": MailProvider(Channel.EMAIL, *given)}

    def _try(self, act: Callable[[], object]) -> None:
        """Do something; where the power fails, start again, at once or much later."""
        try:
            act()
        except PowerCut:
            self._restart()
        except (Refused, NotFound, TryAgainLater):
            self.counts["refused"] += 1

    def _restart(self) -> None:
        while True:
            self.power_is_back()
            self.clock.move(timedelta(minutes=self.chance.choice([0, 0, 0, 1, 45, 600, 4000])))
            self.counts["restarts"] += 1
            try:
                return self._start()
            except PowerCut:
                continue

    def power_is_back(self) -> None:
        """What was under way is gone; what was committed is on disk."""
        self.house.outbox.close()

    # The year ----------------------------------------------------------------------------------

    def live(self) -> Outcome:
        with (
            patch.object(lanes, "ThreadPoolExecutor", InOrder),
            patch.object(dispatch, "ThreadPoolExecutor", InOrder),
            patch.object(protocols, "read", _read_once),
        ):
            try:
                self._pass()
            except Endless:
                self.violations.append("sending never comes to an end")
        return self._outcome()

    def _pass(self) -> None:
        self._try(self._start)
        chance = self.chance
        for when in sorted(START + YEAR * chance.random() for _ in range(self.scale.events)):
            self._until(when)
            self._at_the_desk = True
            self._try(self._happens)
            self._at_the_desk = False
            self._acknowledged = self._desk()
            self.clock.move(timedelta(milliseconds=1))
        self._until(self.clock.now() + timedelta(days=200))

    def _until(self, end: datetime) -> None:
        self._try(self._send)
        while (following := self._next()) is not None and following < end:
            self._goes_on()
            if self.chance.random() < 0.1:
                self._try(self._lets_texts_go)
            self.clock.move_to(max(following, self.clock.now() + timedelta(milliseconds=1)))
            self._try(self._hears)
            self._try(self._send_what_is_due)
        self.clock.move_to(end)
        self._try(self._hears)
        self._try(self._send)

    def _next(self) -> datetime | None:
        wakes = [each.next_wake_at(self.clock.now()) for each in self.dispatches]
        instants = [*wakes, *(when for when, _ in self.texts.calls)]
        return min((each for each in instants if each is not None), default=None)

    def _send(self) -> None:
        for each in self.dispatches:
            self._drain(each)

    def _send_what_is_due(self) -> None:
        now = self.clock.now()
        for each in self.dispatches:
            wake_at = each.next_wake_at(now)
            if wake_at is not None and wake_at <= now:
                self._drain(each)

    def _drain(self, each: Dispatch) -> None:
        while each.drain(self.clock.now()).more:
            self._goes_on()

    def _hears(self) -> None:
        """What a provider tells by itself is kept, and then applied by whoever sends."""
        now = self.clock.now()
        if not any(when <= now for when, _ in self.texts.calls):
            return
        while due := [each for each in self.texts.calls if each[0] <= now]:
            self.texts.calls.remove(due[0])
            self._hear(due[0][1])
        self._drain(self.dispatches[0])

    def _hear(self, told: Callback) -> None:
        self.counts[f"told: {told.receipt}"] += 1
        if told.meaning is not None:
            self.ledger.undelivered.add(told.provider_id)
        with self.house.outbox.transaction():
            self.house.outbox.keep_callback(told, self.clock.now())

    def _goes_on(self) -> None:
        self._rounds += 1
        if self._rounds > ENDLESS or len(self.violations) > ENOUGH:
            raise Endless

    def _outcome(self) -> Outcome:
        outbox = self.house.outbox
        broken = wrongs(outbox, self.ledger, self.steps.recorded, self.clock.now(), over=True)
        found = [*self.violations, *broken]
        outcome = Outcome(self.seed, found, self.counts)
        outcome.counts["accepted"] += len(self.ledger.entries)
        outcome.counts["reminders"] += outbox.count_reminders(ReminderFilter())
        faults_of = {
            number: faults
            for provider in self.serving.values()
            for number, faults in provider.faults_of.items()
        }
        outcome.fates = fates(outbox, faults_of, found)
        outbox.close()
        return outcome

    # What was acknowledged ------------------------------------------------------------------------

    def _desk(self) -> Desk:
        """Everything that staff were told is done, by whom or what it is about."""
        outbox = self.house.outbox
        people = {
            f"pat-{each.id}": (each.given_name, each.channels, each.timezone, each.paused)
            for each in outbox.patients()
        }
        visits = {f"ses-{each.id}": (each.at, each.state) for each in outbox.sessions()}
        return {**people, **visits}

    def _knows_everything(self) -> None:
        """After the power was cut all of it is there; what was being done may be done or not."""
        if self.granting is not None:
            who, channel = self.granting
            (said,) = self.house.outbox.query(
                "SELECT max(granted) FROM consents WHERE patient = ? AND channel = ?",
                (who, channel),
            )
            if said[0]:
                self._granted()
            self.granting = None
        present = self._desk()
        lost = [name for name, told in self._acknowledged.items() if present.get(name) != told]
        if len(lost) > int(self._at_the_desk):  # the one that was just being changed
            self.violations.append(f"acknowledged, and gone: {', '.join(lost)}")

    # What may leave, looked at as it leaves ------------------------------------------------------

    def _requested(self, message: Message, again: bool) -> None:
        """A request reaches a provider: is everything on record, and may it leave?"""
        number, outbox = number_of(message), self.house.outbox
        self._goes_on()
        if outbox.connection.in_transaction:
            self.violations.append(f"{message.id}: a transaction is open while it is handed over")
        if number < 0:
            self.violations += unmarked(outbox, message)
            return
        (row,) = outbox.query(
            "SELECT patient, outcome, marked_at, "
            "(SELECT min(reminder) FROM message_reminders WHERE message = messages.id) "
            "FROM messages JOIN attempts ON attempts.message = messages.id WHERE messages.id = ? "
            "ORDER BY attempts.id DESC LIMIT 1",
            (number,),
        ) or [(None,) * 4]
        if row[1] != ("in-doubt" if again else "marked"):
            self.violations.append(f"msg-{number}: handed over while its record says {row[1]}")
            return
        left = outbox.left(row[3])
        if not any((each.to, each.text) == (message.to, message.text) for each in left):
            self.violations.append(f"msg-{number}: handed over other words than the record says")
        marked = self.clock.now() if again else datetime.fromtimestamp(row[2] / 1000, START.tzinfo)
        self._may_leave(message, row[0], marked, again)
        if row[0] in self.erased:
            self.violations.append(f"msg-{number}: handed over, and the person was erased")
        self._somebody_withdraws()

    def _may_leave(self, message: Message, who: int, marked: datetime, again: bool) -> None:
        number, channel = number_of(message), message.channel
        open_ = (State.SENDING, State.UNKNOWN) if again else (State.SENDING,)
        said = self.withdrawn.get((who, channel))
        if said is not None and marked > said:
            self.violations.append(f"msg-{number}: left after consent was withdrawn at {said}")
        ill = self.ill.get(who)
        chart = self.house.intake.chart(who)
        if message.to != {"sms": chart.patient.phone, "email": chart.patient.email}[channel]:
            self.violations.append(f"msg-{number}: goes to somebody else")
        rows = self.house.outbox.query(
            "SELECT reminder FROM message_reminders WHERE message = ?", (number,)
        )
        carried = {row[0] for row in rows}
        for each in chart.reminders:
            if each.id in carried and each.state not in (*open_, State.FAILED):
                self.violations.append(f"rem-{each.id}: handed over while it is {each.state}")
        whys = [*why_not(chart, carried, marked), *calls_well(chart, carried, ill)]
        self.violations += (f"msg-{number} {why}" for why in whys)
