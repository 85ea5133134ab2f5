"""Who is answered automatically, in which words, and who is not."""

import logging
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from reminderd.answering import Answers
from reminderd.errors import WrongAddress
from reminderd.interfaces import Reply
from reminderd.model import Patient
from reminderd.words import AnswerKind
from tests.configuration import configuration
from tests.core.answered import (
    CLINIC,
    NIGHT,
    RED_FLAG,
    SECOND_CLINIC,
    STRANGER,
    VERA,
    decides,
    desk,
    keeps,
    passes,
    state,
    why,
    writes,
)
from tests.core.build import at
from tests.core.desk import Desk
from tests.core.wishing import stop

__all__ = ["desk"]
PHONE, NORTH = "+34 910 000 000", "+49 30 901820"


# Who ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["I cannot breathe", "I have a fever", "STOP my face is swelling"])
def test_a_red_flag_is_answered_at_any_hour_with_both_numbers(desk: Desk, text: str) -> None:
    desk.patient()
    answer = writes(desk, text)
    assert answer is not None
    assert (answer.kind, answer.number, answer.patients) == (AnswerKind.SAFETY, VERA, (1,))
    assert PHONE in answer.text
    assert "112" in answer.text
    assert why(desk) == "safety"
    assert answer.expires_at - answer.created_at == timedelta(hours=12)


def test_neither_a_withdrawn_consent_nor_a_pause_keeps_it_back(desk: Desk) -> None:
    desk.patient(paused=True)
    stop(desk)
    assert writes(desk, RED_FLAG) is not None


