"""Years over real sockets: the real twilio client and the real mail client, and servers that break.

Only the clock is virtual. What a server does to a request depends on the seed, the message and the
try; the servers themselves keep what they have taken.
"""

from abc import ABC, abstractmethod
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from email import message_from_bytes
from hashlib import sha256
from pathlib import Path
from random import Random
from typing import Any

from reminderd import bootstrap
from reminderd.engines.embedded import store
from reminderd.engines.embedded.outbox import EmbeddedOutbox
from reminderd.errors import InDoubt
from reminderd.intake import Intake
from reminderd.interfaces import Callback
from reminderd.model import Channel, Message
from reminderd.transports.smtp import Smtp, SmtpSettings
from reminderd.transports.twilio import Twilio, TwilioSettings
from tests.configuration import configuration
from tests.end_to_end.clinic import sending_to
from tests.end_to_end.life import PROTOCOLS, SECOND
from tests.fakes.smtp_server import DROP, HANG, SmtpServer, cut
from tests.fakes.twilio_server import (
    Behaviour,
    TwilioServer,
    error,
    half,
    hang,
    html,
    nameless,
    rate_limited,
    redirect,
    reset,
    server_error,
)
from tests.faults.clinic_year import SEAL, START, Ground, Outcome, Year
from tests.faults.ledger import Accepted
from tests.faults.providers import number_of, promises
from tests.faults.scenes import servers
from tests.waiting import until

HASTY_SECONDS = 0.1
SILENCE = "silence"
ASKED: dict[str, Callable[[], Behaviour]] = {  # what a request to send a text message may get
    "429, Retry-After": lambda: rate_limited("120"),
    "500": server_error,
    "500, accepted": lambda: server_error(accept=True),
    "503, accepted": lambda: server_error(503, accept=True),
    "307": lambda: redirect("http://127.0.0.1:9/elsewhere"),
    "reset before the body": lambda: reset(read_first=False),
    "reset": reset,
    "reset, accepted": lambda: reset(accept=True),
    "half an answer, accepted": half,
    "half an answer": lambda: half(accept=False),
    "HTML, accepted": html,
    "201 without a SID, accepted": nameless,
    SILENCE: hang,
    f"{SILENCE}, accepted": lambda: hang(accept=True),
    "wrong number": lambda: error(21211),
    "STOP": lambda: error(21610),
    "not our number": lambda: error(21606),
    "401": lambda: error(20003, 401),
    "a code nobody knows": lambda: error(39999),
}
TAKEN_IN_SILENCE = (f"{SILENCE}, accepted", f"dot: {SILENCE}")
LISTED: dict[str, Callable[[], Behaviour]] = {
    "list: 500": server_error,
    "list: HTML": html,
    "list: half": half,
    "list: reset": reset,
}
PHASES = ("connect", "EHLO", "MAIL", "RCPT", "DATA", "dot")
REPLIES = {
    "4yz": "451 4.3.0 not now", "5yz": "554 5.7.1 no", "cut": DROP, "half": cut("25"),
    SILENCE: HANG, "garbage": "what?",
}  # fmt: skip
TALK = {
    **{f"{phase}: {what}": (phase, said) for phase in PHASES for what, said in REPLIES.items()},
    "body: cut": ("body", DROP),
    f"body: {SILENCE}": ("body", HANG),
    "RCPT: nobody there": ("RCPT", "550 5.1.1 no such mailbox"),
}


@dataclass
class World:
    """What both wires of a year share."""

    year: Year
    seed: int
    twilio: TwilioServer
    smtp: SmtpServer


class Wire(ABC):
    """A real transport to a server that breaks now and then."""

    max_per_second: float | None = None
    leaves_machine = False
    concurrency = 2
    channel: Channel

    def __init__(self, world: World, patient: Any, hasty: Any) -> None:
        self.channels = frozenset({self.channel})
        self.faults_of: dict[int, set[str]] = defaultdict(set)
        self.down_until: datetime | None = None
        self.calls: list[tuple[datetime, Callback]] = []
        self._world, self._year, self._patient, self._hasty = world, world.year, patient, hasty
        self._tries: Counter[int] = Counter()

    def send(self, message: Message) -> str:
        return self._carry(message, again=False)

    def close(self) -> None:
        self._patient.close()
        self._hasty.close()

    def _carry(self, message: Message, *, again: bool) -> str:
        number, year = number_of(message), self._year
        self._tries[number] += 1
        chance = Random(f"{self._world.seed}/{number}/{self._tries[number]}")
        year.steps.passing("before the request")
        year._requested(message, again)
        fault, is_silent = self._plan(number, chance)
        transport = self._hasty if is_silent else self._patient
        try:
            provider_id: str = (transport.send_again if again else transport.send)(message)
        except InDoubt:
            if fault in TAKEN_IN_SILENCE:
                until(lambda: self._count() > self._known, "it is accepted")
            raise
        finally:
            if is_silent:  # we went on before the server may have come to it
                self._wait_until_quiet()
            self._collect(message, number, chance)
            year.clock.move(timedelta(milliseconds=chance.randrange(1, 15_000)))
        year.steps.passing("after the answer")
        return provider_id

    def _plan(self, number: int, chance: Random) -> tuple[str, bool]:
        """Tell the server what to do next, if anything; whether it will keep silent."""
        down = self.down_until is not None and self._year.clock.now() < self.down_until
        if not down and chance.random() >= self._year.scale.troubles:
            return "", False
        fault = self._down() if down else chance.choice(self._faults())
        self.faults_of[number].add(fault)
        self._script(fault)
        return fault, SILENCE in fault

    _known = 0  # how many of those that the server has taken are in the ledger

    @abstractmethod
    def _wait_until_quiet(self) -> None:
        """Wait until the server is done with whoever is gone."""

    @abstractmethod
    def _count(self) -> int:
        """How many messages the server has taken."""

    @abstractmethod
    def _faults(self) -> list[str]:
        """What can go wrong."""

    @abstractmethod
    def _down(self) -> str:
        """What goes wrong in an outage."""

    @abstractmethod
    def _script(self, fault: str) -> None:
        """Tell the server what to do next."""

    @abstractmethod
    def _collect(self, message: Message, number: int, chance: Random) -> None:
        """What the server has taken meanwhile, into the ledger."""


