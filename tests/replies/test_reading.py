"""What is read out of a reply, and why."""

import pytest

from reminderd.replies.reading import Reading, read
from reminderd.replies.words import RED_FLAGS, Meaning
from tests.replies.sample import RULES


def reading(text: str, *languages: str) -> Reading:
    return read(text, RULES, languages)


def meanings(text: str) -> list[str]:
    return [each.meaning for each in reading(text).findings]


# Red flags --------------------------------------------------------------------------------------


def test_a_red_flag_says_by_which_rule_in_which_words_and_in_which_language() -> None:
    (finding,) = reading("sorry to bother, my lip is swelling", "en").findings
    assert finding.meaning is Meaning.EMERGENCY
    assert finding.rule == "face-lips-throat"
    assert finding.words == ("lip", "swelling")
    assert finding.language == "en"


def test_the_patients_language_is_named_first_where_a_word_is_one_in_several() -> None:
    assert reading("pus", "fr", "en").findings[0].language == "fr"
    assert reading("pus", "pt_BR", "en").findings[0].language == "pt"


def test_all_red_flags_are_told_the_most_serious_first() -> None:
    found = [each.rule for each in reading("I have a fever and I can't breathe").findings]
    assert found == ["breathing", "breathing-mentioned", "fever"]


@pytest.mark.parametrize("more", [". Mir gehts gut", "\nall well otherwise", "! Well, sorry"])
def test_to_be_well_in_the_next_sentence_is_not_said_of_ones_breath(more: str) -> None:
    assert reading("ساعدوني صدري يصفر لما أتنفس" + more).meaning is Meaning.EMERGENCY
    assert reading("My chest whistles, I breathe" + more).meaning is Meaning.EMERGENCY


def test_a_symptom_may_be_told_in_two_languages_at_once() -> None:
    assert reading("mi face está swollen").meaning is Meaning.EMERGENCY


@pytest.mark.parametrize(
    "text",
    ["can it cause fever?", "not only fever", "I'm not sure if I have fever", "fever, right? no?"],
)
def test_in_doubt_a_symptom_is_there(text: str) -> None:
    assert reading(text).meaning is Meaning.URGENT


@pytest.mark.parametrize(
    "text", ["fevr", "feverr", "fevre", "FeeeeVER", "\uff46\uff45\uff56\uff45\uff52", "fe\u200bver"]
)
def test_a_misspelt_symptom_counts(text: str) -> None:
    assert reading(text).meaning is Meaning.URGENT


@pytest.mark.parametrize("text", ["fewer pimples", "see you never", "lever"])
def test_a_word_that_only_looks_like_a_symptom_does_not(text: str) -> None:
    assert reading(text).meaning is Meaning.UNCLEAR


# Denials ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "no fever", "no sign of fever", "no redness or fever", "fever no", "I don't have a fever",
        "sin fiebre", "pas de fièvre", "sem febre", "weder Eiter noch Fieber", "لا يوجد حمى",
    ],
)  # fmt: skip
def test_what_is_denied_is_no_red_flag_but_is_remembered(text: str) -> None:
    assert reading(text).meaning is Meaning.UNCLEAR
    assert "fever" in {each.rule for each in reading(text).denied}


@pytest.mark.parametrize(
    "text",
    [
        "no fever but my lip is swelling", "No, I can't breathe", "no sleep because of the rash",
        "No. tengo la cara hinchada", "no puedo respirar", "inchaço no rosto",
        "kein Fieber, Gesicht geschwollen", "not good face swollen",
    ],
)  # fmt: skip
def test_a_denial_reaches_no_further_than_the_next_word(text: str) -> None:
    assert reading(text).meaning is Meaning.EMERGENCY


def test_who_does_not_breathe_is_worse_off() -> None:
    assert reading("he is not breathing").meaning is Meaning.EMERGENCY
    assert reading("não respira").meaning is Meaning.EMERGENCY
    assert reading("I can breathe fine").meaning is Meaning.UNCLEAR


# Our own words, sent back -----------------------------------------------------------------------

SENT = (
    "Hello Ana, how does the treated area feel today, from 1 (very bad) to 5 (very good)? Just "
    "reply with the number. Call us if you have fever, pus, spreading redness, strong or lasting "
    "pain, or swelling for days. Trouble breathing, a sudden rash, or a swollen face, lips or "
    "throat: call 112 at once."
)


