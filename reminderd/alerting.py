"""Telling the clinic's own people: each thing once to each of them, for as long as it is so."""

import logging
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from reminderd import bootstrap
from reminderd.alert_book import Alert
from reminderd.alert_page import AlertPage, alert_page, digest_page
from reminderd.bootstrap import House
from reminderd.clock import Clock
from reminderd.durations import Duration, local_time
from reminderd.errors import FaultsFound, TemplateFailed, Temporary, TransportError, TryAgainLater
from reminderd.hours import zone
from reminderd.interfaces import Transport
from reminderd.model import Channel, Clinic, Message
from reminderd.notifying import Notifier, name_of
from reminderd.render import Renderer
from reminderd.retry import next_try_at
from reminderd.settings import Settings
from reminderd.staff.alarms import Alarm, alarms, first_clinic
from reminderd.staff.digest import digest

log = logging.getLogger(__name__)

EVERY = timedelta(seconds=5)
KEPT = 3 * EVERY  # one machine of a cluster goes on telling, unless it is gone
GIVEN_UP_AFTER = timedelta(days=1)
NO_LONGER_SO = "no longer so"
NOBODY = "no longer in [alerts]"


@dataclass(frozen=True)
class Recipients:
    """Who is told at once, and who besides when nobody has acted: mailboxes, and services by name.

    Services come first: a mail server that does not answer must not keep them waiting.
    """

    first: Sequence[str]
    second: Sequence[str]
    mailboxes: frozenset[str] = frozenset()
    digest: Sequence[str] = ()

    @property
    def all(self) -> list[str]:
        """Each once."""
        return list(dict.fromkeys([*self.first, *self.second]))

    @property
    def has_anybody(self) -> bool:
        return bool(self.first or self.second)

    def of(self, alarm: Alarm) -> list[str]:
        return list(dict.fromkeys([*self.first, *(self.second if alarm.is_second else ())]))


@dataclass(frozen=True)
class Ways:
    """By what staff are reached: the transport that carries mail, and services."""

    recipients: Recipients
    mail: Transport | None = None
    notifier: Notifier = field(default_factory=lambda: Notifier({}))

    def send(self, recipient: str, page: AlertPage, message: Message) -> None:
        """Raises TransportError where nobody has taken it."""
        if recipient in self.recipients.mailboxes and self.mail is not None:
            self.mail.send(replace(message, to=recipient))
        else:
            self.notifier.tell(recipient, page.subject, page.note)

    def knows(self, recipient: str) -> bool:
        """Whether it is still in the configuration."""
        return recipient in self.recipients.mailboxes or self.notifier.knows(recipient)


def ways(settings: Settings, serving: Mapping[str, Transport]) -> Ways:
    """As `[alerts]` says, by these transports; raises ConfigurationError where it cannot be."""
    given = settings.sections.alerts
    notify = [each.get_secret_value() for each in given.notify]
    second_notify = [each.get_secret_value() for each in given.second_notify]
    recipients = Recipients(
        [*map(name_of, notify), *given.to],
        [*map(name_of, second_notify), *given.second],
        frozenset({*given.to, *given.second}),
        given.to,
    )
    carrier = settings.transport_for(settings.clinic_keys[0], Channel.EMAIL)
    notifier = Notifier({"notify": notify, "second_notify": second_notify})
    return Ways(recipients, serving.get(carrier or ""), notifier)


