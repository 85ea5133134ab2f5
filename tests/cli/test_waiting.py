"""What keeps a message from leaving is told: to the staff, and of the one reminder."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest

from reminderd import bootstrap, stopped_texts
from reminderd.bootstrap import House
from reminderd.engines.embedded.outbox import EmbeddedOutbox
from reminderd.model import Channel
from reminderd.resting import Rest, rest
from reminderd.units_of_work import Worker
from tests.cli.desk import Clinic


@pytest.fixture
def house(clinic: Clinic) -> Iterator[House]:
    opened = bootstrap.open_house(bootstrap.load_settings(clinic.config, {}))
    yield opened
    opened.outbox.close()


def rests(house: House, now: datetime, *, needs_staff: bool) -> None:
    with house.outbox.transaction():
        rest(house.outbox, Rest("file", now + timedelta(minutes=5), "who are you", needs_staff))


def test_a_transport_that_only_a_person_can_mend_is_on_the_staffs_list(
    clinic: Clinic, house: House
) -> None:
    rests(house, clinic.clock.now(), needs_staff=True)
    for command in ("status", "today"):
        (item,) = clinic.data(command)["staff"]
        assert (item["what"], item["id"]) == ("transport", "file")
        assert item["why"] == "nothing leaves by it: who are you"
        assert item["do"].endswith("reminderd transport test file")


def test_one_that_goes_on_by_itself_is_not(clinic: Clinic, house: House) -> None:
    rests(house, clinic.clock.now(), needs_staff=False)
    assert clinic.data("status")["staff"] == []


def test_status_tells_who_sends_together_and_who_of_them_sends_nothing(
    clinic: Clinic, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert clinic.data("status")["workers"] == []
    assert "workers" not in clinic.says("status")
    since, ago = clinic.clock.now(), timedelta(seconds=2)
    workers = [Worker(1, "alba-1", since, ago), Worker(2, "alba-2", since, ago, "its clock is off")]
    monkeypatch.setattr(EmbeddedOutbox, "workers", lambda _: workers)
    assert clinic.data("status")["workers"] == [
        {"worker": "alba-1", "why": ""},
        {"worker": "alba-2", "why": "its clock is off"},
    ]
    assert "workers     alba-1, alba-2 (its clock is off)\n" in clinic.says("status")


def explained(clinic: Clinic) -> list[str]:
    """Of the first reminder, half an hour after its instant."""
    clinic.enrols()
    (first, *_) = clinic.data("reminder", "list")["reminders"]
    return why(clinic, first)


def why(clinic: Clinic, reminder: dict[str, str]) -> list[str]:
    """Its explanation, sentence by sentence."""
    sentences: list[str] = clinic.data("reminder", "explain", reminder["id"])["why"]
    return sentences


def test_a_reminder_says_until_when_its_transport_rests(clinic: Clinic, house: House) -> None:
    rests(house, clinic.clock.now(), needs_staff=False)
    assert "file rests until 10:05: who are you" in explained(clinic)


def test_a_rest_that_is_over_in_time_is_not_told(clinic: Clinic, house: House) -> None:
    rests(house, clinic.clock.now(), needs_staff=False)
    clinic.enrols("2026-03-28T10:30")
    (_, first, *_) = clinic.data("reminder", "list")["reminders"]
    assert not any("rests" in each for each in why(clinic, first))


def test_a_reminder_says_that_its_text_was_refused(clinic: Clinic, house: House) -> None:
    clinic.enrols()
    (first, *_) = clinic.data("reminder", "list", "--state", "scheduled")["reminders"]
    texts, now = house.practice.texts, clinic.clock.now()
    template = house.intake.reminder(first["id"]).template
    with house.outbox.transaction():
        stopped_texts.stop(house.outbox, texts, [template], Channel.SMS, "file: 30007", now)
    assert "its text waits, refused by file: 30007" in why(clinic, first)
