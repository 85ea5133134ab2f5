"""Replies: each is handed on once, with everybody who has that number, and none is lost."""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest

from reminderd.cli import exporting
from reminderd.incoming import AT_ONCE, Replies
from reminderd.interfaces import Decision, Reply, StoredReply
from reminderd.letterbox import Hurrying
from reminderd.model import Patient
from reminderd.sealing import SealBroken
from reminderd.staff import items
from reminderd.words import Aftermath
from tests.core.build import at, state
from tests.core.desk import NOTE, Desk

VERA, OTHER = "+34600000001", "+34600000009"


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path, at("2026-03-10 08:00"))
    desk.protocol(NOTE)
    yield desk
    desk.close()


def came(desk: Desk, text: str = "Hello", sender: str = VERA, sid: str = "SM1") -> bool:
    with desk.outbox.transaction():
        return desk.outbox.keep_reply("console", Reply(sid, sender, "+34600000000", text), desk.now)


class Decider:
    """Remembers what it was asked; fails on the words that it is told to."""

    def __init__(self, fails_on: str = "") -> None:
        self.asked: list[tuple[str, list[int | None]]] = []
        self._fails_on = fails_on

    def __call__(self, reply: StoredReply, patients: Sequence[Patient], now: datetime) -> Decision:
        if reply.reply.text == self._fails_on:
            raise ValueError("secret words")
        self.asked.append((reply.reply.text, [each.id for each in patients]))
        return Decision("thanks", {"word": "thanks"}, for_staff=False)


