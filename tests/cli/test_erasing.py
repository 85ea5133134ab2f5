"""A patient asks what is kept, and then that it be erased."""

import json
import stat
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from reminderd.engines.embedded.connection import connect
from tests.cli.front_desk import CARE, NOW, FrontDesk, told_before

ZOE = (
    "--given-name", "Zoecanary", "--family-name", "Familycanary", "--phone", "612 345 678",
    "--email", "mailcanary@example.org", "--consent", "sms,email", "--ref", "REFCANARY",
    "--area", "areacanary", "--screening", "eczema",
)  # fmt: skip
CANARIES = [
    b"Zoecanary", b"Familycanary", b"612345678", b"mailcanary", b"REFCANARY", b"areacanary",
    b"whycanary", b"sourcecanary", b"eczema",
]  # fmt: skip
ERASE = ("patient", "erase", "pat-1", "--by", "Dr. Alba", "--yes")


def under_way(desk: FrontDesk) -> None:
    """Zoe was treated, has messages behind her and ahead, and staff have decided about her."""
    desk.do("enrol", *ZOE, *CARE, "--at", "2026-03-27 09:30")
    desk.do("protocol", "approve", "mesotherapy", "--by", "Dr. Alba")
    desk.send(NOW + timedelta(minutes=1))
    why = ("--by", "Dr. Alba", "--why", "whycanary")
    desk.do("session", "adjust", "ses-1", "no-exercise", "--holds", "72h", *why)
    desk.do("session", "adjust", "ses-1", "no-exercise", "--reset", *why)


@pytest.fixture
def desk(tmp_path: Path) -> FrontDesk:
    return told_before(under_way, tmp_path)


def withdraw(desk: FrontDesk, channel: str = "sms") -> None:
    source = ("--source", "sourcecanary")
    desk.do("patient", "consent", "pat-1", "--channels", channel, "--withdraw", *source)


def files(desk: FrontDesk) -> Iterator[bytes]:
    """The bytes of the database and of what lies beside it."""
    for file in desk.database.parent.glob(f"{desk.database.name}*"):
        yield file.read_bytes()


def found(desk: FrontDesk) -> set[bytes]:
    return {each for each in CANARIES for data in files(desk) if each in data}


# Export -----------------------------------------------------------------------------------------


def test_an_export_holds_everything_that_is_known(desk: FrontDesk) -> None:
    withdraw(desk)
    told = desk.do("patient", "export", "REFCANARY")
    assert {each for each in CANARIES if each not in told.encode()} == set()
    data = json.loads(told)
    assert list(data) == [
        "exported_at", "patient", "consent_history", "sessions", "reminders", "messages", "replies",
        "incidents", "audit",
    ]  # fmt: skip
    assert data["patient"]["consent"]["sms"]["state"] == "withdrawn"
    assert data["patient"]["earlier_zones"] == []
    assert data["sessions"][0]["changes"][0]["why"] == "whycanary"
    (first, *_) = data["messages"]
    assert first["to"] == "+34612345678"
    assert "Zoecanary" in first["text"]
    assert first["attempts"][0]["outcome"] == "accepted"
    assert set(first["reminders"]) <= {each["id"] for each in data["reminders"]}


def test_an_export_is_in_the_trail_and_in_itself(desk: FrontDesk) -> None:
    data = json.loads(desk.do("patient", "export", "pat-1"))
    assert data["audit"][-1]["action"] == "exported"
    assert desk.json("audit")["entries"][-1]["action"] == "exported"


def test_an_export_into_a_file_is_for_this_user_alone(desk: FrontDesk, tmp_path: Path) -> None:
    file = tmp_path / "zoe.json"
    assert desk.do("patient", "export", "pat-1", "--file", str(file)) == ""
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert json.loads(file.read_text(encoding="utf-8"))["patient"]["ref"] == "REFCANARY"