class Alerting:
    """Looks what staff have to be told, and tells them. What could not be told is tried again for
    a day, with growing pauses, and may then be told twice rather than never."""

    def __init__(self, house: House, ways: Ways) -> None:
        self._house = house
        self._outbox = house.outbox
        self._ways = ways
        given = house.settings.sections.alerts
        self._within = Duration.parse(given.acknowledge_within).elapsed
        self._trouble = ""
        self._digest_at = local_time(given.digest_at) if given.digest_at else None

    def look(self, now: datetime) -> datetime:
        """Tell whatever is to be told by now; returns when to look again. Never raises."""
        if not self.has_anybody:
            return now + EVERY
        try:
            with self._outbox.turn("alerts", KEPT) as is_mine:
                if is_mine:
                    self._tell_all(now)
        except Exception as error:  # a stranger's error may hold what belongs in no log
            self._said(error if isinstance(error, TryAgainLater) else type(error).__name__)
        else:
            self._trouble = ""
        return now + EVERY

    def _tell_all(self, now: datetime) -> None:
        present = {each.key: each for each in alarms(self._house, self._within, now)}
        todays = self._todays_digest(now)
        self._add(present, todays, now)
        pages: dict[str, AlertPage] = {}
        for alert in self._waiting(present, now):
            self._tell(alert, present.get(alert.key), alert.key == todays, pages, now)

    def _said(self, trouble: object) -> None:
        """Once, as long as it is the same: one looks every few seconds."""
        if self._trouble != str(trouble):
            self._trouble = str(trouble)
            log.error("alerts wait: %s", trouble)

    @property
    def has_anybody(self) -> bool:
        """Whether there is anybody to tell."""
        return self._ways.recipients.has_anybody

    # What is to be told ------------------------------------------------------------------------

    def _todays_digest(self, now: datetime) -> str | None:
        """Its key, once the hour has come."""
        local = now.astimezone(zone(first_clinic(self._house).timezone))
        if self._digest_at is None or local.time() < self._digest_at:
            return None
        return f"digest/{local.date()}"

    def _add(self, present: Mapping[str, Alarm], todays: str | None, now: datetime) -> None:
        recipients = self._ways.recipients
        wanted = {key: recipients.of(alarm) for key, alarm in present.items()}
        if todays is not None:
            wanted[todays] = list(recipients.digest)
        known = self._outbox.known_alerts(wanted)
        new = {key: each for key, each in wanted.items() if each and key not in known}
        if new:
            with self._outbox.transaction():
                for key, each in new.items():
                    self._outbox.add_alert(key, each, now)

    # Telling it --------------------------------------------------------------------------------

    def _waiting(self, present: Mapping[str, Alarm], now: datetime) -> list[Alert]:
        """What presses most first: a mail server that does not answer is slow about each."""
        places = {key: place for place, key in enumerate(present)}
        waiting = self._outbox.waiting_alerts(now)
        return sorted(waiting, key=lambda each: places.get(each.key, len(places)))

    def _tell(
        self,
        alert: Alert,
        alarm: Alarm | None,
        is_digest: bool,
        pages: dict[str, AlertPage],
        now: datetime,
    ) -> None:
        if not self._ways.knows(alert.recipient):
            self._keep(replace(alert, wake_at=None, error=NOBODY))
        elif alarm is None and not is_digest:
            self._keep(replace(alert, wake_at=None, error=NO_LONGER_SO))
        else:
            self._hand_over(alert, alarm, pages, now)

    def _hand_over(
        self, alert: Alert, alarm: Alarm | None, pages: dict[str, AlertPage], now: datetime
    ) -> None:
        """Noted before it is tried: what cannot be noted is not sent over and over. What cannot be
        written keeps nobody from being told of anything else."""
        name, tries = f"alert-{alert.id}", alert.tries + 1
        clinic = alarm.clinic if alarm else first_clinic(self._house)
        again_at = next_try_at(now, tries, retry_after=None, chance=0)
        # One of the future is from when the clock was wrong.
        created_at = min(alert.created_at, now)
        tried = replace(alert, created_at=created_at, tries=tries, wake_at=again_at)
        if not self._taken(alert, tried, now):
            return
        try:
            if alert.key not in pages:
                pages[alert.key] = self._page(alarm, clinic, now)
            page = pages[alert.key]
            self._ways.send(alert.recipient, page, mail(name, page, clinic, created_at))
        except Exception as error:
            self._keep(_failed(tried, error, now))
        else:
            log.info("%s is told: %s", name, alert.key)
            self._keep(replace(tried, wake_at=None, sent_at=now, error=None))

    def _page(self, alarm: Alarm | None, clinic: Clinic, now: datetime) -> AlertPage:
        settings = self._house.settings
        if alarm is None:
            day = digest(self._house, now)
            return written(settings, lambda by: digest_page(by, clinic, day, now))
        words, since = alarm.words, alarm.since
        return written(settings, lambda by: alert_page(by, clinic, words, since))

    def _taken(self, alert: Alert, tried: Alert, now: datetime) -> bool:
        """False where another machine tells it, or has told it, since it was read."""
        with self._outbox.transaction():
            if alert not in self._outbox.waiting_alerts(now):
                return False
            self._outbox.keep_alert(tried)
        return True

    def _keep(self, alert: Alert) -> None:
        with self._outbox.transaction():
            self._outbox.keep_alert(alert)


def written(settings: Settings, write: Callable[[Renderer], AlertPage]) -> AlertPage:
    """In the words of the clinic's own template as it is now; a mistake there keeps nobody from
    being told."""
    try:
        return write(bootstrap.renderer(settings))
    except (TemplateFailed, FaultsFound) as error:
        log.error("an alert is told in the packaged words: %s", error)
        return write(bootstrap.renderer(None))


def mail(name: str, page: AlertPage, clinic: Clinic, at: datetime) -> Message:
    """The mail to somebody at the clinic, yet without an address."""
    return Message(
        id=name,
        channel=Channel.EMAIL,
        to="",
        recipient_name="",
        clinic_name=clinic.name,
        language=page.language,
        subject=page.subject,
        text=page.text,
        html=page.html,
        valid_for=GIVEN_UP_AFTER,
        at=at,
        to_staff=True,
    )


def _failed(alert: Alert, error: Exception, now: datetime) -> Alert:
    """Tried again, unless it has been for a day."""
    said = str(error) if isinstance(error, TransportError) else type(error).__name__
    wish = error.retry_after if isinstance(error, Temporary) else None
    wake_at = next_try_at(now, alert.tries, retry_after=wish, chance=0)
    is_over = wake_at - alert.created_at > GIVEN_UP_AFTER
    if alert.tries == 1 or is_over:
        then = "given up" if is_over else "it is tried again"
        log.error("alert-%d (%s) is not taken, %s: %s", alert.id, alert.key, then, said)
    return replace(alert, wake_at=None if is_over else wake_at, error=said)


@contextmanager
def telling(house: House, alerting: Alerting, clock: Clock) -> Iterator[None]:
    """Look at once and then every few seconds, in a thread, until the `with` ends.

    It does not ask whether the clock is right: that it is not is one of the things to be told.
    """
    if not alerting.has_anybody:
        yield
        return
    over = threading.Event()

    def tell() -> None:
        try:
            while not over.is_set():
                alerting.look(clock.now())
                over.wait(EVERY.total_seconds())
        finally:
            house.outbox.close()

    thread = threading.Thread(target=tell, name="alerts", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
