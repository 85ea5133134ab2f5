"""What must hold of automatic answers: told once at most, as on record, and never too often."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import pairwise

from reminderd.answerbook import Answer
from reminderd.engines.embedded.outbox import EmbeddedOutbox
from reminderd.ids import internal_id
from reminderd.model import Message
from reminderd.words import AnswerState
from tests.faults.ledger import Ledger

# The hour is counted from the mark on; a provider takes its time to accept.
AN_HOUR = timedelta(minutes=59)
MAY_HAVE_LEFT = (AnswerState.SENT, AnswerState.UNKNOWN)


def on_record(outbox: EmbeddedOutbox) -> dict[int, Answer]:
    """Every answer by its number."""
    found = (outbox.answer_to(each.id) for each in outbox.replies())
    return {each.id or 0: each for each in found if each is not None}


def unmarked(outbox: EmbeddedOutbox, message: Message) -> Iterator[str]:
    """What is wrong with an answer that reaches a provider."""
    number = internal_id("ans", message.id.rpartition("-")[0]) or 0
    answer = on_record(outbox).get(number)
    if answer is None or answer.state is not AnswerState.MARKED:
        yield f"{message.id}: handed over while it is {answer and answer.state}"
    elif (answer.number, answer.text) != (message.to, message.text):
        yield f"{message.id}: handed over other words than the record says"


def wrong_answers(outbox: EmbeddedOutbox, ledger: Ledger, *, over: bool) -> Iterator[str]:
    """Every promise about answers that was broken, once nothing is under way any more."""
    accepted: dict[int, list[str]] = defaultdict(list)
    told_at: dict[str, list[datetime]] = defaultdict(list)
    for each in ledger.answers:
        accepted[each.message].append(each.provider_id)
        told_at[each.to].append(each.at)
    known = on_record(outbox)
    for number, answer in known.items():
        yield from _wrong(f"ans-{number}", answer, accepted[number], over)
    for number in accepted.keys() - known.keys():
        yield f"ans-{number}: accepted, and nobody knows of it"
    for to, instants in told_at.items():
        if any(later - at < AN_HOUR for at, later in pairwise(instants)):
            yield f"{to} was answered twice within the hour"


def _wrong(name: str, answer: Answer, accepted: list[str], over: bool) -> Iterator[str]:
    if len(accepted) > 1:
        yield f"{name}: accepted {len(accepted)} times"
    if accepted and answer.state not in MAY_HAVE_LEFT:
        yield f"{name}: accepted, and it is {answer.state}"
    if answer.state is AnswerState.SENT and accepted != [answer.provider_id]:
        yield f"{name}: sent as {answer.provider_id}, and accepted is {accepted}"
    if answer.state is AnswerState.MARKED or (over and answer.state is AnswerState.WAITING):
        yield f"{name}: still {answer.state} when all is over"
