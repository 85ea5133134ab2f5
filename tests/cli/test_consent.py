"""What staff see of what patients said about being written to, and what they decide."""

from datetime import timedelta
from pathlib import Path

import pytest

from reminderd import bootstrap
from reminderd.wishes import Wishes
from tests.cli.front_desk import CARE, NOW, VERA, FrontDesk

NUMBER = "+34612345678"
LATER = NOW + timedelta(hours=1)


@pytest.fixture
def desk(tmp_path: Path) -> FrontDesk:
    desk = FrontDesk(tmp_path)
    desk.do("enrol", *VERA, *CARE, "--at", "2026-03-27 09:30")
    return desk


def hears(desk: FrontDesk, what: str, words: str) -> None:
    house = bootstrap.open_house(bootstrap.load_settings(desk.config, {}))
    getattr(Wishes(house.outbox, house.practice), what)(NUMBER, words, LATER, LATER)
    house.outbox.close()


def test_all_that_was_said_is_shown_with_number_words_and_who(desk: FrontDesk) -> None:
    hears(desk, "withdraw_number", "STOP")
    desk.do(
        "patient", "consent", "A-1", "--channels", "email", "--withdraw", "--source", "phone call",
        now=LATER,
    )  # fmt: skip
    said = [line for line in desk.do("patient", "show", "A-1").splitlines() if "said" in line[:5]]
    assert said[0].endswith(f"10:00:00+01:00  sms granted of {NUMBER} at enrolment (enrol)")
    assert said[2].endswith(f"sms withdrawn of {NUMBER} by the patient (text message): “STOP”")
    assert said[3].startswith("said      2026-03-27T11:00:00+01:00  email withdrawn of vera@")
    assert said[3].endswith(", phone call)")


def test_what_somebody_wrote_cannot_command_a_terminal(desk: FrontDesk) -> None:
    hears(desk, "object_softly", "no\x1b[2Jmore\nof it")
    assert "“no [2Jmore of it”" in desk.do("patient", "show", "A-1")


def test_scripts_get_it_and_so_does_whoever_asks_what_is_kept(desk: FrontDesk) -> None:
    hears(desk, "withdraw_number", "STOP")
    shown = desk.json("patient", "show", "A-1")["consent_history"]
    assert shown[-1] == {
        "at": "2026-03-27T11:00:00+01:00",
        "channel": "sms",
        "wish": "withdrawn",
        "address": NUMBER,
        "how": "reply",
        "by": "patient",
        "source": "text message",
        "words": "STOP",
        "recorded_at": "2026-03-27T11:00:00+01:00",
    }
    assert desk.json("patient", "export", "A-1")["consent_history"] == shown


def objections(desk: FrontDesk) -> list[str]:
    waiting = desk.json("status", now=LATER)["staff"]
    return [each["patient"] for each in waiting if each["what"] == "objection"]


def test_an_objection_is_on_the_staffs_list_without_its_words_until_it_is_decided(
    desk: FrontDesk,
) -> None:
    hears(desk, "object_softly", "leave me alone")
    assert objections(desk) == ["pat-1"]
    assert "leave me alone" not in desk.do("status", now=LATER)
    assert "leave me alone" in desk.do("patient", "show", "pat-1")
    desk.do("patient", "resume", "pat-1", now=LATER)
    assert objections(desk) == []
    desk.do("patient", "pause", "pat-1", now=LATER)
    assert objections(desk) == []


def test_it_is_decided_once_no_channel_is_left(desk: FrontDesk) -> None:
    hears(desk, "object_softly", "leave me alone")
    withdraw = ("patient", "consent", "pat-1", "--withdraw", "--source", "text message")
    desk.do(*withdraw, "--channels", "sms", now=LATER)
    assert objections(desk) == ["pat-1"]
    desk.do(*withdraw, "--channels", "email", now=LATER)
    assert objections(desk) == []


def test_who_grants_it_at_the_desk_after_a_stop_is_told_what_is_still_missing(
    desk: FrontDesk,
) -> None:
    grant = ("patient", "consent", "pat-1", "--grant", "--source", "form", "--channels")
    assert "START" not in desk.run(*grant, "sms", now=LATER).stderr
    hears(desk, "withdraw_number", "STOP")
    assert "START" not in desk.run(*grant, "email", now=LATER).stderr
    assert f"blocking {NUMBER} until START" in desk.run(*grant, "sms", now=LATER).stderr


def test_whose_number_it_is_too_and_whom_a_stop_has_stopped_is_shown(desk: FrontDesk) -> None:
    bruno = ("--given-name", "Bruno", "--phone", NUMBER, "--consent", "sms")
    desk.do("enrol", *bruno, *CARE, "--at", "2026-03-27 09:30")
    assert desk.json("patient", "show", "pat-1")["same_phone"] == ["pat-2"]
    hears(desk, "withdraw_number", "STOP")
    shown = desk.do("patient", "show", "pat-1")
    assert "shared    the phone, with pat-2 Bruno: STOP and START from it count" in shown
    told = desk.json("patient", "list")["patients"]
    assert [each["consent"]["sms"]["state"] for each in told] == ["withdrawn"] * 2
    desk.do("patient", "edit", "pat-2", "--phone", "+34 600 000 077", now=LATER)
    assert "shared" not in desk.do("patient", "show", "pat-1")
