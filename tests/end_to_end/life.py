"""A patient's life at the desk: real store, real planning and sending, by a clock that is moved.

Whatever leaves is looked at as it leaves, and every change is seen by a preview first.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from reminderd import bootstrap
from reminderd.charts import Change
from reminderd.cli import changes
from reminderd.clock import VirtualClock
from reminderd.correction_page import correction
from reminderd.corrections import Untrue
from reminderd.engines.embedded import store
from reminderd.hours import add, quiet_period
from reminderd.lanes import Delivery
from reminderd.model import (
    Channel,
    Chart,
    Consent,
    Kind,
    Patient,
    QuietPolicy,
    Reason,
    Reminder,
    Session,
    SessionState,
    State,
)
from reminderd.plan import changes as differing
from reminderd.plan import no_longer_true
from reminderd.roster import SessionEntry
from reminderd.timing import ban_on, bans, holds, treatments
from tests.configuration import configuration
from tests.core.build import LONG_AGO, at, local

SECOND = """
[clinics.second]
name = "Brisa Skin Clinic"
phone = "+34 920 000 000"
timezone = "Atlantic/Canary"
country = "ES"
language = "es"
quiet_hours = "20:00-11:00"
"""
CONFIG = configuration(SECOND)
BOTH = (Channel.SMS, Channel.EMAIL)
PROTOCOLS = [
    "mesotherapy", "mesotherapy-facial", "mesotherapy-course", "mesotherapy-gentle",
    "mesotherapy-basic",
]  # fmt: skip
DAY_0 = {"no-shower", "no-heat-or-sun", "no-exercise", "ice", "anti-inflammatories"}
ALL_CLEAR = {"exercise-again", "heat-again", "sunbathing-again"}


@dataclass(frozen=True)
class Told:
    """One message that has left."""

    at: datetime
    channel: Channel
    to: str
    text: str
    language: str
    reminders: tuple[Reminder, ...]

    @property
    def names(self) -> list[str]:
        return [each.milestone for each in self.reminders]


class Life:
    """One patient, Vera, from `start` on; local times are Madrid's unless `zone` is another."""

    def __init__(self, folder: Path, start: str, *, zone: str = "Europe/Madrid", **facts: Any):
        (folder / "reminderd.toml").write_text(CONFIG)
        settings = bootstrap.load_settings(folder / "reminderd.toml", {})
        store.create(settings.database)
        self.zone = zone
        self.clock = VirtualClock(at(start, zone))
        self.house = bootstrap.open_house(settings, durable=False)
        self.told: list[Told] = []
        self.spoke_of: dict[int | None, str] = {}  # the local ends in restrictions that left
        transports = bootstrap.build_transports(settings)
        self._dispatch = self.house.dispatch(self.clock, transports, observe=self._observe)
        consent = facts.pop("consent", BOTH)
        said = {each: Consent(True, LONG_AGO, "form") for each in consent}
        vera = Patient(
            "main", "Vera", "Verano", phone="+34600000001", email="vera@example.org", consent=said
        )
        self.house.intake.add_patient(replace(vera, **facts), self.now)

    def close(self) -> None:
        self._dispatch.close()
        self.house.outbox.close()

    @property
    def now(self) -> datetime:
        return self.clock.now()

    @property
    def chart(self) -> Chart:
        return self.house.intake.chart(1)

    # What happens --------------------------------------------------------------------------------

    def until(self, when: str | datetime) -> None:
        """Let time pass; what falls due leaves."""
        end = at(when, self.zone) if isinstance(when, str) else when
        self._send()
        while (following := self._dispatch.next_wake_at(self.now)) and following < end:
            self.clock.move_to(max(following, self.now + timedelta(milliseconds=1)))
            self._send()
        self.clock.move_to(end)
        self._send()

    def _send(self) -> None:
        while self._dispatch.drain(self.now).more:
            pass

    def change(self, enter: Callable[[], Change]) -> Change:
        """Look at a preview, then do it; both have to say the same, and once more says nothing."""
        self.clock.move(timedelta(milliseconds=1))  # what has just left, left before
        before = self.chart
        tried = changes.make(self.house.intake, 1, enter, preview=True)
        shown = tried.data(self.house, self.now)
        assert self.chart == before
        made = changes.make(self.house.intake, 1, enter, preview=False)
        assert made.data(self.house, self.now) == {**shown, "preview": False}
        assert differing(self.chart, self.now) == []
        assert self.flagged() == {each.reminder.id for each in self._untrue()}
        return made.change

    def flagged(self) -> set[int | None]:
        """What has left and is on the staff's list."""
        left = (State.SENT, State.UNKNOWN)
        return {each.id for each in self.chart.reminders if each.needs_staff and each.state in left}

    def book(self, protocol: str, when: str, **more: Any) -> Session:
        """A session at that local time; done where that is past."""
        entry = SessionEntry(protocol, at(when, self.zone), frozenset(more.get("tags", ())), None)
        change = self.change(lambda: self.house.intake.add_session("pat-1", entry, self.now))
        assert change.session is not None
        return change.session

    def treat(self, protocol: str, when: str) -> Session:
        """A session recorded as it takes place."""
        self.until(when)
        return self.book(protocol, when)

    def done(self, number: int = 1, when: str | None = None) -> None:
        took_place = at(when, self.zone) if when else None
        self.change(lambda: self.house.intake.session_done(f"ses-{number}", took_place, self.now))

    def move(self, when: str, number: int = 1) -> None:
        to = at(when, self.zone)
        self.change(lambda: self.house.intake.move_session(f"ses-{number}", to, self.now))

    def call_off(self, number: int = 1, *, no_show: bool = False) -> None:
        intake = self.house.intake
        self.change(lambda: intake.cancel_session(f"ses-{number}", self.now, no_show=no_show))

    def edit(self, **facts: Any) -> None:
        intake = self.house.intake
        self.change(lambda: intake.edit_patient("pat-1", lambda p: replace(p, **facts), self.now))

    def consent(self, *channels: Channel, granted: bool = True) -> None:
        intake = self.house.intake
        self.change(
            lambda: intake.record_consent(
                "pat-1", channels or BOTH, granted=granted, source="phone", now=self.now
            )
        )

    # What is seen --------------------------------------------------------------------------------

    def state(self, milestone: str, session: int = 1, occurrence: int = 1) -> str:
        """`sent`, `expired/late` …"""
        key = (session, milestone, occurrence)
        found = next(each for each in self.chart.reminders if each.key == key)
        return f"{found.state}/{found.reason}" if found.reason else str(found.state)

    def states(self, session: int = 1) -> Counter[str]:
        keys = [each.key for each in self.chart.reminders if each.session_id == session]
        return Counter(self.state(name, session, place) for _, name, place in keys)

    def sent(self, session: int | None = None, zone: str | None = None) -> list[tuple[str, str]]:
        """What left and when, by the patient's clocks."""
        return [
            (local(each.at, zone or self.zone) or "", reminder.milestone)
            for each in self.told
            for reminder in each.reminders
            if session in (None, reminder.session_id)
        ]

    def sent_on(self, day: str, zone: str | None = None) -> list[str]:
        """The milestones that left on that local date, in order."""
        return [name for when, name in self.sent(zone=zone) if when.startswith(day)]

    def untrue(self) -> dict[str, Untrue]:
        """What the patient was told and is false now, by milestone."""
        return {each.reminder.milestone: each for each in self._untrue()}

    def _untrue(self) -> list[Untrue]:
        return no_longer_true(self.chart, self.now)

    def correction(self) -> str:
        """The SMS that is proposed."""
        return correction(self.house.renderer, self.chart, self._untrue(), self.now).sms

    # What always holds, looked at as a message leaves --------------------------------------------

    def _observe(self, delivery: Delivery) -> None:
        message, chart = delivery.message, self.chart
        self.told.append(
            Told(
                delivery.at, message.channel, message.to, message.text, message.language,
                delivery.reminders,
            )
        )  # fmt: skip
        patient = chart.patient
        assert patient.consents(message.channel)
        assert patient.address(message.channel) == message.to
        assert not patient.paused
        for each in delivery.reminders:
            self._may_leave(each, chart)

    def _may_leave(self, reminder: Reminder, chart: Chart) -> None:
        session = next(each for each in chart.sessions if each.id == reminder.session_id)
        milestone = chart.protocols[session.id].milestone(reminder.milestone)
        assert milestone is not None
        times = sum(each.key == reminder.key for told in self.told for each in told.reminders)
        assert times == 1, reminder
        assert self.now < reminder.expires_at, reminder
        assert session.state is SessionState.DONE or (session.stands and milestone.is_pre_care)
        asleep = quiet_period(chart.timezone, chart.clinic.quiet_hours, self.now)
        assert asleep is None or milestone.quiet is QuietPolicy.IGNORE, reminder
        if reminder.kind in (Kind.RELEASE, Kind.ROUTINE):
            assert ban_on(bans(treatments(chart)), reminder.topics, self.now) is None, reminder
        if reminder.kind is Kind.RESTRICTION:
            end = add(chart.timezone, session.at, holds(session, milestone))
            self.spoke_of[reminder.id] = local(end, chart.timezone) or ""

    def end_spoken_of(self, reminder: Reminder) -> datetime:
        """The end that a restriction named as it left, by the clocks of where the patient is."""
        return at(self.spoke_of[reminder.id], self.chart.timezone)


def settled(life: Life) -> bool:
    """Whether nothing of the patient waits any more."""
    waiting = (State.SCHEDULED, State.HELD, State.SENDING)
    return not any(each.state in waiting for each in life.chart.reminders)


def superseded(life: Life) -> list[Reminder]:
    return [each for each in life.chart.reminders if each.reason is Reason.SUPERSEDED]
