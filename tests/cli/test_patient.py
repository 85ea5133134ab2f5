"""What staff do with a patient on the command line."""

import subprocess
import sys
from pathlib import Path

from tests.cli.front_desk import CARE, PATIENT_KEYS, VERA, FrontDesk


def enrolled(folder: Path) -> FrontDesk:
    desk = FrontDesk(folder)
    desk.do("enrol", *VERA, *CARE, "--at", "2026-03-26 19:00")
    return desk


def test_the_list_has_what_the_contract_says(tmp_path: Path) -> None:
    (vera,) = enrolled(tmp_path).json("patient", "list")["patients"]
    assert list(vera) == PATIENT_KEYS
    assert (vera["timezone"], vera["language"]) == ("Europe/Madrid", "en")
    assert vera["consent"]["sms"] == {
        "state": "granted", "at": "2026-03-27T10:00:00+01:00", "source": "enrol",
    }  # fmt: skip


def test_the_list_for_people_shows_the_zone_of_the_clinic(tmp_path: Path) -> None:
    header, vera = enrolled(tmp_path).do("patient", "list").splitlines()
    assert header.split("\t")[:3] == ["id", "ref", "name"]
    assert vera.split("\t") == [
        "pat-1", "A-1", "Vera Verano", "+34612345678", "vera@example.org", "Europe/Madrid",
        "sms,email", "email,sms", "",
    ]  # fmt: skip


def test_a_patient_is_found_by_id_and_by_ref(tmp_path: Path) -> None:
    desk = enrolled(tmp_path)
    by_id, by_ref = desk.json("patient", "show", "pat-1"), desk.json("patient", "show", "A-1")
    assert by_id == by_ref
    assert list(by_id) == [
        "patient", "screening", "same_phone", "consent_history", "incidents", "sessions",
        "reminders", "replies",
    ]  # fmt: skip
    assert by_id["sessions"][0]["protocol"] == "mesotherapy"
    assert desk.run("patient", "show", "A-2").exit_code == 4


def test_a_patient_is_shown_with_the_picture(tmp_path: Path) -> None:
    said = enrolled(tmp_path).do("patient", "show", "A-1")
    assert "zone      Europe/Madrid (the clinic's)" in said
    assert "◆ 19:00 mesotherapy" in said


def test_a_patient_can_be_added_without_a_session(tmp_path: Path) -> None:
    desk = FrontDesk(tmp_path)
    assert desk.json("patient", "add", *VERA)["patient"]["ref"] == "A-1"
    assert desk.json("reminder", "list") == {"reminders": []}
    assert desk.run("patient", "add", *VERA).exit_code == 5


def test_an_edit_changes_only_what_is_given_and_tells_the_diff(tmp_path: Path) -> None:
    desk = enrolled(tmp_path)
    before = desk.json("patient", "show", "A-1")["patient"]
    said = desk.do("patient", "edit", "A-1", "--channels", "email")
    after = desk.json("patient", "show", "A-1")["patient"]
    assert after == {**before, "channels": ["email"]}
    assert "2026-03-28T10:00:00+01:00 sms\t2026-03-28T10:00:00+01:00 email\tmassage, spf" in said


def test_another_zone_moves_what_is_tied_to_the_wall_clock(tmp_path: Path) -> None:
    desk = enrolled(tmp_path)
    edited = desk.json("patient", "edit", "A-1", "--timezone", "Atlantic/Canary")
    moved = {each["change"] for each in edited["changes"]}
    assert moved == {"moved"}
    spf = next(each for each in edited["changes"] if each["reminder"]["milestone"] == "spf")
    assert spf["before"]["due_at"] == "2026-03-27T09:00:00+00:00"
    assert spf["reminder"]["due_at"] == "2026-03-27T10:00:00+00:00"


def test_an_empty_text_clears(tmp_path: Path) -> None:
    desk = enrolled(tmp_path)
    desk.do("patient", "edit", "A-1", "--phone", "", "--family-name", "", "--ref", "")
    vera = desk.json("patient", "show", "pat-1")["patient"]
    assert (vera["phone"], vera["family_name"], vera["ref"]) == (None, "", None)


def test_a_bad_edit_changes_nothing(tmp_path: Path) -> None:
    desk = enrolled(tmp_path)
    before = desk.json("patient", "list")
    said = desk.run("patient", "edit", "A-1", "--phone", "+34 910 000 000", "--language", "xx")
    assert said.exit_code == 2
    assert "--phone: " in said.stderr
    assert "--language: " in said.stderr
    assert desk.run("patient", "edit", "A-1").exit_code == 2
    assert desk.json("patient", "list") == before


def test_a_ref_of_somebody_else_is_refused(tmp_path: Path) -> None:
    desk = enrolled(tmp_path)
    desk.do("patient", "add", "--given-name", "Nils", "--ref", "A-2")
    assert desk.run("patient", "edit", "A-2", "--ref", "A-1").exit_code == 5


def test_a_pause_holds_everything_until_it_ends(tmp_path: Path) -> None:
    desk = enrolled(tmp_path)
    said = desk.run("patient", "pause", "A-1")
    assert "reminderd patient resume pat-1" in said.stderr
    assert desk.json("status")["reminders"]["scheduled"] == 0
    assert "released" in desk.do("patient", "resume", "A-1")
    assert desk.json("status")["reminders"]["held"] == 0


def test_consent_withdrawn_takes_the_next_channel(tmp_path: Path) -> None:
    desk = enrolled(tmp_path)
    told = ("--channels", "sms", "--source", "phone call")
    changed = desk.json("patient", "consent", "A-1", *told, "--withdraw")
    assert changed["patient"]["consent"]["sms"]["state"] == "withdrawn"
    assert {each["reminder"]["channel"] for each in changed["changes"]} == {"email"}
    back = desk.json("patient", "consent", "A-1", *told, "--grant")
    assert back["patient"]["consent"]["sms"]["source"] == "phone call"
    assert desk.run("patient", "consent", "A-1", *told).exit_code == 2


def test_the_short_way_to_the_list_says_what_the_long_way_says(tmp_path: Path) -> None:
    """The list does not check the configuration first, because it has to be there at once."""
    desk = enrolled(tmp_path)
    shown = desk.json("patient", "show", "A-1")["patient"]
    assert desk.json("patient", "list")["patients"] == [shown]


def test_the_list_loads_nothing_that_takes_long(tmp_path: Path) -> None:
    desk = enrolled(tmp_path)
    slow = ["babel", "jinja2", "phonenumbers", "pydantic", "rich", "sqlite_utils", "twilio"]
    code = (
        "import sys; from reminderd.cli.app import app\n"
        f"try: app(['--config', {str(desk.config)!r}, 'patient', 'list'])\n"
        f"finally: print([name for name in {slow} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.splitlines()[-1] == "[]"
    assert "Vera Verano" in done.stdout
