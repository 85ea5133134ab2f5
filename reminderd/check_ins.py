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
from reminderd.replies.reading import Reading, is_bad

SMS = Channel.SMS
WITHIN = timedelta(hours=72)  # after the question a reply may be one to it
# Two patients with one number who were asked within this time: nobody can tell who has answered.
TOGETHER = timedelta(hours=6)
GOOD = "a good answer, so nobody has to read it"
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

    def link(
        self,
        reply: StoredReply,
        reading: Reading,
        patients: Sequence[Patient],
        incident: str | None,
    ) -> Link:
        """Keep to which question it belongs. A good answer to one, and nothing else, is settled,
        unless an incident is open.
        """
        question = self._question(reply, patients)
        if isinstance(question, str):
            return Link(False, {"reminder": None, "because": question})
        self._outbox.link_reply(reply.id, question.reminder_id, reading.answer)
        open_because = _open_because(reply, reading, incident)
        name = {"reminder": public_id("rem", question.reminder_id)}
        return Link(not open_because, {**name, "because": open_because or GOOD})

    def _question(self, reply: StoredReply, patients: Sequence[Patient]) -> Question | str:
        """What it belongs to, or why to nothing."""
        ids = [each.id for each in self._of_the_clinic(reply, patients) if each.id]
        said_at = reply.said_at
        asked = self._outbox.questions_to(ids, said_at - WITHIN, said_at)
        last_of_each = {each.patient_id: each for each in asked}
        if not last_of_each:
            return NOTHING_ASKED
        *others, latest = sorted(last_of_each.values(), key=lambda each: each.asked_at)
        return NOT_CLEAR_WHOSE if any(_may_be_to(each, latest) for each in others) else latest

    def _of_the_clinic(self, reply: StoredReply, patients: Sequence[Patient]) -> Sequence[Patient]:
        """Those whose clinic was written to, if there are any."""
        routes = self._practice.routes
        own = [each for each in patients if routes.get((each.clinic, SMS)) == reply.transport]
        return own or patients


def _open_because(reply: StoredReply, reading: Reading, incident: str | None) -> str | None:
    """Why a person has to read it."""
    if reading.answer and is_bad(reading.answer):
        return "a bad answer"
    if not reading.is_nothing_but_good:
        return "not only a good answer"
    if incident:
        return f"a good answer, but {incident} is open"
    return "a good answer with pictures" if reply.reply.media else None


def _may_be_to(earlier: Question, latest: Question) -> bool:
    """Whether the reply may just as well be to the earlier question, another patient's."""
    is_together = latest.asked_at - earlier.asked_at < TOGETHER
    return earlier.answer is None and (is_together or latest.answer is not None)