def test_an_export_overwrites_no_file_and_is_then_not_in_the_trail(
    desk: FrontDesk, tmp_path: Path
) -> None:
    file = tmp_path / "other.json"
    file.write_text("mine")
    before = desk.json("audit")["entries_in_all"]
    refused = desk.run("patient", "export", "pat-1", "--file", str(file))
    assert refused.exit_code == 1
    assert f"{file}: is there already, and is not overwritten" in refused.stderr
    nowhere = desk.run("patient", "export", "pat-1", "--file", str(tmp_path / "no" / "zoe.json"))
    assert "Name a file in a folder that is there" in nowhere.stderr
    assert file.read_text() == "mine"
    assert desk.json("audit")["entries_in_all"] == before


# Erase ------------------------------------------------------------------------------------------


def test_no_byte_of_an_erased_patient_stays_in_the_file(desk: FrontDesk) -> None:
    withdraw(desk)
    assert found(desk) == set(CANARIES)
    desk.do(*ERASE)
    assert found(desk) == set()


def test_no_byte_stays_beside_a_daemon_that_has_the_file_open(desk: FrontDesk) -> None:
    daemon = connect(desk.database)
    daemon.execute("SELECT count(*) FROM patients").fetchall()
    desk.do(*ERASE)
    assert found(desk) == set()
    daemon.close()


def test_where_somebody_is_in_the_way_it_is_said_and_can_be_done_again(
    desk: FrontDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "reminderd.engines.embedded.store.SqliteStore.__init__.__kwdefaults__",
        {"seal": None, "durable": True, "patience_seconds": 0.05},
    )
    reader = connect(desk.database)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM patients").fetchall()
    done = desk.run(*ERASE)
    assert done.exit_code == 3
    assert "Run the same again" in done.stderr
    reader.close()
    assert desk.run(*ERASE).exit_code == 0
    assert found(desk) == set()


def test_what_waits_is_cancelled_and_what_left_stays_in_the_figures(desk: FrontDesk) -> None:
    before = desk.json("reminder", "list", "--patient", "pat-1")["reminders"]
    waiting = {each["id"] for each in before if each["state"] in ("scheduled", "held")}
    sent = [each for each in before if each["state"] == "sent"]
    assert waiting
    assert sent
    said = desk.json(*ERASE)
    assert said == {
        "patient": "pat-1",
        "reminders_cancelled": len(waiting),
        "objections_kept": [],
        "file_is_clean": True,
    }
    after = desk.json("reminder", "list")["reminders"]
    assert {each["id"] for each in after if each["reason"] == "erased"} == waiting
    assert [each for each in after if each["state"] == "sent"] == sent
    desk.do("protocol", "approve", "mesotherapy", "--by", "Dr. Alba")  # everybody is planned again
    assert desk.json("reminder", "list")["reminders"] == after


def test_nothing_is_sent_to_an_erased_patient(desk: FrontDesk) -> None:
    desk.do(*ERASE)
    outbox = desk.config.parent / "outbox"
    before = len(list(outbox.iterdir()))
    desk.send(NOW + timedelta(days=2))
    assert len(list(outbox.iterdir())) == before


def test_an_erased_patient_is_nobody_any_more(desk: FrontDesk) -> None:
    desk.do(*ERASE)
    assert desk.is_empty()
    assert desk.do("patient", "list").splitlines()[1:] == []
    for command in (["show"], ["export"], ["edit", "--given-name", "X"], ["pause"]):
        done = desk.run("patient", command[0], "pat-1", *command[1:])
        assert done.exit_code == 4
    assert "was erased" in desk.run("patient", "show", "pat-1").stderr
    assert desk.run("session", "add", "pat-1", *CARE, "--at", "2026-03-28 09:00").exit_code == 4
    for command in (["done"], ["cancel"], ["move", "--at", "2026-03-29 09:00"]):
        done = desk.run("session", command[0], "ses-1", *command[1:])
        assert (done.exit_code, "was erased" in done.stderr) == (4, True)
    assert desk.json("status")["staff"] == []
    for command in (["today"], ["status"], ["report"], ["session", "list"]):
        assert desk.run(*command).exit_code == 0, command


