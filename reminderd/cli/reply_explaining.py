"""All that there is to say about one reply: what was found, its question, what came of it."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from reminderd import wording
from reminderd.cli import consent_history, output, reply_reasons, view
from reminderd.cli.context import Desk
from reminderd.consents import Statement
from reminderd.ids import public_id
from reminderd.model import How

if TYPE_CHECKING:
    from reminderd.bootstrap import House
    from reminderd.interfaces import StoredReply
    from reminderd.questions import Question


def tell(desk: Desk, reply: "StoredReply", as_json: bool) -> None:
    """Print it for people, or as JSON."""
    from reminderd.bootstrap import reply_rules

    house, zone = desk.house, desk.timezone
    rules = {each.id: each for each in reply_rules(house.settings.folder).rules}
    question = house.outbox.question(reply.question) if reply.question else None
    words = _consent_words(house, reply)
    why = reply.decision.why if reply.decision else {}
    told = [
        *_sentences(reply, question, rules, zone),
        *_told(house, reply, zone),
        *_came_of_it(reply, words, house.incidents.awaiting(reply.id), zone),
    ]
    if as_json:
        output.emit(
            {
                "reply": view.reply_data(reply, zone, house.outbox),
                "found": reply_reasons.facts(why.get("findings", ()), rules),
                "denied": reply_reasons.facts(why.get("denied", ()), rules),
                "question": question and view.question_data(question, zone),
                "consent": [view.statement_data(each, zone) for each in words],
                "why": told,
            }
        )
        return
    whom = ", ".join(public_id("pat", each) or "" for each in reply.patients)
    click.echo(f"{public_id('rep', reply.id)}  {output.instant(reply.said_at, zone)} from "
               f"{reply.reply.sender or '-'} ({whom or 'nobody has that number'})")  # fmt: skip
    for sentence in told:
        click.echo(f"  {sentence}")
    click.echo(f"\n{output.quoted(reply.reply.text)}")


def _sentences(
    reply: "StoredReply",
    question: "Question | None",
    rules: reply_reasons.Rules,
    zone: str,
) -> Iterator[str]:
    """What was seen in it, and to what it belongs."""
    if reply.decision is None:
        yield "nothing is decided yet: the daemon does so within seconds, or run --once"
        return
    if not reply.reply.sender:
        yield f"decided: {reply.decision.word}; why is no longer kept, nor are the words"
    yield from reply_reasons.sentences(reply.decision, rules)
    because = reply.decision.why.get("check_in", {}).get("because")
    if question is not None:
        yield _about(question, reply.answer, zone)
        if reply.answer and because:
            yield f"and it is {because}"
    elif because:
        yield f"belongs to no check-in: {because}"


def _about(question: "Question", answer: str | None, zone: str) -> str:
    name, session = public_id("rem", question.reminder_id), public_id("ses", question.session_id)
    asked = f"{question.milestone} of {session}, asked {output.instant(question.asked_at, zone)}"
    said = f"answers {wording.answer(answer)}" if answer else "is no answer"
    return f"{said} to {name}, {asked}"


def _told(house: "House", reply: "StoredReply", zone: str) -> Iterator[str]:
    """What whoever wrote was told at once."""
    answer = house.outbox.answer_to(reply.id)
    if answer is not None:
        at = output.instant(answer.sent_at, zone)
        yield " ".join(filter(None, ["answered by itself:", wording.answered(answer), at]))


def _came_of_it(
    reply: "StoredReply", words: list[Statement], incident: str | None, zone: str
) -> Iterator[str]:
    for said, line in zip(words, consent_history.lines(words, zone), strict=True):
        yield f"written down for {public_id('pat', said.patient_id)}: {line}"
    if reply.done_by:
        yield f"seen to by {reply.done_by} {output.instant(reply.done_at, zone)}"
    if incident:
        yield f"a person has to act: reminderd incident show {incident}"
    elif not reply.done_by and reply.decision and reply.decision.for_staff:
        yield f"waits for a person: reminderd inbox done {public_id('rep', reply.id)}"


def _consent_words(house: "House", reply: "StoredReply") -> list[Statement]:
    """What this reply added to the consent ledger."""
    return [
        said
        for patient in reply.patients
        for said in house.outbox.statements(patient)
        if said.how is How.REPLY and said.recorded_at == reply.handled_at
        if said.words == reply.reply.text
    ]
