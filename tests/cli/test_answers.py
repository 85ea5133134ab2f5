"""Automatic answers as staff see them, and the emergency number that they name."""

import json
from contextlib import closing
from dataclasses import replace

import pytest

from reminderd import bootstrap
from reminderd.incoming import Replies
from reminderd.interfaces import Callback, Reply
from reminderd.words import AnswerState, Receipt
from tests.cli.desk import NOW, Clinic, edit
from tests.cli.test_house_health import problems


@pytest.fixture
def flagged(clinic: Clinic) -> Clinic:
    """Vera has written that she cannot breathe; the answer waits to leave."""
    clinic.enrols()
    (vera,) = clinic.data("patient", "list")["patients"]
    hears(clinic, Reply("SM1", vera["phone"], "+34910000000", "I cannot breathe"))
    return clinic


def hears(clinic: Clinic, reply: Reply) -> None:
    house = opened(clinic)
    with closing(house.outbox) as outbox:
        with outbox.transaction():
            outbox.keep_reply("twilio", reply, NOW)
        Replies(outbox, house.decide).apply(None, NOW)


def opened(clinic: Clinic) -> bootstrap.House:
    return bootstrap.open_house(bootstrap.load_settings(clinic.config, {}), durable=False)


def test_the_answer_is_shown_with_the_reply_and_how_far_it_has_come(flagged: Clinic) -> None:
    (listed,) = flagged.data("inbox", "list")["replies"]
    shown = flagged.data("inbox", "show", "rep-1")
    assert listed["automatic_answer"] == shown["automatic_answer"]
    answer = shown["automatic_answer"]
    assert (answer["id"], answer["kind"], answer["state"]) == ("ans-1", "safety", "waiting")
    assert answer["sent_at"] is None
    assert shown["why"]["answer"] == "safety"
    said = flagged.says("inbox", "show", "rep-1")
    assert "Automatic answer (safety), waits to leave" in said
    assert answer["text"] in said
    assert "answered by itself: waits to leave" in flagged.says("inbox", "explain", "rep-1")


def test_a_patient_is_handed_what_they_were_told(flagged: Clinic) -> None:
    (reply,) = flagged.data("patient", "export", "pat-1")["replies"]
    assert reply["automatic_answer"]["text"].startswith("Alba Skin Clinic")


def test_why_there_was_none_is_said_in_words(flagged: Clinic) -> None:
    hears(flagged, Reply("SM2", "22000", "+34910000000", "Help, fever"))
    told = flagged.says("inbox", "explain", "rep-2")
    assert "answer: none: it came from a short code or a name" in told


def test_one_that_did_not_leave_is_on_the_staffs_list(flagged: Clinic) -> None:
    with closing(opened(flagged).outbox) as outbox, outbox.transaction():
        outbox.expire_answers(NOW.replace(year=NOW.year + 1))
        found = outbox.answer_to(1)
        assert found is not None
        assert found.state is AnswerState.EXPIRED
    for command in ("today", "status"):
        staff = json.loads(flagged.says(command, "--json"))["staff"]
        (item,) = [each for each in staff if each["what"] == "answer"]
        assert item["why"] == "the automatic answer to rep-1: not sent, too late"
        assert item["do"] == "call them, then: reminderd inbox done rep-1"


@pytest.mark.parametrize(
    ("receipt", "said"),
    [(Receipt.DELIVERED, "delivered"), (Receipt.FAILED, "did not arrive (30003)")],
)
def test_whether_it_arrived_is_shown_with_the_incident(
    flagged: Clinic, receipt: Receipt, said: str
) -> None:
    with closing(opened(flagged).outbox) as outbox, outbox.transaction():
        (answer,) = outbox.due_answers("twilio", NOW, 1)
        outbox.mark_answers([replace(answer, token="random")], NOW)
        assert outbox.keep_callback(Callback("random", "SM9", receipt, "30003"), NOW)
    assert f"answered by itself: {said}" in flagged.says("incident", "show", "inc-1")
    (reply,) = flagged.data("incident", "show", "inc-1")["replies"]
    assert reply["automatic_answer"]["receipt"] == receipt.value
    staff = json.loads(flagged.says("status", "--json"))["staff"]
    lost = [each["why"] for each in staff if each["what"] == "answer"]
    assert lost == ([f"the automatic answer to rep-1: {said}"] if "not" in said else [])


# Which words -------------------------------------------------------------------------------------


def test_both_answers_can_be_previewed_in_every_language(clinic: Clinic) -> None:
    for language in ("en", "es", "ar"):
        texts = clinic.data("preview", "_safety", "--language", language)["texts"]
        assert len(texts) == 2
        assert {each["email"] for each in texts} == {None}
    (asked,) = clinic.data("preview", "_help")["texts"]
    assert asked["sms"]["segments"] == 1
    assert "To end these texts" in clinic.says("preview", "_help")


# Which number ------------------------------------------------------------------------------------


def set_to(clinic: Clinic, text: str) -> None:
    edit(clinic, "reminderd.toml", 'country = "ES"', text)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ('country = "ES"', "112"),
        ('country = "ES"\nemergency_phone = "061"', "061"),
        ('country = "GB"', "999"),
    ],
)
def test_an_answer_names_the_number_of_the_clinics_country_or_its_own(
    clinic: Clinic, text: str, number: str
) -> None:
    set_to(clinic, text)
    assert opened(clinic).practice.clinics["main"].emergency_phone == number


@pytest.mark.parametrize("number", ["", "call us", "+34 112", "1", "1234567"])
def test_what_is_no_emergency_number_at_all_is_refused_at_the_start(
    clinic: Clinic, number: str
) -> None:
    set_to(clinic, f'country = "ES"\nemergency_phone = "{number}"')
    refused = clinic.types("config", "check")
    assert refused.exit_code == 78
    assert "is not an emergency number" in refused.output


def test_check_names_a_number_that_nobody_there_would_answer(clinic: Clinic) -> None:
    set_to(clinic, 'country = "ES"\nemergency_phone = "122"')
    ((subject, message),) = problems(clinic, "check")
    assert subject == "answers"
    assert '"122" is not known as an emergency number in ES' in message


def test_check_names_a_country_whose_number_is_not_known(clinic: Clinic) -> None:
    set_to(clinic, 'country = "PE"')
    ((_, message),) = problems(clinic, "check")
    assert message.startswith("clinics.main: the emergency number of PE is not known")
    edit(clinic, "reminderd.toml", 'country = "PE"', 'country = "PE"\nemergency_phone = "116"')
    assert problems(clinic, "check") == []
