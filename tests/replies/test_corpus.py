"""Replies whose meaning is known are read as a careful person would read them."""

import re
from collections import Counter

import pytest

from reminderd.replies.words import RED_FLAGS, Meaning
from reminderd.resources import templates_dir
from tests.replies.sample import CORPUS, HELD_OUT, RULES, Reply, missed, replies, wrong

LANGUAGES = ("ar", "de", "en", "es", "fr", "pt")
KNOWN = replies(CORPUS)
APART = replies(HELD_OUT)


def test_there_are_enough_replies_in_every_language() -> None:
    counted = Counter(each.language for each in KNOWN)
    assert set(counted) == set(LANGUAGES) == set(RULES.languages)
    assert min(counted.values()) >= 50
    assert len(APART) >= 60


def test_no_reply_is_in_both_sets() -> None:
    assert not {each.text for each in KNOWN} & {each.text for each in APART}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_red_flag_of_the_corpus_is_found(language: str) -> None:
    assert [each.text for each in KNOWN if each.language == language and missed(each)] == []


def test_no_red_flag_is_lost_where_apostrophes_are_left_out() -> None:
    typed = [each._replace(text=each.text.replace("'", "")) for each in KNOWN if "'" in each.text]
    assert [each.text for each in typed if missed(each)] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_red_flag_is_found_whichever_language_the_patient_is_said_to_speak(language: str) -> None:
    strangers = [Reply("xx", each.text, each.expected) for each in KNOWN]
    here = [
        other
        for each, other in zip(KNOWN, strangers, strict=True)
        if each.language == language and missed(other)
    ]
    assert here == []


def test_the_rest_is_read_as_expected_but_for_a_few() -> None:
    assert len(wrong(KNOWN)) <= 0.01 * len(KNOWN)


def test_what_hides_a_red_flag_is_never_called_good_or_taken_for_an_answer_alone() -> None:
    harmless = {Meaning.ALL_GOOD, Meaning.ANSWER, Meaning.START, Meaning.HELP}
    unseen = [each.text for each in [*KNOWN, *APART] if each.expected[0] in RED_FLAGS]
    assert unseen
    hidden = [each for each in [*KNOWN, *APART] if each.expected[0] in RED_FLAGS]
    assert [each.text for each in hidden if each.read().meaning in harmless] == []


def test_no_reply_settles_a_check_in_but_one_that_is_meant_as_a_good_answer() -> None:
    good = {Meaning.ANSWER, Meaning.ALL_GOOD}
    settled = [each for each in [*KNOWN, *APART] if each.read().is_nothing_but_good]
    assert len(settled) > 200
    assert [each.text for each in settled if not set(each.expected) <= good] == []


def test_an_objection_is_never_taken_for_consent_or_for_good_news() -> None:
    objections = {Meaning.STOP, Meaning.SOFT_STOP}
    ours = [each for each in [*KNOWN, *APART] if objections & set(each.expected)]
    silent = {Meaning.ALL_GOOD, Meaning.ANSWER, Meaning.START}
    assert [each.text for each in ours if each.read().meaning in silent] == []


def test_only_the_words_for_it_start_messages_again() -> None:
    starts = [each.text for each in [*KNOWN, *APART] if each.read().means(Meaning.START)]
    assert sorted(starts) == sorted(
        each.text for each in [*KNOWN, *APART] if each.expected == (Meaning.START,)
    )


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_red_flag_that_a_check_in_names_is_found_where_it_is_quoted(language: str) -> None:
    named = {
        "breathing", "rash", "face-lips-throat", "fever", "pus", "spreading-redness",
        "strong-pain", "lasting-pain", "lasting-swelling",
    }  # fmt: skip
    for path in (templates_dir() / language).glob("check-in*.j2"):
        findings = Reply(language, sms(path.read_text("utf-8")), ()).read().findings
        assert named <= {each.rule for each in findings}, path.name


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_we_say_ourselves_is_no_red_flag_but_for_a_word_of_pain(language: str) -> None:
    for path in (templates_dir() / language).glob("[a-z]*.j2"):
        if not path.stem.startswith("check-in"):
            reading = Reply(language, sms(path.read_text("utf-8")), ()).read()
            flags = {each.rule for each in reading.findings if each.meaning in RED_FLAGS}
            assert flags <= {"pain"}, path.name


def sms(source: str) -> str:
    """What a template says in a text message, without its variables."""
    block = re.search(r"{% block sms %}(.*?){% endblock %}", source, re.DOTALL)
    assert block is not None
    return re.sub(r"{[{%].*?[%}]}", " Ana ", block[1])
