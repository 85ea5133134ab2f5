"""`protocol show --format html|md`: the leaflet that the desk prints."""

from pathlib import Path

import pytest

from reminderd.dates import BLANK
from tests.cli.desk import Clinic, without_configuration

SHOW = ("protocol", "show", "mesotherapy")
AT = ("--at", "2026-03-28T14:30")


def test_a_leaflet_carries_the_clinic_and_its_phone(clinic: Clinic) -> None:
    page = clinic.says(*SHOW, "--format", "html")
    assert page.startswith("<!doctype html>\n")
    assert "Alba Skin Clinic" in page
    assert "+34 910 000 000" in page


def test_with_an_instant_its_dates_are_filled_in(clinic: Clinic) -> None:
    page = clinic.says(*SHOW, "--format", "md", *AT)
    assert "| For 48 hours, until Monday 30 March at 15:30 | Avoid hard exercise. |" in page
    assert BLANK not in page


def test_an_instant_is_local_where_the_patient_lives(clinic: Clinic) -> None:
    words = (*SHOW, "--format", "md", *AT, "--timezone", "America/New_York")
    assert "Your treatment: Saturday 28 March at 14:30" in clinic.says(*words)
    assert "until Monday 30 March at 14:30" in clinic.says(*words)


def test_without_an_instant_there_are_lines_to_write_on(clinic: Clinic) -> None:
    page = clinic.says(*SHOW, "--format", "md")
    assert f"| For 48 hours, until {BLANK} | Avoid hard exercise. |" in page


def test_a_leaflet_speaks_the_language_that_is_asked_for(clinic: Clinic) -> None:
    assert "# Tu plan de cuidados" in clinic.says(*SHOW, "--format", "md", "--language", "es-MX")
    assert 'dir="rtl"' in clinic.says(*SHOW, "--format", "html", "--language", "ar")


def test_an_unknown_language_is_wrong_usage_that_names_the_known_ones(clinic: Clinic) -> None:
    result = clinic.types(*SHOW, "--format", "md", "--language", "tlh")
    assert result.exit_code == 2
    assert '"tlh" is not a language of the templates; known are ' in result.stderr
    assert result.stdout == ""


def test_another_language_than_asked_for_is_said_beside_the_page(clinic: Clinic) -> None:
    italian = clinic.folder / "config" / "templates" / "it"
    italian.mkdir()
    (italian / "spf.j2").write_text("{% block line %}Sole.{% endblock %}")
    result = clinic.types(*SHOW, "--format", "md", "--language", "it")
    assert result.exit_code == 0
    assert result.stderr == "it lacks a text of this leaflet: it is in en.\n"
    assert result.stdout.startswith("# Your care plan\n")


def test_a_clinic_can_be_named(clinic: Clinic) -> None:
    second = '[clinics.harbour]\nname = "Harbour Skin"\nphone = "+351 210 000 000"\n'
    second += 'timezone = "Europe/Lisbon"\ncountry = "PT"\nlanguage = "es"\n'
    second += 'quiet_hours = "21:00-08:00"\n'
    clinic.config.write_text(f"{clinic.config.read_text()}\n{second}")
    page = clinic.says(*SHOW, "--format", "md", "--clinic", "harbour")
    assert "**Harbour Skin**, +351 210 000 000" in page
    assert page.startswith("# Tu plan de cuidados\n")
    unknown = clinic.types(*SHOW, "--format", "md", "--clinic", "harbor")
    assert unknown.exit_code == 4
    assert 'did you mean "harbour"' in unknown.stderr


def test_without_a_configuration_the_clinic_too_is_filled_in_by_hand(tmp_path: Path) -> None:
    result = without_configuration(tmp_path, *SHOW, "--format", "md")
    assert result.exit_code == 0
    assert f"**{BLANK}**, {BLANK}" in result.stdout
    assert "Alba" not in result.stdout


def test_what_is_for_a_tag_is_printed_with_it(clinic: Clinic) -> None:
    assert "diet plan" not in clinic.says(*SHOW, "--format", "md")
    assert "diet plan" in clinic.says(*SHOW, "--format", "md", "--tag", "weight-loss")


def test_the_default_format_is_the_table_as_before(clinic: Clinic) -> None:
    assert clinic.says(*SHOW, "--format", "text") == clinic.says(*SHOW)
    assert clinic.says(*SHOW).startswith("id\tkind\ttopics\twhen\t")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--format", "html", "--json"), "--json and --format html exclude each other"),
        (("--format", "pdf"), "'pdf' is not one of"),
        (("--language", "es"), "--language is for --format html and --format md"),
        (("--json", "--tag", "x"), "--tag is for --format html and --format md"),
        (("--format", "md", "--at", "soon"), "--at"),
        (("--format", "md", *AT, "--timezone", "Mars"), "--timezone"),
        (("--format", "md", "--at", "9999-12-31T23:00"), "too far away"),
    ],
)
def test_what_makes_no_sense_is_refused_and_prints_nothing(
    clinic: Clinic, words: tuple[str, ...], said: str
) -> None:
    result = clinic.types(*SHOW, *words)
    assert result.exit_code == 2
    assert said in result.stderr
    assert result.stdout == ""


def test_an_unknown_protocol_is_not_found(clinic: Clinic) -> None:
    assert clinic.types("protocol", "show", "mesoterapy", "--format", "md").exit_code == 4