@pytest.mark.parametrize(
    "text",
    [
        f"Liked \u201c{SENT}\u201d",
        f"\U0001f44d to \u201c{SENT[:150]}\u2026\u201d",
        "5\n\nOn Friday we wrote:\n> " + SENT.replace(". ", ".\n> "),
    ],
    ids=["phone", "shortened", "mail"],
)
def test_a_message_of_ours_that_comes_back_is_no_red_flag(text: str) -> None:
    assert read(text, RULES).meaning in RED_FLAGS
    assert read(text, RULES, sent=[SENT]).meaning in (Meaning.UNCLEAR, Meaning.ANSWER)


def test_what_the_patient_adds_to_our_message_counts() -> None:
    for text in (f"I have a rash\n> {SENT}", f"> {SENT}\nI have a rash"):
        found = read(text, RULES, sent=[SENT])
        assert [each.rule for each in found.findings if each.meaning is Meaning.EMERGENCY] == [
            "rash"
        ]


def test_a_few_words_of_ours_are_the_patients_own() -> None:
    text = "Trouble breathing, a sudden rash, or a swollen face, lips or throat: yes"
    assert read(text, RULES, sent=[SENT]).meaning is Meaning.EMERGENCY


# Objections -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text", ["STOP", "stop.", " Stop! ", "stop stop", "ARRÊT", "stop 😡", "إيقاف"]
)
def test_a_message_of_nothing_but_the_word_is_a_stop(text: str) -> None:
    assert meanings(text) == ["stop"]


@pytest.mark.parametrize("text", ["stop please", "please stop texting me", "STOP I'm at work"])
def test_a_sentence_is_an_objection_for_the_staff(text: str) -> None:
    assert meanings(text) == ["soft-stop"]


def test_stop_with_a_red_flag_is_both() -> None:
    assert meanings("STOP my face is swelling") == ["emergency", "soft-stop"]


@pytest.mark.parametrize("text", ["yes", "ok", "start tomorrow?", "yes please start", "sí", "oui"])
def test_nothing_but_start_lets_anyone_in_again(text: str) -> None:
    assert not reading(text).means(Meaning.START)


def test_cancelling_an_appointment_is_no_objection() -> None:
    assert meanings("cancel my appointment on friday") == ["unclear"]


# Answers ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "number"),
    [("4", 4), ("4️⃣", 4), ("٤", 4), ("4/5", 4), ("4 out of 5", 4), ("four", 4), ("un cinco", 5)],
)
def test_a_number_that_stands_by_itself_is_an_answer(text: str, number: int) -> None:
    assert meanings(text) == ["answer"]
    assert reading(text).number == number


@pytest.mark.parametrize(
    "text", ["3 days", "day 3", "3 or 4", "6", "0", "4.5", "10/10", "<3", "12"]
)
def test_a_number_that_counts_something_else_is_none(text: str) -> None:
    assert reading(text).number is None


def test_words_beside_the_number_are_for_a_person_and_the_number_counts() -> None:
    assert meanings("4 but it looks odd") == ["unclear", "answer"]
    assert reading("4 but it looks odd").number == 4


def test_a_bad_number_with_good_words_is_a_contradiction() -> None:
    found = reading("1 all good").findings
    assert [each.rule for each in found] == ["contradiction", "number"]


# What is well, and what nobody knows ------------------------------------------------------------


def test_a_reply_is_good_only_where_every_word_is_known() -> None:
    assert meanings("all good, thanks, no fever") == ["all-good"]
    assert meanings("all good, thanks, no feverishness-like thing") != ["all-good"]
    assert meanings("all good I guess, looks odd though") == ["unclear"]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "empty"),
        ("thanks", "courtesy"),
        ("no fever", "denied-only"),
        ("is it ok?", "question"),
        ("not good", "worry"),
        ("my face is dry", "symptom"),
        ("asdf", "unknown-words"),
    ],
)
def test_what_is_unclear_says_why(text: str, why: str) -> None:
    (finding,) = reading(text).findings
    assert (finding.meaning, finding.rule) == (Meaning.UNCLEAR, why)
