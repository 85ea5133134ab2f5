"""What goes out today, how things stand, and what waits for a person."""

from datetime import timedelta
from pathlib import Path

import pytest

from reminderd.engines.embedded.lock import only_daemon
from tests.cli.front_desk import CARE, NOW, VERA, FrontDesk


def enrolled(folder: Path, **more: str) -> FrontDesk:
    desk = FrontDesk(folder, **more)
    desk.do("enrol", *VERA, *CARE, "--at", "2026-03-27 09:00", "--timezone", "Asia/Tokyo",
            "--channels", "email")  # fmt: skip
    return desk


def test_today_is_the_patients_day(tmp_path: Path) -> None:
    desk = enrolled(tmp_path)
    # 18:00 in Tokyo on the 27th; eight hours later it is the 28th there, and not yet in Madrid.
    first = desk.json("today")["messages"]
    assert [each["at"] for each in first] == ["2026-03-27T09:00:00+09:00"]
    assert first[0]["name"] == "Vera Verano"
    assert "no-shower" in first[0]["milestones"]
    later = desk.json("today", now=NOW + timedelta(hours=8))["messages"]
    assert [each["at"][:10] for each in later] == ["2026-03-28"] * len(later)
    assert {"massage", "spf"} <= {name for each in later for name in each["milestones"]}


def test_today_names_messages_by_time_name_and_channel(tmp_path: Path) -> None:
    said = enrolled(tmp_path).do("today")
    header, message = said.splitlines()[:2]
    assert header.split("\t") == ["at", "patient", "name", "channel", "state", "reminders"]
    assert message.split("\t")[2:5] == ["Vera Verano", "email", "scheduled"]


def test_what_was_sent_today_is_still_there(tmp_path: Path) -> None:
    desk = enrolled(tmp_path)
    desk.send()
    assert {each["state"] for each in desk.json("today")["messages"]} == {"sent"}


def test_a_session_that_nobody_marked_done_is_on_the_staffs_list(tmp_path: Path) -> None:
    desk = enrolled(tmp_path)
    desk.do("session", "add", "A-1", *CARE, "--at", "2026-03-30 12:00")
    assert desk.json("status")["staff"] == []
    (item,) = desk.json("status", now=NOW + timedelta(days=3))["staff"]
    assert (item["what"], item["id"], item["patient"]) == ("session", "ses-2", "pat-1")
    assert item["do"] == "reminderd session done ses-2"


def test_an_unapproved_protocol_is_on_the_staffs_list(tmp_path: Path) -> None:
    desk = enrolled(tmp_path, email="smtp")
    (item,) = desk.json("today")["staff"]
    assert (item["what"], item["id"]) == ("protocol", "mesotherapy")
    assert "reminderd protocol approve mesotherapy" in desk.do("today")
    assert "reminderd protocol approve mesotherapy" in desk.do("status")


def test_an_all_clear_that_never_comes_is_on_the_staffs_list(tmp_path: Path) -> None:
    desk = enrolled(tmp_path)
    no_consent = ("--channels", "email", "--withdraw", "--source", "phone")
    desk.do("session", "add", "A-1", *CARE, "--at", "2026-03-28 20:00", now=NOW)
    rows = desk.json("reminder", "list", "--reason", "superseded")["reminders"]
    assert rows
    desk.do("patient", "consent", "A-1", *no_consent)
    (flagged,) = [each for each in desk.json("status")["staff"] if each["what"] == "reminder"]
    needing = desk.json("reminder", "list", "--needs-staff")["reminders"]
    assert flagged["reminders"] == [each["id"] for each in needing]
    assert flagged["why"].startswith("exercise-again, heat-again, sunbathing-again: no all-clear")


# What belongs together is one line, and leaves the list when it no longer matters -----------------


def booked(folder: Path) -> FrontDesk:
    """Vera was to come on Monday at 10:00, and nobody has said whether she did."""
    desk = FrontDesk(folder)
    desk.do("enrol", *VERA, *CARE, "--at", "2026-03-30T10:00")
    return desk


def test_a_session_that_nobody_marked_is_one_line_however_much_was_lost(tmp_path: Path) -> None:
    desk, now = booked(tmp_path), NOW + timedelta(days=6)
    desk.send(now)
    (item,) = desk.json("status", now=now)["staff"]
    assert (item["id"], item["do"]) == ("ses-1", "reminderd session done ses-1")
    assert item["why"] == "not marked done: 5 due and held, 12 too late by now"
    lost = desk.json("reminder", "list", "--needs-staff", now=now)["reminders"]
    assert {each["id"] for each in lost} < set(item["reminders"])


@pytest.mark.parametrize("how", [(), ("--no-show",)])
def test_the_aftercare_of_a_session_that_never_was_waits_for_nobody(
    tmp_path: Path, how: tuple[str, ...]
) -> None:
    desk, now = booked(tmp_path), NOW + timedelta(days=6)
    desk.send(now)
    desk.do("session", "cancel", "ses-1", *how, now=now)
    assert desk.json("status", now=now)["staff"] == []
    assert desk.json("reminder", "list", "--needs-staff", now=now)["reminders"] == []


def test_what_was_lost_before_a_session_was_marked_is_told_until_its_aftercare_is_over(
    tmp_path: Path,
) -> None:
    desk, now = booked(tmp_path), NOW + timedelta(days=6)
    desk.send(now)
    desk.do("session", "done", "ses-1", now=now)
    (item,) = desk.json("status", now=now)["staff"]
    assert item["why"].endswith("not sent: the session was marked as done too late for it")
    assert (len(item["reminders"]), item["do"]) == (12, "reminderd session show ses-1")
    assert desk.json("status", now=now + timedelta(days=20))["staff"] == []


def test_the_list_is_there_although_a_clinic_is_no_longer_configured(tmp_path: Path) -> None:
    desk, now = booked(tmp_path), NOW + timedelta(days=6)
    desk.send(now)
    text = desk.config.read_text(encoding="utf-8")
    desk.config.write_text(text.replace("clinics.main", "clinics.second"), encoding="utf-8")
    assert desk.json("status", now=now)["staff"]


def test_status_counts_by_state_and_reason(tmp_path: Path) -> None:
    desk = enrolled(tmp_path)
    rows = desk.json("reminder", "list")["reminders"]
    status = desk.json("status")
    assert status["reminders"]["scheduled"] == sum(each["state"] == "scheduled" for each in rows)
    assert status["reminders"]["skipped"] == sum(each["state"] == "skipped" for each in rows)
    assert status["next_due"] == "2026-03-27T01:00:00+01:00"
    assert status["overdue"] == 5
    assert status["database"] == str(desk.database)


def test_status_says_whether_a_daemon_runs(tmp_path: Path) -> None:
    desk = enrolled(tmp_path)
    assert desk.json("status")["daemon"] == "not running"
    with only_daemon(desk.database):
        assert desk.json("status")["daemon"] == "running"
    assert "daemon      not running" in desk.do("status")
