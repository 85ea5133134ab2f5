"""What patients answered, as staff see it: the inbox, why, the silent ones, figures, pictures."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from reminderd import bootstrap
from reminderd.incoming import Replies
from reminderd.interfaces import Reply
from tests.cli.front_desk import VERA, FrontDesk

BO = ("--given-name", "Bo", "--phone", "612 345 000", "--consent", "sms", "--ref", "B-1")
CARE = ("--protocol", "mesotherapy", "--at", "2026-03-02T11:00")
TREATED = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)
ASKED = datetime(2026, 3, 4, 7, 0, tzinfo=UTC)  # due at night, and so put off until eight
LATER = ASKED + timedelta(hours=25)
NUMBER = "+34612345678"


@pytest.fixture
def desk(tmp_path: Path) -> FrontDesk:
    """Vera and Bo were treated on Monday, and on Wednesday at eight they are asked how it is."""
    desk = FrontDesk(tmp_path)
    desk.do("enrol", *VERA, *CARE, now=TREATED)
    desk.do("enrol", *BO, *CARE, now=TREATED)
    desk.send(ASKED)
    return desk


def writes(desk: FrontDesk, text: str, number: str = NUMBER, after: float = 1) -> None:
    """So many hours after the question; and it is decided what is done."""
    now = ASKED + timedelta(hours=after)
    house = bootstrap.open_house(bootstrap.load_settings(desk.config, {}))
    reply = Reply(f"SM{len(house.outbox.replies())}", number, "+34910000000", text)
    with house.outbox.transaction():
        house.outbox.keep_reply("file", reply, now)
    Replies(house.outbox, house.decide).apply(None, now)
    house.outbox.close()


def checks(desk: FrontDesk) -> dict[str, str]:
    """The check-in of each patient."""
    found = desk.json("reminder", "list")["reminders"]
    return {each["patient"]: each["id"] for each in found if each["milestone"] == "check-in"}


# The inbox --------------------------------------------------------------------------------------


def test_a_good_answer_is_in_nobodys_way_and_is_there_for_who_looks(desk: FrontDesk) -> None:
    writes(desk, "4, thank you")
    assert desk.json("inbox", "list")["replies"] == []
    (found,) = desk.json("inbox", "list", "--all")["replies"]
    assert (found["check_in"], found["answer"], found["decision"], found["waits"]) == (
        checks(desk)["pat-1"], "4", "answer", False,
    )  # fmt: skip
    assert "4 of 5" in desk.do("inbox", "list", "--all")
    assert "4, thank you" in desk.do("inbox", "show", "rep-1")


def explained(desk: FrontDesk, reply: str = "rep-1") -> list[str]:
    """What is said about it, once it was said to a person in the same words."""
    told: dict[str, Any] = desk.json("inbox", "explain", reply)
    printed = desk.do("inbox", "explain", reply)
    assert all(f"  {each}" in printed for each in told["why"])
    assert told["reply"]["text"] in printed
    why: list[str] = told["why"]
    return why


def test_why_names_the_number_the_question_and_that_nobody_has_to_read_it(
    desk: FrontDesk,
) -> None:
    writes(desk, "4")
    check = checks(desk)["pat-1"]
    assert explained(desk) == [
        "found: a number from 1 to 5: 4: an answer to a check-in",
        f"answers 4 of 5 to {check}, check-in of ses-1, asked 2026-03-04T08:00:00+01:00",
        "and it is a good answer, so nobody has to read it",
    ]
    question = desk.json("inbox", "explain", "rep-1")["question"]
    assert (question["reminder"], question["session"], question["answer"]) == (check, "ses-1", "4")


def test_why_names_rule_and_document_of_what_was_found_and_of_what_was_denied(
    desk: FrontDesk,
) -> None:
    writes(desk, "No tengo fiebre, pero me cuesta respirar")
    told = desk.json("inbox", "explain", "rep-1")
    found = next(each for each in told["found"] if each["rule"] == "breathing")
    (denied,) = told["denied"]
    assert (found["says"], found["source"], found["language"]) == ("trouble breathing", "S4", "es")
    assert (denied["rule"], denied["says"], denied["source"]) == ("fever", "fever", "S4")
    why = explained(desk)
    assert (
        "found: trouble breathing (rule breathing, from S4, in es): a red flag, as in an emergency"
    ) in why
    assert "denied: fever (rule fever, from S4, in es)" in why
    assert "so: a person has to act now" in why


def test_why_shows_the_words_on_consent_that_it_left_and_no_others(desk: FrontDesk) -> None:
    writes(desk, "STOP")
    writes(desk, "START", after=2)
    written = [each for each in explained(desk) if each.startswith("written down")]
    assert written == [
        "written down for pat-1: 2026-03-04T09:00:00+01:00  sms withdrawn of +34612345678 "
        "by the patient (text message): “STOP”"
    ]
    (said,) = desk.json("inbox", "explain", "rep-2")["consent"]
    assert (said["wish"], said["words"]) == ("granted", "START")


def test_why_says_who_has_to_see_to_it_and_who_has(desk: FrontDesk) -> None:
    writes(desk, "1")
    assert explained(desk)[-2:] == [
        "and it is a bad answer",
        "waits for a person: reminderd inbox done rep-1",
    ]
    desk.do("inbox", "done", "rep-1", "--by", "Ana", now=LATER)
    assert explained(desk)[-1] == "seen to by Ana 2026-03-05T09:00:00+01:00"


def test_what_belongs_to_nothing_says_why(desk: FrontDesk) -> None:
    writes(desk, "5", "+34612999999")
    assert (
        "belongs to no check-in: nobody with that number was asked anything in the 72 hours before"
    ) in explained(desk)


def test_what_others_wrote_down_about_it_is_told_too(desk: FrontDesk) -> None:
    writes(desk, "5")
    house = bootstrap.open_house(bootstrap.load_settings(desk.config, {}))
    with house.outbox.transaction():
        house.outbox.connection.execute(
            """UPDATE replies SET why = '{"answer": "none: a short code", "more": {"a": [1, 2]}}'"""
        )
    house.outbox.close()
    assert {"answer: none: a short code", "more: a 1, 2"} <= set(explained(desk))


def test_what_was_removed_says_so(desk: FrontDesk) -> None:
    writes(desk, "5")
    desk.do("patient", "erase", "pat-1", "--by", "Ana", "--yes", now=LATER)
    assert "decided: answer; why is no longer kept, nor are the words" in explained(desk)


# Silence ----------------------------------------------------------------------------------------


def test_who_has_said_nothing_for_a_day_is_counted_and_can_be_called(desk: FrontDesk) -> None:
    writes(desk, "5")
    assert desk.json("today", now=ASKED)["silent_check_ins"] == 0
    assert desk.json("today", now=LATER)["silent_check_ins"] == 1
    shown = desk.run("today", now=LATER)
    assert "1 check-in is without a reply for a day: reminderd inbox silent" in shown.stderr
    (silent,) = desk.json("inbox", "silent", now=LATER)["check_ins"]
    assert silent == {
        "reminder": checks(desk)["pat-2"], "patient": "pat-2", "session": "ses-2",
        "protocol": "mesotherapy", "milestone": "check-in",
        "asked_at": "2026-03-04T08:00:00+01:00", "name": "Bo", "phone": "+34612345000",
    }  # fmt: skip
    assert "+34612345000" in desk.do("inbox", "silent", now=LATER)
    assert "Nobody has left" in desk.run("inbox", "silent", now=ASKED).stderr


# Figures ----------------------------------------------------------------------------------------


def counts(desk: FrontDesk, *more: str, now: datetime = LATER) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = desk.json("report", *more, now=now)["check_ins"]
    return found


def test_the_report_counts_what_was_asked_and_what_came_back(desk: FrontDesk) -> None:
    writes(desk, "2")
    writes(desk, "4", after=2)
    writes(desk, "I have a fever", after=3)
    assert counts(desk) == [
        {
            "protocol": "mesotherapy", "asked": 2, "answered": 1, "good": 0, "bad": 1, "other": 0,
            "silent": 1, "open": 0, "red_flags": 1,
        }
    ]  # fmt: skip
    printed = desk.do("report", now=LATER)
    assert "mesotherapy\t2\t1\t0\t1\t0\t1\t0\t1" in printed


def test_what_is_no_answer_is_counted_apart_and_so_is_what_is_still_open(desk: FrontDesk) -> None:
    writes(desk, "may I shower?")
    (found,) = counts(desk, now=ASKED + timedelta(hours=2))
    assert (found["asked"], found["other"], found["open"], found["answered"]) == (2, 1, 1, 0)


def test_the_same_filters_hold_for_check_ins(desk: FrontDesk) -> None:
    writes(desk, "5")
    assert counts(desk, "--protocol", "mesotherapy-basic") == []
    assert counts(desk, "--from", "2026-03-05") == []
    assert counts(desk, "--until", "2026-03-03") == []
    assert len(counts(desk, "--from", "2026-03-04", "--until", "2026-03-05")) == 1
    assert "check_ins" not in desk.json("report", "--overdue", now=LATER)


# Beside the question ----------------------------------------------------------------------------


def test_a_check_in_that_is_explained_shows_its_replies(desk: FrontDesk) -> None:
    writes(desk, "2, it burns")
    writes(desk, "thanks", after=2)
    check = checks(desk)["pat-1"]
    found = desk.json("reminder", "explain", check, now=LATER)["replies"]
    assert [(each["id"], each["answer"]) for each in found] == [("rep-1", "2"), ("rep-2", None)]
    printed = desk.do("reminder", "explain", check, now=LATER)
    assert "2026-03-04T09:00:00+01:00 rep-1: 2 of 5: “2, it burns”" in printed
    assert "rep-2: unclear: “thanks”" in printed


def test_the_patients_picture_shows_replies_beside_what_was_asked(desk: FrontDesk) -> None:
    writes(desk, "4")
    writes(desk, "may I shower?", after=2)
    shown = desk.do("patient", "show", "pat-1", now=LATER)
    assert "↩ 09:00 rep-1: 4 of 5 to check-in" in shown
    assert "rep-2: unclear to check-in" in shown
    assert "↩ reply" in shown
    assert "shower?" not in shown
    found = desk.json("patient", "show", "pat-1", now=LATER)["replies"]
    assert [each["id"] for each in found] == ["rep-2", "rep-1"]
