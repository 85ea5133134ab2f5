"""`db copy`: to PostgreSQL and back, by somebody who types."""

from datetime import timedelta
from pathlib import Path

import pytest

from reminderd import settings_sources
from reminderd.clock import SystemClock, VirtualClock
from tests.cli.desk import Clinic


@pytest.fixture
def full(clinic: Clinic) -> Clinic:
    clinic.enrols()
    return clinic


def test_moving_to_a_server_and_back(full: Clinic, postgresql: str) -> None:
    there = full.types("db", "copy", "--to", postgresql)
    assert there.exit_code == 0, there.output
    assert "patients\t1\t" in there.stdout
    assert f"a whole copy of {full.folder}/config/reminderd.db" in there.stdout
    assert "copied    reminders: 31 rows" in there.stderr
    assert "compared  reminders: 31 rows" in there.stderr
    assert f'[database]\nurl = "{postgresql}"' in there.stderr
    back = full.types(
        "db", "copy", "--to", str(full.folder / "back.db"),
        environ={"REMINDERD_DATABASE__URL": postgresql},
    )  # fmt: skip
    assert back.exit_code == 0, back.output
    assert f'url = "sqlite:///{full.folder}/back.db"' in back.stderr
    again = {"REMINDERD_DATABASE__URL": f"sqlite:///{full.folder}/back.db"}
    listed = full.types("patient", "list", "--json", environ=again)
    assert '"ref": "A-1"' in listed.stdout
    assert full.types("db", "check", environ=again).exit_code == 0


def test_the_url_is_the_only_change_and_nothing_leaves_twice(
    clinic: Clinic, postgresql: str
) -> None:
    now = SystemClock().now()  # the daemon's own
    clinic.clock = VirtualClock(now)
    clinic.enrols((now - timedelta(minutes=30)).isoformat())
    clinic.says("db", "copy", "--to", postgresql)
    assert clinic.types("run", "--once").exit_code == 5
    assert clinic.outbox == []
    there = {"REMINDERD_DATABASE__URL": postgresql}
    once = clinic.types("run", "--once", environ=there)
    assert (once.exit_code, len(clinic.outbox)) == (0, 1), once.output
    assert clinic.types("db", "check", environ=there).exit_code == 0
    back = clinic.folder / "back.db"
    copied = clinic.types("db", "copy", "--to", str(back), environ=there)
    assert copied.exit_code == 0, copied.output
    for url, code in ((postgresql, 5), (f"sqlite:///{back}", 0)):
        again = clinic.types("run", "--once", environ={"REMINDERD_DATABASE__URL": url})
        assert (again.exit_code, len(clinic.outbox)) == (code, 1), again.output


def test_a_script_reads_what_was_compared(full: Clinic, postgresql: str) -> None:
    said = full.data("db", "copy", "--to", postgresql)
    assert said["from"].endswith("reminderd.db")
    assert said["to"].startswith("database care_")
    assert (said["url"], said["replaced"]) == (postgresql, [])
    counts = {each["table"]: each["rows"] for each in said["tables"]}
    assert (counts["patients"], counts["reminders"], counts["messages"]) == (1, 31, 0)
    assert {len(each["digest"]) for each in said["tables"]} == {64}
    assert full.data("db", "copy", "--to", postgresql)["tables"] == []
    assert "was a whole copy already" in full.says("db", "copy", "--to", postgresql)


def test_what_was_moved_sends_nothing_and_is_released_only_by_that_word(
    full: Clinic, postgresql: str
) -> None:
    full.says("db", "copy", "--to", postgresql)
    once = full.types("run", "--once")
    assert (once.exit_code, full.outbox) == (5, [])
    status = full.data("status")
    assert [each["cause"] for each in status["holds"]] == ["moved"]
    assert status["staff"][0]["do"] in once.stderr
    assert "release" not in once.stderr
    refused = full.types("release", "--yes")
    assert refused.exit_code == 5
    assert "Set database.url to that one" in refused.stderr
    assert "release --moved" in refused.stderr
    assert full.data("status")["holds"]
    full.says("release", "--moved", "--yes")
    assert full.data("status")["holds"] == []


def test_a_password_in_the_url_is_shown_to_nobody(full: Clinic, postgresql: str) -> None:
    url = postgresql.replace("reminderd@", "reminderd:secret@")
    done = full.types("db", "copy", "--to", url, "--json")
    assert done.exit_code == 0
    assert "secret" not in done.output


@pytest.mark.parametrize(
    ("to", "says", "code"),
    [
        ("mysql://host/name", "postgresql://user@host/name", 2),
        ("postgresql://host", "postgresql://user@host/name", 2),
        ("sqlite:///", "must name a file", 2),
        ("other.db", "the database is in a file already", 2),
        ("postgresql://reminderd@/none?host=/nowhere", "database none on /nowhere", 75),
    ],
)
def test_what_cannot_be_copied_to_is_said(full: Clinic, to: str, says: str, code: int) -> None:
    refused = full.types("db", "copy", "--to", to)
    assert refused.exit_code == code, refused.output
    assert says in refused.stderr
    assert not Path("other.db").exists()


def test_a_database_that_does_not_exist_is_said(full: Clinic, postgresql: str) -> None:
    refused = full.types("db", "copy", "--to", postgresql.replace("/care_", "/none_"))
    assert refused.exit_code == 78
    assert "does not exist" in refused.stderr
    assert "createdb" in refused.stderr


def test_without_the_extra_it_says_what_to_install(
    full: Clinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings_sources, "find_spec", lambda _: None)
    refused = full.types("db", "copy", "--to", "postgresql://reminderd@host/care")
    assert refused.exit_code == 78
    assert "pip install 'reminderd[postgres]'" in refused.stderr


def test_without_a_database_there_is_nothing_to_copy(clinic: Clinic, postgresql: str) -> None:
    (clinic.config.parent / "reminderd.db").unlink()
    refused = clinic.types("db", "copy", "--to", postgresql)
    assert refused.exit_code == 78
    assert "there is no database here" in refused.stderr
