"""What every engine's outbox keeps of automatic answers, and what goes with the reply."""

from dataclasses import replace
from datetime import timedelta

import pytest

from reminderd.answerbook import Answer
from reminderd.engines.tables.outbox import TablesOutbox
from reminderd.engines.tables.pruning import prunable, prune
from reminderd.interfaces import Callback, Decision, Reply
from reminderd.words import AnswerKind, AnswerState, Receipt
from tests.engines.rows import EITHER_WAY, NOW, with_patient

pytestmark = EITHER_WAY

NUMBER, HOUR = "+34600000001", timedelta(hours=1)
WAITING, SENT, UNKNOWN = AnswerState.WAITING, AnswerState.SENT, AnswerState.UNKNOWN


def replied(outbox: TablesOutbox, *, for_staff: bool = True, patients: tuple[int, ...] = ()) -> int:
    """A reply that is decided on."""
    with outbox.transaction():
        sid = f"SM{len(outbox.replies())}"
        outbox.keep_reply("twilio", Reply(sid, NUMBER, "+34600000000", "Help"), NOW)
        number = outbox.replies()[0].id
        outbox.reply_handled(number, Decision("help", for_staff=for_staff), patients, NOW)
    return number


def answered(
    outbox: TablesOutbox,
    reply: int,
    kind: AnswerKind = AnswerKind.HELP,
    transport: str = "twilio",
) -> Answer:
    with outbox.transaction():
        outbox.add_answer(
            Answer(reply, kind, NUMBER, transport, "en", "words", NOW, NOW + HOUR, NOW)
        )
    found = outbox.answer_to(reply)
    assert found is not None
    return found


def marked(outbox: TablesOutbox, answer: Answer, state: AnswerState = SENT) -> None:
    with outbox.transaction():
        outbox.mark_answers([answer], NOW)
        if state is not AnswerState.MARKED:
            ended = replace(answer, state=state, wake_at=None, tries=1, error="because")
            outbox.save_answers([ended])


def test_it_comes_back_as_it_was_kept(outbox: TablesOutbox) -> None:
    vera = with_patient(outbox)
    answer = answered(outbox, replied(outbox, patients=(vera.id or 0,)))
    assert (answer.id, answer.state, answer.wake_at, answer.patients) == (1, WAITING, NOW, (1,))
    marked(outbox, answer)
    found = outbox.answer_to(answer.reply_id)
    assert found == replace(
        answer, state=SENT, wake_at=None, marked_at=NOW, tries=1, error="because"
    )


def test_a_reply_has_one_answer_and_the_store_sees_to_it(outbox: TablesOutbox) -> None:
    reply = replied(outbox)
    answered(outbox, reply)
    with pytest.raises(Exception, match=r"(?i)unique"):
        answered(outbox, reply)


def test_red_flags_leave_first_and_only_by_their_transport(outbox: TablesOutbox) -> None:
    asks, flag = answered(outbox, replied(outbox)), replied(outbox)
    presses = answered(outbox, flag, AnswerKind.SAFETY)
    other = answered(outbox, replied(outbox), transport="other")
    assert outbox.due_answers("twilio", NOW, 9) == [presses, asks]
    assert outbox.due_answers("twilio", NOW, 1) == [presses]
    assert outbox.due_answers("other", NOW, 9) == [other]
    assert outbox.next_answer_at(["twilio"]) == NOW
    assert outbox.next_answer_at(["nobody"]) is None
    assert outbox.due_answers("twilio", NOW + HOUR, 9) == []


def test_too_late_is_expired_and_what_has_left_is_not(outbox: TablesOutbox) -> None:
    late, gone = answered(outbox, replied(outbox)), answered(outbox, replied(outbox))
    marked(outbox, gone)
    with outbox.transaction():
        assert outbox.expire_answers(NOW + HOUR - timedelta.resolution) == 0
        assert outbox.expire_answers(NOW + HOUR) == 1
    states = [outbox.answer_to(each.reply_id) for each in (late, gone)]
    assert [each and each.state for each in states] == [AnswerState.EXPIRED, SENT]


