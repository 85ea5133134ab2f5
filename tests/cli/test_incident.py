"""`incident`: a red flag from the reply to the day it is closed, as staff type it."""

import json
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from reminderd import bootstrap
from reminderd.incoming import Replies
from reminderd.interfaces import Reply
from tests.cli.desk import NOW, Clinic

WORDS = "My lip is swelling"


def writes(clinic: Clinic, text: str, sender: str = "+34600000001", *, now: datetime = NOW) -> None:
    """A reply, and what is decided about it."""
    house = bootstrap.open_house(bootstrap.load_settings(clinic.config, {}))
    with closing(house.outbox) as outbox:
        with outbox.transaction():
            sid = f"SM{len(outbox.replies())}"
            outbox.keep_reply("twilio", Reply(sid, sender, "+34910000000", text), now)
        Replies(outbox, house.decide).apply(None, now)


@pytest.fixture
def ill(clinic: Clinic) -> Clinic:
    """Ana was treated half an hour ago and has written."""
    clinic.enrols()
    writes(clinic, WORDS)
    return clinic


def held(clinic: Clinic) -> set[str]:
    found = clinic.data("reminder", "list", "--state", "held", "--reason", "paused")
    return {each["kind"] for each in found["reminders"]}


def test_the_list_says_what_is_open(ill: Clinic) -> None:
    (one,) = ill.data("incident", "list")["incidents"]
    assert one == {
        "id": "inc-1", "state": "open", "severity": "emergency", "number": "+34600000001",
        "patients": ["pat-1"], "replies": ["rep-1"], "sessions": ["ses-1"],
        "opened_at": "2026-03-28T10:00:00+01:00", "raised_at": "2026-03-28T10:00:00+01:00",
        "acknowledged_at": None, "acknowledged_by": None, "closed_at": None, "closed_by": None,
        "why": None,
    }  # fmt: skip
    assert "inc-1\topen\temergency\t+34600000001\tpat-1" in ill.says("incident", "list")


@pytest.mark.parametrize(
    "command",
    [("incident", "show", "inc-1"), ("inbox", "show", "rep-1"), ("inbox", "explain", "rep-1"),
     ("inbox", "list")],
)  # fmt: skip
def test_what_somebody_wrote_cannot_command_a_terminal(
    clinic: Clinic, command: tuple[str, ...]
) -> None:
    writes(clinic, "My lip\x1b]0;is well\x07 is swelling\nsince \x9b2Jnoon")
    said = clinic.says(*command)
    assert not {"\x1b", "\x07", "\x9b"} & {*said}
    assert "is swelling\nsince" in said or command == ("inbox", "list")


def test_it_is_first_on_the_staffs_list_which_does_not_say_what_was_written(ill: Clinic) -> None:
    writes(ill, "is Tuesday possible?")
    for command in ("today", "status"):
        said = ill.says(command, "--json")
        found = [(each["what"], each["id"]) for each in json.loads(said)["staff"]]
        assert found[0] == ("incident", "inc-1")
        assert ("reply", "rep-2") in found
        assert ("reply", "rep-1") not in found
        assert WORDS not in said


def test_it_is_shown_with_whom_to_call_the_words_and_what_waits(ill: Clinic) -> None:
    writes(ill, "am I allowed to shower?")
    shown = ill.data("incident", "show", "inc-1")
    assert [each["id"] for each in shown["patients"]] == ["pat-1"]
    assert [each["text"] for each in shown["replies"]] == [WORDS]
    assert [each["text"] for each in shown["later"]] == ["am I allowed to shower?"]
    assert {each["kind"] for each in shown["withheld"]} == held(ill)
    said = ill.types("incident", "show", "inc-1").output
    for expected in (
        "emergency, open", "+34600000001", "pat-1 A-1 Ana", WORDS, "am I allowed", "Withheld: ",
        "reminderd incident ack inc-1", "reminderd incident close inc-1",
    ):  # fmt: skip
        assert expected in said


