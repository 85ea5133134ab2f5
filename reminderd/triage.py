"""What is done about a reply: a STOP stops, a START opens again, a red flag opens an incident, a
good answer to a check-in is kept, and a person reads the rest.

What a reply means is said by `replies/`, what is answered by `answering.py`. Nothing is called
harmless.
"""

from collections.abc import Callable, Sequence
from datetime import datetime

from reminderd.answering import Answers
from reminderd.check_ins import CheckIns
from reminderd.incidents import Incidents
from reminderd.interfaces import Decision, Outbox, StoredReply
from reminderd.model import Channel, Patient
from reminderd.replies.reading import Finding, Reading, is_only, read
from reminderd.replies.words import RED_FLAGS, Meaning, ReplyRules
from reminderd.wishes import Wishes

LATEST = 10  # of our own messages: what a phone quotes when it answers is not the patient's
LONGEST_STOP = 40
# A person has nothing to do about these: the provider answers them, and we do as they say.
_SETTLED = {Meaning.STOP, Meaning.START}


class Triage:
    """Decides about each reply, in one transaction with what that changes; see `letterbox.Decide`.

    `rules` is asked when the first reply comes: reading them takes a moment.
    """

    def __init__(
        self,
        outbox: Outbox,
        wishes: Wishes,
        incidents: Incidents,
        check_ins: CheckIns,
        answers: Answers,
        rules: Callable[[], ReplyRules],
    ) -> None:
        self._outbox = outbox
        self._wishes = wishes
        self._incidents = incidents
        self._check_ins = check_ins
        self._answers = answers
        self._rules = rules

    def __call__(self, reply: StoredReply, patients: Sequence[Patient], now: datetime) -> Decision:
        """A STOP takes effect at once; whatever is not settled by that is for the staff."""
        reading = self._reading(reply, patients)
        self._obey(reply, reading, now)
        incident = self._incidents.open(reply, reading, patients, now)
        link = self._check_ins.link(reply, reading, patients, incident)
        answer = self._answers.offer(reply, reading, patients, now)
        why: dict[str, object] = {
            "findings": [_told(each) for each in reading.findings],
            "denied": [_told(each) for each in reading.denied],
            "check_in": link.why,
            **({"incident": incident} if incident else {}),
            **({"answer": answer} if answer else {}),
        }
        is_settled = link.settles or {each.meaning for each in reading.findings} <= _SETTLED
        # Whatever somebody writes of whom a red flag is open, a person has to know it.
        for_staff = incident is not None or not is_settled
        return Decision(reading.meaning.value, why, for_staff=for_staff)

    def hurries(self, words: str) -> bool:
        """Whether it is nothing but a STOP: that takes effect before anything else is read."""
        return len(words) <= LONGEST_STOP and is_only(words, Meaning.STOP, self._rules())

    def presses(self, reply: StoredReply) -> bool:
        """Whether it may be a red flag, before anything is known of who wrote it."""
        try:
            return read(reply.reply.text, self._rules()).meaning in RED_FLAGS
        except Exception:  # nobody knows what it says: then it may be one
            return True

    def _reading(self, reply: StoredReply, patients: Sequence[Patient]) -> Reading:
        languages = self._answers.languages(reply, patients)
        sent = [text for each in patients for text in self._sent_to(each)]
        return read(reply.reply.text, self._rules(), languages, sent)

    def _sent_to(self, patient: Patient) -> list[str]:
        stored = self._outbox.correspondence(patient.id or 0)
        texts = [each.text for each in stored if each.channel is Channel.SMS and each.text]
        return texts[-LATEST:]

    def _obey(self, reply: StoredReply, reading: Reading, now: datetime) -> None:
        number, words = reply.reply.sender, reply.reply.text
        if reading.means(Meaning.STOP):
            self._wishes.withdraw_number(number, words, reply.said_at, now)
        if reading.means(Meaning.SOFT_STOP):
            self._wishes.object_softly(number, words, reply.said_at, now)
        if reading.means(Meaning.START):
            self._wishes.restore_number(number, words, reply.said_at, now)


def _told(finding: Finding) -> dict[str, object]:
    """Without the patient's words: those are read in the reply itself."""
    return {
        "meaning": finding.meaning.value,
        "rule": finding.rule,
        "language": finding.language,
        "number": finding.number,
    }
