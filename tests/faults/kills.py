"""Kills a real process at a step, lets the next one recover, and looks at what became of it all."""

import multiprocessing
import os
import signal
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from hashlib import sha256
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from random import Random

from reminderd import bootstrap
from reminderd.bootstrap import House
from reminderd.engines.embedded import connection, schema, store
from reminderd.interfaces import ReminderFilter
from reminderd.model import Channel, Consent, Patient, State
from reminderd.roster import SessionEntry
from tests.core.build import LONG_AGO
from tests.end_to_end.clinic import DATA, leaving, providers, until
from tests.fakes.smtp_server import HANG, SmtpServer
from tests.fakes.twilio_server import TwilioServer, hang
from tests.faults.checker import wrongs
from tests.faults.crash import STATEMENT, run
from tests.faults.ledger import Accepted, Ledger
from tests.faults.steps import REQUEST

START = datetime(2026, 3, 28, 14, 30, tzinfo=UTC)  # by which the fake provider dates what it takes
LOOKS = [timedelta(seconds=s) for s in (1, 31, 3610)]
SENDING = tuple(
    f"{when} {what}" for what in ("the claim", "the mark", "the record")
    for when in ("before", "in", "after")
)  # fmt: skip
WIRE = ("request written", "provider accepted")  # the answer is still on its way
IMPORT = ("before the import", "in the import", "after the import", "before the plan",
          "in the plan", "after the plan")  # fmt: skip
CRASH_POINTS = (*SENDING, *REQUEST, *WIRE, *(f"import: {each}" for each in IMPORT), STATEMENT)

_processes = multiprocessing.get_context("forkserver")
_processes.set_forkserver_preload(
    ["pytest", "tests.faults.crash", "reminderd.cli.run", "reminderd.transports.twilio",
     "reminderd.transports.smtp", "twilio.rest"]
)  # fmt: skip


def kill(point: str, seed: int, folder: Path) -> tuple[list[str], str]:
    """Every promise that a kill at this point broke, and what became of the reminders."""
    if point == STATEMENT:
        return _in_a_migration(seed, folder)
    with providers() as (twilio, smtp):
        scene = Scene(folder, seed, twilio, smtp)
        if point.startswith("import: "):
            return scene.in_an_import(point.removeprefix("import: "))
        return scene.in_sending(point)


