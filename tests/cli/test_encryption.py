"""`db encrypt`, `db decrypt`, and what every command says where key and database do not fit."""

import json
import shutil
import sqlite3
from base64 import b64encode
from collections.abc import Mapping
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from reminderd.engines.embedded.connection import connect
from reminderd.engines.embedded.lock import only_daemon
from tests.cli.front_desk import CARE, NOW, FrontDesk

KEY, OTHER = (b64encode(bytes([number] * 32)).decode() for number in (7, 8))
ZOE = (
    "--given-name", "Zoecanary", "--family-name", "Familycanary", "--phone", "612 345 678",
    "--email", "mailcanary@example.org", "--consent", "sms,email", "--area", "areacanary",
    "--screening", "eczema",
)  # fmt: skip
CANARIES = (
    b"Zoecanary", b"Familycanary", b"612345678", b"mailcanary", b"areacanary", b"eczema",
    b"whycanary", b"Alba Skin Clinic",
)  # fmt: skip
HOUSE_COMMANDS = (
    ["patient", "list"],
    ["patient", "list", "--json"],
    ["patient", "show", "pat-1"],
    ["patient", "export", "pat-1"],
    ["patient", "erase", "pat-1", "--by", "Dr. Alba", "--yes"],
    ["enrol", *ZOE, *CARE, "--at", "2026-03-27 09:30"],
    ["session", "list"],
    ["reminder", "list"],
    ["reminder", "explain", "rem-1"],
    ["today"],
    ["status"],
    ["report"],
    ["audit"],
    ["simulate", "--until", "2026-03-29"],
    ["run", "--once"],
    ["run", "--dry-run", "--once"],
    ["release", "--yes"],
    ["db", "check"],
    ["db", "backup"],
)


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database: Zoe was treated, and messages have left; nothing is encrypted."""
    desk = FrontDesk(tmp_path_factory.mktemp("lived"))
    desk.do("enrol", *ZOE, *CARE, "--at", "2026-03-27 09:30")
    desk.do("protocol", "approve", "mesotherapy", "--by", "Dr. Alba")
    why = ("--by", "Dr. Alba", "--why", "whycanary")
    desk.do("session", "adjust", "ses-1", "no-exercise", "--holds", "72h", *why)
    desk.send(NOW + timedelta(minutes=1))
    return desk.database


@pytest.fixture
def desk(tmp_path: Path, lived: Path) -> FrontDesk:
    shutil.copy(lived, tmp_path)
    return FrontDesk(tmp_path)


def configure(desk: FrontDesk, key: str | None) -> Path:
    """Give the clinic this key, in a file of its own; or take it away."""
    file = desk.config.with_name("database.key")
    file.write_text(f"{key}\n")
    lines = [each for each in desk.config.read_text().splitlines() if "encryption_key" not in each]
    if key is not None:
        at = lines.index("[database]") if "[database]" in lines else len(lines)
        lines[at : at + 1] = ["[database]", f'encryption_key_file = "{file.name}"']
    desk.config.write_text("\n".join([*lines, ""]))
    return file


def seen(desk: FrontDesk) -> set[bytes]:
    """What can be read in the database's file, or in its journal while somebody has it open."""
    with closing(connect(desk.database)):
        files = [each.read_bytes() for each in desk.database.parent.glob("reminderd.db*")]
    return {each for each in CANARIES if any(each in data for data in files)}


def everything(desk: FrontDesk) -> list[object]:
    return [
        desk.json("patient", "show", "pat-1"),
        desk.json("patient", "list"),
        desk.json("reminder", "list"),
        desk.json("report"),
        desk.do("simulate", "--until", "2026-04-05", "--json"),
    ]


def test_a_clinic_goes_over_to_a_key_and_back_and_nothing_else_changes(desk: FrontDesk) -> None:
    before = everything(desk)
    assert seen(desk) == set(CANARIES)
    configure(desk, KEY)
    assert "is encrypted with the key" in desk.do("db", "encrypt")
    assert seen(desk) == set()
    assert everything(desk) == before
    assert "everything opens" in desk.do("db", "check")
    assert desk.do("db", "encrypt").endswith("already\n")
    assert "is not encrypted" in desk.do("db", "decrypt")
    configure(desk, None)
    assert everything(desk) == before


def test_after_a_day_of_work_and_an_erasure_no_file_shows_anybody(desk: FrontDesk) -> None:
    configure(desk, KEY)
    desk.do("db", "encrypt")
    desk.do("enrol", *ZOE, *CARE, "--at", "2026-03-27 09:45", "--ref", "second")
    desk.send(NOW + timedelta(hours=2))
    desk.do("patient", "edit", "second", "--family-name", "Familycanary", "--screening", "eczema")
    desk.do("db", "backup")
    assert "Zoecanary" in desk.do("patient", "export", "second")
    desk.do("patient", "consent", "second", "--channels", "sms", "--withdraw", "--source", "eczema")
    desk.do("patient", "erase", "second", "--by", "Dr. Alba", "--yes")
    refused = desk.run("enrol", *ZOE, *CARE, "--at", "2026-03-27 09:50")
    assert refused.exit_code == 5, "the withdrawal outlives the erasure"
    assert seen(desk) == set()
    assert desk.json("audit")["broken"] is None
    assert desk.run("run", "--dry-run", "--once", "--json").exit_code == 0


def test_a_new_database_is_encrypted_from_the_start(tmp_path: Path) -> None:
    desk = FrontDesk(tmp_path)
    desk.database.unlink()
    configure(desk, KEY)
    desk.do("run", "--once")
    desk.do("enrol", *ZOE, *CARE, "--at", "2026-03-27 09:30")
    assert seen(desk) == set()
    assert desk.json("patient", "list")["patients"][0]["given_name"] == "Zoecanary"


