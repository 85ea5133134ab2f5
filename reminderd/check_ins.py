"""To which check-in a reply belongs, and whether its answer has to be read by a person.

What is not clear belongs to none, and what belongs to none is for a person.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from reminderd.ids import public_id
from reminderd.interfaces import Outbox, StoredReply
from reminderd.model import Channel, Patient
from reminderd.practice import Practice
from reminderd.questions import Question
from reminderd.replies.reading import Reading

WITHIN = timedelta(hours=72)  # after the question a reply may be one to it
# Two patients with one number who were asked within this time: nobody can tell who has answered.
TOGETHER = timedelta(hours=6)
NOTHING_ASKED = "nobody with that number was asked anything in the 72 hours before"
NOT_CLEAR_WHOSE = "several patients with that number were asked, and it is not clear whose it is"


@dataclass(frozen=True, slots=True)
class Link:
    """Whether the reply is settled by itself, and why or why not, for `Decision.why`."""

    settles: bool
    why: Mapping[str, object]


class CheckIns:
    """Links replies to what was asked."""

    def __init__(self, outbox: Outbox, practice: Practice) -> None:
        self._outbox = outbox
        self._practice = practice

    def link(self, reply: StoredReply, reading: Reading, patients: Sequence[Patient]) -> Link:
        """Keep to which question it belongs. A good answer to one, and nothing else, is settled."""
        question = self._question(reply, patients)
        if isinstance(question, str):
            return Link(False, {"reminder": None, "because": question})
        self._outbox.link_reply(reply.id, question.reminder_id, reading.answer)
        open_because = self._open_because(reply, reading)
        name = {"reminder": public_id("rem", question.reminder_id)}
        return Link(not open_because, {**name, "because": open_because or "a good answer"})

    def _question(self, reply: StoredReply, patients: Sequence[Patient]) -> Question | str:
        """What it belongs to, or why to nothing."""
        ids = [each.id for each in patients if each.id and self._is_asked_by(reply, each)]
        said_at = reply.said_at
        asked = self._outbox.questions_to(ids, said_at - WITHIN, said_at)
        last_of_each = {each.patient_id: each for each in asked}
        if not last_of_each:
            return NOTHING_ASKED
        *others, latest = sorted(last_of_each.values(), key=lambda each: each.asked_at)
        return NOT_CLEAR_WHOSE if any(_may_be_to(each, latest) for each in others) else latest

    def _is_asked_by(self, reply: StoredReply, patient: Patient) -> bool:
        """Whether the patient's clinic is the one that was written to."""
        return self._practice.routes.get((patient.clinic, Channel.SMS)) == reply.transport

    def _open_because(self, reply: StoredReply, reading: Reading) -> str | None:
        """Why a person has to read it."""
        if not reading.is_nothing_but_good:
            return "not only a good answer"
        if reply.reply.media:
            return "a good answer, and something was sent with it"
        return None


def _may_be_to(earlier: Question, latest: Question) -> bool:
    """Whether the reply may just as well be to the earlier question, another patient's."""
    is_together = latest.asked_at - earlier.asked_at < TOGETHER
    return earlier.answer is None and (is_together or latest.answer is not None)
