"""What the clinic's own people are told, in the words of every language."""

from dataclasses import replace

import pytest

from reminderd.alert_page import alert_page, digest_page
from reminderd.render import Renderer
from reminderd.resources import templates_dir
from reminderd.sample import ALERTS, CLINIC, DIGESTS, SESSION_AT
from reminderd.vocabulary import AlertWords
from tests.core.languages import EXPECTED

RENDERER = Renderer([templates_dir()])
in_every_language = pytest.mark.parametrize("language", EXPECTED)
PRIVATE = ("+34600000001", "pat-1", "A-17")


@in_every_language
@pytest.mark.parametrize("words", ALERTS, ids=lambda each: f"{each.what} {each.severity}")
def test_every_alert_begins_with_the_clinic_and_is_in_its_language(
    words: AlertWords, language: str
) -> None:
    page = alert_page(RENDERER, replace(CLINIC, language=language), words, SESSION_AT)
    assert page.subject.startswith("Alba Skin Clinic: ")
    assert page.language == language
    assert page.html is not None
    assert f'lang="{language}"' in page.html


@in_every_language
@pytest.mark.parametrize("what", ["incident", "unanswered"])
def test_a_red_flag_says_whom_to_call_and_what_to_type(what: str, language: str) -> None:
    words = replace(ALERTS[0], what=what, minutes=15)
    page = alert_page(RENDERER, replace(CLINIC, language=language), words, SESSION_AT)
    for wanted in (*PRIVATE, words.show, words.do, "inc-3"):
        assert wanted in page.text
        assert wanted in (page.html or "")


@in_every_language
@pytest.mark.parametrize("words", ALERTS, ids=lambda each: f"{each.what} {each.severity}")
def test_what_services_get_names_nobody_and_no_number(words: AlertWords, language: str) -> None:
    page = alert_page(RENDERER, replace(CLINIC, language=language), words, SESSION_AT)
    for private in PRIVATE:
        assert private not in page.subject + page.note
    assert words.show in page.note or words.what == "test"


@in_every_language
def test_the_severity_is_seen_in_the_subject_and_in_what_services_get(language: str) -> None:
    clinic = replace(CLINIC, language=language)
    urgent, emergency = (
        alert_page(RENDERER, clinic, replace(ALERTS[0], severity=each), SESSION_AT)
        for each in ("urgent", "emergency")
    )
    assert urgent.subject != emergency.subject
    assert urgent.note != emergency.note


@in_every_language
def test_a_digest_tells_only_what_there_is(language: str) -> None:
    clinic = replace(CLINIC, language=language)
    nothing, much = (digest_page(RENDERER, clinic, each, SESSION_AT) for each in DIGESTS)
    assert nothing.text.count("\n- ") == 1
    assert much.text.count("\n- ") == 8
    assert "reminderd today" in nothing.text


def test_a_language_without_words_for_it_is_told_in_english() -> None:
    page = alert_page(RENDERER, replace(CLINIC, language="fi"), ALERTS[0], SESSION_AT)
    assert page.language == "en"