def test_a_reply_goes_to_the_staff_and_the_list_does_not_say_what_is_in_it(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    desk.patient()
    came(desk, "My cheek is black")
    with caplog.at_level(logging.INFO):
        desk.drain()
    (item,) = items.waiting(desk.house, desk.now)
    assert item == {
        "what": "reply", "id": "rep-1", "patient": "pat-1",
        "why": "reply from pat-1: read it", "do": "reminderd inbox show rep-1",
    }  # fmt: skip
    assert "rep-1 from pat-1: for the staff" in caplog.text
    assert "black" not in caplog.text


def test_a_number_that_nobody_has_is_for_the_staff_too(desk: Desk) -> None:
    came(desk, sender=OTHER)
    desk.drain()
    (item,) = items.waiting(desk.house, desk.now)
    assert (item["patient"], item["why"]) == (None, "reply from an unknown number: read it")


def test_each_reply_is_decided_on_once_with_everybody_who_shares_the_number(desk: Desk) -> None:
    desk.patient("Vera")
    desk.patient("Bruno", email="bruno@example.org")
    desk.patient("Ada", phone=OTHER, email="ada@example.org")
    came(desk)
    decider = Decider()
    replies = Replies(desk.outbox, decider)
    for _ in range(3):
        assert not replies.apply(None, desk.now)
    assert decider.asked == [("Hello", [1, 2])]
    (found,) = desk.outbox.replies(patient_id=2)
    assert (found.patients, found.handled_at) == ((1, 2), desk.now)
    assert found.decision == Decision("thanks", {"word": "thanks"}, for_staff=False)
    assert desk.outbox.replies(patient_id=3) == desk.outbox.replies(for_staff=True) == []


def test_where_no_decision_can_be_made_the_staff_get_it_and_the_others_are_decided_on(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    for number, text in enumerate(("one", "broken", "two")):
        came(desk, text, sid=f"SM{number}")
    decider = Decider(fails_on="broken")
    Replies(desk.outbox, decider).apply(None, desk.now)
    found = {each.reply.text: each.decision for each in desk.outbox.replies()}
    assert found["broken"] == Decision("failed", {"failed": "ValueError", "incident": "inc-1"})
    (incident,) = desk.outbox.incidents(open_only=True)
    assert (incident.severity, incident.replies) == ("urgent", (2,))
    assert [each["id"] for each in items.waiting(desk.house, desk.now)] == ["inc-1"]
    assert {text for text, _ in decider.asked} == {"one", "two"}
    assert [each.reply.text for each in desk.outbox.replies(for_staff=True)] == ["broken"]
    assert "secret" not in caplog.text


def test_what_could_not_be_sorted_may_be_a_red_flag_so_nothing_reassures_until_it_is_read(
    desk: Desk,
) -> None:
    desk.treat(desk.patient(), "2026-03-10 08:00")
    came(desk, "broken")
    Replies(desk.outbox, Decider(fails_on="broken")).apply(None, desk.now)
    desk.drain("2026-03-10 09:00")
    assert desk.sms.sent == []
    assert state(desk.the()) == "held/paused"


def test_who_calls_it_off_before_anything_is_planned_again_calls_off_all_of_it(desk: Desk) -> None:
    desk.treat(desk.patient(), "2026-03-10 08:00")
    came(desk, "broken")
    Replies(desk.outbox, Decider(fails_on="broken")).apply(None, desk.now)
    desk.house.incidents.close("inc-1", "Seen.", Aftermath.STOP, "Dr. Alba", desk.now)
    assert state(desk.the()) == "cancelled/by-staff"


def test_where_not_even_that_can_be_kept_it_is_on_the_staffs_list(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    came(desk, "broken")

    def broken(*_: object) -> None:
        raise SealBroken("secret number")

    monkeypatch.setattr(type(desk.outbox), "open_incidents", broken)
    Replies(desk.outbox, Decider(fails_on="broken")).apply(None, desk.now)
    monkeypatch.undo()
    (item,) = items.waiting(desk.house, desk.now)
    assert item["why"] == "reply from an unknown number: nothing could sort it: read it now"
    assert "secret" not in caplog.text


def test_what_a_failed_decision_had_changed_is_undone(desk: Desk) -> None:
    vera = desk.patient()

    def decide(reply: StoredReply, patients: Sequence[Patient], now: datetime) -> Decision:
        desk.outbox.update_patient(replace(vera, paused=True), now)
        raise ValueError

    came(desk)
    Replies(desk.outbox, decide).apply(None, desk.now)
    assert not desk.outbox.patients()[0].paused


def test_many_are_handled_a_part_at_a_time(desk: Desk) -> None:
    for number in range(AT_ONCE + 1):
        came(desk, sid=f"SM{number}")
    replies = Replies(desk.outbox, Decider())
    assert replies.apply(None, desk.now)
    assert len(desk.outbox.waiting_replies(None, 999)) == 1
    assert not replies.apply(None, desk.now)


class InAHurry(Decider):
    """As `Decider`, and knows a word that cannot wait."""

    def hurries(self, words: str) -> bool:
        return words == "STOP"


def test_where_many_wait_nobody_who_says_stop_has_to(desk: Desk) -> None:
    for number in range(3 * AT_ONCE):
        came(desk, "Hello", sid=f"SM{number}")
    for number in range(2):
        came(desk, "STOP", sid=f"SMstop{number}")
    decider = InAHurry()
    replies = Replies(desk.outbox, decider)
    assert replies.apply(None, desk.now)
    assert [words for words, _ in decider.asked] == ["STOP", "STOP"]
    came(desk, "STOP", sid="SMlate")
    assert replies.apply(None, desk.now)
    assert [words for words, _ in decider.asked] == ["STOP"] * 3
    while replies.apply(None, desk.now):
        pass
    assert len(decider.asked) == 3 * AT_ONCE + 3
    assert desk.outbox.waiting_replies(None, 9) == []


def test_who_decides_by_the_rules_knows_what_cannot_wait(desk: Desk) -> None:
    decide = desk.house.decide
    assert isinstance(decide, Hurrying)
    found = [each for each in ("Stop!", "BAJA", "Hello", "STOP my face swells", "stop " * 20)
             if decide.hurries(each)]  # fmt: skip
    assert found == ["Stop!", "BAJA"]


def test_only_what_came_by_the_transports_is_handled(desk: Desk) -> None:
    came(desk)
    Replies(desk.outbox, Decider()).apply(["file"], desk.now)
    assert len(desk.outbox.waiting_replies(None, 9)) == 1


# What people may ask for --------------------------------------------------------------------------


def test_a_patients_own_replies_are_handed_over(desk: Desk) -> None:
    desk.patient()
    came(desk, "Hello")
    desk.drain()
    (told,) = exporting.everything(desk.house, 1, desk.now)["replies"]
    assert (told["text"], told["from"], told["decision"]) == ("Hello", VERA, "staff")


def test_of_an_erased_patient_no_reply_keeps_words_or_number_but_those_of_others_do(
    desk: Desk,
) -> None:
    came(desk, "before anybody knew me", sid="SM0")
    desk.drain()
    vera = desk.patient()
    came(desk, "mine")
    came(desk, "not mine", sender=OTHER, sid="SM2")
    desk.drain()
    with desk.outbox.transaction():
        desk.outbox.erase(vera, desk.now)
    told = {each.reply.provider_id: (each.reply.sender, each.reply.text)
            for each in desk.outbox.replies()}  # fmt: skip
    assert told == {"SM0": ("", ""), "SM1": ("", ""), "SM2": (OTHER, "not mine")}
    assert desk.outbox.replies(patient_id=vera.id) == []
    assert [each.id for each in desk.outbox.replies(for_staff=True)] == [3]
    assert not came(desk, "mine, once more")


def test_what_a_family_shares_stays_with_those_who_are_left(desk: Desk) -> None:
    vera, bruno = desk.patient(), desk.patient("Bruno", email="bruno@example.org")
    came(desk, "ours")
    desk.drain()
    for who, left in ((vera, "ours"), (bruno, "")):
        with desk.outbox.transaction():
            desk.outbox.erase(who, desk.now)
        assert desk.outbox.replies()[0].reply.text == left


def test_words_of_which_it_cannot_be_said_whether_they_hurry_are_handled_in_line(
    desk: Desk,
) -> None:
    for number in range(AT_ONCE + 1):
        came(desk, "Hello", sid=f"SM{number}")
    decider = InAHurry()
    decider.hurries = lambda words: 1 / 0  # type: ignore[method-assign,assignment,return-value]
    replies = Replies(desk.outbox, decider)
    while replies.apply(None, desk.now):
        pass
    assert len(decider.asked) == AT_ONCE + 1
