"""What every engine's outbox keeps of what people write, and to which check-in it belongs."""

from dataclasses import replace
from datetime import timedelta

import pytest

from reminderd.engines.tables.outbox import TablesOutbox
from reminderd.interfaces import Decision, Outbox, Reply, ReportFilter, Settlement
from reminderd.model import Kind, Outcome, Reminder, State
from reminderd.questions import Response
from tests.engines.rows import EITHER_WAY, HOUR, LATER, NOW, marked, one, problems, with_patient

pytestmark = EITHER_WAY

OURS, THEIRS = "+34600000000", "+34600000001"
HELLO = Reply("SM1", THEIRS, OURS, "Hello — ünï 👋\nagain")
DAY = timedelta(days=1)


def kept(outbox: Outbox, *replies: Reply, transport: str = "twilio") -> list[int]:
    """The ids of new replies."""
    with outbox.transaction():
        assert all(outbox.keep_reply(transport, each, NOW) for each in replies)
    names = {each.provider_id for each in replies}
    return [each.id for each in reversed(outbox.replies()) if each.reply.provider_id in names]


def test_a_reply_comes_back_with_every_field(outbox: TablesOutbox) -> None:
    who = with_patient(outbox)
    full = replace(HELLO, media=3, sent_at=NOW - HOUR, answered=True)
    (number,) = kept(outbox, full)
    (waiting,) = outbox.waiting_replies(None, 9)
    assert (waiting.id, waiting.transport, waiting.reply) == (number, "twilio", full)
    assert (waiting.received_at, waiting.said_at) == (NOW, NOW - HOUR)
    decision = Decision("urgent", {"found": ["fever"], "ünï": None})
    with outbox.transaction():
        outbox.reply_handled(number, decision, [who.id or 0], LATER)
    handled = replace(waiting, handled_at=LATER, decision=decision, patients=(who.id or 0,))
    assert outbox.reply(number) == handled
    with outbox.transaction():
        outbox.reply_done(number, "Bo Tarn", LATER)
    done = outbox.reply(number)
    assert done is not None
    assert (done.done_at, done.done_by, done.decision) == (
        LATER, "Bo Tarn", replace(decision, for_staff=False),
    )  # fmt: skip
    assert problems(outbox) == []
    assert outbox.reply(99) is None


def test_each_is_kept_once_by_its_transport(outbox: Outbox) -> None:
    kept(outbox, HELLO)
    with outbox.transaction():
        assert outbox.keep_reply("twilio", replace(HELLO, text="again"), LATER) is False
        assert outbox.keep_reply("another", HELLO, LATER) is True
    assert len(outbox.replies()) == 2


def test_whatever_can_be_typed_is_kept(outbox: Outbox) -> None:
    odd = "".join(map(chr, [*range(1, 32), 127, 0x2028, 0xFEFF, 0x1F9D1, 0x200D, 0x10FFFF]))
    (number,) = kept(outbox, replace(HELLO, text=odd + "'; DROP TABLE replies; -- %s ? \\"))
    found = outbox.reply(number)
    assert found is not None
    assert found.reply.text == odd + "'; DROP TABLE replies; -- %s ? \\"


def test_even_a_character_that_is_none_loses_no_reply(outbox: Outbox) -> None:
    (number,) = kept(outbox, replace(HELLO, text="I have a fever\x00!"))
    found = outbox.reply(number)
    assert found is not None
    assert "I have a fever" in found.reply.text


def test_those_that_wait_come_in_the_order_in_which_they_came(outbox: Outbox) -> None:
    first, second = kept(outbox, HELLO, replace(HELLO, provider_id="SM2", text="Two"))
    (third,) = kept(outbox, replace(HELLO, provider_id="SM3"), transport="another")
    assert [each.id for each in outbox.waiting_replies(None, 9)] == [first, second, third]
    assert [each.id for each in outbox.waiting_replies(["twilio"], 9)] == [first, second]
    assert [each.id for each in outbox.waiting_replies(None, 2)] == [first, second]
    assert [each.id for each in outbox.waiting_replies(None, 9, [third, first])] == [first, third]
    assert outbox.waiting_replies(["twilio"], 9, []) == []
    assert outbox.waiting_words(["twilio"], first) == [(second, "Two")]
    with outbox.transaction():
        outbox.reply_handled(first, Decision("thanks", for_staff=False), [], NOW)
    assert [number for number, _ in outbox.waiting_words(None, 0)] == [second, third]


