"""In which language a patient is written to, and how dates read in it."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from reminderd.render import Composed
from reminderd.sample import CLINIC, PATIENT
from reminderd.texts import language_chain, normal_tag
from tests.core.pages import AT, BUNDLE, compose, item, page, write

# Language -----------------------------------------------------------------------------------------


def test_the_language_is_the_patients_with_region_then_without_then_the_clinics_then_english() -> (
    None
):
    assert language_chain("pt-br", "es_MX") == ("pt_BR", "pt", "es_MX", "es", "en")
    assert language_chain(None, "en") == ("en",)
    assert normal_tag("zh-hant-tw") == "zh_Hant_TW"


@pytest.mark.parametrize(
    ("there", "chosen"),
    [
        (["pt_BR", "pt", "es", "en"], "pt_BR"),
        (["pt", "es", "en"], "pt"),
        (["es", "en"], "es"),
        (["en", "fr"], "en"),
    ],
)
def test_a_message_is_in_the_first_language_there_is(
    folder: Path, there: list[str], chosen: str
) -> None:
    for language in there:
        write(folder, **{f"{language}__care": page(sms=language)})
    patient = replace(PATIENT, language="pt-BR")
    composed = compose(folder, patient=patient, clinic=replace(CLINIC, language="es"))
    assert (composed.language, composed.text) == (chosen, chosen)


def test_a_bundle_is_in_one_language_that_has_all_of_it(folder: Path) -> None:
    write(folder, es__care=page(), es___bundle=BUNDLE)
    write(folder, en__care=page("Care."), en__rest=page("Rest."), en___bundle=BUNDLE)
    patient = replace(PATIENT, language="es")
    assert compose(folder, [item(), item("rest")], patient=patient).text == "Marina: Care. Rest."
    assert compose(folder, [item()], patient=patient).language == "es"


# Dates --------------------------------------------------------------------------------------------


def dated(folder: Path, words: str, hours: int, language: str, country: str = "ES") -> Composed:
    """What a patient there reads, with an instant so long after the session in its place."""
    write(folder, **{f"{language[:2]}__care": page(sms=words % "{{ until | datetime }}")})
    patient, clinic = replace(PATIENT, language=language), replace(CLINIC, country=country)
    until = AT + timedelta(hours=hours)
    return compose(folder, [item(until=until)], patient=patient, clinic=clinic)


@pytest.mark.parametrize(
    ("language", "country", "zone", "told"),
    [
        ("en", "ES", "Europe/Madrid", "Saturday 28 March|14:30|Saturday 28 March at 14:30"),
        ("en", "GR", "Europe/Athens", "Saturday 28 March|15:30|Saturday 28 March at 15:30"),
        (
            "en",
            "US",
            "America/New_York",
            "Saturday, March 28|9:30 AM|Saturday, March 28 at 9:30 AM",
        ),
        (
            "en-US",
            "ES",
            "Europe/Madrid",
            "Saturday, March 28|2:30 PM|Saturday, March 28 at 2:30 PM",
        ),
        ("en", "ES", "Asia/Tokyo", "Saturday 28 March|22:30|Saturday 28 March at 22:30"),
        ("en", "ES", "Pacific/Auckland", "Sunday 29 March|02:30|Sunday 29 March at 02:30"),
    ],
)
def test_dates_are_told_in_the_patients_zone_and_habit(
    folder: Path, language: str, country: str, zone: str, told: str
) -> None:
    words = "{{ session.at|date }}|{{ session.at|time }}|{{ session.at|datetime }}"
    write(folder, en__care=page(sms=words))
    patient = replace(PATIENT, language=language, timezone=zone)
    composed = compose(folder, patient=patient, clinic=replace(CLINIC, country=country))
    assert composed.text == told
    assert composed.size is not None
    assert composed.size.encoding == "GSM-7"


@pytest.mark.parametrize(
    ("hours", "told"),
    [
        (0, "sábado 28 de marzo a las 14:30"),
        (11, "domingo 29 de marzo a la 1:30"),
        (-3, "sábado 28 de marzo a las 11:30"),
    ],
)
def test_spanish_dates_read_like_spanish(folder: Path, hours: int, told: str) -> None:
    assert dated(folder, "hasta el %s", hours, "es").text == f"hasta el {told}"


@pytest.mark.parametrize(
    ("country", "hours", "told"),
    [
        ("FR", 0, "samedi 28 mars à 14 h 30"),
        ("FR", 11, "dimanche 29 mars à 1 h 30"),
        ("CA", 24 * 4 - 6, "mercredi 1er avril à 9 h 30"),
        ("CH", 24 * 14, "samedi 11 avril à 15 h 30"),
    ],
)
def test_french_dates_read_like_french_and_cost_no_more(
    folder: Path, country: str, hours: int, told: str
) -> None:
    composed = dated(folder, "jusqu'au %s", hours, "fr", country)
    assert composed.text == f"jusqu'au {told}"
    assert composed.size is not None
    assert composed.size.encoding == "GSM-7"


@pytest.mark.parametrize(
    ("language", "country", "hours", "told"),
    [
        ("ar", "ES", 0, "السبت 28 مارس الساعة 14:30"),
        ("ar", "ES", 11, "الأحد 29 مارس الساعة 01:30"),
        ("ar", "ES", -14, "السبت 28 مارس الساعة 00:30"),
        ("ar", "MA", 24 * 126, "السبت 1 غشت الساعة 15:30"),
        ("ar", "LB", 24 * 35, "السبت 2 أيار الساعة 3:30 م"),
        ("ar-EG", "ES", 0, "السبت 28 مارس الساعة 2:30 م"),
    ],
)
def test_arabic_dates_read_like_arabic_in_the_digits_of_phone_numbers(
    folder: Path, language: str, country: str, hours: int, told: str
) -> None:
    assert dated(folder, "حتى يوم %s", hours, language, country).text == f"حتى يوم {told}"


@pytest.mark.parametrize(
    ("language", "country", "hours", "told"),
    [
        ("pt", "PT", 0, "sábado, 28 de março, às 14:30"),
        ("pt", "BR", 24 * 2, "segunda-feira, 30 de março, às 15:30"),
        ("pt-BR", "ES", 24 * 4, "quarta-feira, 1 de abril, às 15:30"),
        ("pt", "ES", 11, "domingo, 29 de março, à 01:30"),
        ("pt", "ES", -3, "sábado, 28 de março, às 11:30"),
    ],
)
def test_portuguese_dates_read_like_portuguese(
    folder: Path, language: str, country: str, hours: int, told: str
) -> None:
    assert dated(folder, "até %s", hours, language, country).text == f"até {told}"


@pytest.mark.parametrize(
    ("country", "hours", "told"),
    [
        ("DE", 0, "Samstag, 28. März, 14:30 Uhr"),
        ("CH", 12, "Sonntag, 29. März, 3:30 Uhr"),
        ("AT", 24 * 4, "Mittwoch, 1. April, 15:30 Uhr"),
        ("AT", 24 * 300, "Freitag, 22. Jänner, 14:30 Uhr"),
        ("US", 0, "Samstag, 28. März, 14:30 Uhr"),
    ],
)
def test_german_dates_read_like_german(folder: Path, country: str, hours: int, told: str) -> None:
    assert dated(folder, "Bitte bis %s:", hours, "de", country).text == f"Bitte bis {told}:"


def test_a_language_that_no_locale_knows_still_gets_its_dates(folder: Path) -> None:
    write(folder, tlh__care=page(sms="{{ session.at|datetime }}"))
    assert compose(folder, patient=replace(PATIENT, language="tlh")).text.endswith("14:30")