def test_what_counts_within_the_hour_has_left_may_have_or_waits(outbox: TablesOutbox) -> None:
    for state in (SENT, UNKNOWN, AnswerState.FAILED, AnswerState.MARKED):
        marked(outbox, answered(outbox, replied(outbox)), state)
    answered(outbox, replied(outbox))
    states = [SENT, UNKNOWN, AnswerState.MARKED, WAITING]
    assert [each.state for each in outbox.answers_since(NOW)] == states
    assert [each.state for each in outbox.answers_since(NOW + HOUR)] == [WAITING]


def test_our_numbers_are_those_that_somebody_wrote_to(outbox: TablesOutbox) -> None:
    replied(outbox)
    assert outbox.is_our_number("+34600000000")
    assert not outbox.is_our_number(NUMBER)


def test_what_was_marked_by_nobody_who_is_there_is_in_doubt(outbox: TablesOutbox) -> None:
    gone, waiting = answered(outbox, replied(outbox)), answered(outbox, replied(outbox))
    marked(outbox, gone, AnswerState.MARKED)
    with outbox.transaction():
        assert outbox.doubt_answers() == 1
    assert [outbox.answer_to(each.reply_id).state for each in (gone, waiting)] == [  # type: ignore[union-attr]
        UNKNOWN, WAITING,
    ]  # fmt: skip


def test_after_a_crash_what_was_marked_may_have_left(outbox: TablesOutbox) -> None:
    answer = answered(outbox, replied(outbox))
    marked(outbox, answer, AnswerState.MARKED)
    with outbox.transaction():
        outbox.recover(NOW)
    found = outbox.answer_to(answer.reply_id)
    assert found is not None
    assert found.state is UNKNOWN


def test_of_an_erased_patient_no_answer_keeps_words_and_none_leaves(outbox: TablesOutbox) -> None:
    vera = with_patient(outbox)
    waits = answered(outbox, replied(outbox, patients=(vera.id or 0,)))
    gone = answered(outbox, replied(outbox, patients=(vera.id or 0,)))
    marked(outbox, gone)
    with outbox.transaction():
        outbox.erase(vera, NOW)
    for each in (waits, gone):
        found = outbox.answer_to(each.reply_id)
        assert found is not None
        assert (found.number, found.text, found.error) == ("", "", None)
        assert found.state is not WAITING
    assert outbox.due_answers("twilio", NOW, 9) == []


def test_the_words_go_with_those_of_the_reply(outbox: TablesOutbox) -> None:
    answer = answered(outbox, replied(outbox, for_staff=False))
    marked(outbox, answer)
    later = NOW + timedelta(days=400)
    prune(outbox, prunable(outbox, 365, later), 365, "Ana", later)
    found = outbox.answer_to(answer.reply_id)
    assert found is not None
    assert (found.number, found.text, found.state) == ("", "", SENT)


def test_staff_see_what_may_not_have_arrived_until_the_reply_is_done(
    outbox: TablesOutbox,
) -> None:
    for state in (SENT, UNKNOWN, AnswerState.FAILED, AnswerState.EXPIRED):
        marked(outbox, answered(outbox, replied(outbox)), state)
    assert [each.id for each in outbox.stranded_answers()] == [2, 3, 4]
    with outbox.transaction():
        outbox.reply_done(2, "Ana", NOW)
    assert [each.id for each in outbox.stranded_answers()] == [3, 4]


# What the provider says of it afterwards ----------------------------------------------------------


def told(
    outbox: TablesOutbox, receipt: Receipt, token: str | None = "random", sid: str = "SM1"
) -> tuple[object, ...] | None:
    """How the first answer is then; None where it was not about it."""
    with outbox.transaction():
        if not outbox.keep_callback(Callback(token, sid, receipt, "30003"), NOW):
            return None
    (row,) = outbox.query("SELECT state, provider_id, receipt, code FROM answers WHERE id = 1")
    return tuple(row)


