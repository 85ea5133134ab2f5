"""Providers of a simulated world: they accept, refuse, break, lag and lie, all from one seed."""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from random import Random
from typing import Any

from reminderd.clock import VirtualClock
from reminderd.errors import (
    AtCapacity,
    ContentRefused,
    CredentialsRefused,
    InDoubt,
    OptedOut,
    Rejected,
    SenderRefused,
    Temporary,
    WrongAddress,
)
from reminderd.interfaces import Callback
from reminderd.model import Channel, Message, Outcome, Receipt
from reminderd.transports.mail import Mailbox, compose
from tests.faults.ledger import Accepted, Ledger
from tests.faults.steps import Steps

SENDER = Mailbox.parse("Alba Skin Clinic <care@example.org>")
NO_WAY = "nobody answers"


@dataclass(frozen=True)
class Fault:
    """What goes wrong with one hand-over: whether it was accepted all the same, what is said."""

    accepts: bool
    error: Callable[[], Exception]
    weight: int = 4


def _busy() -> Temporary:
    return AtCapacity("429: too many requests", code="429", retry_after=timedelta(minutes=2))


FAULTS = {
    "busy, Retry-After": Fault(False, _busy, 8),
    NO_WAY: Fault(False, lambda: Temporary("not reached"), 8),
    "500, not accepted": Fault(False, lambda: InDoubt("500", code="500")),
    "500, accepted": Fault(True, lambda: InDoubt("500", code="500")),
    "reset, not accepted": Fault(False, lambda: InDoubt("no whole answer came")),
    "reset, accepted": Fault(True, lambda: InDoubt("no whole answer came")),
    "HTML, accepted": Fault(True, lambda: InDoubt("the answer cannot be read")),
    "a stranger's error, accepted": Fault(True, lambda: ValueError("what")),
    "a stranger's error, not accepted": Fault(False, lambda: ValueError("what")),
    "wrong address": Fault(False, lambda: WrongAddress("nobody there", code="21211"), 2),
    "opted out": Fault(False, lambda: OptedOut("STOP", code="21610"), 2),
    "content refused": Fault(False, lambda: ContentRefused("spam", code="30007"), 2),
    "this message refused": Fault(False, lambda: Rejected("no idea", code="39999"), 2),
    "sender refused": Fault(False, lambda: SenderRefused("not yours", code="21606"), 2),
    "credentials": Fault(False, lambda: CredentialsRefused("401", code="20003"), 2),
}


def number_of(message: Message) -> int:
    """The number of the message's row; that of an automatic answer is below zero."""
    kind, number, *_ = message.id.split("-")
    return -int(number) if kind == "ans" else int(number)


class Provider:
    """One channel's provider; what it does depends on the seed, the message and the try alone."""

    Settings = type(None)
    leaves_machine = False
    max_per_second: float | None = None

    def __init__(
        self,
        channel: Channel,
        seed: int,
        troubles: float,
        clock: VirtualClock,
        ledger: Ledger,
        steps: Steps,
        watch: Callable[[Message, bool], None],
        counts: Counter[str],
    ) -> None:
        self.channels = frozenset({channel})
        self.concurrency = Random(seed).choice([1, 1, 1, 4])
        self.faults_of: dict[int, set[str]] = defaultdict(set)
        self.down_until: datetime | None = None
        self._channel, self._seed, self._troubles = channel, seed, troubles
        self._clock, self._ledger, self._steps, self._watch = clock, ledger, steps, watch
        self._counts = counts
        self._tries: Counter[int] = Counter()

    def send(self, message: Message) -> str:
        return self._take(message, again=False)

    def test(self) -> str:
        return "here"

    def close(self) -> None:
        """Nothing is open."""

    def _take(self, message: Message, *, again: bool) -> str:
        number = number_of(message)
        self._tries[number] += 1
        chance = Random(f"{self._seed}/{number}/{self._tries[number]}")
        self._steps.passing("before the request")
        self._watch(message, again)
        name = self._trouble(chance)
        if name is None:
            self._clock.move(timedelta(milliseconds=chance.randrange(1, 20_000)))
            provider_id = self._accept(message, number, chance)
            self._steps.passing("after the answer")
            return provider_id
        if number > 0:
            self.faults_of[number].add(name)
        fault = FAULTS[name]
        if fault.accepts:
            self._accept(message, number, chance)
        self._clock.move(timedelta(seconds=chance.randrange(1, 16)))
        self._steps.passing("after the answer")
        raise fault.error()

    def _trouble(self, chance: Random) -> str | None:
        if self.down_until is not None and self._clock.now() < self.down_until:
            return NO_WAY
        if chance.random() >= self._troubles:
            return None
        return chance.choices(list(FAULTS), [each.weight for each in FAULTS.values()])[0]

    def _accept(self, message: Message, number: int, chance: Random) -> str:
        if number < 0:
            return self._accept_answer(message, -number)
        place = len(self._ledger.entries) + 1
        key, provider_id = self._names(message, f"SM{place}")
        self._ledger.entries.append(
            Accepted(
                key, number, self._channel, message.to, message.text, provider_id,
                self._clock.now(),
            )
        )  # fmt: skip
        self._promise(message, provider_id, chance)
        return provider_id

    def _accept_answer(self, message: Message, number: int) -> str:
        name, now = f"SA{len(self._ledger.answers) + 1}", self._clock.now()
        self._counts["answers accepted"] += 1
        self._ledger.answers.append(
            Accepted(name, number, self._channel, message.to, message.text, name, now)
        )
        return name

    def _promise(self, message: Message, provider_id: str, chance: Random) -> None:
        """What this provider will tell by itself: nothing."""

    def _names(self, message: Message, fresh: str) -> tuple[str, str]:
        return fresh, fresh