def test_the_trail_says_who_erased_whom_and_stays_whole(desk: FrontDesk) -> None:
    desk.do(*ERASE, "--why", "asked in writing")
    said = desk.json("audit", "--patient", "pat-1")
    last = said["entries"][-1]
    assert (last["action"], last["what"], last["by"]) == ("erased", "pat-1", "Dr. Alba")
    assert last["after"]["why"] == "asked in writing"
    assert said["broken"] is None


def test_an_erasure_asks_and_without_a_terminal_wants_yes(desk: FrontDesk) -> None:
    done = desk.run("patient", "erase", "pat-1", "--by", "Dr. Alba")
    assert done.exit_code == 2
    assert not desk.is_empty()
    assert desk.run("patient", "erase", "pat-1", "--yes").exit_code == 2
    assert desk.run("patient", "erase", "nobody", "--by", "A", "--yes").exit_code == 4


# A withdrawal outlives the erasure --------------------------------------------------------------


def test_who_had_withdrawn_consent_is_not_enrolled_with_it_again(desk: FrontDesk) -> None:
    withdraw(desk)
    assert desk.json(*ERASE)["objections_kept"] == ["sms"]
    again = desk.run("enrol", *ZOE, *CARE, "--at", "2026-03-27 09:30")
    assert again.exit_code == 5
    assert "consent for sms was withdrawn" in again.stderr
    assert "612345678" not in again.stderr
    assert desk.is_empty()


def test_what_was_agreed_to_until_the_end_can_be_agreed_to_again(desk: FrontDesk) -> None:
    withdraw(desk)
    desk.do(*ERASE)
    desk.do(
        "enrol", *[{"sms,email": "email"}.get(e, e) for e in ZOE], *CARE, "--at", "2026-03-27 09:30"
    )
    assert desk.run("patient", "edit", "pat-2", "--given-name", "Zoe").exit_code == 0


def test_who_agrees_in_person_is_written_to_again(desk: FrontDesk) -> None:
    withdraw(desk)
    desk.do(*ERASE)
    desk.do("patient", "add", "--given-name", "Zoe", "--phone", "612 345 678")
    desk.do("patient", "consent", "pat-2", "--channels", "sms", "--grant", "--source", "form")
    assert desk.json("patient", "list")["patients"][0]["consent"]["sms"]["state"] == "granted"
    desk.do("patient", "add", "--given-name", "Al", "--phone", "612 345 678", "--consent", "sms")


def test_nobody_else_gets_that_number_together_with_consent(desk: FrontDesk) -> None:
    withdraw(desk)
    desk.do(*ERASE)
    desk.do("patient", "add", "--given-name", "Bo", "--phone", "612 345 679", "--consent", "sms")
    assert desk.run("patient", "edit", "pat-2", "--phone", "612 345 678").exit_code == 5


def test_a_list_comes_in_with_that_consent_withdrawn_and_says_so(
    desk: FrontDesk, tmp_path: Path
) -> None:
    withdraw(desk, "email")
    desk.do(*ERASE)
    file = tmp_path / "patients.csv"
    file.write_text(
        "ref,given_name,email,consent\n"
        "C-1,Cora,MailCanary@example.org,email\nC-2,Dora,dora@example.org,email\n"
    )
    done = desk.run("patient", "import", str(file))
    assert done.exit_code == 0
    assert "C-1 gets nothing by email: consent was withdrawn" in done.stderr
    said = {e["ref"]: e["consent"]["email"] for e in desk.json("patient", "list")["patients"]}
    assert (said["C-1"]["state"], said["C-2"]["state"]) == ("withdrawn", "granted")
    assert said["C-1"]["at"] == "2026-03-27T10:00:00+01:00"
