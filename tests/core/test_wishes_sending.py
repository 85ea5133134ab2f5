"""Nothing leaves after a STOP, and each word about consent is in the ledger."""

from dataclasses import replace

import pytest

from reminderd.model import How, Message, Wish
from tests.core.build import state
from tests.core.desk import Desk, Post
from tests.core.wishing import (
    EMAIL,
    NUMBER,
    OTHER,
    SMS,
    staff_say,
    start,
    stop,
    wait,
    wishes,
)

MORNING, DUE = "2026-03-10 10:00", "2026-03-10 11:00"


pytestmark = pytest.mark.usefixtures("sound")


# Nothing leaves after it -------------------------------------------------------------------------


def test_a_stop_while_messages_are_on_their_way_stops_those_that_are_not_handed_over(
    desk: Desk,
) -> None:
    """The first is with the provider when the STOP of the second is committed."""
    desk.treat(desk.patient(channels="sms"), MORNING)
    desk.treat(desk.patient("Ana", channels="sms", phone=OTHER), MORNING)

    def meanwhile(_: Message) -> None:
        stop(desk, OTHER)

    desk.sms.script(meanwhile)
    desk.drain(DUE)
    assert [each.to for each in desk.sms.sent] == [NUMBER]
    assert [state(each) for each in desk.reminders()] == ["sent", "cancelled/opted-out"]


def test_so_does_an_objection_and_it_waits(desk: Desk) -> None:
    desk.treat(desk.patient(), MORNING)
    desk.treat(desk.patient("Ana", phone=OTHER), MORNING)

    def meanwhile(_: Message) -> None:
        wishes(desk).object_softly(OTHER, "please no more", desk.now, desk.now)

    desk.sms.script(meanwhile)
    desk.drain(DUE)
    assert [state(each) for each in desk.reminders()] == ["sent", "held/paused"]
    assert not desk.email.sent


@pytest.mark.parametrize("step", ["claim", "mark"])
def test_a_stop_that_is_committed_before_the_mark_stops_the_message(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """At the last moment: after everything else about the message was looked at."""
    desk.treat(desk.patient(channels="sms"), MORNING)
    letters = type(desk.dispatch().lanes["console"])
    after = "_carry" if step == "claim" else "_record"
    original = getattr(letters, after)

    def meanwhile(lane: object, *given: object) -> object:
        is_first = not any(each.wish is Wish.WITHDRAWN for each in desk.outbox.statements(1))
        if given[-1] and is_first:
            stop(desk)
        return original(lane, *given)

    monkeypatch.setattr(letters, after, meanwhile)
    desk.drain(DUE)
    assert desk.sms.asked == 0
    assert state(desk.the()) == "cancelled/opted-out"
    assert [each.outcome.value for each in desk.outbox.attempts(1)] == ["returned"]


def test_the_rest_of_a_group_leaves(desk: Desk) -> None:
    desk.sms = Post(concurrency=3)
    for number in range(6):
        desk.treat(desk.patient(channels="sms", phone=f"+3460000001{number}"), MORNING)

    def meanwhile(_: Message) -> None:
        stop(desk, "+34600000014")

    desk.sms.script(meanwhile)
    desk.drain(DUE)
    assert sorted(each.to[-1] for each in desk.sms.sent) == ["0", "1", "2", "3", "5"]


# The ledger --------------------------------------------------------------------------------------


def test_everything_that_changes_consent_is_in_the_ledger(desk: Desk) -> None:
    patient = desk.patient()
    staff_say(desk, granted=False, channel=EMAIL)
    stop(desk)
    start(desk)
    told = [
        (each.wish.value, each.channel, each.address, each.how, each.by, each.words)
        for each in desk.outbox.statements(patient.id or 0)
    ]
    staff = desk.intake.by
    assert told == [
        ("granted", SMS, NUMBER, How.ENROLMENT, staff, None),
        ("granted", EMAIL, "vera@example.org", How.ENROLMENT, staff, None),
        ("withdrawn", EMAIL, "vera@example.org", How.STAFF, staff, None),
        ("withdrawn", SMS, NUMBER, How.REPLY, "patient", "STOP"),
        ("granted", SMS, NUMBER, How.REPLY, "patient", "START"),
    ]


def test_an_edit_that_is_about_something_else_says_nothing_of_consent(desk: Desk) -> None:
    desk.patient()
    desk.intake.edit_patient("pat-1", lambda each: replace(each, language="es"), wait(desk))
    assert len(desk.outbox.statements(1)) == 2
