"""Clinics whose processes are killed: real files, real providers on this machine, a set clock."""

import socket
from base64 import b64encode
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from functools import cache
from hashlib import sha256
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

from reminderd import bootstrap
from reminderd.bootstrap import House
from reminderd.engines.embedded import store
from reminderd.engines.embedded.connection import connect
from reminderd.engines.embedded.outbox import EmbeddedOutbox
from reminderd.intake import Intake
from reminderd.model import Channel, Consent, Patient
from reminderd.roster import SessionEntry
from reminderd.sealing import Seal
from reminderd.settings import Settings
from tests.configuration import configuration
from tests.core.build import LONG_AGO
from tests.end_to_end.clinic import sending_to
from tests.fakes.smtp_server import SmtpServer
from tests.fakes.twilio_server import TwilioServer
from tests.faults.answers import on_record
from tests.faults.checker import words
from tests.faults.forks import Job, run
from tests.faults.ledger import Accepted, Ledger

PUBLIC = "https://care.example.org"
START = datetime(2026, 3, 28, 14, 30, tzinfo=UTC)  # by which the fake provider dates what it takes
KEY = bytes(range(32))
SEAL = Seal(KEY, "the tests")
BOTH = (Channel.SMS, Channel.EMAIL)


@cache
def servers() -> tuple[TwilioServer, SmtpServer]:
    """Both providers, for all scenes of this process."""
    return TwilioServer().start(), SmtpServer().start()