class Scene:
    """A clinic in a folder with some patients, of whom something is due."""

    def __init__(self, folder: Path, seed: int, twilio: TwilioServer, smtp: SmtpServer) -> None:
        self.chance, self.twilio, self.smtp = Random(seed), twilio, smtp
        self.concurrency = self.chance.randint(1, 3)
        clinic = leaving(folder, twilio, smtp, concurrency=self.concurrency)
        self.config, self.log = clinic.config, folder / "log"
        self.settings = bootstrap.load_settings(self.config, {})

    def house(self) -> House:
        return bootstrap.open_house(self.settings, durable=False)

    # Sending -------------------------------------------------------------------------------------

    def in_sending(self, point: str) -> tuple[list[str], str]:
        self._enrol(self.chance.randint(1, 6))
        number = self.chance.randint(1, 2)
        process = self._process(START, point, number, "run", "--once")
        if point in WIRE:
            self._hold_the_answer(point)
            process.start()
            until(self._has_arrived(point), point)
            assert process.pid is not None
            os.kill(process.pid, signal.SIGKILL)
        else:
            process.start()
        process.join(30)
        assert process.exitcode in (-signal.SIGKILL, 0, 75), self.log.read_text()
        killed = process.exitcode == -signal.SIGKILL
        for later in LOOKS:
            self._runs(START + later, "run", "--once")
        return self._what_became(START + LOOKS[-1]), "killed" if killed else "not reached"

    def _hold_the_answer(self, point: str) -> None:
        self.twilio.script(hang(accept=point == "provider accepted"))
        if point == "provider accepted":
            self.smtp.script("dot", HANG)
        else:
            self.smtp.script("body", HANG)

    def _has_arrived(self, point: str) -> Callable[[], object]:
        if self.texts:
            return lambda: self.twilio.requests
        return lambda: self.smtp.mails if point == "provider accepted" else self.smtp.connections

    def _enrol(self, count: int) -> None:
        house = self.house()
        house.intake.approve("mesotherapy", "Dr. Example", START)
        self.texts = self.chance.random() < 0.6
        both = (Channel.SMS, Channel.EMAIL)
        for n in range(1, count + 1):
            channels = both if self.texts else both[::-1]
            said = {each: Consent(True, LONG_AGO, "form") for each in both}
            person = Patient(
                "main", f"Canaria{n}", phone=f"+3460000{n:04}", email=f"canaria{n}@example.org",
                channels=channels, consent=said,
            )  # fmt: skip
            entry = SessionEntry("mesotherapy", START - timedelta(seconds=9), frozenset(), None)
            house.intake.enrol(person, entry, START - timedelta(seconds=5))
        house.outbox.close()

    def _process(self, now: datetime, step: str, number: int, *words: str) -> ForkServerProcess:
        given = (self.config, now, step, number, list(words), self.log)
        return _processes.Process(target=run, args=given)

    def _runs(self, now: datetime, *words: str) -> int | None:
        process = self._process(now, "", 0, *words)
        process.start()
        process.join(30)
        return process.exitcode

    def _what_became(self, now: datetime) -> list[str]:
        house = self.house()
        found = wrongs(house.outbox, self._ledger(house), set(), now)
        due = [
            each
            for each in house.outbox.reminders(ReminderFilter())
            if each.due_at is not None and each.due_at <= START
        ]
        found += [f"rem-{each.id}: lost: {each.state}" for each in due if not _is_seen(each.state)]
        unknown = {each.patient_id for each in due if each.state is State.UNKNOWN}
        if len(unknown) > max(self.concurrency, 4):  # as many as leave side by side
            found.append(f"in doubt: {len(unknown)} messages")
        house.outbox.close()
        said = self.log.read_text()
        canaries = ("Canaria", "canaria", "60000")
        return found + [f"the log says {each}" for each in canaries if each in said]

    def _ledger(self, house: House) -> Ledger:
        rows = house.outbox.query("SELECT id, recipient, text FROM messages WHERE text IS NOT NULL")
        messages = {(to, text): number for number, to, text in rows}
        ledger = Ledger()
        for each in self.twilio.messages:
            to, text, sid = each["to"], each["body"], each["sid"]
            number = messages.get((to, text), 0)
            ledger.entries.append(Accepted(sid, number, Channel.SMS, to, text, sid, START))
        texts = {number: text for number, _, text in rows}
        for mail in self.smtp.mails:
            name = message_from_bytes(mail.content)["Message-ID"]
            number = int(name.split("-")[1])
            key = sha256(mail.content).hexdigest()
            ledger.entries.append(
                Accepted(key, number, Channel.EMAIL, mail.to, texts.get(number, ""), name, START)
            )
        return ledger

    # Import --------------------------------------------------------------------------------------

    def in_an_import(self, step: str) -> tuple[list[str], str]:
        table = str(DATA / "patients.csv")
        self.house().outbox.close()
        process = self._process(START, step, 1, "patient", "import", table)
        process.start()
        process.join(30)
        killed = process.exitcode == -signal.SIGKILL
        house = self.house()
        count, found = len(house.outbox.patients()), list[str]()
        if step.startswith("after") == (count == 0) and killed:
            found.append(f"killed {step}, and there are {count} patients")
        if count == 0:
            self._runs(START, "patient", "import", table)
        sessions = house.outbox.sessions()
        planned = {each.session_id for each in house.outbox.reminders(ReminderFilter())}
        if not sessions or any(each.id not in planned for each in sessions):
            found.append("a session without a plan")
        found += wrongs(house.outbox, Ledger(), set(), START - timedelta(days=3650))
        house.outbox.close()
        return found, "killed" if killed else "not reached"


def _is_seen(state: State) -> bool:
    return state not in (State.SCHEDULED, State.SENDING)


def _in_a_migration(seed: int, folder: Path) -> tuple[list[str], str]:
    """An old database is brought up to date, and the process dies between two statements."""
    from sqlite_utils import Database

    path = folder / "reminderd.db"
    old = connection.connect(path, create=True)
    old.execute("BEGIN IMMEDIATE")
    schema.migrations().apply(Database(old), stop_before="002-what-changed")
    old.execute("PRAGMA user_version = 1")
    old.execute("COMMIT")
    before = old.execute("SELECT name FROM sqlite_master ORDER BY name").fetchall()
    old.close()
    number = Random(seed).randint(1, 8)
    given = (folder / "reminderd.toml", START, STATEMENT, number, ["migrate"], folder / "log")
    process = _processes.Process(target=run, args=given)
    process.start()
    process.join(30)
    kept = connection.connect(path)
    after = kept.execute("SELECT name FROM sqlite_master ORDER BY name").fetchall()
    version = kept.execute("PRAGMA user_version").fetchone()[0]
    kept.close()
    killed = process.exitcode == -signal.SIGKILL
    found = []
    if killed and (version, after) != (1, before):
        found.append(f"killed between two statements, and it is version {version}")
    if killed and not store.create(path):
        found.append("cannot be brought up to date any more")
    store.Store(path, durable=False).close()
    return found, "killed" if killed else "not reached"
