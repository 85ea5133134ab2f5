"""Who gets an automatic answer to a reply, and in which words. It leaves in `answer_lane.py`.

An answer says how to get help, or who writes. It never says how the patient is.
"""

import re
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from reminderd.answer_page import AnswerPage, first_answer
from reminderd.answerbook import REPLACED, Answer
from reminderd.interfaces import Outbox, StoredReply
from reminderd.model import Channel, Clinic, Patient
from reminderd.practice import Practice
from reminderd.render import Renderer
from reminderd.replies.reading import Reading
from reminderd.replies.words import RED_FLAGS, Meaning
from reminderd.texts import language_chain
from reminderd.words import AnswerKind, AnswerState

SMS = Channel.SMS
AT_MOST_ONE_IN = timedelta(minutes=60)
LATEST = timedelta(hours=12)  # after that a person calls; a text would only confuse
WORTH_SENDING = {AnswerKind.SAFETY: timedelta(hours=12), AnswerKind.HELP: timedelta(hours=1)}
_NUMBER = re.compile(r"\+[0-9]{7,15}", re.ASCII)


class Answers:
    """Writes the answer down, in the transaction of the decision on the reply."""

    def __init__(
        self,
        outbox: Outbox,
        practice: Practice,
        renderer: Renderer,
        own_numbers: Collection[str] = (),
    ) -> None:
        self._outbox = outbox
        self._practice = practice
        self._renderer = renderer
        self._own_numbers = frozenset(own_numbers)

    def offer(
        self, stored: StoredReply, reading: Reading, patients: Sequence[Patient], now: datetime
    ) -> str | None:
        """Which kind of answer waits to leave from now on, or why there is none, for people.

        None where the reply asks for no answer of its own.
        """
        kind = _kind(reading)
        if kind is None:
            return None
        recent = self._recent(stored, kind, patients, now)
        is_emergency = reading.meaning is Meaning.EMERGENCY
        counting = [each for each in recent if _counts(each, kind, is_emergency=is_emergency)]
        why_none = self._why_none(stored, kind, counting, now)
        page = None if why_none else self._page(kind, stored, reading, patients)
        if page is None:
            return f"none: {why_none or 'its text cannot be written'}"
        self._replace(recent)
        number, transport = stored.reply.sender, stored.transport
        self._outbox.add_answer(
            Answer(
                stored.id, kind, number, transport, page.language, page.text, now,
                now + WORTH_SENDING[kind], wake_at=now,
            )
        )  # fmt: skip
        return kind.value

    # Who ---------------------------------------------------------------------------------------

    def _why_none(
        self, stored: StoredReply, kind: AnswerKind, counting: Sequence[Answer], now: datetime
    ) -> str | None:
        sender = stored.reply.sender
        if not _NUMBER.fullmatch(sender):
            return "it came from a short code or a name"
        if sender in self._own_numbers or self._outbox.is_our_number(sender):
            return "it came from a number of ours"
        if kind is AnswerKind.HELP and stored.reply.answered:
            return "the provider answers this word by itself"
        if now - stored.said_at > LATEST:
            return "it was written too long ago"
        if counting:
            return "there was one within the hour"
        return None

    def _recent(
        self, stored: StoredReply, kind: AnswerKind, patients: Sequence[Patient], now: datetime
    ) -> list[Answer]:
        """Those to this number, or to any of its patients, of the last hour or still to leave."""
        ids = {each.id for each in patients}
        return [
            each
            for each in self._outbox.answers_since(now - AT_MOST_ONE_IN)
            if each.number == stored.reply.sender or ids.intersection(each.patients)
            # One of the future is from when the clock was wrong.
            if each.marked_at is None or each.marked_at <= now + AT_MOST_ONE_IN
        ]

    def _replace(self, recent: Sequence[Answer]) -> None:
        """What still waits and counts for less does not leave as well."""
        waiting = [each for each in recent if each.state is AnswerState.WAITING]
        if waiting:
            gone = (replace(each, state=AnswerState.EXPIRED, wake_at=None) for each in waiting)
            self._outbox.save_answers([replace(each, code=REPLACED) for each in gone])

    # In which words ----------------------------------------------------------------------------

    def languages(self, stored: StoredReply, patients: Sequence[Patient]) -> list[str]:
        """What each of them is written to in; the clinic's where nobody has the number."""
        spoken = [each.language or self._clinic(stored, [each]).language for each in patients]
        return spoken or [self._clinic(stored, []).language]

    def _page(
        self,
        kind: AnswerKind,
        stored: StoredReply,
        reading: Reading,
        patients: Sequence[Patient],
    ) -> AnswerPage | None:
        clinic = self._clinic(stored, patients)
        chain = language_chain(self._language(stored, reading, patients), clinic.language)
        is_emergency = reading.meaning is Meaning.EMERGENCY
        return first_answer(self._renderer, kind, clinic, chain, is_emergency=is_emergency)

    def _clinic(self, stored: StoredReply, patients: Sequence[Patient]) -> Clinic:
        """The first patient's, or where nobody is known the first one: of those written to."""
        clinics, routes = self._practice.clinics, self._practice.routes
        known = [each.clinic for each in patients if each.clinic in clinics] or list(clinics)
        return clinics[min(known, key=lambda key: routes.get((key, SMS)) != stored.transport)]

    def _language(self, stored: StoredReply, reading: Reading, patients: Sequence[Patient]) -> str:
        """The patients', where they share one; else that of the words."""
        spoken = self.languages(stored, patients)
        if patients and len(set(spoken)) == 1:
            return spoken[0]
        return reading.findings[0].language or spoken[0]


def _kind(reading: Reading) -> AnswerKind | None:
    if reading.meaning in RED_FLAGS:
        return AnswerKind.SAFETY
    return AnswerKind.HELP if reading.means(Meaning.HELP) else None


def _counts(earlier: Answer, kind: AnswerKind, *, is_emergency: bool) -> bool:
    """Whether it keeps another from leaving: not where that one presses more and it only waits."""
    presses_more = is_emergency or (earlier.kind is AnswerKind.HELP and kind is AnswerKind.SAFETY)
    return not (earlier.state is AnswerState.WAITING and presses_more)
