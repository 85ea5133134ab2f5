"""`protocol`, `template`, `transport`, `config`: what a clinic may edit, and what it is told."""

import json
from pathlib import Path

import pytest

from tests.cli.desk import LEAVING, Clinic, edit, without_configuration


def test_protocols_are_listed_with_their_approval(clinic: Clinic) -> None:
    clinic.says("protocol", "approve", "mesotherapy", "--by", "Dr. Lund")
    listed = {each["key"]: each for each in clinic.data("protocol", "list")["protocols"]}
    assert listed["mesotherapy"]["approved_by"] == "Dr. Lund"
    assert listed["mesotherapy"]["approved_at"] == "2026-03-28T10:00:00+01:00"
    assert listed["mesotherapy-gentle"]["approved_by"] is None


def test_an_approval_ends_with_a_change_of_a_text(clinic: Clinic) -> None:
    clinic.says("protocol", "approve", "mesotherapy", "--by", "Dr. Lund")
    edit(clinic, "templates/en/no-shower.j2", "{% block sms %}", "{% block sms %}Please: ")
    listed = {each["key"]: each for each in clinic.data("protocol", "list")["protocols"]}
    assert listed["mesotherapy"]["approved_by"] is None


def test_an_approval_needs_a_name_and_a_protocol(clinic: Clinic) -> None:
    assert clinic.types("protocol", "approve", "mesotherapy").exit_code == 2
    assert clinic.types("protocol", "approve", "mesotherapy", "--by", " ").exit_code == 2
    assert clinic.types("protocol", "approve", "nothing", "--by", "Dr. Lund").exit_code == 4


def test_a_protocol_is_shown_as_it_is_written(clinic: Clinic) -> None:
    assert clinic.data("protocol", "show", "mesotherapy")["milestones"][0]["id"] == "no-shower"
    lines = clinic.says("protocol", "show", "mesotherapy").splitlines()
    assert lines[0].split("\t")[:4] == ["id", "kind", "topics", "when"]
    assert lines[1].split("\t")[:5] == ["no-shower", "restriction", "shower", "0m after", "12h"]


def test_protocol_check_names_every_mistake_with_its_line(clinic: Clinic) -> None:
    path = edit(clinic, "protocols/mesotherapy.toml", 'holds = "12h"', 'holds = "12x"')
    edit(clinic, "protocols/mesotherapy.toml", 'kind = "release"', 'kind = "relief"')
    result = clinic.types("protocol", "check", "mesotherapy")
    assert result.exit_code == 1
    assert [line.startswith(f"{path}:") for line in result.stdout.splitlines()] == [True, True]
    found = json.loads(clinic.types("protocol", "check", "mesotherapy", "--json").stdout)
    lines = [f"{each['file']}:{each['line']}: {each['what']}" for each in found["findings"]]
    assert lines == result.stdout.splitlines()
    assert {(each["severity"], each["milestone"]) for each in found["findings"]} == {
        ("error", "no-shower"),
        ("error", "shower-again"),
    }
    assert clinic.types("protocol", "check", "mesotherapy-gentle").exit_code == 0


def test_a_list_of_protocols_survives_one_with_mistakes(clinic: Clinic) -> None:
    edit(clinic, "protocols/mesotherapy.toml", "revision = 1", 'revision = "one"')
    listed = {each["key"]: each for each in clinic.data("protocol", "list")["protocols"]}
    assert listed["mesotherapy"]["mistakes"] == 1
    assert listed["mesotherapy-basic"]["mistakes"] == 0


@pytest.mark.parametrize("noun", ["protocol", "config"])
def test_schemas_are_json(tmp_path: Path, noun: str) -> None:
    result = without_configuration(tmp_path, noun, "schema")
    assert result.exit_code == 0
    assert json.loads(result.stdout)["$schema"].startswith("https://json-schema.org/")


def test_templates_are_listed_from_where_they_are(clinic: Clinic) -> None:
    templates = clinic.data("template", "list")["templates"]
    own = {"name": "spf", "language": "es", "path": f"{clinic.config.parent}/templates/es/spf.j2"}
    assert own in templates


def test_template_check_names_every_mistake(clinic: Clinic) -> None:
    assert clinic.data("template", "check")["faults"] == []
    first = edit(clinic, "templates/en/spf.j2", "{% block sms %}", "{% block sms %}{{ moon }}")
    second = edit(clinic, "templates/es/spf.j2", "{% block line %}", "{% block lines %}")
    result = clinic.types("template", "check", "--json")
    assert result.exit_code == 1
    faults = "\n".join(json.loads(result.stdout)["faults"])
    assert f"{first}:" in faults
    assert "moon" in faults
    assert f"{second}:" in faults


def test_transports_are_listed_with_what_they_serve(clinic: Clinic) -> None:
    listed = {each["name"]: each for each in clinic.data("transport", "list")["transports"]}
    assert listed["file"]["serves"] == ["sms of main", "email of main"]
    assert listed["twilio"] == {
        "name": "twilio", "channels": ["sms"], "leaves_machine": True, "configured": False,
        "serves": [],
    }  # fmt: skip


def test_a_transport_is_tested_without_sending(clinic: Clinic) -> None:
    assert "writes to" in clinic.says("transport", "test", "file")
    assert clinic.outbox == []


def test_a_transport_that_cannot_be_tested_has_its_code(clinic: Clinic) -> None:
    assert clinic.types("transport", "test", "pigeon").exit_code == 4
    assert clinic.types("transport", "test", "twilio").exit_code == 78
    closed = clinic.types("transport", "test", "smtp", environ=LEAVING)
    assert (closed.exit_code, closed.stdout) == (75, ""), closed.output


def test_the_configuration_says_where_each_value_comes_from(clinic: Clinic) -> None:
    environ = LEAVING | {
        "REMINDERD_TRANSPORTS__SMTP__PASSWORD": "open sesame",
        "REMINDERD_TRANSPORTS__SMTP__USERNAME": "care",
    }
    result = clinic.types("config", "show", "--origin", environ=environ)
    assert 'channels.email = "smtp"  # environment REMINDERD_CHANNELS__EMAIL\n' in result.stdout
    assert f'clinics.main.name = "Alba Skin Clinic"  # {clinic.config}:11\n' in result.stdout
    assert "sesame" not in result.output
    shown = {each["path"]: each for each in clinic.data("config", "show")["settings"]}
    assert shown["sessions.confirm"]["value"] is True


def test_a_sound_configuration_is_said_to_be(clinic: Clinic) -> None:
    assert clinic.data("config", "check") == {"path": str(clinic.config), "faults": []}