def test_staff_see_what_waits_for_them_and_what_is_about_a_patient(outbox: Outbox) -> None:
    ana, bo = with_patient(outbox), with_patient(outbox)
    given = [replace(HELLO, provider_id=f"SM{n}") for n in range(3)]
    first, second, third = kept(outbox, *given)
    with outbox.transaction():
        outbox.reply_handled(first, Decision("staff"), [ana.id or 0, bo.id or 0], NOW)
        outbox.reply_handled(second, Decision("thanks", for_staff=False), [bo.id or 0], NOW)
    assert [each.id for each in outbox.replies()] == [third, second, first]
    assert [each.id for each in outbox.replies(patient_id=bo.id)] == [second, first]
    assert [each.id for each in outbox.replies(for_staff=True)][-1] == first
    assert [each.id for each in outbox.replies(most=1)] == [third]
    found = outbox.reply(first)
    assert found is not None
    assert found.patients == (ana.id, bo.id)
    assert dict(outbox.vitals(0).replies) == {"waiting": 1, "staff": 1, "thanks": 1}


# Check-ins ---------------------------------------------------------------------------------------


def asked(outbox: Outbox, **facts: object) -> Reminder:
    """A check-in that was accepted just now."""
    reminder = one(outbox, kind=Kind.CHECK, **facts)
    taken = marked(outbox, reminder)
    gone = reminder._replace(state=State.SENT, wake_at=None, sent_at=NOW)
    with outbox.transaction():
        outbox.settle([Settlement(taken.attempt_id, Outcome.ACCEPTED, (gone,), "p")], NOW)
    return gone


def test_a_question_is_there_with_what_was_answered_in_its_order(outbox: Outbox) -> None:
    check = asked(outbox)
    late, early = kept(
        outbox, HELLO, replace(HELLO, provider_id="SM2", sent_at=NOW - timedelta(minutes=1))
    )
    with outbox.transaction():
        outbox.reply_handled(late, Decision("check-in", for_staff=False), [], NOW)
        outbox.link_reply(late, check.id or 0, None)
        outbox.link_reply(early, check.id or 0, "4")
    found = outbox.question(check.id or 0)
    assert found is not None
    assert (found.patient_id, found.session_id) == (check.patient_id, check.session_id)
    assert (found.protocol, found.milestone) == (check.protocol, check.milestone)
    assert (found.asked_at, found.is_sent, found.answer) == (NOW, True, "4")
    assert found.responses == (
        Response(early, NOW - timedelta(minutes=1), None, "4"),
        Response(late, NOW, "check-in", None),
    )
    stored = outbox.reply(early)
    assert stored is not None
    assert (stored.question, stored.answer) == (check.id, "4")
    assert outbox.questions(ReportFilter()) == [found]
    assert outbox.questions(ReportFilter(protocol="another")) == []


def test_what_a_patient_was_asked_lately_is_found_and_nobody_elses(outbox: Outbox) -> None:
    check, other = asked(outbox), asked(outbox, milestone="another")
    assert check.patient_id is not None
    assert [each.reminder_id for each in outbox.questions_to([check.patient_id], NOW, NOW)] == [
        check.id
    ]
    assert outbox.questions_to([check.patient_id], NOW + HOUR, LATER) == []
    assert outbox.questions_to([check.patient_id], NOW - DAY, NOW - HOUR) == []
    both = outbox.questions_to([check.patient_id, other.patient_id or 0], NOW, NOW)
    assert [each.reminder_id for each in both] == [check.id, other.id]


@pytest.mark.parametrize("receipt", ["undelivered", "failed"])
def test_what_was_not_delivered_has_asked_nothing(outbox: Outbox, receipt: str) -> None:
    check = asked(outbox)
    with outbox.transaction():
        outbox.save_reminders([check._replace(receipt=receipt)])
    assert outbox.questions_to([check.patient_id or 0], NOW, NOW) == []
    assert outbox.questions(ReportFilter()) == []
    assert outbox.silent_check_ins(NOW + DAY) == []


def test_who_has_said_nothing_for_a_day_is_found_for_a_week(outbox: Outbox) -> None:
    check, answered = asked(outbox), asked(outbox, milestone="another")
    (number,) = kept(outbox, HELLO)
    with outbox.transaction():
        outbox.link_reply(number, answered.id or 0, "1")
    assert outbox.silent_check_ins(NOW + DAY - HOUR) == []
    assert [each.reminder_id for each in outbox.silent_check_ins(NOW + DAY)] == [check.id]
    assert outbox.silent_check_ins(NOW + 8 * DAY) == []


def test_only_a_check_in_that_left_is_a_question(outbox: Outbox) -> None:
    assert outbox.question(asked(outbox).id or 0) is not None
    assert outbox.question(one(outbox, kind=Kind.CHECK).id or 0) is None
    assert outbox.question(one(outbox).id or 0) is None
    assert outbox.question(99) is None
