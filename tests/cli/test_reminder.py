"""The rows of the outbox, for staff and for scripts."""

import json
from datetime import timedelta
from pathlib import Path

import pytest

from tests.cli.front_desk import CARE, NOW, VERA, FrontDesk

KEYS = [
    "id", "patient", "session", "protocol", "revision", "milestone", "occurrence", "kind", "topics",
    "channel", "nominal_at", "due_at", "expires_at", "state", "reason", "attempts", "sent_at",
    "provider_id", "receipt",
]  # fmt: skip


def enrolled(folder: Path) -> FrontDesk:
    """Vera was treated an hour ago."""
    desk = FrontDesk(folder)
    desk.do("enrol", *VERA, *CARE, "--at", "2026-03-27 09:00")
    return desk


def milestones(desk: FrontDesk, *options: str) -> set[str]:
    return {each["milestone"] for each in desk.json("reminder", "list", *options)["reminders"]}


def named(desk: FrontDesk, milestone: str) -> str:
    rows = desk.json("reminder", "list")["reminders"]
    return next(str(each["id"]) for each in rows if each["milestone"] == milestone)


def test_the_list_is_complete_and_in_order(tmp_path: Path) -> None:
    rows = enrolled(tmp_path).json("reminder", "list")["reminders"]
    assert all(list(each) == KEYS for each in rows)
    dues = [each["due_at"] for each in rows]
    assert dues == sorted(dues, key=lambda due: (due is None, due))
    assert rows[0]["due_at"] == "2026-03-27T09:00:00+01:00"


def test_every_filter_narrows_the_list(tmp_path: Path) -> None:
    desk = enrolled(tmp_path)
    desk.do("enrol", "--given-name", "Nils", "--protocol", "mesotherapy-gentle", "--ref", "A-2",
            "--at", "2026-03-27 09:00")  # fmt: skip
    assert milestones(desk, "--state", "skipped", "--patient", "A-1") == {"weight-loss-plan"}
    assert milestones(desk, "--reason", "not-applicable") == {"weight-loss-plan"}
    assert "no-shower" in milestones(desk, "--session", "ses-1")
    assert "no-touch" in milestones(desk, "--protocol", "mesotherapy-gentle")
    assert "no-touch" not in milestones(desk, "--protocol", "mesotherapy")
    day = ("--patient", "A-1", "--due-from", "2026-03-28T00:00", "--due-until", "2026-03-29 00:00")
    assert milestones(desk, *day) == {"massage", "spf", "bruising", "shower-again"}
    assert len(desk.json("reminder", "list", "--limit", "3")["reminders"]) == 3
    assert milestones(desk, "--needs-staff") == set()


def test_a_protocol_without_reminders_yet_is_no_mistake(tmp_path: Path) -> None:
    desk = enrolled(tmp_path)
    assert desk.json("reminder", "list", "--protocol", "mesotherapy-gentle") == {"reminders": []}


def test_lines_of_json_are_the_same_rows(tmp_path: Path) -> None:
    desk = enrolled(tmp_path)
    lines = desk.do("reminder", "list", "--jsonl").splitlines()
    assert [json.loads(line) for line in lines] == desk.json("reminder", "list")["reminders"]


def test_people_see_the_first_fifty_and_how_many_more_there_are(tmp_path: Path) -> None:
    desk = enrolled(tmp_path)
    for day in (28, 30):
        desk.do("session", "add", "A-1", *CARE, "--at", f"2026-03-{day} 12:00")
    everything = len(desk.json("reminder", "list")["reminders"])
    said = desk.run("reminder", "list")
    assert len(said.stdout.splitlines()) == 51
    assert f"and {everything - 50} more" in said.stderr


def test_one_reminder_is_shown(tmp_path: Path) -> None:
    desk = enrolled(tmp_path)
    shown = desk.json("reminder", "show", "rem-1")
    assert shown in desk.json("reminder", "list")["reminders"]
    assert f"milestone    {shown['milestone']}" in desk.do("reminder", "show", "rem-1")


def test_explain_tells_the_rules_the_attempts_and_the_words_that_left(tmp_path: Path) -> None:
    desk = enrolled(tmp_path)
    desk.send()
    name = named(desk, "no-shower")
    told = desk.json("reminder", "explain", name)
    assert told["reminder"]["state"] == "sent"
    assert [each["outcome"] for each in told["attempts"]] == ["accepted"]
    assert told["messages"][0]["to"] == "+34612345678"
    assert "Vera" in told["messages"][0]["text"]
    said = desk.do("reminder", "explain", name)
    assert told["messages"][0]["text"] in said
    assert all(sentence in said for sentence in told["why"])
    assert "sms by file: accepted" in said


def test_explain_tells_why_something_does_not_come(tmp_path: Path) -> None:
    desk = enrolled(tmp_path)
    said = desk.do("reminder", "explain", named(desk, "weight-loss-plan"))
    assert "skipped" in said
    assert "weight-loss" in said


def test_staff_call_one_off_and_ask_for_it_again(tmp_path: Path) -> None:
    desk = enrolled(tmp_path)
    name = named(desk, "check-in")
    off = desk.json("reminder", "cancel", name)
    assert (off["reminder"]["state"], off["reminder"]["reason"]) == ("cancelled", "by-staff")
    assert [each["change"] for each in off["changes"]] == ["withdrawn"]
    assert desk.run("reminder", "cancel", name).exit_code == 5
    again = desk.json("reminder", "retry", name)
    assert again["reminder"]["state"] == "scheduled"


def test_what_a_called_off_session_wanted_cannot_be_asked_for_again(tmp_path: Path) -> None:
    desk = enrolled(tmp_path)
    desk.do("session", "cancel", "ses-1")
    before = desk.json("reminder", "list")
    assert desk.run("reminder", "retry", named(desk, "check-in")).exit_code == 5
    assert desk.json("reminder", "list") == before


def test_what_is_over_cannot_be_asked_for_again(tmp_path: Path) -> None:
    desk = enrolled(tmp_path)
    desk.do("reminder", "cancel", named(desk, "check-in"))
    late = desk.run("reminder", "retry", named(desk, "check-in"), now=NOW + timedelta(days=30))
    assert late.exit_code == 5


@pytest.mark.parametrize(
    ("command", "code"),
    [
        ("show rem-999", 4),
        ("explain nothing", 4),
        ("cancel rem-999", 4),
        ("retry rem-999", 4),
        ("list --patient A-9", 4),
        ("list --session ses-9", 4),
        ("list --protocol mesoterapy", 4),
        ("list --state waiting", 2),
        ("list --reason tired", 2),
        ("list --due-from 28/03/2026", 2),
        ("list --limit 0", 2),
        ("list --stat sent", 2),
        ("show", 2),
    ],
)
def test_wrong_use_says_so(tmp_path: Path, command: str, code: int) -> None:
    said = enrolled(tmp_path).run("reminder", *command.split())
    assert said.exit_code == code
    assert said.stderr
    assert "Traceback" not in said.output


@pytest.mark.parametrize("words", [[], ["--sent", "--resend"], ["--drop", "--sent"]])
def test_a_word_about_a_doubt_has_to_be_one(tmp_path: Path, words: list[str]) -> None:
    refused = FrontDesk(tmp_path).run("reminder", "resolve", "rem-1", *words)
    assert refused.exit_code == 2
    assert "say which, and one only: --resend, --sent or --drop" in refused.stderr
