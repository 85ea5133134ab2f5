"""A clinic on a database of its own, with transports that do as they are told."""

import json
import threading
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

from reminderd import bootstrap
from reminderd.bootstrap import House
from reminderd.clock import VirtualClock
from reminderd.dispatch import Dispatch
from reminderd.engines.embedded import store
from reminderd.engines.embedded.outbox import EmbeddedOutbox
from reminderd.intake import Intake
from reminderd.interfaces import ReminderFilter
from reminderd.lanes import Delivery, Means
from reminderd.model import Channel, Consent, Message, Patient, Reminder, Session
from reminderd.roster import SessionEntry
from tests.configuration import configuration
from tests.core.build import LONG_AGO, at, state

CONFIG = configuration()
TEMPLATE = """
{%% block line %%}Line of %(id)s.{%% endblock %%}
{%% block sms %%}%(id)s for {{ patient.given_name }}{%% endblock %%}
{%% block subject %%}About %(id)s{%% endblock %%}
{%% block email %%}%(id)s by mail{%% endblock %%}
"""
BUNDLE = """
{% block sms %}{% for line in lines %}{{ line.text }} {% endfor %}{% endblock %}
{% block subject %}A bundle{% endblock %}
{% block email %}{% for line in lines %}{{ line.text }} {% endfor %}{% endblock %}
"""

Step = Exception | Callable[[Message], object]


def rule(id: str, kind: str = "inform", **keys: object) -> str:
    """A milestone as a protocol file has it."""
    given = {"id": id, "kind": kind, "topics": [id], "expires": "12h", **keys}
    lines = [f"{key} = {json.dumps(value)}" for key, value in given.items()]
    return "\n".join(["[[milestones]]", *lines])


NOTE = rule("note", after="1h")


class Post:
    """A transport that keeps what it is given; the script says what becomes of the next ones."""

    Settings = type(None)
    channels = frozenset(Channel)
    leaves_machine = True

    def __init__(self, concurrency: int = 1, max_per_second: float | None = None) -> None:
        self.concurrency, self.max_per_second = concurrency, max_per_second
        self.sent: list[Message] = []
        self.asked = 0
        self._script: deque[Step] = deque()
        self._turn = threading.Lock()

    def script(self, *steps: Step) -> None:
        self._script.extend(steps)

    def send(self, message: Message) -> str:
        with self._turn:
            self.asked += 1
            step = self._script.popleft() if self._script else None
        if isinstance(step, Exception):
            raise step
        if step is not None:
            step(message)
        with self._turn:
            self.sent.append(message)
        return f"provider-{message.id}"

    def test(self) -> str:
        return "here"

    def close(self) -> None:
        return None


