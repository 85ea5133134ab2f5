"""What a reply does: a STOP stops, a START opens again, the rest is for a person."""

from datetime import timedelta

import pytest

from reminderd.incoming import Replies
from reminderd.interfaces import Reply
from reminderd.model import Channel
from reminderd.staff import items
from tests.core.build import state
from tests.core.desk import Desk

MORNING, DUE = "2026-03-10 10:00", "2026-03-10 11:00"
VERA, STRANGER = "+34600000001", "+34600000009"


@pytest.fixture
def treated(desk: Desk) -> Desk:
    desk.treat(desk.patient(), MORNING)
    return desk


def writes(desk: Desk, text: str, sender: str = VERA) -> str:
    """What was decided about it."""
    sid = f"SM{len(desk.outbox.replies())}"
    with desk.outbox.transaction():
        desk.outbox.keep_reply("console", Reply(sid, sender, "+34600000000", text), desk.now)
    Replies(desk.outbox, desk.house.decide).apply(None, desk.now)
    desk.clock.move(timedelta(minutes=1))
    decision = desk.outbox.replies()[0].decision
    assert decision is not None
    return decision.word


def for_a_person(desk: Desk) -> list[object]:
    return [each["why"] for each in items.waiting(desk.house, desk.now)]


@pytest.mark.parametrize("word", ["STOP", "stop", "Stop.", "BAJA"])
def test_a_stop_takes_effect_at_once_and_mail_carries_what_it_may(treated: Desk, word: str) -> None:
    assert writes(treated, word) == "stop"
    assert not treated.intake.patient("pat-1").consents(Channel.SMS)
    assert for_a_person(treated) == []
    treated.drain(DUE)
    assert (len(treated.sms.sent), len(treated.email.sent)) == (0, 1)


def test_a_start_opens_what_the_stop_closed(treated: Desk) -> None:
    writes(treated, "STOP")
    assert writes(treated, "START") == "start"
    assert treated.intake.patient("pat-1").consents(Channel.SMS)


@pytest.mark.parametrize("word", ["yes", "ok thanks", "1", "please start again"])
def test_nothing_else_opens_it(treated: Desk, word: str) -> None:
    writes(treated, "STOP")
    writes(treated, word)
    assert not treated.intake.patient("pat-1").consents(Channel.SMS)


def test_an_objection_in_other_words_holds_everything_until_staff_decide(treated: Desk) -> None:
    assert writes(treated, "please stop texting me") == "soft-stop"
    assert state(treated.the()) == "held/paused"
    assert "reply from pat-1: asks not to be written to" in for_a_person(treated)


@pytest.mark.parametrize(
    ("text", "word", "why"),
    [
        ("I cannot breathe", "emergency", "emergency from pat-1 since 2026-03-10 10:00"),
        ("I have a fever", "urgent", "urgent from pat-1 since 2026-03-10 10:00"),
        ("is Tuesday possible?", "unclear", "reply from pat-1: read it"),
    ],
)
def test_what_a_person_has_to_see_says_how_urgent_it_is_and_not_what_it_says(
    treated: Desk, text: str, word: str, why: str
) -> None:
    assert writes(treated, text) == word
    (told,) = for_a_person(treated)
    assert str(told).removesuffix(": nobody has taken it on") == why
    (stored,) = treated.outbox.replies()
    assert stored.decision is not None
    assert text not in str(stored.decision.why)


def test_a_stop_with_a_red_flag_does_both(treated: Desk) -> None:
    assert writes(treated, "STOP my face is swelling") == "emergency"
    assert state(treated.the()) == "held/paused"
    assert [each["what"] for each in items.waiting(treated.house, treated.now)] == [
        "incident", "objection",
    ]  # fmt: skip


def test_a_stop_of_a_number_that_nobody_has_changes_nothing(treated: Desk) -> None:
    assert writes(treated, "STOP", STRANGER) == "stop"
    assert treated.intake.patient("pat-1").consents(Channel.SMS)