def test_it_says_who_was_told_and_who_could_not_be(ill: Clinic) -> None:
    house = bootstrap.open_house(bootstrap.load_settings(ill.config, {}))
    with closing(house.outbox) as outbox, outbox.transaction():
        outbox.add_alert("incident/1/now/first", ["front@example.org", "slack-3f9c"], NOW)
        outbox.add_alert("incident/11/now/first", ["nobody@example.org"], NOW)
        first, second = outbox.waiting_alerts(NOW)[:2]
        outbox.keep_alert(replace(first, wake_at=None, sent_at=NOW, tries=1))
        outbox.keep_alert(replace(second, error="no such service", tries=1))
    assert ill.data("incident", "show", "inc-1")["told"] == [
        {"recipient": "front@example.org", "since": "2026-03-28T10:00:00+01:00",
         "told_at": "2026-03-28T10:00:00+01:00", "error": None},
        {"recipient": "slack-3f9c", "since": "2026-03-28T10:00:00+01:00", "told_at": None,
         "error": "no such service"},
    ]  # fmt: skip
    said = ill.says("incident", "show", "inc-1")
    assert "Told: front@example.org  2026-03-28T10:00:00+01:00" in said
    assert "Not told: slack-3f9c: no such service" in said


def test_the_patient_and_the_reminder_say_that_it_is_open(ill: Clinic) -> None:
    shown = ill.types("patient", "show", "pat-1").output
    assert "incident  inc-1: emergency, open" in shown
    assert "A red flag is open, inc-1" in shown
    assert "patient resume" not in shown
    assert [each["id"] for each in ill.data("patient", "show", "pat-1")["incidents"]] == ["inc-1"]
    reminder = ill.data("incident", "show", "inc-1")["withheld"][0]["id"]
    why = "a red flag came, and inc-1 is open until a person decides"
    assert why in ill.says("reminder", "explain", reminder)


def test_somebody_takes_it_on(ill: Clinic) -> None:
    said = ill.types("incident", "ack", "inc-1", "--by", "Bo Tarn").stderr
    assert "inc-1: Bo Tarn has taken it on (2026-03-28T10:00:00+01:00)." in said
    (one,) = ill.data("incident", "list")["incidents"]
    assert (one["state"], one["acknowledged_by"]) == ("acknowledged", "Bo Tarn")
    again = ill.data("incident", "ack", "inc-1", "--by", "Cy Tarn")
    assert again["incident"]["acknowledged_by"] == "Bo Tarn"
    assert "reminderd incident close inc-1" in ill.says("today")


def test_who_closes_it_does_not_take_the_place_of_who_has_taken_it_on(ill: Clinic) -> None:
    ill.says("incident", "ack", "inc-1", "--by", "Bo Tarn")
    writes(ill, WORDS, now=NOW + timedelta(minutes=5))
    ill.says("incident", "close", "inc-1", "--by", "Cy Tarn", "--why", "Seen.", "--texts", "stop")
    closed = ill.data("incident", "show", "inc-1")["incident"]
    assert (closed["acknowledged_by"], closed["closed_by"]) == ("Bo Tarn", "Cy Tarn")


def test_to_have_read_a_red_flag_is_not_to_have_acted_on_it(ill: Clinic) -> None:
    next_step = "reminderd incident show inc-1"
    for name in ("show", "done", "show"):
        said = ill.types("inbox", name, "rep-1").stderr
        assert next_step in said
        assert "inbox done" not in said
    assert next_step in ill.says("inbox", "explain", "rep-1")
    assert "inc-1" in ill.says("today")
    ill.says("incident", "close", "inc-1", "--why", "Seen.", "--texts", "resume")
    assert next_step not in ill.types("inbox", "show", "rep-1").stderr


