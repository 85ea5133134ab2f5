"""Enrolling says what will go out, and tells every mistake at once."""

from pathlib import Path

import pytest

from tests.cli.front_desk import CARE, VERA, FrontDesk

PAST = ("--at", "2026-03-26 19:00")


def test_one_step_stores_patient_consent_session_and_plan(tmp_path: Path) -> None:
    stored = FrontDesk(tmp_path).json("enrol", *VERA, *CARE, *PAST, "--tag", "weight-loss")
    assert stored["patient"]["id"] == "pat-1"
    assert stored["patient"]["phone"] == "+34612345678"
    assert stored["patient"]["consent"]["sms"]["state"] == "granted"
    assert stored["session"]["at"] == "2026-03-26T19:00:00+01:00"
    assert stored["session"]["state"] == "done"
    assert stored["session"]["tags"] == ["weight-loss"]
    assert "weight-loss-plan" in {each["milestone"] for each in stored["reminders"]}


def test_the_picture_shows_days_quiet_hours_and_what_goes_out(tmp_path: Path) -> None:
    said = FrontDesk(tmp_path).run("enrol", *VERA, *CARE, *PAST)
    lines = said.stdout.splitlines()
    assert said.exit_code == 0
    assert any("Sat 28 Mar" in line and "day 2" in line and "░░" in line for line in lines)
    assert any("● 10:00 sms massage, spf" in line for line in lines)
    assert "Sun 29 Mar day 3  ░░ ░" in said.stdout  # the hour that the clocks skip
    assert "clocks go forward: 23 hours" in said.stdout
    assert all(len(line) <= 80 for line in lines)


def test_all_mistakes_come_at_once_and_nothing_is_written(tmp_path: Path) -> None:
    desk = FrontDesk(tmp_path)
    said = desk.run(
        "enrol", "--phone", "12", "--email", "a@", "--timezone", "Mars", "--channels", "pigeon",
        "--protocol", "mesoterapy", "--at", "28/03/2026", "--tag", "Weight Loss",
    )  # fmt: skip
    assert said.exit_code == 2
    lines = [line.partition(":")[0] for line in said.stderr.splitlines() if line[:2] == "--"]
    assert lines == [
        "--channels", "--given-name", "--phone", "--email", "--timezone", "--protocol", "--at",
        "--tag",
    ]  # fmt: skip
    assert 'did you mean "mesotherapy"?' in said.stderr
    assert "Traceback" not in said.output
    assert desk.is_empty()


@pytest.mark.parametrize(
    ("wrong", "advice"),
    [
        (("--clinic", "nowhere"), "known are main"),
        (("--protocol", "mesoterapy"), 'did you mean "mesotherapy"?'),
    ],
    ids=["clinic", "protocol"],
)
def test_what_there_is_not_is_not_found(
    tmp_path: Path, wrong: tuple[str, str], advice: str
) -> None:
    desk = FrontDesk(tmp_path)
    said = desk.run("enrol", *VERA, *CARE, *PAST, *wrong)
    assert said.exit_code == 4
    assert advice in said.stderr
    assert desk.is_empty()


@pytest.mark.parametrize(
    "at", ["28/03/2026", "2026-02-30T10:00", "2026-03-28", "2024-03-01T10:00", "2029-03-28T10:00"]
)
def test_a_session_at_an_impossible_time_is_refused(tmp_path: Path, at: str) -> None:
    desk = FrontDesk(tmp_path)
    said = desk.run("enrol", *VERA, *CARE, "--at", at)
    assert said.exit_code == 2
    assert f'--at: "{at}"' in said.stderr
    assert desk.is_empty()


def test_a_ref_is_taken_once(tmp_path: Path) -> None:
    desk = FrontDesk(tmp_path)
    desk.do("enrol", *VERA, *CARE, *PAST)
    said = desk.run("enrol", *VERA, *CARE, *PAST)
    assert said.exit_code == 5
    assert "session add A-1" in said.stderr


def test_an_unapproved_protocol_is_said_plainly(tmp_path: Path) -> None:
    desk = FrontDesk(tmp_path, email="smtp")
    said = desk.run("enrol", *VERA, *CARE, *PAST, "--channels", "email")
    assert said.exit_code == 0
    assert 'The protocol "mesotherapy" is not approved' in said.stderr
    assert "reminderd protocol approve mesotherapy --by NAME" in said.stderr
    assert "○ " in said.stdout
    assert desk.json("status")["held"]["unapproved"] > 10


def test_missing_consent_is_said_plainly(tmp_path: Path) -> None:
    without = VERA[: VERA.index("--consent")]
    said = FrontDesk(tmp_path).run("enrol", *without, *CARE, *PAST)
    assert said.exit_code == 0
    assert "reminderd patient consent pat-1 --channels sms,email --grant" in said.stderr


def test_a_session_in_the_past_says_what_is_too_late(tmp_path: Path) -> None:
    said = FrontDesk(tmp_path).run("enrol", *VERA, *CARE, "--at", "2026-03-23 12:00")
    assert "The session is in the past" in said.stderr
    assert "already too late when it was first planned: " in said.stdout


def test_a_session_ahead_says_what_it_waits_for(tmp_path: Path) -> None:
    said = FrontDesk(tmp_path).run("enrol", *VERA, *CARE, "--at", "2026-03-30 12:00")
    assert "reminderd session done ses-1" in said.stderr


# The same person once more ------------------------------------------------------------------------


def test_who_is_entered_twice_is_told_to_the_desk(tmp_path: Path) -> None:
    desk = FrontDesk(tmp_path)
    once = ("--given-name", "Vera", "--phone", "612 345 678", "--consent", "sms")
    at = ("--at", "2026-03-27 09:30")
    assert "Entered twice?" not in desk.run("enrol", *once, *CARE, *at).stderr
    again = desk.run("enrol", *once, *CARE, *at)
    assert again.exit_code == 0
    assert "pat-1 has the same name, address and session. Entered twice?" in again.stderr
    assert "reminderd session cancel ses-2" in again.stderr
    daughter = desk.run("enrol", "--given-name", "Ana", *once[2:], *CARE, *at)
    later = desk.run("enrol", *once, *CARE, "--at", "2026-03-27 09:40")
    assert "Entered twice?" not in daughter.stderr + later.stderr


def test_an_address_for_another_channel_is_offered(tmp_path: Path) -> None:
    mail = ("--given-name", "Vera", "--email", "vera@example.org", "--channels", "sms")
    said = FrontDesk(tmp_path).run("enrol", *mail, "--consent", "email", *CARE,
                                   "--at", "2026-03-27 09:30").stderr  # fmt: skip
    assert "No address for sms:" in said
    assert "Add one: reminderd patient edit pat-1 --phone …" in said
    assert "or send by email: reminderd patient edit pat-1 --channels email" in said
