"""What happens at a clinic's desk, around it and to its machine, at random."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from random import Random

from reminderd.bootstrap import House
from reminderd.clock import VirtualClock
from reminderd.erasing import erase
from reminderd.errors import Refused
from reminderd.incoming import Replies
from reminderd.interfaces import ReminderFilter, Reply
from reminderd.model import Adjustment, Channel, Consent, Patient, Resolution, State
from reminderd.roster import SessionEntry
from reminderd.stopped_texts import resume, stopped
from reminderd.words import Aftermath
from tests.core.build import LONG_AGO
from tests.end_to_end.life import PROTOCOLS
from tests.faults.ledger import Ledger
from tests.faults.providers import Provider

ZONES = [None, None, "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "Atlantic/Canary"]
RED_FLAG = "My lip is swelling"
ORDERS = [(Channel.SMS, Channel.EMAIL), (Channel.EMAIL, Channel.SMS), (Channel.SMS,)]


@dataclass
class Scale:
    """How much happens."""

    patients: int = 3
    events: int = 12
    troubles: float = 0.2
    cut_chance: float = 1 / 150


class Happenings:
    """One thing at a time; the year says when."""

    chance: Random
    clock: VirtualClock
    house: House
    scale: Scale
    ledger: Ledger
    counts: Counter[str]
    erased: set[int]
    granting: tuple[int, Channel] | None = None
    serving: Mapping[str, Provider]
    withdrawn: dict[tuple[int, Channel], datetime]
    ill: dict[int, datetime]
    _patients: int

    def _lets_texts_go(self) -> None:
        """Staff have looked at the texts that a provider refused."""
        outbox = self.house.outbox
        refused = stopped(outbox, self.house.practice.texts)
        if refused:
            with outbox.transaction():
                resume(outbox, refused, "staff", self.clock.now())

    def _happens(self) -> None:
        chance = self.chance
        what = chance.choices(
            [
                self._treats, self._books, self._moves, self._done, self._calls_off, self._pauses,
                self._consents, self._goes_elsewhere, self._decides, self._outage, self._resolves,
                self._is_off, self._calls_off_one, self._erases,
                self._busy_hour, self._falls_ill, self._is_seen_to,
            ],
            [7, 4, 4, 4, 2, 3, 3, 2, 2, 4, 8, 2, 3, 1, 6, 3, 3],
        )[0]  # fmt: skip
        if self._patients < self.scale.patients and (self._patients == 0 or chance.random() < 0.3):
            what = self._enrols
        self.counts[what.__name__.strip("_")] += 1
        what()

    def _enrols(self) -> None:
        n, chance = self._patients + 1, self.chance
        channels = chance.choice(ORDERS)
        consent = {each: Consent(True, LONG_AGO, "form") for each in channels}
        person = Patient(
            "second" if chance.random() < 0.3 else "main", f"Canaria{n}", "Canario",
            phone=f"+3460000{n:04}", email=f"canaria{n}@example.org", channels=channels,
            consent=consent, timezone=chance.choice(ZONES),
        )  # fmt: skip
        self.house.intake.add_patient(person, self.clock.now())
        self._patients = n

    def _who(self) -> int:
        return self.chance.randint(1, max(self._patients, 1))

    def _session(self) -> str:
        sessions = self.house.outbox.sessions()
        return f"ses-{self.chance.choice(sessions).id}" if sessions else "ses-1"

    def _treats(self) -> None:
        self._adds(-self.chance.random() * 3)

    def _busy_hour(self) -> None:
        """Everybody is treated alike at once, so everything falls due at once."""
        entry = self._visit(-self.chance.random() * 3)
        for who in range(1, self._patients + 1):
            if who not in self.erased:
                self.house.intake.add_session(f"pat-{who}", entry, self.clock.now())

    def _books(self) -> None:
        self._adds(self.chance.random() * 200)

    def _adds(self, hours: float) -> None:
        entry = self._visit(hours)
        self.house.intake.add_session(f"pat-{self._who()}", entry, self.clock.now())

    def _visit(self, hours: float) -> SessionEntry:
        now = self.clock.now()
        when = (now + timedelta(hours=hours)).replace(second=0, microsecond=0)
        return SessionEntry(self.chance.choice(PROTOCOLS), when, frozenset(), None)

    def _moves(self) -> None:
        when = self.clock.now() + timedelta(hours=self.chance.randint(-48, 120))
        self.house.intake.move_session(self._session(), when, self.clock.now())

    def _done(self) -> None:
        self.house.intake.session_done(self._session(), None, self.clock.now())

    def _calls_off(self) -> None:
        self.house.intake.cancel_session(
            self._session(), self.clock.now(), no_show=self.chance.random() < 0.5
        )

    def _pauses(self) -> None:
        paused = self.chance.random() < 0.4
        self.house.intake.pause(f"pat-{self._who()}", self.clock.now(), paused=paused)

    def _consents(self) -> None:
        who, channel = self._who(), self.chance.choice(list(Channel))
        if self.chance.random() < 0.5:
            self._withdraws(who, channel)
            return
        self.granting = (who, channel)
        self.house.intake.record_consent(
            f"pat-{who}", [channel], granted=True, source="desk", now=self.clock.now()
        )
        self._granted()

    def _granted(self) -> None:
        """What was being granted is, so what was withdrawn before counts no more."""
        if self.granting is not None:
            self.withdrawn.pop(self.granting, None)
        self.granting = None

    def _calls_off_one(self) -> None:
        """One reminder, whatever became of it."""
        highest = self.house.outbox.query("SELECT coalesce(max(id), 1) FROM reminders")[0][0]
        name = f"rem-{self.chance.randint(1, highest)}"
        self.house.intake.cancel_reminder(name, self.clock.now())

    def _erases(self) -> None:
        who = self._who()
        erase(self.house.outbox, f"pat-{who}", "Ana", None, self.clock.now())
        self.erased.add(who)

    def _somebody_withdraws(self) -> None:
        """While messages leave: somebody whose message is the next, if there is one."""
        waiting = self.house.outbox.query(
            "SELECT patient, channel FROM messages JOIN attempts ON message = messages.id "
            "WHERE outcome = 'claimed' ORDER BY messages.id"
        )
        anybody = (self._who(), self.chance.choice(list(Channel)))
        who, channel = self.chance.choice(waiting or [anybody])
        likely = 0.5 if waiting else 0.05
        if who not in self.erased and self.chance.random() < likely:
            self._withdraws(who, Channel(channel))

    def _withdraws(self, who: int, channel: Channel) -> None:
        now = self.clock.now()
        self.house.intake.record_consent(
            f"pat-{who}", [channel], granted=False, source="STOP", now=now
        )
        self.withdrawn[who, channel] = now

    def _falls_ill(self) -> None:
        """Somebody was treated and writes of a red flag; the daemon decides about it."""
        who, now, outbox = self._who(), self.clock.now(), self.house.outbox
        entry = self._visit(-self.chance.random() * 3)
        self.house.intake.add_session(f"pat-{who}", entry, now)
        number = self.house.intake.patient(f"pat-{who}").phone or ""
        words = Reply(f"SM{now.timestamp()}", number, "+34910000000", RED_FLAG)
        with outbox.transaction():
            outbox.keep_reply("console", words, now)
        Replies(outbox, self.house.decide).apply(None, now)
        self.ill.setdefault(who, now)

    def _is_seen_to(self) -> None:
        """Staff close the first incident; what was withheld goes on or not."""
        for each in self.house.outbox.incidents(open_only=True)[:1]:
            for who in each.patients:
                self.ill.pop(who, None)
            texts, now = self.chance.choice(list(Aftermath)), self.clock.now()
            self.house.incidents.close(f"inc-{each.id}", "Seen.", texts, "Ana", now)

    def _goes_elsewhere(self) -> None:
        zone, now = self.chance.choice(ZONES), self.clock.now()
        self.house.intake.edit_patient(
            f"pat-{self._who()}", lambda each: replace(each, timezone=zone), now
        )

    def _decides(self) -> None:
        decision = Adjustment("Ana", "swollen", off=True)
        self.house.intake.adjust_session(self._session(), "ice", decision, self.clock.now())

    def _outage(self) -> None:
        provider = self.chance.choice(list(self.serving.values()))
        hours = self.chance.choice([0.1, 1, 8, 72])
        provider.down_until = self.clock.now() + timedelta(hours=hours)

    def _is_off(self) -> None:
        """The machine is off for a while."""
        self.clock.move(timedelta(hours=self.chance.choice([1, 12, 80])))

    def _resolves(self) -> None:
        """Staff look into the provider's list and say what they have seen."""
        unknown = self.house.outbox.reminders(ReminderFilter(states=frozenset({State.UNKNOWN})))
        for each in unknown[:3]:
            messages = self.house.outbox.query(
                "SELECT message FROM message_reminders WHERE reminder = ?", (each.id,)
            )
            arrived = self.ledger.keys_of({row[0] for row in messages})
            not_so = self.chance.choice([Resolution.RESEND, Resolution.DROP])
            word = Resolution.SENT if arrived else not_so
            self._try_word(f"rem-{each.id}", word)

    def _try_word(self, name: str, word: Resolution) -> None:
        try:
            self.house.intake.resolve_reminder(name, word, "Ana", self.clock.now())
        except Refused:
            self.counts["refused"] += 1