class Scene:
    """A clinic in a folder with some patients, of whom something is due."""

    def __init__(
        self, folder: Path, seed: int, *, now: datetime = START, quiet: str = "21:00-08:00"
    ) -> None:
        self._quiet = quiet
        self._seal: Seal | None = None
        self.folder, self.chance = folder, Random(seed)
        self.twilio, self.smtp = servers()
        self.twilio.forget()
        self.twilio.now = lambda: START
        self.smtp.forget()
        self.texts = self.chance.random() < 0.6
        self.count = self.chance.randint(1, 6)
        self.concurrency = self.chance.randint(1, 3)
        self.config, self.database = folder / "reminderd.toml", folder / "reminderd.db"
        self._configure()
        self.database.write_bytes(_enrolled(self.count, self.texts, now))
        self._taken_at: dict[Channel, list[datetime]] = {each: [] for each in Channel}

    def _configure(self, *more: str) -> None:
        sections = sending_to(self.twilio, self.smtp, concurrency=self.concurrency)
        self.config.write_text(
            configuration(sections, *more, sms="twilio", email="smtp", quiet=self._quiet)
        )

    def prefer_texts(self) -> None:
        """Everybody gets text messages."""
        self.texts = True
        self.database.write_bytes(_enrolled(self.count, True, START))

    def listens(self) -> int:
        """Let the daemon be called by the provider; the port at which it is."""
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = int(probe.getsockname()[1])
        self._configure(f'[web]\nlisten = "127.0.0.1:{port}"\npublic_url = "{PUBLIC}"')
        return port

    def tells(self, mailbox: str) -> None:
        """From now on somebody at the clinic is to be told what cannot wait."""
        self._configure(f'[alerts]\nto = ["{mailbox}"]')

    @property
    def log(self) -> str:
        log = self.config.with_name("log")
        return log.read_text() if log.exists() else ""

    def encrypts(self) -> None:
        """From now on a key is configured."""
        self._seal = SEAL
        text = self.config.read_text()
        key = b64encode(KEY).decode()
        self.config.write_text(
            text.replace("[database]", f'[database]\nencryption_key = "{key}"', 1)
        )

    def house(self) -> House:
        """The clinic's own, to look at what became of it."""
        wired = _wired()
        outbox = EmbeddedOutbox(self.database, seal=self._seal, durable=False)
        intake = Intake(outbox, wired.practice, wired.library, by="Ana")
        return replace(wired, outbox=outbox, intake=intake)

    def look(self, sql: str, parameters: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        """Rows of the file, beside whoever works with it."""
        with closing(connect(self.database, read_only=True)) as opened:
            rows: list[tuple[Any, ...]] = opened.execute(sql, parameters).fetchall()
            return rows

    def is_all_sent(self, now: datetime) -> bool:
        """Whether nothing is due or under way; asked of the file, beside the process that sends."""
        return not self.look(
            "SELECT 1 FROM reminders WHERE state = 'sending' "
            "OR (state = 'scheduled' AND wake_at <= ?) LIMIT 1",
            (int(now.timestamp() * 1000),),
        )

    def job(self, *words: str, at: datetime = START, step: str = "", number: int = 1) -> Job:
        return Job(self.config, at, words, step, number)

    def types(self, *words: str, at: datetime = START, step: str = "", number: int = 1) -> int:
        """The exit code of a process that did this, or that died at that step."""
        self.twilio.now = lambda: at
        code = run(Job(self.config, at, words, step, number))
        self.taken(at, killed=code < 0)
        return code

    def taken(self, at: datetime, *, killed: bool = False) -> None:
        """Remember this as the instant of whatever the providers have taken since the last call.

        What a process that was killed had said may still be on its way through them.
        """
        if killed:
            self.twilio.wait_until_quiet()
            self.smtp.wait_until_quiet()
        for channel, kept in (
            (Channel.SMS, self.twilio.messages),
            (Channel.EMAIL, self.smtp.mails),
        ):
            known = self._taken_at[channel]
            known += [at] * (len(kept) - len(known))

    def ledger(self, house: House) -> Ledger:
        """What both providers have taken, by the number of the message, or of the answer."""
        kept = words(house.outbox).items()
        rows = [(number, to, text) for number, (to, text) in kept if to and text]
        numbers = {(e.number, e.text): number for number, e in on_record(house.outbox).items()}
        texts, answers = [], []
        for each in self._texts(rows):
            number = numbers.get((each.to, each.text))
            if number is None:
                texts.append(each)
            else:
                answers.append(replace(each, message=number))
        return Ledger([*texts, *self._mails(rows)], answers)

    def _texts(self, rows: list[tuple[int, str, str]]) -> Iterator[Accepted]:
        messages = {(to, text): number for number, to, text in rows}
        dated = zip(self.twilio.messages, self._taken_at[Channel.SMS], strict=True)
        for each, at in dated:
            to, text, sid = each["to"], each["body"], each["sid"]
            yield Accepted(sid, messages.get((to, text), 0), Channel.SMS, to, text, sid, at)

    def _mails(self, rows: list[tuple[int, str, str]]) -> Iterator[Accepted]:
        texts = {number: text for number, _, text in rows}
        for mail, at in zip(self.smtp.mails, self._taken_at[Channel.EMAIL], strict=True):
            name = message_from_bytes(mail.content)["Message-ID"]
            number = int(name.split("-")[1])
            key = sha256(mail.content).hexdigest()
            yield Accepted(key, number, Channel.EMAIL, mail.to, texts.get(number, ""), name, at)


@cache
def _wired() -> House:
    """What all clinics of this process share."""
    with TemporaryDirectory() as folder:
        config = Path(folder) / "reminderd.toml"
        section = sending_to(*servers())
        config.write_text(configuration(section, sms="twilio", email="smtp"))
        settings = bootstrap.load_settings(config, {})
        store.create(settings.database)
        house = bootstrap.open_house(settings, durable=False)
        house.outbox.close()
        return house


@cache
def _enrolled(count: int, texts: bool, now: datetime) -> bytes:
    """A database with so many patients who prefer text messages, or mails."""
    with TemporaryDirectory() as folder:
        settings = _on_files(Path(folder))
        _enrol(settings, now, [BOTH if texts else BOTH[::-1]] * count)
        return settings.database.read_bytes()


def first_day(folder: Path) -> Settings:
    """A clinic that writes files, and has a text message and a mail to send."""
    settings = _on_files(folder)
    _enrol(settings, START, [BOTH, BOTH[::-1]])
    return settings


def roster(folder: Path, count: int) -> Path:
    """A list of so many patients who are not known yet."""
    rows = [
        f'R{n},Canari,+3460000{n:04},canari{n}@example.org,"sms;email",sms,mesotherapy,'
        f"2026-03-2{n} 10:00"
        for n in range(1, count + 1)
    ]
    head = "ref,given_name,phone,email,channels,consent,protocol,session_at"
    path = folder / "patients.csv"
    path.write_text("\n".join([head, *rows]) + "\n")
    return path


def _on_files(folder: Path) -> Settings:
    config = folder / "reminderd.toml"
    config.write_text(configuration(sms="file", quiet="00:00-00:00"))
    settings = bootstrap.load_settings(config, {})
    store.create(settings.database)
    return settings


def _enrol(settings: Settings, now: datetime, orders: list[tuple[Channel, ...]]) -> None:
    house = bootstrap.open_house(settings, durable=False)
    house.intake.approve("mesotherapy", "Dr. Example", now)
    said = {each: Consent(True, LONG_AGO, "form") for each in BOTH}
    for n, channels in enumerate(orders, 1):
        person = Patient(
            "main", f"Canaria{n}", phone=f"+3460000{n:04}", email=f"canaria{n}@example.org",
            channels=channels, consent=said,
        )  # fmt: skip
        entry = SessionEntry("mesotherapy", now - timedelta(seconds=9), frozenset(), None)
        house.intake.enrol(person, entry, now - timedelta(seconds=5))
    house.outbox.close()
