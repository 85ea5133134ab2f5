"""A clinic's list: every fault in one run, what it will cause, and twice is once."""

import csv
import json
from datetime import UTC, datetime
from pathlib import Path

from tests.cli.front_desk import DATA, FrontDesk

GOOD, BAD = str(DATA / "patients.csv"), str(DATA / "patients-bad.csv")
NOW = datetime(2026, 3, 20, 9, 0, tzinfo=UTC)
HEADER = "ref,given_name,phone,consent,protocol,session_at\n"
VERA = "A-1,Vera,+34 612 345 678,sms,mesotherapy,2026-03-20T08:00\n"


def listed(folder: Path, *rows: str) -> str:
    file = folder / "list.csv"
    file.write_text(HEADER + "".join(rows), encoding="utf-8")
    return str(file)


def test_every_fault_is_named_with_line_and_column_and_nothing_is_stored(tmp_path: Path) -> None:
    desk = FrontDesk(tmp_path)
    said = desk.run("patient", "import", BAD, now=NOW)
    assert said.exit_code == 1
    faults = [line for line in said.stderr.splitlines() if line.startswith(f"{BAD}:")]
    assert len(faults) == 25
    assert (
        f'{BAD}:19: protocol: "mesoterapy" is not a protocol; did you mean "mesotherapy"?'
        in (faults[16])
    )
    assert faults[16].endswith("(B-017)")
    assert "--skip-bad" in said.stderr
    assert desk.is_empty()


def test_faults_are_there_for_scripts_too(tmp_path: Path) -> None:
    said = FrontDesk(tmp_path).run("patient", "import", BAD, "--json", now=NOW)
    told = json.loads(said.stdout)
    assert (said.exit_code, told["stored"], len(told["faults"])) == (1, False, 25)
    assert list(told["faults"][0]) == ["line", "column", "ref", "message"]


def test_a_long_list_is_stored_once_however_often_it_is_taken_in(tmp_path: Path) -> None:
    desk = FrontDesk(tmp_path)
    with open(GOOD, encoding="utf-8-sig", newline="") as file:
        refs = [row["ref"] for row in csv.DictReader(file)]
    first = desk.json("patient", "import", GOOD, now=NOW)
    assert first["stored"] is True
    assert (first["patients"]["new"], first["sessions"]["new"]) == (len(set(refs)), len(refs))
    assert len(desk.json("patient", "list")["patients"]) == len(set(refs))
    assert len(desk.json("session", "list")["sessions"]) == len(refs) == 560
    rows = desk.json("reminder", "list")["reminders"]

    again = desk.do("patient", "import", GOOD, now=NOW)
    assert "0 new patients, 0 new sessions; 500 known before." in again
    assert desk.json("reminder", "list")["reminders"] == rows


def test_the_list_says_before_what_it_will_cause(tmp_path: Path) -> None:
    desk = FrontDesk(tmp_path)
    told = desk.json("patient", "import", listed(tmp_path, VERA), "--dry-run", now=NOW)
    assert told["stored"] is False
    assert told["reminders"]["no-shower"] == 1
    assert told["reminders"]["spf"] == 14
    assert told["segments"]["exact"] is True
    assert told["segments"]["count"] >= told["messages"] > 15
    assert len(told["first_texts"]) == 10
    assert "Vera" in told["first_texts"][0]["text"]
    assert told["left_out"] == {"not-applicable": 1}
    assert desk.is_empty()


def test_what_is_overdue_is_announced_for_now(tmp_path: Path) -> None:
    told = FrontDesk(tmp_path).json("patient", "import", listed(tmp_path, VERA), now=NOW)
    assert told["first_texts"][0]["at"] == "2026-03-20T10:00:00+01:00"


def test_a_large_list_is_estimated_and_says_so(tmp_path: Path) -> None:
    said = FrontDesk(tmp_path).do("patient", "import", GOOD, "--dry-run", now=NOW)
    assert "with about " in said
    assert "SMS segments" in said


def test_the_good_rows_can_be_stored_without_the_bad_ones(tmp_path: Path) -> None:
    desk = FrontDesk(tmp_path)
    file = listed(tmp_path, VERA, "A-2,Nils,12,sms,mesotherapy,2026-03-20T08:00\n")
    said = desk.run("patient", "import", file, "--skip-bad", now=NOW)
    assert said.exit_code == 3
    assert f"{file}:3: phone: " in said.stderr
    assert [each["ref"] for each in desk.json("patient", "list")["patients"]] == ["A-1"]


def test_a_known_patient_who_differs_is_named_and_stays(tmp_path: Path) -> None:
    desk = FrontDesk(tmp_path)
    desk.do("patient", "import", listed(tmp_path, VERA), now=NOW)
    other = listed(tmp_path, VERA.replace("Vera", "Vero").replace("T08:00", "T07:00"))
    said = desk.run("patient", "import", other, now=NOW)
    assert "A-1 stays as it is; the file differs in: given_name" in said.stderr
    assert desk.json("patient", "show", "A-1")["patient"]["given_name"] == "Vera"
    assert len(desk.json("session", "list")["sessions"]) == 2


def test_an_unapproved_protocol_is_said_before_it_is_stored(tmp_path: Path) -> None:
    desk = FrontDesk(tmp_path, email="smtp")
    file = tmp_path / "list.csv"
    file.write_text(
        "ref,given_name,email,channels,consent,protocol,session_at\n"
        "A-1,Vera,vera@example.org,email,email,mesotherapy,2026-03-20T08:00\n",
        encoding="utf-8",
    )
    said = desk.run("patient", "import", str(file), "--dry-run", now=NOW)
    assert "reminderd protocol approve mesotherapy --by NAME" in said.stderr
    assert "Held: " in said.stdout


def test_a_file_that_is_not_there_is_not_found(tmp_path: Path) -> None:
    assert FrontDesk(tmp_path).run("patient", "import", "nothing.csv").exit_code == 4