def test_it_names_nobody_and_the_log_says_nothing_of_what_it_is_about(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    desk.patient("Vera")
    with caplog.at_level(logging.INFO):
        answer = writes(desk, RED_FLAG)
        desk.drain()
    assert answer is not None
    assert "Vera" not in answer.text
    assert "ans-1: sent" in caplog.text
    assert not {"safety", "emergency", "breathe", VERA} & {*caplog.text.replace(":", " ").split()}


@pytest.mark.parametrize("text", ["AYUDA", "AIDE", "HILFE", "AJUDA", "help please?"])
def test_whoever_asks_who_writes_is_told_unless_the_provider_tells_them(
    desk: Desk, text: str
) -> None:
    desk.patient()
    answer = writes(desk, text)
    if text == "help please?":  # words of its own: a person reads them
        assert answer is None
        return
    assert answer is not None
    assert answer.kind is AnswerKind.HELP
    assert all(each in answer.text for each in ("Alba Skin Clinic", PHONE, "112", "STOP"))
    assert answer.expires_at - answer.created_at == timedelta(hours=1)
    assert desk.outbox.replies(for_staff=True)


def test_a_word_that_the_provider_answers_gets_no_second_answer(desk: Desk) -> None:
    assert writes(desk, "HELP", answered=True) is None
    assert why(desk) == "none: the provider answers this word by itself"


@pytest.mark.parametrize("text", ["STOP", "START", "thanks, all good", "4", "is Tuesday possible?"])
def test_nothing_else_is_answered(desk: Desk, text: str) -> None:
    desk.patient()
    assert writes(desk, text) is None
    assert why(desk) is None


@pytest.mark.parametrize("sender", ["12345", "+123456", "ALBA", "whatsapp:+34600000001", "112"])
def test_a_short_code_or_a_name_is_never_answered(desk: Desk, sender: str) -> None:
    assert writes(desk, RED_FLAG, sender) is None
    assert why(desk) == "none: it came from a short code or a name"


@pytest.mark.parametrize("to", [CLINIC, VERA])
def test_we_never_answer_ourselves(desk: Desk, to: str) -> None:
    writes(desk, "Hello", STRANGER)
    assert writes(desk, RED_FLAG, to, to=to) is None
    assert writes(desk, RED_FLAG, CLINIC, to="+34600000077") is None
    assert why(desk) == "none: it came from a number of ours"


def test_nor_a_number_that_we_send_from_and_nobody_has_written_to(desk: Desk) -> None:
    house = desk.house
    answers = Answers(house.outbox, house.practice, house.renderer, [STRANGER])
    keeps(desk, RED_FLAG, STRANGER)
    (reply,) = house.outbox.waiting_replies(None, 1)
    reading = house.decide._reading(reply, [])
    assert answers.offer(reply, reading, [], desk.now) == "none: it came from a number of ours"


def test_what_was_written_half_a_day_ago_gets_none_and_a_person_reads_it(desk: Desk) -> None:
    desk.patient()
    assert writes(desk, RED_FLAG, said_at=desk.now - timedelta(hours=12, seconds=1)) is None
    assert why(desk) == "none: it was written too long ago"
    assert desk.outbox.replies(for_staff=True)
    assert writes(desk, RED_FLAG, said_at=desk.now - timedelta(hours=12)) is not None


# At most one an hour ------------------------------------------------------------------------------


@pytest.mark.parametrize(("first", "then"), [(RED_FLAG, "AYUDA"), ("AYUDA", RED_FLAG)])
def test_a_number_gets_one_in_any_sixty_minutes_of_either_kind(
    desk: Desk, first: str, then: str
) -> None:
    assert writes(desk, first, STRANGER) is not None
    desk.drain()
    passes(desk, minutes=59)
    assert writes(desk, then, STRANGER) is None
    assert why(desk) == "none: there was one within the hour"
    passes(desk, minutes=2)
    assert writes(desk, then, STRANGER) is not None


def test_an_hour_is_counted_from_when_it_left(desk: Desk) -> None:
    writes(desk, RED_FLAG)
    passes(desk, minutes=50)
    desk.drain()
    passes(desk, minutes=20)
    assert writes(desk, RED_FLAG) is None


def test_many_at_once_get_one(desk: Desk) -> None:
    for _ in range(5):
        keeps(desk, RED_FLAG)
    decides(desk)
    desk.drain()
    assert len(desk.sms.sent) == 1


def test_a_patient_who_has_a_new_number_gets_one_in_an_hour(desk: Desk) -> None:
    desk.patient()
    writes(desk, RED_FLAG)
    desk.drain()
    desk.intake.edit_patient("pat-1", lambda each: replace(each, phone=STRANGER), desk.now)
    passes(desk, minutes=10)
    assert writes(desk, RED_FLAG, STRANGER) is None


def test_others_are_not_kept_from_theirs(desk: Desk) -> None:
    desk.patient()
    writes(desk, RED_FLAG)
    assert writes(desk, RED_FLAG, STRANGER) is not None


def test_one_that_certainly_did_not_leave_does_not_count(desk: Desk) -> None:
    writes(desk, RED_FLAG)
    desk.sms.script(WrongAddress("nobody there"))
    desk.drain()
    passes(desk, minutes=5)
    assert writes(desk, RED_FLAG) is not None


def test_a_red_flag_takes_the_place_of_an_answer_that_only_waits(desk: Desk) -> None:
    writes(desk, "AYUDA")
    assert writes(desk, RED_FLAG) is not None
    desk.drain()
    assert [state(desk, number) for number in (1, 2)] == ["expired", "sent"]
    assert len(desk.sms.sent) == 1


def test_an_emergency_takes_the_place_of_less_that_only_waits(desk: Desk) -> None:
    writes(desk, "I have a fever")
    answer = writes(desk, RED_FLAG)
    assert answer is not None
    desk.drain()
    assert [state(desk, number) for number in (1, 2)] == ["expired", "sent"]
    assert [each.text for each in desk.sms.sent] == [answer.text]
    assert answer.text.index("112") < answer.text.index(PHONE)


def test_one_from_when_the_clock_was_wrong_keeps_nobody_waiting_for_a_year(desk: Desk) -> None:
    passes(desk, days=365)
    writes(desk, RED_FLAG)
    desk.drain()
    desk.clock = type(desk.clock)(desk.now - timedelta(days=365))
    assert writes(desk, RED_FLAG) is not None


# In which words -----------------------------------------------------------------------------------


def lives(desk: Desk, language: str | None, clinic: str = "main", name: str = "Vera") -> Patient:
    return desk.patient(name, language=language, email=f"{name}@example.org".lower())


def test_a_patient_is_answered_in_the_patients_language(desk: Desk) -> None:
    lives(desk, "pt-BR")
    answer = writes(desk, RED_FLAG)
    assert answer is not None
    assert (answer.language, "falta de ar" in answer.text) == ("pt", True)


@pytest.mark.parametrize(("text", "language"), [("no puedo respirar", "es"), (RED_FLAG, "en")])
def test_where_several_share_a_number_the_words_decide(
    desk: Desk, text: str, language: str
) -> None:
    lives(desk, "de", name="Dora")
    lives(desk, "fr", name="Fleur")
    answer = writes(desk, text)
    assert answer is not None
    assert answer.language == language


def test_a_stranger_is_answered_in_the_words_language_and_for_the_first_clinic(desk: Desk) -> None:
    answer = writes(desk, "Ich habe Fieber", STRANGER)
    assert answer is not None
    assert (answer.language, PHONE in answer.text, NORTH in answer.text) == ("de", True, False)
    assert answer.patients == ()


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("there is pus coming out of it", "en"),
        ("J'ai du pus qui sort", "fr"),
        ("tenho febre e pus", "pt"),
        ("me sale pus de la herida", "es"),
        ("pus", "en"),
        ("pus!!", "en"),
    ],
)
def test_a_word_of_several_languages_is_of_that_of_the_others_or_else_of_the_clinics(
    desk: Desk, text: str, language: str
) -> None:
    answer = writes(desk, text, STRANGER)
    assert answer is not None
    assert answer.language == language