class TextProvider(Provider):
    """Has a list of what it has taken, which lags and sometimes lies by leaving something out."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.calls: list[tuple[datetime, Callback]] = []  # what it will tell, and when

    def find(self, to: str, text: str, since: datetime) -> list[Callback]:
        now = self._clock.now()
        chance = Random(f"{self._seed}/list/{now}")
        if chance.random() < self._troubles / 2:
            self._counts["list: cannot be had"] += 1
            raise Temporary("the list cannot be had")
        taken = [
            each
            for each in self._ledger.entries
            if (each.channel, each.to, each.text) == (self._channel, to, text) and since <= each.at
        ]
        listed = [each.provider_id for each in taken if self._listed_from(each) <= now]
        self._counts["list: true" if len(listed) == len(taken) else "list: lags or lies"] += 1
        return [Callback(None, each, Receipt.QUEUED) for each in listed]

    def _listed_from(self, entry: Accepted) -> datetime:
        chance = Random(f"{self._seed}/lag/{entry.provider_id}")
        never = timedelta(days=3650)
        lag = chance.choice([timedelta(0), timedelta(minutes=1), timedelta(minutes=30), never])
        return entry.at + (lag if self._troubles else timedelta(0))

    def _promise(self, message: Message, provider_id: str, chance: Random) -> None:
        self.calls += promises(message.attempt, provider_id, self._clock.now(), chance)


def promises(
    token: str | None, provider_id: str, now: datetime, chance: Random
) -> Iterator[tuple[datetime, Callback]]:
    """What will be told, and when: late, twice, in any order, about strangers, or never."""
    if chance.random() < 0.5:
        return
    last = chance.choices([Receipt.DELIVERED, Receipt.UNDELIVERED, Receipt.FAILED], [8, 1, 1])
    for receipt in (Receipt.QUEUED, Receipt.SENT, *last):
        nobody = receipt is Receipt.UNDELIVERED and chance.random() < 0.7
        meaning, code = (Outcome.WRONG_ADDRESS, "30005") if nobody else (None, None)
        for _ in range(chance.choices([0, 1, 2], [1, 7, 2])[0]):
            wait = timedelta(seconds=chance.choice([0, 0, 0, 40, 5000]))
            yield now + wait, Callback(token, provider_id, receipt, code, meaning)
    if chance.random() < 0.1:
        yield now, Callback("nobody's", f"{provider_id}x", Receipt.DELIVERED)


class MailProvider(Provider):
    """Mailboxes show a mail once that comes again byte for byte."""

    def send_again(self, message: Message) -> str:
        return self._take(message, again=True)

    def _names(self, message: Message, fresh: str) -> tuple[str, str]:
        content = compose(message, SENDER)
        return sha256(content).hexdigest(), f"<{message.id}@example.org>"
