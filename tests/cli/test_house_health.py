"""`check` and `doctor`: everything that would stop a message, and the machine below."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime

from reminderd.clock import SystemClock, VirtualClock
from reminderd.engines.embedded.lock import only_daemon
from tests.cli.desk import LEAVING, Clinic, edit


def problems(
    clinic: Clinic, command: str, environ: Mapping[str, str | None] | None = None
) -> list[tuple[str, str]]:
    """Subject and message of what a command found to be wrong; its exit code agrees."""
    result = clinic.types(command, "--json", environ=environ)
    found = json.loads(result.stdout)["findings"]
    wrong = [(each["subject"], each["message"]) for each in found if each["level"] == "problem"]
    assert result.exit_code == (1 if wrong else 0), result.output
    return wrong


def test_check_is_content_with_what_init_made(clinic: Clinic) -> None:
    clinic.enrols()
    assert problems(clinic, "check") == []
    assert "✗" not in clinic.says("check")


def test_check_finds_everything_at_once(clinic: Clinic) -> None:
    clinic.enrols()
    edit(clinic, "protocols/mesotherapy-basic.toml", "revision = 1", "revision = 0")
    edit(clinic, "templates/en/spf.j2", "{% block sms %}", "{% block sms %}{{ moon }}")
    edit(clinic, "reminderd.toml", 'sms = "file"', 'sms = "smtp"')
    found = problems(clinic, "check", LEAVING)
    subjects = [subject for subject, _ in found]
    assert subjects == ["channels", "approval", "protocol mesotherapy-basic", "templates"]
    assert found[0][1] == "clinic main: the transport smtp cannot carry sms"
    assert found[1][1] == "mesotherapy: not signed; sessions that wait for it: 1"
    assert "moon" in found[3][1]


def test_a_signature_is_what_check_asked_for(clinic: Clinic) -> None:
    clinic.enrols()
    assert [subject for subject, _ in problems(clinic, "check", LEAVING)] == ["approval"]
    clinic.says("protocol", "approve", "mesotherapy", "--by", "Dr. Lund")
    assert problems(clinic, "check", LEAVING) == []


def test_check_names_mistakes_in_the_configuration_and_in_files(clinic: Clinic) -> None:
    edit(clinic, "reminderd.toml", "Europe/Madrid", "Europe/Madrit")
    edit(clinic, "protocols/mesotherapy.toml", "revision = 1", "revision = 0")
    found = problems(clinic, "check")
    assert [subject for subject, _ in found] == ["configuration", "protocol mesotherapy"]


def test_templates_that_are_no_text_are_all_named(clinic: Clinic) -> None:
    here = clinic.config.parent / "templates"
    (here / "pt/ice.j2").write_bytes(b"{# ok #}\n\xff\xfe")
    (here / "de/ice.j2").unlink()
    (here / "de/ice.j2").mkdir()
    named = [f"{here}/de/ice.j2:1: cannot be read: Is a directory"]
    named.append(f"{here}/pt/ice.j2:2: is not UTF-8 text")
    assert problems(clinic, "check") == [("templates", each) for each in named]
    for command in (("template", "check"), ("run", "--once"), ("preview", "ice")):
        result = clinic.types(*command)
        assert result.exit_code == 1
        assert all(each in result.stderr for each in named)


def test_check_finds_patients_whom_nothing_can_reach(clinic: Clinic) -> None:
    clinic.enrols()
    edit(clinic, "reminderd.toml", 'sms = "file"\n', "")
    assert problems(clinic, "check") == [
        ("patients", "of the clinic main, 1 would get sms, which no transport serves")
    ]
    edit(clinic, "reminderd.toml", "[clinics.main]", "[clinics.north]")
    assert problems(clinic, "check") == [
        ("patients", "1 of the clinic main, which is not configured")
    ]


def test_check_finds_a_missing_database(clinic: Clinic) -> None:
    clinic.config.with_name("reminderd.db").unlink()
    ((subject, message),) = problems(clinic, "check")
    assert subject == "database"
    assert "there is no database here" in message


def test_doctor_knows_versions_and_whether_the_daemon_runs(clinic: Clinic) -> None:
    clinic.clock = VirtualClock(SystemClock().now())
    assert problems(clinic, "doctor") == []
    assert "daemon: is not running" in clinic.says("doctor")
    with only_daemon(clinic.config.with_name("reminderd.db")):
        said = clinic.says("doctor")
    assert "daemon: is running" in said
    assert [
        word for word in ("Python", "SQLite", "journal", "time zones") if word not in said
    ] == []


def test_doctor_finds_a_clock_that_is_behind_and_files_that_are_open(clinic: Clinic) -> None:
    clinic.clock = VirtualClock(datetime(2020, 1, 1, tzinfo=UTC))
    clinic.config.with_name("reminderd.db").chmod(0o644)
    found = dict(problems(clinic, "doctor"))
    assert sorted(found) == ["clock", "permissions"]
    assert found["permissions"].endswith("is open to others (mode 0644)")


def test_doctor_finds_a_secret_that_others_can_read(clinic: Clinic) -> None:
    clinic.clock = VirtualClock(SystemClock().now())
    secret = clinic.config.with_name("smtp.password")
    secret.write_text("open sesame")
    secret.chmod(0o644)
    environ = LEAVING | {
        "REMINDERD_TRANSPORTS__SMTP__USERNAME": "care",
        "REMINDERD_TRANSPORTS__SMTP__PASSWORD_FILE": "smtp.password",
    }
    ((subject, message),) = problems(clinic, "doctor", environ)
    assert (subject, message.startswith(str(secret))) == ("permissions", True)


def test_doctor_finds_a_database_that_is_none(clinic: Clinic) -> None:
    clinic.clock = VirtualClock(SystemClock().now())
    clinic.config.with_name("reminderd.db").write_bytes(b"not a database, whatever its name" * 100)
    assert [subject for subject, _ in problems(clinic, "doctor")] == ["database"]