def test_closed_with_resume_what_is_still_valid_goes_on(ill: Clinic) -> None:
    assert held(ill) == {"release", "routine", "inform"}
    done = ill.types(
        "incident", "close", "inc-1", "--why", "Seen by Dr. Alba.", "--texts", "resume",
        "--by", "Bo Tarn",
    )  # fmt: skip
    assert done.exit_code == 0
    assert "inc-1 is closed by Bo Tarn." in done.stderr
    assert "released" in done.stdout
    assert held(ill) == set()
    assert ill.data("incident", "list")["incidents"] == []
    (one,) = ill.data("incident", "list", "--all")["incidents"]
    assert (one["state"], one["why"]) == ("closed", "Seen by Dr. Alba.")
    assert ill.data("inbox", "list")["replies"] == []
    assert "why          Seen by Dr. Alba." in ill.says("incident", "show", "inc-1")


def test_closed_with_stop_none_of_it_goes_out(ill: Clinic) -> None:
    waiting = {each["id"] for each in ill.data("incident", "show", "inc-1")["withheld"]}
    done = ill.data("incident", "close", "inc-1", "--why", "To hospital.", "--texts", "stop")
    assert {each["reminder"]["id"] for each in done["changes"]} == waiting
    found = ill.data("reminder", "list", "--reason", "by-staff")["reminders"]
    assert {each["id"] for each in found} == waiting


def test_who_closes_it_late_is_told_what_the_patient_never_heard(ill: Clinic) -> None:
    ill.clock.move(timedelta(hours=40))
    done = ill.types("incident", "close", "inc-1", "--why", "Seen.", "--texts", "resume")
    late = "Withheld until it was too late, so tell the patient: "
    assert late in done.stderr
    assert "shower-again" in done.stderr
    assert "exercise-again" not in done.stderr
    assert late in ill.says("incident", "show", "inc-1")
    lost = {each["milestone"] for each in ill.data("incident", "show", "inc-1")["too_late"]}
    assert "shower-again" in lost


def test_who_wanted_no_messages_either_stays_paused(clinic: Clinic) -> None:
    clinic.enrols()
    writes(clinic, "STOP my lip is swelling")
    done = clinic.types("incident", "close", "inc-1", "--why", "Seen.", "--texts", "resume")
    assert "pat-1 is paused. To go on: reminderd patient resume pat-1" in done.stderr


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("ack", "inc-1"), 5, "reminderd incident show inc-1"),
        (("close", "inc-1", "--why", "x", "--texts", "stop"), 5, "inc-1 is closed"),
        (("ack", "inc-9"), 4, "reminderd incident list"),
        (("show", "pat-1"), 4, "an id such as inc-12"),
        (("close", "inc-1", "--why", " ", "--texts", "stop"), 2, "--why"),
        (("close", "inc-1", "--why", "x"), 2, "--texts"),
        (("close", "inc-1", "--why", "x", "--texts", "go"), 2, "resume"),
    ],
)
def test_mistakes_are_told_with_what_to_do(
    ill: Clinic, words: tuple[str, ...], code: int, says: str
) -> None:
    ill.says("incident", "close", "inc-1", "--why", "Seen.", "--texts", "resume")
    before = ill.data("audit")
    result = ill.types("incident", *words)
    assert (result.exit_code, says in result.stderr) == (code, True), result.stderr
    assert ill.data("audit") == before


def test_where_nothing_is_open_the_list_says_so(clinic: Clinic) -> None:
    assert "No red flag is open." in clinic.types("incident", "list").stderr
    assert clinic.data("incident", "list") == {"incidents": []}


def test_it_is_handed_over_and_erased_with_the_patient(ill: Clinic) -> None:
    handed = json.loads(ill.says("patient", "export", "pat-1"))
    assert [(each["id"], each["number"]) for each in handed["incidents"]] == [
        ("inc-1", "+34600000001"),
    ]  # fmt: skip
    ill.says("patient", "erase", "pat-1", "--by", "Dr. Alba", "--yes")
    assert ill.data("incident", "list") == {"incidents": []}
    (one,) = ill.data("incident", "list", "--all")["incidents"]
    assert (one["number"], one["patients"], one["closed_by"]) == ("", [], "Dr. Alba")
    assert "erased" in ill.says("incident", "show", "inc-1")
    assert ill.data("status")["staff"] == []
