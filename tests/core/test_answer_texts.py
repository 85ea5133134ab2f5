"""The words of automatic answers: safe, kind and short in every language that ships."""

import re
from dataclasses import replace
from pathlib import Path
from shutil import copytree
from unicodedata import bidirectional

import pytest
from phonenumbers.shortnumberinfo import is_emergency_number

from reminderd.answer_page import AnswerPage, answer
from reminderd.emergency_numbers import EVERYWHERE, NUMBERS, emergency_number
from reminderd.proofread import check
from reminderd.render import Renderer
from reminderd.resources import templates_dir
from reminderd.sample import AWKWARD_NAMES, CLINIC
from reminderd.segments import plain
from reminderd.words import AnswerKind
from tests.core.languages import EXPECTED
from tests.core.test_templates import NEVER_REPLY, NEVER_SAID

RENDERER = Renderer([templates_dir()])
SAFETY, HELP = AnswerKind.SAFETY, AnswerKind.HELP
WITH_999 = replace(CLINIC, emergency_phone="999")
in_every_language = pytest.mark.parametrize("language", EXPECTED)
either_tier = pytest.mark.parametrize("is_emergency", [True, False])
SIGNS = {  # of what S4 calls an emergency
    "en": ("breath", "face", "lips", "throat", "rash"),
    "es": ("respirar", "cara", "labios", "garganta", "sarpullido"),
    "fr": ("respirer", "visage", "lèvres", "gorge", "éruption"),
    "de": ("Atemnot", "Gesicht", "Lippen", "Hals", "Ausschlag"),
    "pt": ("falta de ar", "rosto", "boca", "garganta", "manchas vermelhas"),
    "ar": ("التنفس", "الوجه", "الشفاه", "الحلق", "طفح"),
}
REASSURING = re.compile(
    r"normal|don't worry|do not worry|nothing serious|harmless|tranquil|no te preocupes|"
    r"rassur|pas grave|keine sorge|harmlos|unbedenklich|não se preocupe|لا تقلق|طبيعي|بسيط",
    re.IGNORECASE,
)


def said(kind: AnswerKind, language: str, *, is_emergency: bool = False) -> AnswerPage:
    return answer(RENDERER, kind, WITH_999, language, is_emergency=is_emergency)


@in_every_language
@either_tier
def test_the_answer_to_a_red_flag_names_both_numbers_and_the_signs(
    language: str, is_emergency: bool
) -> None:
    text = said(SAFETY, language, is_emergency=is_emergency).text
    assert text.partition(":")[0].strip().endswith(CLINIC.name)
    assert CLINIC.phone in text
    assert "999" in text
    assert all(sign in text for sign in SIGNS[language])


@in_every_language
def test_in_an_emergency_the_emergency_number_comes_first(language: str) -> None:
    text = said(SAFETY, language, is_emergency=True).text
    assert text.index("999") < text.index(CLINIC.phone)
    text = said(SAFETY, language).text
    assert text.index(CLINIC.phone) < text.index("999")


@in_every_language
def test_whoever_asks_is_told_who_writes_both_numbers_and_how_it_ends(language: str) -> None:
    text = said(HELP, language).text
    assert all(each in text for each in (CLINIC.name, CLINIC.phone, "999", "STOP"))


@in_every_language
@either_tier
def test_it_neither_reassures_nor_asks_for_a_word_on_which_providers_act(
    language: str, is_emergency: bool
) -> None:
    text = said(SAFETY, language, is_emergency=is_emergency).text
    for each in (text, said(HELP, language).text):
        assert not REASSURING.search(each)
        assert not NEVER_SAID.search(each)
    assert not NEVER_REPLY.search(text)


@in_every_language
@either_tier
def test_it_is_short(language: str, is_emergency: bool) -> None:
    sizes = [said(SAFETY, language, is_emergency=is_emergency).size, said(HELP, language).size]
    for size in sizes:
        assert size.encoding == ("UCS-2" if language == "ar" else "GSM-7")
        assert size.segments <= (4 if language == "ar" else 2)


@in_every_language
@pytest.mark.parametrize("kind", AnswerKind)
def test_it_begins_with_a_letter_of_its_own_direction(language: str, kind: AnswerKind) -> None:
    """By the first one a phone decides from which side the whole message is read."""
    first = next(each for each in said(kind, language).text if each.isalpha())
    assert bidirectional(first) == ("AL" if language == "ar" else "L")


@in_every_language
@pytest.mark.parametrize("name", AWKWARD_NAMES)
def test_a_clinic_may_be_called_anything(language: str, name: str) -> None:
    page = answer(RENDERER, SAFETY, replace(CLINIC, name=name), language, is_emergency=True)
    assert plain(name) in page.text


def test_a_mistake_in_a_clinics_own_answer_is_found_before_it_is_needed(tmp_path: Path) -> None:
    own = copytree(templates_dir() / "en", tmp_path / "en") / "_help.j2"
    own.write_text("{% block sms %}{{ clinic.fax }}{% endblock %}")
    assert any("clinic has no fax" in each for each in check(Renderer([tmp_path]), []))
    own.write_text("{% block sms %}{{ is_emergency }}{% endblock %}")
    assert any("is_emergency is not known" in each for each in check(Renderer([tmp_path]), []))
    own.write_text("{% block sms %}" + "Hello! " * 200 + "{% endblock %}")
    assert any("warning" in each and "_help" in each for each in check(Renderer([tmp_path]), []))


# Emergency numbers --------------------------------------------------------------------------------


@pytest.mark.parametrize("country", NUMBERS)
def test_every_number_of_the_table_is_known_as_one_of_that_country(country: str) -> None:
    assert is_emergency_number(NUMBERS[country], country)


def test_a_country_that_is_not_known_has_the_one_that_every_mobile_phone_knows() -> None:
    assert emergency_number("ES") == "112"
    assert emergency_number("US") == "911"
    assert emergency_number("AQ") == EVERYWHERE == "112"