class TextWire(Wire):
    """The real twilio client; the server's list lags, leaves out and breaks."""

    channel = Channel.SMS

    def find(self, to: str, text: str, since: datetime) -> list[Callback]:
        server, clock = self._world.twilio, self._year.clock
        chance = Random(f"{self._world.seed}/list/{clock.now()}")
        if chance.random() < self._year.scale.troubles / 2:
            fault = chance.choice(list(LISTED))
            self._year.counts[fault] += 1
            server.script_list(LISTED[fault]())
        server.lists = self._owns_up
        try:
            found: list[Callback] = self._patient.find(to, text, since)
            return found
        finally:
            server.script_nothing()

    def _owns_up(self, record: Mapping[str, Any]) -> bool:
        chance = Random(f"{self._world.seed}/lag/{record['sid']}")
        lag = chance.choice([timedelta(0), timedelta(minutes=1), timedelta(minutes=30), None])
        at = next(e.at for e in self._year.ledger.entries if e.provider_id == record["sid"])
        return lag is not None and at + lag <= self._year.clock.now()

    def _faults(self) -> list[str]:
        return list(ASKED)

    def _down(self) -> str:
        return "reset before the body"

    def _script(self, fault: str) -> None:
        self._world.twilio.script(ASKED[fault]())

    def _wait_until_quiet(self) -> None:
        until(self._world.twilio.has_done_all, "the server is silent")

    def _count(self) -> int:
        return len(self._world.twilio.messages)

    def _collect(self, message: Message, number: int, chance: Random) -> None:
        server, now = self._world.twilio, self._year.clock.now()
        server.script_nothing()
        for each in server.messages[self._known :]:
            sid = each["sid"]
            self._year.ledger.entries.append(
                Accepted(sid, number, self.channel, each["to"], each["body"], sid, now)
            )
            self.calls += promises(message.attempt, sid, now, chance)
        self._known = self._count()


class MailWire(Wire):
    """The real mail client."""

    channel = Channel.EMAIL

    def send_again(self, message: Message) -> str:
        return self._carry(message, again=True)

    def _faults(self) -> list[str]:
        return list(TALK)

    def _down(self) -> str:
        return "connect: cut"

    def _script(self, fault: str) -> None:
        phase, said = TALK[fault]
        if phase in ("connect", "EHLO"):
            self._patient.close()  # else a kept connection would not come to it
        self._world.smtp.script(phase, said)

    def _wait_until_quiet(self) -> None:
        self._patient.close()
        self._world.smtp.wait_until_quiet()

    def _count(self) -> int:
        return len(self._world.smtp.mails)

    def _collect(self, message: Message, number: int, chance: Random) -> None:
        server = self._world.smtp
        server.script_nothing()
        for each in server.mails[self._known :]:
            name = message_from_bytes(each.content)["Message-ID"]
            assert name.startswith(f"<{message.id}."), "a mail that nobody waited for"
            self._year.ledger.entries.append(
                Accepted(
                    sha256(each.content).hexdigest(), number, self.channel, each.to, message.text,
                    name, self._year.clock.now(),
                )
            )  # fmt: skip
        self._known = self._count()


class WireGround(Ground):
    """The configuration of a clinic that leaves by these servers, and everything approved."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        config = folder / "reminderd.toml"
        config.write_text(configuration(SECOND, sending_to(*servers()), sms="twilio", email="smtp"))
        self.settings = bootstrap.load_settings(config, {})
        self.empty = folder / "empty.db"
        store.create(self.empty)
        store.create(folder / "sealed.db", seal=SEAL)
        self.house = bootstrap.open_house(self.settings, database=self.empty, durable=False)
        self._approve(self.house.outbox)
        self._approve(EmbeddedOutbox(folder / "sealed.db", seal=SEAL))

    def _approve(self, outbox: EmbeddedOutbox) -> None:
        intake = Intake(outbox, self.house.practice, self.house.library, by="Ana")
        for protocol in PROTOCOLS:
            intake.approve(protocol, "Dr. Example", START)
        outbox.close()


class WireYear(Year):
    """A year whose providers are behind sockets."""

    ground_class = WireGround

    def _providers(self) -> dict[str, Any]:
        twilio, smtp = servers()
        twilio.forget()
        smtp.forget()
        twilio.now = self.clock.now
        world = World(self, self.seed, twilio, smtp)
        asks, talks = TwilioSettings(**twilio.settings()), SmtpSettings(**smtp.settings())
        hasty = {"timeout": HASTY_SECONDS}
        self.texts = TextWire(world, Twilio(asks), Twilio(asks.model_copy(update=hasty)))
        mails = MailWire(world, Smtp(talks), Smtp(talks.model_copy(update=hasty)))
        return {"twilio": self.texts, "smtp": mails}

    def power_is_back(self) -> None:
        super().power_is_back()
        self._hang_up()

    def live(self) -> Outcome:
        try:
            return super().live()
        finally:
            self._hang_up()

    def _hang_up(self) -> None:
        for each in self.serving.values():
            each.close()
