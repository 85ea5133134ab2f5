"""Asking the provider what it has told nobody: receipts, and what people wrote.

Without an address of ours that is the only way to hear of them; with one it brings what was told
while nobody listened. Whatever it finds is kept as if the provider had called.
"""

import logging
import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

from reminderd.clock import Clock
from reminderd.errors import CredentialsRefused, Temporary, TransportError, TryAgainLater
from reminderd.interfaces import News, Outbox, Pollable, Reply, Witness
from reminderd.resting import Rest, rest
from reminderd.retry import next_try_at
from reminderd.silences import fall_silent, speak_again

log = logging.getLogger(__name__)

EVERY = timedelta(minutes=1)
EVERY_IF_CALLED = timedelta(minutes=5)
OVERLAP = timedelta(minutes=10)  # a list may lag, and clocks differ; what is known counts once
RECEIPTS_WITHIN = timedelta(days=3)
ASKED_EACH = 20  # messages that the list left out, or answers that are in doubt
IN_DOUBT_FOR = timedelta(hours=1)  # as other messages
CLOCKS_DIFFER_BY = timedelta(minutes=1)
KEPT_AT_ONCE = 200
SOON_SECONDS = 1.0  # after a call that may have been missed
GRACE = timedelta(seconds=30)  # a worker that asks goes on asking, unless it is gone


class Polling:
    """Asks the provider of one transport; up to where is remembered in the database.

    `every` is the pause between two looks.
    """

    def __init__(self, outbox: Outbox, name: str, transport: Pollable, every: timedelta) -> None:
        self._outbox = outbox
        self._name = name
        self._transport = transport
        self._every = every
        self._failures = 0
        self._refused: str | None = None

    def poll(self, now: datetime, *, at_once: bool = False) -> datetime:
        """Ask once; returns when to ask next: later where the provider is out of reach.

        Where another machine asks, this one does only `at_once`: something may have been missed.
        """
        try:
            with self._outbox.turn(f"poll/{self._name}", self._every + GRACE) as is_mine:
                if not (is_mine or at_once):
                    return now + self._every
                self._ask(now)
        except Exception as error:
            return self._pause(error, now)
        if self._failures:
            log.warning("%s tells again what came in", self._name)
        self._known_again(now)
        self._failures = 0
        return now + self._every

    @property
    def is_well(self) -> bool:
        """Whether it was answered the last time."""
        return not self._failures

    def _ask(self, now: datetime) -> None:
        pending = self._outbox.open_receipts(self._name, now - RECEIPTS_WITHIN)
        seen_until = self._seen_until(now)
        since = min([seen_until, *pending.values()]) - OVERLAP
        news = self._transport.news(since)
        self._keep(news, pending, now)
        self._remember(max([seen_until, *(each.at for each in news)]), seen_until)
        listed = {each.told.provider_id for each in news}
        self._ask_each([each for each in pending if each not in listed][:ASKED_EACH], now)
        self._look_for_answers(now)

    def _seen_until(self, now: datetime) -> datetime:
        """By the provider's clock, so that a wrong one of ours leaves nothing out."""
        kept = self._outbox.note(self._note)
        if kept is not None:
            return datetime.fromisoformat(kept)
        with self._outbox.beside():
            self._outbox.set_note(self._note, now.isoformat())
        return now

    def _remember(self, instant: datetime, before: datetime) -> None:
        if instant > before:
            with self._outbox.beside():
                self._outbox.set_note(self._note, instant.isoformat())

    def _keep(self, news: Sequence[News], pending: Collection[str], now: datetime) -> None:
        told = [
            each.told
            for each in sorted(news, key=lambda each: each.at)
            if isinstance(each.told, Reply) or each.told.provider_id in pending
        ]
        for start in range(0, len(told), KEPT_AT_ONCE):
            with self._outbox.beside():
                for each in told[start : start + KEPT_AT_ONCE]:
                    if isinstance(each, Reply):
                        self._outbox.keep_reply(self._name, each, now)
                    else:
                        self._outbox.keep_callback(each, now)

    def _ask_each(self, provider_ids: Sequence[str], now: datetime) -> None:
        """One that is not to be had keeps the list from being asked no longer."""
        for each in provider_ids:
            try:
                told = self._transport.receipt(each)
            except TransportError as error:
                log.warning("%s: nothing is told of one message: %s", self._name, error)
                return
            with self._outbox.beside():
                self._outbox.keep_callback(told, now)

    def _look_for_answers(self, now: datetime) -> None:
        """Automatic answers that may have left: they leave once, so that only the list can tell."""
        if not isinstance(self._transport, Witness):
            return
        since = now - IN_DOUBT_FOR
        for each in self._outbox.doubted_answers(self._name, since, ASKED_EACH):
            marked_at = (each.marked_at or now) - CLOCKS_DIFFER_BY
            for told in self._transport.find(each.number, each.text, marked_at)[:1]:
                with self._outbox.beside():
                    self._outbox.keep_callback(replace(told, token=each.token), now)

    def _pause(self, error: Exception, now: datetime) -> datetime:
        """Said once; a stranger's error may hold what belongs in no log."""
        known = isinstance(error, TransportError | TryAgainLater)
        said = str(error) if known else type(error).__name__
        if not self._failures:
            log.warning("%s does not tell what came in; it is asked again: %s", self._name, said)
        self._failures += 1
        wish = error.retry_after if isinstance(error, Temporary) else None
        then = max(now + self._every, next_try_at(now, self._failures, retry_after=wish, chance=0))
        if isinstance(error, CredentialsRefused):
            self._refused = said
            self._note_rest(then)
        elif not isinstance(error, TryAgainLater):  # that is our own database
            with suppress(TryAgainLater), self._outbox.transaction():
                fall_silent(self._outbox, self._name, said, now)
        return then

    def _known_again(self, now: datetime) -> None:
        with suppress(TryAgainLater):
            speak_again(self._outbox, self._name)
        if self._refused:
            self._note_rest(now)
            self._refused = None

    def _note_rest(self, until: datetime) -> None:
        """Staff learn of it though nothing has to leave: it keeps red flags from being heard."""
        with suppress(TryAgainLater), self._outbox.transaction():
            rest(self._outbox, Rest(self._name, until, self._refused or "", needs_staff=True))

    @property
    def _note(self) -> str:
        return f"polled.{self._name}"


