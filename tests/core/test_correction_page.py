"""What staff read out where a text has become false: in every language, and every name a name."""

from dataclasses import replace
from pathlib import Path
from shutil import copytree

import pytest

from reminderd.correction_page import CorrectionPage, correction
from reminderd.proofread import check
from reminderd.protocols import load
from reminderd.render import Renderer
from reminderd.resources import protocols_dir, templates_dir
from reminderd.sample import AWKWARD_NAMES, CLINIC, SESSION_AT, patient, told_falsely
from reminderd.texts import CORRECTION
from tests.core.languages import EXPECTED

RENDERER = Renderer([templates_dir()])
PROTOCOLS = {path.stem: load(path) for path in sorted(protocols_dir().glob("*.toml"))}


def corrected(protocol: str, language: str, name: str = "Marina") -> CorrectionPage:
    chart, untrue = told_falsely(PROTOCOLS[protocol])
    told = replace(chart, patient=patient(name, language))
    return correction(RENDERER, told, untrue, SESSION_AT)


@pytest.mark.parametrize("language", EXPECTED)
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_every_correction_has_its_words_in_every_language(protocol: str, language: str) -> None:
    page = corrected(protocol, language)
    assert page.language == language
    assert page.subject
    for text in (page.sms, page.email):
        assert CLINIC.phone in text.replace("\u200e", "").replace("\u200f", "")
        assert not [word for word in ("{", "None", "Moment(") if word in text]
        assert "31" in text or "30" in text  # the day on which it ends instead


@pytest.mark.parametrize("language", EXPECTED)
@pytest.mark.parametrize("name", [each for each in AWKWARD_NAMES if "{" not in each])
def test_a_name_stays_a_name(language: str, name: str) -> None:
    page = corrected("mesotherapy", language, name)
    assert name in page.sms.replace("\u2068", "").replace("\u2069", "")


def test_a_correction_that_cannot_be_written_is_found_before_it_is_needed(tmp_path: Path) -> None:
    own = copytree(templates_dir() / "en", tmp_path / "en") / f"{CORRECTION}.j2"
    packaged = own.read_text("utf-8")
    wrong = packaged.replace("{{ at | datetime }}", "{{ at.text | datetime }}")
    assert wrong != packaged
    own.write_text(wrong, "utf-8")
    found = check(Renderer([tmp_path]), [PROTOCOLS["mesotherapy-basic"]])
    assert [fault for fault in found if str(own) in fault]