def test_where_several_share_a_number_and_the_word_is_in_both_the_first_ones_counts(
    desk: Desk,
) -> None:
    lives(desk, "fr", name="Fleur")
    lives(desk, "es", name="Elena")
    answer = writes(desk, "pus")
    assert answer is not None
    assert answer.language == "fr"


def test_a_patient_is_told_the_number_of_the_own_clinic(desk: Desk) -> None:
    vera = desk.patient()
    with desk.outbox.transaction():
        desk.outbox.update_patient(replace(vera, clinic="north"), desk.now)
    answer = writes(desk, RED_FLAG)
    assert answer is not None
    assert (answer.language, NORTH in answer.text) == ("de", True)


def test_a_stranger_is_told_the_number_of_the_clinic_that_was_written_to(tmp_path: Path) -> None:
    own = '[clinics.north.channels]\nsms = "file"'
    desk = Desk(tmp_path, at(NIGHT), config=configuration(SECOND_CLINIC, own))
    with desk.outbox.transaction():
        desk.outbox.keep_reply("file", Reply("SM1", STRANGER, CLINIC, RED_FLAG), desk.now)
    decides(desk)
    answer = desk.outbox.answer_to(1)
    assert answer is not None
    assert (NORTH in answer.text, PHONE in answer.text) == (True, False)
    desk.close()


def test_a_mistake_in_the_clinics_own_text_leaves_nobody_without_an_answer(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    desk.template("_safety", "{% block sms %}{{ patient }}{% endblock %}", "es")
    lives(desk, "es")
    answer = writes(desk, RED_FLAG)
    assert answer is not None
    assert answer.language == "en"
    assert "_safety.j2" in caplog.text


def test_where_no_text_can_be_written_the_red_flag_still_reaches_the_staff(desk: Desk) -> None:
    desk.template("_safety", "{% block sms %}{{ patient }}{% endblock %}")
    desk.patient()
    assert writes(desk, RED_FLAG) is None
    assert why(desk) == "none: its text cannot be written"
    assert [each.decision and each.decision.word for each in desk.outbox.replies()] == ["emergency"]


def test_an_answer_is_written_in_the_same_transaction_as_the_decision(desk: Desk) -> None:
    number = keeps(desk, RED_FLAG)
    with desk.outbox.trial():
        decides(desk)
        assert desk.outbox.answer_to(number) is not None
    assert desk.outbox.answer_to(number) is None
    assert desk.outbox.waiting_replies(None, 1)