@contextmanager
def asking(
    outbox: Outbox, pollings: Sequence[Polling], clock: Clock, time_is_right: Callable[[], bool]
) -> Iterator[Callable[[], None]]:
    """Ask at once and then now and then, each in a thread of its own, until the `with` ends.

    Gives what is to be called where a call of a provider may have been missed: then they are asked
    within a few seconds.
    """
    over, missed = threading.Event(), [threading.Event() for _ in pollings]

    def ask(polling: Polling, missed: threading.Event) -> None:
        try:
            was_missed = False
            while not over.is_set():
                now, then = clock.now(), clock.now() + EVERY
                if time_is_right():
                    then = polling.poll(now, at_once=was_missed)
                pause = (then - clock.now()).total_seconds()
                if not polling.is_well:
                    over.wait(pause)
                elif was_missed := missed.wait(pause):
                    over.wait(SOON_SECONDS)
                    missed.clear()
        finally:
            outbox.close()

    threads = [
        threading.Thread(target=ask, args=each, name="poll", daemon=True)
        for each in zip(pollings, missed, strict=True)
    ]
    for each in threads:
        each.start()
    try:
        yield partial(_set_all, missed)
    finally:
        over.set()
        _set_all(missed)
        for each in threads:
            each.join()


def _set_all(events: Sequence[threading.Event]) -> None:
    for each in events:
        each.set()
