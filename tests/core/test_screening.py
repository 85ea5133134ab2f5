"""What calls for caution is noted for the staff: no text, no plan and no log line knows it."""

import re
from collections.abc import Iterator
from dataclasses import fields, replace
from pathlib import Path

import pytest

from reminderd.blocks import faults
from reminderd.errors import TemplateFailed
from reminderd.leaflet import treatment_of
from reminderd.leaflet_page import page as leaflet_page
from reminderd.model import Channel, Patient, Screening, Session
from reminderd.protocols import load
from reminderd.render import Renderer
from reminderd.resources import protocols_dir, templates_dir
from reminderd.sample import CLINIC, SESSION_AT, bundles, items, patient
from reminderd.vocabulary import FORMS, OBJECTS, PatientWords
from tests.core.build import VERA, at, chart, inform, protocol, restriction, rows, session
from tests.core.languages import EXPECTED
from tests.core.pages import compose, page, write

RENDERER = Renderer([templates_dir()])
PROTOCOLS = {path.stem: load(path) for path in sorted(protocols_dir().glob("*.toml"))}
EVERYTHING = frozenset(Screening)
# The conditions themselves; to ask about medicine that thins the blood is aftercare.
NOTED = {
    "en": r"screening|eczema|psoriasis|clotting|pregnan|breast",
    "es": r"ecc?ema|psoriasis|coagulación|embaraz|lactancia|\b(dar|das|da|dando) el pecho",
    "fr": r"eczéma|psoriasis|coagulation|grossesse|enceinte|allait",
    "pt": r"ec?zema|psoríase|coagulação|grávid|gravidez|amament|aleitament",
    "de": r"ekzem|schuppenflechte|psoriasis|gerinnung|schwanger|stillen",
    "ar": r"كزيما|صدفية|تخثر|تجلط|\b(ال)?حمل\b|حامل|رضاع|مرضع",
}
in_every_language = pytest.mark.parametrize("language", EXPECTED)
of_every_protocol = pytest.mark.parametrize("key", sorted(PROTOCOLS))


def texts(key: str, of: Patient) -> Iterator[str]:
    """Everything that the protocol says to this patient: alone, bundled, and in the copy."""
    planned = items(PROTOCOLS[key])
    for together in [*([each] for each in planned), *bundles(planned)]:
        for channel in Channel:
            told = RENDERER.compose(together, of, CLINIC, channel)
            yield f"{told.subject}\n{told.text}\n{told.html}"
    yield repr(RENDERER.copy(planned, of, CLINIC))


@in_every_language
@of_every_protocol
def test_no_text_of_any_protocol_speaks_of_it(key: str, language: str) -> None:
    for text in texts(key, patient("Marina", language)):
        assert not re.search(NOTED[language], text, re.IGNORECASE)


@in_every_language
@of_every_protocol
def test_no_leaflet_speaks_of_it(key: str, language: str) -> None:
    visit = Session(None, key, 1, SESSION_AT, SESSION_AT)
    treatment = treatment_of(PROTOCOLS[key], visit, CLINIC.timezone)
    printed = leaflet_page(RENDERER, treatment, CLINIC, language, dated=True)
    assert not re.search(NOTED[language], printed.markdown, re.IGNORECASE)


@in_every_language
def test_no_template_holds_a_word_of_it_not_even_where_it_is_not_shown(language: str) -> None:
    sources = [each for each in RENDERER.texts.list_templates() if each.language == language]
    assert sources
    for each in sources:
        words = rf"screening|{NOTED[language]}"
        assert not re.search(words, f"{each.name} {each.source}", re.IGNORECASE), each.name


@of_every_protocol
def test_a_noted_patient_reads_what_every_patient_reads(key: str) -> None:
    plain = patient("Marina", "en")
    noted = replace(plain, screening=EVERYTHING)
    assert list(texts(key, noted)) == list(texts(key, plain))


def test_a_noted_patient_has_the_plan_that_every_patient_has() -> None:
    visit, care = session(at("2026-03-27 14:30")), protocol(restriction(), inform())
    noted = replace(VERA, screening=EVERYTHING)
    assert rows(chart(visit, care, patient=noted)) == rows(chart(visit, care))


def test_a_template_that_asks_for_it_is_refused_and_fails(tmp_path: Path) -> None:
    folder = write(tmp_path, en__care=page(sms="{{ patient.screening }}"))
    renderer = Renderer([folder])
    (fault,) = faults(renderer.texts.get("en", "care"))
    assert fault.endswith("patient has no screening; it has given_name")
    with pytest.raises(TemplateFailed, match="screening"):
        compose(folder, patient=replace(patient("Marina", "en"), screening=EVERYTHING))


def test_no_form_of_template_is_handed_more_of_a_patient_than_the_given_name() -> None:
    assert OBJECTS["patient"] is PatientWords
    assert [each.name for each in fields(PatientWords)] == ["given_name"]
    known = {name for form in FORMS.values() for name in form.names}
    assert not {each for each in known if "screening" in each}


def test_a_patient_in_a_traceback_or_a_log_line_does_not_tell_it() -> None:
    shown = repr(replace(VERA, screening=EVERYTHING))
    assert not [word for word in Screening if word in shown]
    assert "screening" not in shown