def test_no_command_shows_a_readable_database_where_a_key_is_given(desk: FrontDesk) -> None:
    configure(desk, KEY)
    for words in HOUSE_COMMANDS:
        refused = desk.run(*words)
        assert (refused.exit_code, "Zoe" in refused.stdout) == (78, False), words
        assert "reminderd db encrypt" in refused.stderr


@pytest.mark.parametrize(
    ("key", "said"),
    [(OTHER, "database.key is "), (None, "no key is configured")],
    ids=["another key", "no key"],
)
def test_no_command_works_with_another_key_or_without(
    desk: FrontDesk, key: str | None, said: str
) -> None:
    configure(desk, KEY)
    desk.do("db", "encrypt")
    configure(desk, key)
    before = desk.database.read_bytes()
    for words in HOUSE_COMMANDS:
        refused = desk.run(*words)
        assert (refused.exit_code, "Zoe" in refused.stdout) == (78, False), words
        assert said in refused.stderr
    assert desk.database.read_bytes() == before


def test_check_and_doctor_say_whether_key_and_database_fit(desk: FrontDesk) -> None:
    configure(desk, KEY)
    for command in ("check", "doctor"):
        found = desk.run(command)
        assert found.exit_code == 1
        assert "is not encrypted, and a key is configured" in found.stdout
    desk.do("db", "encrypt")
    assert "encryption: by the key" in desk.run("doctor").stdout


def test_old_messages_are_pruned_as_ever(desk: FrontDesk) -> None:
    configure(desk, KEY)
    desk.do("db", "encrypt")
    later = NOW + timedelta(days=500)
    desk.run("run", "--once", now=later)
    assert desk.run("db", "prune", "--older-than", "365d", "--yes", now=later).exit_code == 0
    assert "everything opens" in desk.do("db", "check")
    assert seen(desk) == set()


def test_a_database_goes_over_to_another_key(desk: FrontDesk, tmp_path: Path) -> None:
    configure(desk, KEY)
    desk.do("db", "encrypt")
    before = everything(desk)
    new = tmp_path / "new.key"
    new.write_text(OTHER)
    done = desk.run("db", "encrypt", "--new-key-file", str(new))
    assert done.exit_code == 0, done.output
    assert "Configure the key in" in done.stderr
    assert desk.run("status").exit_code == 78
    configure(desk, OTHER)
    assert everything(desk) == before


def test_a_key_is_wanted_and_a_wrong_one_is_not_repeated(desk: FrontDesk, tmp_path: Path) -> None:
    missing = desk.run("db", "encrypt")
    assert missing.exit_code == 78
    assert "openssl rand -base64 32" in missing.stderr
    for words in (["status"], ["patient", "list"], ["config", "check"], ["db", "encrypt"]):
        file = configure(desk, "dG9wc2VjcmV0")
        wrong = desk.run(*words)
        assert wrong.exit_code == 78
        assert f"{file}: database.encryption_key: must be 32 random bytes" in wrong.stderr
        assert "dG9wc2VjcmV0" not in wrong.output
    configure(desk, KEY)
    new = tmp_path / "new.key"
    new.write_text("dG9wc2VjcmV0")
    for other in (new, tmp_path / "none.key"):
        refused = desk.run("db", "encrypt", "--new-key-file", str(other))
        assert (refused.exit_code, str(other) in refused.stderr) == (2, True)
        assert "dG9wc2VjcmV0" not in refused.output


def test_the_key_comes_from_wherever_a_secret_may(
    desk: FrontDesk, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    configure(desk, KEY)
    desk.do("db", "encrypt")
    configure(desk, None)
    (tmp_path / "credentials").mkdir()
    (tmp_path / "credentials" / "database.encryption_key").write_text(KEY)
    given: tuple[Mapping[str, str], ...] = (
        {"REMINDERD_DATABASE__ENCRYPTION_KEY": KEY},
        {"CREDENTIALS_DIRECTORY": str(tmp_path / "credentials")},
    )
    for environ in given:
        with monkeypatch.context() as patched:
            for name, value in environ.items():
                patched.setenv(name, value)
            assert "Zoecanary" in desk.do("patient", "list")
            assert desk.json("status")
            shown = desk.do("config", "show", "--origin")
        assert KEY not in shown
        assert "encryption_key" in shown
    assert desk.run("patient", "list").exit_code == 78


def test_it_goes_over_while_no_daemon_runs_and_names_the_copies_that_stay(desk: FrontDesk) -> None:
    desk.do("db", "backup")
    (copy,) = desk.database.parent.glob("reminderd.db.backup-*")
    configure(desk, KEY)
    with only_daemon(desk.database):
        assert desk.run("db", "encrypt").exit_code == 75
    data = json.loads(desk.do("db", "encrypt", "--json"))
    assert data["copies"] == [str(copy)]
    assert data["changed"] is data["file_is_clean"] is True
    assert str(copy) in desk.do("db", "encrypt")


def test_a_value_that_was_changed_is_named_and_nothing_leaves(desk: FrontDesk) -> None:
    configure(desk, KEY)
    desk.do("db", "encrypt")
    with closing(sqlite3.connect(desk.database)) as opened:
        opened.execute("UPDATE patients SET phone = '+34600999999'")
        opened.commit()
    for words in (["patient", "list"], ["patient", "show", "pat-1"], ["run", "--once"]):
        refused = desk.run(*words, now=NOW + timedelta(hours=3))
        assert refused.exit_code == 1
        assert "patients.phone of row 1 cannot be opened" in refused.stderr
        assert "600999999" not in refused.output
    found = desk.run("db", "check")
    assert found.exit_code == 1
    assert "patients.phone of row 1" in found.stdout
