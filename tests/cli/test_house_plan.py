"""`plan` and `preview`: before anybody is enrolled, and without a database."""

import json
from pathlib import Path
from typing import Any

import pytest

from reminderd import resources
from tests.cli.desk import Clinic, without_configuration

KEYS = [
    "id", "patient", "session", "protocol", "revision", "milestone", "occurrence", "kind", "topics",
    "channel", "nominal_at", "due_at", "expires_at", "state", "reason", "attempts", "sent_at",
    "provider_id", "receipt",
]  # fmt: skip
AT = ("--at", "2026-03-28T14:30", "--now", "2026-03-28T14:30", "--timezone", "Europe/Madrid")


def plan(folder: Path, *words: str) -> dict[str, dict[str, Any]]:
    """The first reminder of each milestone."""
    result = without_configuration(folder, "plan", *words, "--json")
    assert result.exit_code == 0, result.output
    reminders = json.loads(result.stdout)["reminders"]
    return {each["milestone"]: each for each in reversed(reminders)}


def test_a_plan_has_the_keys_of_the_contract_and_no_ids(tmp_path: Path) -> None:
    reminder = plan(tmp_path, "mesotherapy", *AT)["no-shower"]
    assert list(reminder) == KEYS
    assert (reminder["id"], reminder["patient"], reminder["session"]) == (None, None, None)
    assert reminder["topics"] == ["shower"]
    assert reminder["channel"] == "sms"


def test_elapsed_hours_go_through_the_clock_change(tmp_path: Path) -> None:
    planned = plan(tmp_path, "mesotherapy", *AT)
    assert planned["exercise-again"]["due_at"] == "2026-03-30T15:30:00+02:00"


def test_quiet_hours_tags_and_now_can_be_given(tmp_path: Path) -> None:
    at = ("mesotherapy", "--at", "2026-03-28T14:30Z", "--now", "2026-03-28T15:00Z")
    assert plan(tmp_path, *at)["shower-again"]["due_at"] == "2026-03-29T08:00:00+00:00"
    awake = plan(tmp_path, *at, "--quiet", "00:00-00:00", "--tag", "weight-loss")
    assert awake["shower-again"]["due_at"] == "2026-03-29T02:30:00+00:00"
    assert awake["weight-loss-plan"]["state"] == "scheduled"
    late = plan(tmp_path, *at[:3], "--now", "2026-03-29T15:00Z")
    assert late["no-shower"]["reason"] == "past"


def test_a_path_comes_before_a_key(tmp_path: Path) -> None:
    text = (resources.protocols_dir() / "mesotherapy.toml").read_text()
    (tmp_path / "mesotherapy.toml").write_text(text.replace('"12h"', '"10h"'))
    packaged = plan(tmp_path, "mesotherapy", *AT)
    own = plan(tmp_path, "mesotherapy.toml", *AT)
    assert packaged["no-shower"]["expires_at"] == "2026-03-29T03:30:00+02:00"
    assert own["no-shower"]["expires_at"] == "2026-03-29T00:30:00+01:00"


def test_a_plan_is_drawn_for_people(tmp_path: Path) -> None:
    said = without_configuration(tmp_path, "plan", "mesotherapy", *AT).stdout
    assert "Sun 29 Mar" in said
    assert "clocks go forward" in said


def test_a_real_patient_is_planned_with_ids(clinic: Clinic) -> None:
    clinic.enrols()
    reminders = clinic.data("plan", "--patient", "A-1")["reminders"]
    assert {each["patient"] for each in reminders} == {"pat-1"}
    assert reminders == clinic.data("reminder", "list")["reminders"]


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("mesotherapi", *AT), 4),
        (("nowhere.toml", *AT), 4),
        (("mesotherapy",), 2),
        ((), 2),
        (("--patient", "A-1", "--at", "2026-03-28T14:30"), 2),
        (("mesotherapy", "--at", "2026-02-30T10:00"), 2),
        (("mesotherapy", "--at", "9999-12-31T23:00"), 2),
        (("mesotherapy", *AT, "--quiet", "9-5"), 2),
        (("mesotherapy", *AT, "--tag", "weight loss"), 2),
        (("mesotherapy", *AT[:4], "--timezone", "Europe/Madrit"), 2),
        (("--patient", "A-1"), 78),
    ],
)
def test_what_cannot_be_planned_has_its_code(
    tmp_path: Path, words: tuple[str, ...], code: int
) -> None:
    result = without_configuration(tmp_path, "plan", *words)
    assert (result.exit_code, result.stdout) == (code, ""), result.output
    assert "unexpectedly" not in result.stderr


def test_a_protocol_with_mistakes_is_78_with_every_line(tmp_path: Path) -> None:
    (tmp_path / "bad.toml").write_text('key = "bad"\nrevision = "1"\n')
    result = without_configuration(tmp_path, "plan", "bad.toml", *AT)
    assert result.exit_code == 78
    assert "bad.toml:2: revision: must be a whole number" in result.stderr


def preview(folder: Path, *words: str) -> list[dict[str, Any]]:
    result = without_configuration(folder, "preview", *words, "--json")
    assert result.exit_code == 0, result.output
    texts: list[dict[str, Any]] = json.loads(result.stdout)["texts"]
    return texts


def test_a_preview_counts_every_sms_and_bundles_the_first_day(tmp_path: Path) -> None:
    texts = preview(tmp_path, "mesotherapy")
    alone = {each["templates"][0]: each for each in texts if len(each["templates"]) == 1}
    assert alone["no-shower"]["sms"]["encoding"] == "GSM-7"
    assert alone["no-shower"]["sms"]["segments"] == 1
    assert alone["no-shower"]["email"]["html"].startswith("<!doctype html>")
    bundles = [each["templates"] for each in texts if len(each["templates"]) > 1]
    assert {"no-shower", "no-exercise", "no-heat-or-sun", "ice"} <= set(bundles[0])
    with_plan = [each["templates"] for each in texts if "## Your dates" in each["email"]["text"]]
    assert with_plan == [bundles[0]], "the mail of the first day carries the patient's copy"


def test_a_preview_names_what_makes_an_sms_dear(clinic: Clinic) -> None:
    own = clinic.config.parent / "templates" / "en" / "spf.j2"
    own.write_text(own.read_text().replace("{% block sms %}", "{% block sms %}Olá. "))
    assert "in UCS-2, 2 segments, because of á" in clinic.says("preview", "spf")


def test_a_preview_of_a_template_takes_its_language(tmp_path: Path) -> None:
    (text,) = preview(tmp_path, "spf", "--language", "es-MX")
    assert text["language"] == "es"


def test_a_preview_of_nothing_known_is_4_and_of_no_language_2(tmp_path: Path) -> None:
    assert without_configuration(tmp_path, "preview", "nothing").exit_code == 4
    assert without_configuration(tmp_path, "preview", "spf", "--language", "xx").exit_code == 2
