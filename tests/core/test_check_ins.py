"""Check-ins: an answer belongs to its question, and only a good one needs no person."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from reminderd.check_ins import NOT_CLEAR_WHOSE, NOTHING_ASKED, TOGETHER, WITHIN, CheckIns
from reminderd.cli import exporting
from reminderd.errors import InDoubt, Rejected
from reminderd.interfaces import ReportFilter, StoredReply
from reminderd.model import Channel
from reminderd.questions import SILENT_AFTER, Question
from reminderd.replies.reading import Finding, Reading
from reminderd.replies.words import Meaning
from reminderd.staff import items
from tests.core.asking import (
    ASKED,
    CHECK,
    MORNING,
    OTHER,
    VERA,
    ask,
    because,
    decides,
    hears,
    waits,
    writes,
)
from tests.core.build import at
from tests.core.desk import NOTE, Desk

EVERYTHING = ReportFilter()
FIVE = Reading((Finding(Meaning.ANSWER, "number", ("5",), number=5),))


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path, at("2026-03-10 08:00"))
    desk.protocol(CHECK)
    yield desk
    desk.close()


@pytest.fixture
def asked(desk: Desk) -> Desk:
    """Vera was treated at ten, and asked at eleven."""
    ask(desk)
    return desk


def the_question(desk: Desk) -> Question:
    (found,) = desk.outbox.questions(EVERYTHING)
    return found


def pinned(reply: StoredReply) -> tuple[int | None, str | None, bool]:
    """The check-in that it belongs to, what it answers, and whether a person has to read it."""
    return reply.question, reply.answer, waits(reply)


# What settles itself ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "answer"),
    [("3", "3"), ("4", "4"), ("5", "5"), ("a 4 today, thanks", "4"), ("4/5", "4"), ("four", "4"),
     ("٤", "4"), ("all good, no fever", "all-good"), ("👍", "all-good")],
)  # fmt: skip
def test_a_good_answer_is_kept_with_its_question_and_nobody_has_to_read_it(
    asked: Desk, text: str, answer: str
) -> None:
    assert pinned(writes(asked, text)) == (1, answer, False)
    assert the_question(asked).answer == answer
    assert items.waiting(asked.house, asked.now) == []


@pytest.mark.parametrize("number", ["1", "2"])
def test_a_bad_answer_waits_for_a_person_who_sees_which_it_is(asked: Desk, number: str) -> None:
    assert pinned(writes(asked, number)) == (1, number, True)
    (item,) = items.waiting(asked.house, asked.now)
    assert item["why"] == (
        f"reply from pat-1: a bad answer to the check-in of ses-1: {number} of 5"
    )


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("4, may I shower?", "4"),
        ("4 and a little red", "4"),
        ("5. Please stop texting me", "5"),
        ("4, and I have a fever", None),
        ("2, and I have a fever", "2"),
        ("all good but I have a fever", None),
        ("thanks", None),
        ("no fever", None),
        ("1 or 2, and sometimes 4", None),
        ("6", None),
        ("3 days ago", None),
        ("", None),
        ("🙂", None),
    ],
)
def test_whatever_else_is_said_is_read_by_a_person_and_belongs_to_the_question_too(
    asked: Desk, text: str, answer: str | None
) -> None:
    assert pinned(writes(asked, text)) == (1, answer, True)


def test_a_good_answer_with_a_picture_is_read_by_a_person(asked: Desk) -> None:
    assert pinned(writes(asked, "5", media=1)) == (1, "5", True)


@pytest.mark.parametrize("text", ["5", "all good", "STOP", "START"])
def test_while_an_incident_is_open_a_person_reads_everything(asked: Desk, text: str) -> None:
    writes(asked, "I have a fever")
    assert waits(writes(asked, text))
    with asked.outbox.transaction():
        (incident,) = asked.outbox.incidents(open_only=True)
        asked.outbox.keep_incident(replace(incident, closed_at=asked.now, closed_by="Ana"))
    assert not waits(writes(asked, text))


def test_also_from_another_number_of_the_same_patient(asked: Desk) -> None:
    writes(asked, "I have a fever")
    asked.intake.edit_patient("pat-1", lambda each: replace(each, phone=OTHER), asked.now)
    said = writes(asked, "5", OTHER)
    assert (pinned(said), because(said)) == ((1, "5", True), "a good answer, but inc-1 is open")


# Which question -----------------------------------------------------------------------------------


def test_an_answer_to_nothing_is_read_by_a_person(desk: Desk) -> None:
    desk.treat(desk.patient(), MORNING)
    reply = writes(desk, "5")
    assert pinned(reply) == (None, None, True)
    assert because(reply) == NOTHING_ASKED


def test_other_reminders_ask_nothing(desk: Desk) -> None:
    desk.protocol(NOTE, key="notes")
    desk.treat(desk.patient(), MORNING, "notes")
    desk.drain(ASKED)
    assert len(desk.sms.sent) == 1
    assert because(writes(desk, "5")) == NOTHING_ASKED


@pytest.mark.parametrize(("beyond", "question"), [(0, 1), (1, None)])
def test_a_question_is_open_for_three_days(asked: Desk, beyond: int, question: int | None) -> None:
    asked.clock.move(WITHIN + timedelta(seconds=beyond))
    assert writes(asked, "5").question == question


def test_what_was_said_before_the_question_is_no_answer_to_it_however_late_it_comes(
    asked: Desk,
) -> None:
    hears(asked, "5", said_at=at(ASKED) - timedelta(seconds=1))
    assert because(decides(asked)) == NOTHING_ASKED


def test_what_was_said_in_time_counts_although_it_is_heard_a_week_later(asked: Desk) -> None:
    said_at = asked.now + timedelta(hours=1)
    asked.later(days=7)
    hears(asked, "5", said_at=said_at)
    assert pinned(decides(asked)) == (1, "5", False)


def test_it_belongs_to_the_latest_question(desk: Desk) -> None:
    vera = ask(desk)
    desk.treat(vera, "2026-03-11 10:00")
    desk.later(hours=1)
    assert writes(desk, "5").question == 2
    assert writes(desk, "thanks").question == 2


def test_a_question_asked_by_mail_may_be_answered_by_text_message(desk: Desk) -> None:
    ask(desk, channels="email")
    assert [len(each.sent) for each in (desk.sms, desk.email)] == [0, 1]
    assert pinned(writes(desk, "5")) == (1, "5", False)


def test_an_answer_shows_that_a_question_in_doubt_has_arrived(desk: Desk) -> None:
    desk.sms.script(InDoubt("no answer"))
    ask(desk, channels="sms")
    assert desk.outcomes() == ["in-doubt"]
    assert pinned(writes(desk, "4")) == (1, "4", False)


def test_what_was_never_sent_asks_nothing(desk: Desk) -> None:
    desk.sms.script(Rejected("30007"))
    ask(desk, channels="sms")
    assert because(writes(desk, "5")) == NOTHING_ASKED


def test_an_unknown_number_answers_nothing(asked: Desk) -> None:
    assert pinned(writes(asked, "5", OTHER)) == (None, None, True)


# Several replies ----------------------------------------------------------------------------------


def test_the_first_answer_counts_and_later_replies_belong_to_the_question_too(
    asked: Desk,
) -> None:
    for text in ("thanks", "4", "2"):
        writes(asked, text)
    found = the_question(asked)
    assert [each.answer for each in found.responses] == [None, "4", "2"]
    assert found.answer == "4"
    assert [each.reply.text for each in asked.outbox.replies(for_staff=True)] == ["2", "thanks"]


def test_replies_that_come_out_of_order_are_taken_as_they_were_said(asked: Desk) -> None:
    asked.later(hours=3)
    hears(asked, "2", said_at=asked.now - timedelta(minutes=5))
    hears(asked, "4", said_at=asked.now - timedelta(minutes=50))
    decides(asked)
    assert [each.answer for each in the_question(asked).responses] == ["4", "2"]
    assert the_question(asked).answer == "4"


# Several patients with one number -----------------------------------------------------------------


def test_where_two_were_asked_together_nobody_can_tell_whose_answer_it_is(desk: Desk) -> None:
    ask(desk, "Vera")
    ask(desk, "Bruno", "2026-03-10 11:30")
    for _ in range(2):
        reply = writes(desk, "5")
        assert pinned(reply) == (None, None, True)
        assert because(reply) == NOT_CLEAR_WHOSE
        assert reply.patients == (1, 2)


def test_where_they_were_asked_far_apart_it_belongs_to_the_later_question(desk: Desk) -> None:
    desk.clock.move_to(at("2026-03-10 08:00"))
    ask(desk, "Vera", "2026-03-10 08:00")
    ask(desk, "Bruno", "2026-03-10 15:00")
    assert timedelta(hours=7) > TOGETHER
    assert writes(desk, "5").question == 2
    assert because(writes(desk, "5")) == NOT_CLEAR_WHOSE  # Vera's at last, or Bruno once more


def test_where_the_one_has_answered_before_the_other_was_asked_it_is_the_others(
    desk: Desk,
) -> None:
    ask(desk, "Vera")
    assert writes(desk, "5").question == 1
    ask(desk, "Bruno", "2026-03-10 11:30")
    assert writes(desk, "4").question == 2
    assert writes(desk, "3").question == 2


def test_of_two_clinics_the_one_that_was_written_to_has_asked(desk: Desk) -> None:
    vera = ask(desk, "Vera")
    bruno = replace(ask(desk, "Bruno", "2026-03-10 11:30"), clinic="other")
    routes = {("main", Channel.SMS): "console", ("other", Channel.SMS): "elsewhere"}
    check_ins = CheckIns(desk.outbox, replace(desk.house.practice, routes=routes))
    hears(desk, "5")
    (reply,) = desk.outbox.waiting_replies(None, 1)
    with desk.outbox.transaction():
        link = check_ins.link(reply, FIVE, [vera, bruno], None)
    assert (link.settles, link.why["reminder"]) == (True, "rem-1")


# Silence ------------------------------------------------------------------------------------------


def test_a_question_is_silent_after_a_day_without_any_reply(asked: Desk) -> None:
    asked.clock.move(SILENT_AFTER - timedelta(seconds=1))
    assert asked.outbox.silent_check_ins(asked.now) == []
    asked.clock.move(timedelta(seconds=1))
    (silent,) = asked.outbox.silent_check_ins(asked.now)
    assert (silent.reminder_id, silent.asked_at) == (1, at(ASKED))
    assert items.waiting(asked.house, asked.now) == []
    writes(asked, "sorry, I was away")
    assert asked.outbox.silent_check_ins(asked.now) == []


def test_silence_is_told_for_a_week(asked: Desk) -> None:
    asked.clock.move(timedelta(days=7))
    assert len(asked.outbox.silent_check_ins(asked.now)) == 1
    asked.clock.move(timedelta(seconds=1))
    assert asked.outbox.silent_check_ins(asked.now) == []


def test_what_may_not_have_arrived_is_not_silent(desk: Desk) -> None:
    desk.sms.script(InDoubt("no answer"))
    ask(desk, channels="sms")
    desk.later(days=2)
    assert desk.outbox.silent_check_ins(desk.now) == desk.outbox.questions(EVERYTHING) == []


# What people may ask for --------------------------------------------------------------------------


def test_an_answer_is_handed_over_and_removed_with_everything_else(asked: Desk) -> None:
    writes(asked, "4")
    (told,) = exporting.everything(asked.house, 1, asked.now)["replies"]
    assert (told["check_in"], told["answer"]) == ("rem-1", "4")
    vera = asked.intake.patient("pat-1")
    with asked.outbox.transaction():
        asked.outbox.erase(vera, asked.now)
    (left,) = asked.outbox.replies()
    assert (left.question, left.answer, left.reply.text) == (1, None, "")
    assert asked.outbox.questions(EVERYTHING) == []
    assert vera.consents(Channel.SMS)


def test_of_a_shared_number_only_the_answers_of_the_erased_patient_go(desk: Desk) -> None:
    vera = ask(desk, "Vera")
    writes(desk, "5")
    ask(desk, "Bruno", "2026-03-10 11:30")
    writes(desk, "4")
    with desk.outbox.transaction():
        desk.outbox.erase(desk.intake.patient(f"pat-{vera.id}"), desk.now)
    assert [each.answer for each in desk.outbox.replies()] == ["4", None]
    assert desk.outbox.replies()[0].reply.sender == VERA


# Whatever comes is kept with what was decided -----------------------------------------------------


@pytest.mark.parametrize(
    ("text", "sender", "media"),
    [("", VERA, 2), ("", VERA, 0), ("it itches " * 160, VERA, 0), ("🙂" * 1600, VERA, 0),
     ("🎉", VERA, 0), ("5", OTHER, 0), ("5", "22000", 0), ("5", "ALBA", 0)],
    ids=["pictures alone", "empty", "1600 characters", "1600 emoji", "emoji", "unknown number",
         "short code", "a name"],
)  # fmt: skip
def test_every_message_is_kept_with_what_was_decided_and_why(
    asked: Desk, text: str, sender: str, media: int
) -> None:
    reply = writes(asked, text, sender, media=media)
    assert (reply.reply.text, reply.reply.media, waits(reply)) == (text, media, True)
    assert reply.decision is not None
    assert {"findings", "denied", "check_in"} <= reply.decision.why.keys()
    assert reply.decision.why["findings"]
