"""What every engine's outbox keeps of what providers tell by themselves."""

from dataclasses import replace
from datetime import timedelta

import pytest

from reminderd.interfaces import Callback, Outbox, Settlement
from reminderd.model import Outcome, Receipt, Reminder, State
from tests.engines.rows import (
    EITHER_WAY,
    HOUR,
    LATER,
    NOW,
    claimed,
    marked,
    one,
    words,
)

pytestmark = EITHER_WAY

MINUTE = timedelta(minutes=1)
DELIVERED = Callback("random", "SM1", Receipt.DELIVERED)


def sent(outbox: Outbox, reminder: Reminder, sid: str = "SM1", token: str = "random") -> int:
    """The attempt by which it was accepted under that id."""
    taken = claimed(outbox, reminder)
    after = reminder._replace(state=State.SENT, wake_at=None, sent_at=NOW, provider_id=sid)
    with outbox.transaction():
        outbox.mark([replace(words(taken), token=token)], NOW)
        outbox.settle([Settlement(taken.attempt_id, Outcome.ACCEPTED, (after,), sid)], NOW)
    return taken.attempt_id


def told(outbox: Outbox, *callbacks: Callback) -> list[bool]:
    with outbox.beside():
        return [outbox.keep_callback(each, LATER) for each in callbacks]


def test_it_waits_until_it_is_applied_with_all_that_it_is_about(outbox: Outbox) -> None:
    reminder = one(outbox)
    attempt_id = sent(outbox, reminder)
    means = Callback("random", "SM1", Receipt.UNDELIVERED, "30005", Outcome.WRONG_ADDRESS)
    assert told(outbox, means) == [True]
    (waiting,) = outbox.waiting_callbacks(["console"], 9)
    with outbox.beside():
        heard = outbox.heard(waiting)
        assert heard is not None
        assert (heard.callback, heard.attempt_id) == (means, attempt_id)
        assert (heard.patient_id, heard.overtaken) == (reminder.patient_id, frozenset())
        assert [each.id for each in heard.reminders] == [reminder.id]
        assert heard.attempt.outcome is Outcome.ACCEPTED
        outbox.callback_applied(waiting, LATER)
    assert outbox.waiting_callbacks(None, 9) == []
    assert outbox.told(reminder.patient_id or 0) == {heard.attempt.message_id: [(LATER, means)]}


def test_each_message_and_receipt_is_kept_once(outbox: Outbox) -> None:
    sent(outbox, one(outbox))
    assert told(outbox, DELIVERED, DELIVERED) == [True, True]
    assert len(outbox.waiting_callbacks(None, 9)) == 1
    assert told(outbox, replace(DELIVERED, receipt=Receipt.SENT)) == [True]
    assert len(outbox.waiting_callbacks(None, 9)) == 2
    assert len(outbox.waiting_callbacks(None, 1)) == 1


def test_of_a_message_of_somebody_elses_nothing_is_kept(outbox: Outbox) -> None:
    sent(outbox, one(outbox))
    assert told(outbox, replace(DELIVERED, token="another")) == [False]
    assert told(outbox, replace(DELIVERED, token=None, provider_id="SM9")) == [False]
    assert told(outbox, replace(DELIVERED, token=None)) == [True]


def test_only_a_transport_that_is_there_is_asked_for(outbox: Outbox) -> None:
    sent(outbox, one(outbox))
    told(outbox, DELIVERED)
    assert outbox.waiting_callbacks(["another"], 9) == []
    assert len(outbox.waiting_callbacks(["another", "console"], 9)) == 1


def test_what_comes_before_the_answer_waits_for_it(outbox: Outbox) -> None:
    taken = marked(outbox, one(outbox))
    with outbox.transaction():
        outbox.mark([replace(words(taken), token="early")], NOW)
    assert told(outbox, replace(DELIVERED, token="early")) == [True]
    assert outbox.waiting_callbacks(None, 9) == []
    with outbox.transaction():
        outbox.recover(LATER)
    assert len(outbox.waiting_callbacks(None, 9)) == 1


def test_a_reminder_that_left_again_since_is_overtaken(outbox: Outbox) -> None:
    reminder = one(outbox)
    sent(outbox, reminder)
    sent(outbox, reminder, "SM2", "second")
    told(outbox, DELIVERED, replace(DELIVERED, token="second", provider_id="SM2"))
    first, second = (outbox.heard(each) for each in outbox.waiting_callbacks(None, 9))
    assert first is not None
    assert second is not None
    assert (first.overtaken, second.overtaken) == ({reminder.id}, frozenset())


def test_what_names_another_message_than_the_one_on_record_is_found(outbox: Outbox) -> None:
    sent(outbox, one(outbox))
    told(outbox, DELIVERED, replace(DELIVERED, provider_id="SM9"))
    (other,) = outbox.disputed(LATER)
    assert other.callback.provider_id == "SM9"
    assert outbox.disputed(LATER + MINUTE) == []


@pytest.mark.parametrize(
    ("receipt", "is_open"),
    [
        (Receipt.QUEUED, True),
        (Receipt.SENT, True),
        (Receipt.DELIVERED, False),
        (Receipt.UNDELIVERED, False),
        (Receipt.FAILED, False),
    ],
)
def test_it_is_asked_for_until_no_more_can_be_told(
    outbox: Outbox, receipt: Receipt, is_open: bool
) -> None:
    sent(outbox, one(outbox))
    told(outbox, replace(DELIVERED, receipt=receipt))
    assert outbox.open_receipts("console", NOW) == ({"SM1": NOW} if is_open else {})
    assert outbox.open_receipts("console", NOW + MINUTE) == {}
    assert outbox.open_receipts("another", NOW) == {}


def test_nothing_is_told_of_messages_that_were_never_accepted(outbox: Outbox) -> None:
    reminder = one(outbox)
    marked(outbox, reminder)
    assert outbox.open_receipts("console", NOW - HOUR) == {}
    assert outbox.told(reminder.patient_id or 0) == {}


def test_of_a_patient_who_is_erased_nothing_comes_back(outbox: Outbox) -> None:
    reminder = one(outbox)
    sent(outbox, reminder)
    told(outbox, DELIVERED)
    (who,) = outbox.patients()
    with outbox.transaction():
        outbox.erase(who, LATER)
    for each in outbox.waiting_callbacks(None, 9):
        heard = outbox.heard(each)
        assert heard is None or heard.patient_id == who.id
