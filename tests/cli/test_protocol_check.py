"""`protocol check` and `check`: what a careful nurse finds reaches people and scripts."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from tests.cli.desk import Clinic, without_configuration

CARE = """
key = "care"
title = "Care"
revision = 1

[[milestones]]
id = "spf"
kind = "routine"
topics = ["sun"]
day = 1
at = "{at}"
expires = "4h"
"""


def writes(clinic: Clinic, at: str) -> Path:
    """A protocol of the clinic's own that says one thing, at that time of the next day."""
    path = clinic.config.parent / "protocols" / "care.toml"
    path.write_text(CARE.format(at=at), encoding="utf-8")
    return path


def findings(result: Result) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(result.stdout)["findings"]
    return found


def test_the_packaged_protocols_pass_without_a_configuration(tmp_path: Path) -> None:
    result = without_configuration(tmp_path, "protocol", "check")
    assert result.exit_code == 0, result.output
    assert ": hint: " in result.stdout
    assert ": warning: " not in result.stdout
    assert "✓ mesotherapy-gentle: 1 hint" in result.stderr


def test_a_fault_says_where_it_is_what_is_wrong_and_what_to_do(clinic: Clinic) -> None:
    path = writes(clinic, "22:30")
    result = clinic.types("protocol", "check", "care")
    assert result.exit_code == 1
    assert result.stdout.splitlines() == [
        f"{path}:6: error: spf: no session ever gets it: quiet hours (21:00-08:00) put it off until"
        " it has expired",
        '    Choose another time, a longer `expires`, or quiet = "advance" or "ignore".'
        " See: reminderd plan care --at 2026-07-12T00:00",
    ]
    assert result.stderr == "✗ care: 1 error\n"


def test_a_script_gets_each_finding_with_its_parts(clinic: Clinic) -> None:
    path = writes(clinic, "22:30")
    (found,) = findings(clinic.types("protocol", "check", str(path), "--json"))
    assert list(found) == ["file", "line", "severity", "milestone", "what", "remedy"]
    assert (found["file"], found["line"], found["severity"]) == (str(path), 6, "error")
    assert found["milestone"] == "spf"


def test_hints_alone_are_no_failure(clinic: Clinic) -> None:
    result = clinic.types("protocol", "check", "mesotherapy", "--json")
    assert result.exit_code == 0
    assert {each["severity"] for each in findings(result)} == {"hint"}


def test_what_protocols_share_is_told_once(clinic: Clinic) -> None:
    shared = clinic.config.parent / "templates" / "en" / "spf.j2"
    shared.write_text(shared.read_text("utf-8").replace("Hello", "Buy now,"), encoding="utf-8")
    found = findings(clinic.types("protocol", "check", "--json"))
    errors = [each["line"] for each in found if each["severity"] == "error"]
    assert len(errors) == len(set(errors)) == 2  # the text message and the mail


def test_the_configured_quiet_hours_are_what_is_tried(clinic: Clinic) -> None:
    writes(clinic, "22:30")
    config = clinic.config.read_text("utf-8")
    clinic.config.write_text(config.replace('"21:00-08:00"', '"23:00-08:00"'), encoding="utf-8")
    assert clinic.types("protocol", "check", "care").exit_code == 0


def test_a_patient_who_speaks_what_nobody_wrote_is_a_warning(clinic: Clinic) -> None:
    clinic.enrols(language="it")
    result = clinic.types("protocol", "check", "mesotherapy", "--json")
    assert result.exit_code == 1
    assert [each["what"] for each in findings(result) if each["severity"] == "warning"] == [
        'there is no text in "it", the language of patients: it comes in another'
    ]


def test_check_counts_what_would_never_be_sent_among_the_problems(clinic: Clinic) -> None:
    path = writes(clinic, "22:30")
    result = clinic.types("check", "--json")
    assert result.exit_code == 1
    problems = [each for each in findings(result) if each["level"] == "problem"]
    assert [each["subject"] for each in problems] == ["protocol care"]
    assert problems[0]["message"].startswith(f"{path}:6: spf: no session ever gets it")


def test_scripts_get_the_findings_in_the_order_in_which_people_do(clinic: Clinic) -> None:
    keys = ("mesotherapy-basic", "mesotherapy", "mesotherapy-gentle")
    said = clinic.types("protocol", "check", *keys).stdout.splitlines()
    found = findings(clinic.types("protocol", "check", *keys, "--json"))
    places = [f"{each['file']}:{each['line']}:" for each in found]
    assert places == [line.partition(" ")[0] for line in said if not line.startswith(" ")]


# What nobody should sign --------------------------------------------------------------------------


def test_what_no_session_ever_gets_is_not_signed(clinic: Clinic) -> None:
    path = writes(clinic, "22:30")
    refused = clinic.types("protocol", "approve", "care", "--by", "Dr. Lund")
    assert refused.exit_code == 5
    assert f"error: {path}:6: error: spf: no session ever gets it" in refused.stderr
    assert "Nothing was signed. Mend that; see: reminderd protocol check care" in refused.stderr
    writes(clinic, "10:00")
    clinic.says("protocol", "approve", "care", "--by", "Dr. Lund")


@pytest.mark.parametrize("mistake", ["{% if %}", "{{ clinic.fone }}"])
def test_a_text_that_cannot_be_written_is_not_signed_in_any_language(
    clinic: Clinic, mistake: str
) -> None:
    own = clinic.config.parent / "templates" / "fr" / "ice.j2"
    own.write_text(own.read_text().replace("{% block email %}", "{% block email %}" + mistake))
    refused = clinic.types("protocol", "approve", "mesotherapy", "--by", "Dr. Lund")
    assert refused.exit_code == 5
    assert f"{own}:" in refused.stderr
    listed = {each["key"]: each for each in clinic.data("protocol", "list")["protocols"]}
    assert listed["mesotherapy"]["approved_by"] is None
