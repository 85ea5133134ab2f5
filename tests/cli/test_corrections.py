"""Decisions for one session, previews, and what is done about texts that have become false."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.cli.front_desk import CARE, NOW, VERA, FrontDesk, told_before

HOUR = timedelta(hours=1)
LONGER = (
    "session",
    "adjust",
    "ses-1",
    "no-exercise",
    "--holds",
    "72h",
    "--why",
    "today's settings",
)


def just_treated(desk: FrontDesk) -> None:
    """Vera was treated at 9:30, half an hour ago; what was due then has left."""
    treated = NOW - HOUR / 2
    desk.do("enrol", *VERA, *CARE, "--at", "2026-03-27T09:30", now=treated)
    desk.send(treated)


@pytest.fixture
def desk(tmp_path: Path) -> FrontDesk:
    return told_before(just_treated, tmp_path)


def the(desk: FrontDesk, milestone: str) -> Any:
    listed = desk.json("reminder", "list")["reminders"]
    return next(each for each in listed if each["milestone"] == milestone)


# session adjust -----------------------------------------------------------------------------------


def test_a_longer_restriction_moves_its_all_clear_and_says_who_and_why(desk: FrontDesk) -> None:
    said = desk.do(*LONGER, "--by", "Dr. Alba")
    assert "moved\tses-1\t2026-03-29T10:30:00+02:00 sms\t2026-03-30T10:30:00+02:00 sms" in said
    why = desk.json("reminder", "explain", the(desk, "exercise-again")["id"])["why"]
    assert "staff changed how long no-exercise holds: moved to Mon 30 Mar 10:30" in why
    shown = desk.do("session", "show", "ses-1")
    assert "no-exercise: holds 72h (Dr. Alba: today's settings)" in shown
    (change,) = desk.json("session", "show", "ses-1")["history"]
    assert (change["by"], change["why"]) == ("Dr. Alba", "today's settings")
    assert change["changed"] == ["no-exercise: holds 72h"]


def test_what_is_turned_off_says_by_whom_and_may_come_back(desk: FrontDesk) -> None:
    off = ("session", "adjust", "ses-1", "massage", "--why", "bruised", "--by", "Ana")
    desk.do(*off, "--off")
    left_out = the(desk, "massage")
    assert (left_out["state"], left_out["reason"]) == ("skipped", "override")
    why = desk.json("reminder", "explain", left_out["id"])["why"]
    assert "skipped: turned off for this session by Ana: bruised" in why
    desk.do(*off, "--reset")
    assert the(desk, "massage")["state"] == "scheduled"
    assert desk.run(*off, "--reset").exit_code == 5


def test_a_daily_reminder_comes_at_another_time_of_day(desk: FrontDesk) -> None:
    desk.do("session", "adjust", "ses-1", "massage", "--at", "20:00", "--why", "works late")
    assert the(desk, "massage")["due_at"] == "2026-03-28T20:00:00+01:00"


def test_a_time_of_day_at_which_nobody_is_disturbed_is_named(desk: FrontDesk) -> None:
    massage = ("session", "adjust", "ses-1", "massage", "--why", "works late", "--at")
    assert "quiet hours" not in desk.run(*massage, "20:00").stderr
    late = desk.run(*massage, "22:30")
    assert "22:30 is within quiet hours 21:00-08:00" in late.stderr


@pytest.mark.parametrize(
    ("typed", "code", "says"),
    [
        (["no-exercise"], 2, "say what to change"),
        (["no-exercise", "--off", "--holds", "72h"], 2, "stand alone"),
        (["no-exercise", "--off", "--reset"], 2, "stand alone"),
        (["no-exercise", "--holds", "3 days"], 2, "is not a duration"),
        (["no-exercise", "--holds", "-3h"], 2, "lies in the past"),
        (["no-exercise", "--holds", "9999d"], 2, '"9999d" is more than a year (365d)'),
        (["no-exercise", "--holds", "8761h"], 2, "is more than a year"),
        (["massage", "--at", "8 pm"], 2, "is not a time of day"),
        (["no-exercise", "--at", "20:00"], 5, "has no time of day"),
        (["massage", "--holds", "72h"], 5, "is no restriction"),
        (["masage", "--off"], 4, 'has no milestone "masage"; did you mean "massage"?'),
    ],
)
def test_a_decision_that_is_none_changes_nothing(
    desk: FrontDesk, typed: list[str], code: int, says: str
) -> None:
    before = desk.json("session", "show", "ses-1")
    refused = desk.run("session", "adjust", "ses-1", *typed, "--why", "because")
    assert (refused.exit_code, says in refused.output) == (code, True), refused.output
    assert desk.json("session", "show", "ses-1") == before


def test_a_decision_needs_a_reason_and_a_session_that_stands(desk: FrontDesk) -> None:
    assert desk.run(*LONGER[:-1], " ").exit_code == 2
    assert desk.run(*LONGER[:-2]).exit_code == 2
    desk.do("session", "cancel", "ses-1")
    assert desk.run(*LONGER).exit_code == 5


# --preview ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "command",
    [
        [*LONGER],
        ["session", "move", "ses-1", "--at", "2026-03-27T09:40"],
        ["session", "cancel", "ses-1", "--no-show"],
        ["session", "done", "ses-1", "--at", "2026-03-27T09:40"],
        ["session", "add", "A-1", *CARE, "--at", "2026-04-03T10:00"],
        ["patient", "edit", "A-1", "--timezone", "America/New_York", "--language", "es"],
        ["patient", "pause", "A-1"],
        ["patient", "consent", "A-1", "--channels", "sms", "--withdraw", "--source", "phone"],
        ["reminder", "cancel", "rem-20"],
    ],
)
def test_a_preview_shows_the_same_diff_and_changes_nothing(
    desk: FrontDesk, command: list[str]
) -> None:
    before = desk.json("patient", "show", "A-1")
    tried = desk.json(*command, "--preview")
    assert tried["preview"] is True
    assert tried["changes"]
    assert desk.json("patient", "show", "A-1") == before
    done = desk.json(*command)
    assert done == {**tried, "preview": False}
    assert desk.json("patient", "show", "A-1") != before


def test_a_preview_says_that_it_was_one(desk: FrontDesk) -> None:
    said = desk.run(*LONGER, "--preview")
    assert "nothing was changed" in said.output


# What was told and is no longer true --------------------------------------------------------------


def test_a_longer_restriction_proposes_what_to_tell_the_patient(desk: FrontDesk) -> None:
    said = desk.json(*LONGER)["correction"]
    (false,) = said["untrue"]
    assert (false["reminder"]["milestone"], false["cause"]) == ("no-exercise", "changed")
    assert false["why"] == "it spoke of Sun 29 Mar 10:30, and that is Mon 30 Mar 10:30 now"
    assert said["text"]["sms"] == (
        "Hello Vera, what we wrote to you has changed.\n"
        "Until Monday 30 March at 10:30, please:\n"
        "- Avoid hard exercise.\n"
        "Any questions? Call us: +34 910 000 000. Warm wishes, Alba Skin Clinic"
    )


def test_staff_see_it_until_the_patient_knows(desk: FrontDesk) -> None:
    desk.do(*LONGER)
    (waiting,) = desk.json("status")["staff"]
    assert (waiting["what"], waiting["patient"]) == ("correction", "pat-1")
    assert waiting["do"] == "reminderd patient correct pat-1"
    flagged = desk.json("reminder", "list", "--needs-staff")["reminders"]
    assert [each["milestone"] for each in flagged] == ["no-exercise"]
    assert "Proposed text" in desk.do("patient", "correct", "A-1", "--told", "--by", "Ana")
    assert desk.json("status")["staff"] == []
    assert desk.json("reminder", "list", "--needs-staff")["reminders"] == []
    assert desk.json("patient", "correct", "A-1") == {"correction": None, "told": False}
    assert desk.run("patient", "correct", "A-1", "--told").exit_code == 5


def test_who_has_nothing_to_correct_hears_that_once(desk: FrontDesk) -> None:
    refused = desk.run("patient", "correct", "A-1", "--told")
    assert refused.exit_code == 5
    assert refused.output == "error: nothing has to be corrected: all that A-1 was told is true\n"


def test_what_stood_before_is_not_repeated_by_every_command(desk: FrontDesk) -> None:
    desk.do(*LONGER)
    for other in (["patient", "edit", "A-1", "--language", "es"], ["patient", "pause", "A-1"]):
        assert desk.json(*other)["correction"] is None
        assert "No longer true" not in desk.do("patient", "resume", "A-1")


def test_a_new_mistake_is_shown_alone_and_its_text_puts_all_of_it_right(desk: FrontDesk) -> None:
    desk.do(*LONGER)
    bath = ("session", "adjust", "ses-1", "no-heat-or-sun", "--holds", "90h", "--why", "red")
    preview = desk.json(*bath, "--preview")["correction"]
    assert [each["reminder"]["milestone"] for each in preview["untrue"]] == ["no-heat-or-sun"]
    assert "Monday 30 March" in preview["text"]["sms"]
    said = desk.do(*bath)
    assert "no-exercise, sent" not in said
    assert "and 1 from before; the text is about all of it" in said
    assert len(desk.json("patient", "correct", "A-1")["correction"]["untrue"]) == 2


def test_what_was_wrong_and_is_so_in_another_way_is_shown_again(desk: FrontDesk) -> None:
    desk.do(*LONGER)
    (again,) = desk.json(*LONGER[:5], "96h", *LONGER[6:])["correction"]["untrue"]
    assert again["now"] == "2026-03-31T10:30:00+02:00"


def test_a_session_that_is_called_off_or_moved_is_told_in_the_patients_language(
    desk: FrontDesk,
) -> None:
    desk.do("patient", "edit", "A-1", "--language", "es")
    moved = desk.json("session", "move", "ses-1", "--at", "2026-03-27T09:50")["correction"]
    assert "no el viernes 27 de marzo a las 9:30" in moved["text"]["sms"]
    assert {each["cause"] for each in moved["untrue"]} == {"moved"}
    off = desk.json("session", "cancel", "ses-1")["correction"]
    assert "queda anulada" in off["text"]["email"]


def test_an_all_clear_that_a_session_recorded_late_forbids_again_is_seen_by_a_person(
    desk: FrontDesk,
) -> None:
    for hours in range(1, 51):
        desk.send(NOW + hours * HOUR)
    assert the(desk, "exercise-again")["state"] == "sent"
    now = NOW + 51 * HOUR
    desk.do("patient", "pause", "A-1", now=now)
    late = desk.json("session", "add", "A-1", *CARE, "--at", "2026-03-29T09:00", now=now)
    causes = {each["reminder"]["milestone"]: each["cause"] for each in late["correction"]["untrue"]}
    assert causes["exercise-again"] == "forbidden-again"
    assert "Avoid hard exercise." in late["correction"]["text"]["sms"]