class Desk:
    """The clinic's house, a clock that stands still, and a transport for each channel."""

    def __init__(self, folder: Path, now: datetime, *, config: str = CONFIG) -> None:
        (folder / "reminderd.toml").write_text(config)
        (folder / "protocols").mkdir()
        (folder / "templates" / "en").mkdir(parents=True)
        (folder / "templates" / "en" / "_bundle.j2").write_text(BUNDLE)
        self.settings = bootstrap.load_settings(folder / "reminderd.toml", {})
        store.create(self.settings.database, seal=self.settings.seal)
        self.clock = VirtualClock(now)
        self.sms, self.email = Post(), Post()
        self.deliveries: list[Delivery] = []
        self.time_is_right: Callable[[], bool] = lambda: True
        self._dispatch: Dispatch | None = None
        self.folder = folder

    @cached_property
    def house(self) -> House:
        """Wired when it is first wanted: protocols and templates are read as they are then."""
        return bootstrap.open_house(self.settings, durable=False)

    @property
    def outbox(self) -> EmbeddedOutbox:
        return self.house.outbox

    @property
    def intake(self) -> Intake:
        return self.house.intake

    @property
    def reminded(self) -> list[Message]:
        """The text messages that left, without automatic answers."""
        return [each for each in self.sms.sent if each.id.startswith("msg-")]

    @property
    def now(self) -> datetime:
        return self.clock.now()

    def protocol(self, *milestones: str, key: str = "care", course: str = "") -> str:
        """Write a protocol and a plain template for each of its milestones."""
        head = f'key = "{key}"\ntitle = "Care"\nrevision = 1\n{course}'
        (self.folder / "protocols" / f"{key}.toml").write_text("\n\n".join([head, *milestones]))
        for each in milestones:
            self.template(each.split('id = "')[1].split('"')[0])
        return key

    def template(self, id: str, text: str | None = None, language: str = "en") -> None:
        folder = self.folder / "templates" / language
        folder.mkdir(exist_ok=True)
        (folder / f"{id}.j2").write_text(TEMPLATE % {"id": id} if text is None else text)

    def patient(self, name: str = "Vera", **facts: Any) -> Patient:
        return self.intake.add_patient(patient(name, **facts), self.now).chart.patient

    def treat(self, who: Patient, when: str, protocol: str = "care", **more: Any) -> Session:
        """Record a treatment at that local time in Madrid, as it takes place."""
        self.clock.move_to(at(when))
        return self.book(who, when, protocol, **more)

    def book(self, who: Patient, when: str, protocol: str = "care", **more: Any) -> Session:
        """Record a treatment at that local time now, whenever it is."""
        entry = SessionEntry(protocol, at(when), frozenset(more.get("tags", ())), None)
        found = self.intake.add_session(f"pat-{who.id}", entry, self.now).session
        assert found is not None
        return found

    def several(self, count: int, when: str) -> None:
        """So many patients are treated, all at that local time."""
        for _ in range(count):
            self.treat(self.patient(), when)

    def dispatch(self) -> Dispatch:
        if self._dispatch is None:
            serving = {"console": self.sms, "file": self.email}
            means = Means(
                self.outbox, self.house.practice, self.house.renderer, self.clock,
                lambda: 0.0, self.deliveries.append, time_is_right=lambda: self.time_is_right(),
            )  # fmt: skip
            self._dispatch = Dispatch(means, serving)
        return self._dispatch

    def reload(self) -> None:
        """Send by the templates as they are now, as the daemon does when it is told to reload."""
        if self._dispatch is not None:
            self._dispatch.close()
        self._dispatch = None
        self.house = bootstrap.with_fresh_texts(self.house)

    def drain(self, when: str | datetime | None = None) -> None:
        """Let the clock stand at that local time and send whatever is due then."""
        if when is not None:
            self.clock.move_to(at(when) if isinstance(when, str) else when)
        while self.dispatch().drain(self.now).more:
            pass

    def later(self, **span: float) -> None:
        self.drain(self.now + timedelta(**span))

    def reminders(self, **wanted: Any) -> list[Reminder]:
        return self.outbox.reminders(ReminderFilter(**wanted))

    def the(self, milestone: str = "note") -> Reminder:
        """The only reminder of that milestone."""
        (found,) = [each for each in self.reminders() if each.milestone == milestone]
        return found

    def outcomes(self, reminder: int = 1) -> list[str]:
        """Of every attempt to send it, in their order."""
        return [each.outcome.value for each in self.outbox.attempts(reminder)]

    def states(self) -> dict[str, str]:
        """`sent` or `expired/late` of each milestone that has one reminder."""
        return {each.milestone: state(each) for each in self.reminders()}

    def close(self) -> None:
        if self._dispatch is not None:
            self._dispatch.close()
        self.outbox.close()


def patient(
    name: str = "Vera",
    *,
    ref: str | None = None,
    channels: str = "sms email",
    consent: str | None = None,
    phone: str | None = "+34600000001",
    email: str | None = "vera@example.org",
    **more: Any,
) -> Patient:
    agreed = channels if consent is None else consent
    return Patient(
        "main", name, "Verano", ref=ref, phone=phone, email=email,
        channels=tuple(map(Channel, channels.split())),
        consent=granted(agreed.split()), **more,
    )  # fmt: skip


def granted(channels: Iterable[str]) -> Mapping[Channel, Consent]:
    return {Channel(each): Consent(True, LONG_AGO, "form") for each in channels}