def left(outbox: TablesOutbox, state: AnswerState = SENT) -> Answer:
    answer = replace(answered(outbox, replied(outbox)), token="random")
    marked(outbox, answer, state)
    return answer


@pytest.mark.parametrize("state", [AnswerState.MARKED, SENT, UNKNOWN, AnswerState.FAILED])
def test_what_the_provider_speaks_of_has_left(outbox: TablesOutbox, state: AnswerState) -> None:
    left(outbox, state)
    assert told(outbox, Receipt.QUEUED) == ("sent", "SM1", "queued", "30003")
    found = outbox.answer_to(1)
    assert found is not None
    assert (found.sent_at, found.wake_at, found.error) == (NOW, None, None)


def test_what_it_says_late_of_an_earlier_try_keeps_it_from_leaving_again(
    outbox: TablesOutbox,
) -> None:
    answer = left(outbox, AnswerState.MARKED)
    with outbox.transaction():
        outbox.save_answers([replace(answer, tries=1, wake_at=NOW)])
    assert len(outbox.due_answers("twilio", NOW, 9)) == 1
    assert told(outbox, Receipt.QUEUED)
    assert outbox.due_answers("twilio", NOW, 9) == []


def test_a_receipt_is_raised_in_its_rank_only(outbox: TablesOutbox) -> None:
    left(outbox)
    for receipt in (Receipt.SENT, Receipt.QUEUED, Receipt.SENT):
        assert told(outbox, receipt) == ("sent", "SM1", "sent", "30003")
    for receipt in (Receipt.UNDELIVERED, Receipt.DELIVERED):
        assert told(outbox, receipt, token=None) == ("sent", "SM1", "undelivered", "30003")


def test_by_another_name_or_id_nothing_is_said_of_it(outbox: TablesOutbox) -> None:
    left(outbox)
    assert told(outbox, Receipt.SENT, token="another") is None
    assert told(outbox, Receipt.SENT, token=None) is None
    assert told(outbox, Receipt.SENT)
    assert told(outbox, Receipt.FAILED, sid="SM2") == ("sent", "SM1", "sent", "30003")


def test_it_is_asked_for_until_no_more_can_be_told(outbox: TablesOutbox) -> None:
    left(outbox)
    assert outbox.open_receipts("twilio", NOW) == {}
    told(outbox, Receipt.SENT)
    assert outbox.open_receipts("twilio", NOW) == {"SM1": NOW}
    assert outbox.open_receipts("other", NOW) == {}
    assert outbox.open_receipts("twilio", NOW + HOUR) == {}
    told(outbox, Receipt.DELIVERED)
    assert outbox.open_receipts("twilio", NOW) == {}


def test_in_doubt_are_those_that_may_have_left_and_still_have_words(outbox: TablesOutbox) -> None:
    left(outbox, UNKNOWN)
    left_at = [each.id for each in outbox.doubted_answers("twilio", NOW, 9)]
    assert left_at == [1]
    assert outbox.doubted_answers("twilio", NOW + HOUR, 9) == []
    assert outbox.doubted_answers("other", NOW, 9) == []
    assert outbox.doubted_answers("twilio", NOW, 0) == []
    told(outbox, Receipt.SENT)
    assert outbox.doubted_answers("twilio", NOW, 9) == []


@pytest.mark.parametrize("receipt", list(Receipt))
def test_staff_see_what_did_not_arrive(outbox: TablesOutbox, receipt: Receipt) -> None:
    left(outbox)
    told(outbox, receipt)
    is_lost = receipt in (Receipt.UNDELIVERED, Receipt.FAILED)
    assert bool(outbox.stranded_answers()) == is_lost
