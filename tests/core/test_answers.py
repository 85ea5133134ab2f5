"""What becomes of a message by what its provider answers."""

from datetime import timedelta

import pytest

from reminderd.cli import changes
from reminderd.errors import (
    AtCapacity,
    InDoubt,
    OptedOut,
    Rejected,
    Temporary,
    TransportError,
    WrongAddress,
)
from reminderd.model import Channel, Message, Resolution
from reminderd.staff import items
from tests.core.build import local, state
from tests.core.desk import NOTE, Desk, rule

MORNING, DUE = "2026-03-10 10:00", "2026-03-10 11:00"


# Temporary ----------------------------------------------------------------------------------------


def test_a_temporary_error_is_tried_again_after_pauses_that_grow_until_it_is_accepted(
    desk: Desk,
) -> None:
    desk.treat(desk.patient(), MORNING)
    desk.sms.script(*(Temporary("not now") for _ in range(3)))
    desk.drain(DUE)
    pauses = []
    while state(desk.the()) == "scheduled":
        wake_at = desk.dispatch().next_wake_at(desk.now)
        assert wake_at is not None
        pauses.append((wake_at - desk.now).total_seconds())
        desk.drain(wake_at)
    assert pauses == [30, 60, 120]
    assert (state(desk.the()), desk.the().attempts) == ("sent", 4)
    assert desk.outcomes() == ["temporary"] * 3 + ["accepted"]


def test_what_never_gets_through_expires_as_late_and_is_not_tried_after_that(desk: Desk) -> None:
    desk.protocol(rule("note", after="1h", expires="8h"))
    desk.treat(desk.patient(), MORNING)
    desk.sms.script(*(Temporary("not now") for _ in range(100)))
    desk.drain(DUE)
    expires_at = desk.the().expires_at
    while (wake_at := desk.dispatch().next_wake_at(desk.now)) is not None:
        assert desk.now < expires_at
        desk.drain(wake_at)
    assert state(desk.the()) == "expired/late"
    assert desk.email.asked == 0


def test_the_night_counts_for_a_new_try_too(desk: Desk) -> None:
    desk.protocol(rule("note", after="10h", expires="20h"))
    desk.treat(desk.patient(), MORNING)
    desk.sms.script(Temporary("not now", retry_after=timedelta(hours=2)))
    desk.drain("2026-03-10 20:00")
    desk.drain("2026-03-10 22:00")
    assert local(desk.the().wake_at) == "2026-03-11 08:00"
    desk.drain("2026-03-11 08:00")
    assert state(desk.the()) == "sent"


def test_the_providers_own_wish_is_the_least_pause(desk: Desk) -> None:
    desk.treat(desk.patient(), MORNING)
    desk.sms.script(Temporary("slow down", retry_after=timedelta(minutes=7)))
    desk.drain(DUE)
    assert desk.dispatch().next_wake_at(desk.now) == desk.now + timedelta(minutes=7)
    desk.later(minutes=6, seconds=59)
    assert desk.sms.asked == 1
    desk.later(seconds=1)
    assert state(desk.the()) == "sent"


# The address, or the person -----------------------------------------------------------------------

REFUSALS = pytest.mark.parametrize("error", [WrongAddress, OptedOut])


@REFUSALS
def test_what_the_phone_cannot_get_goes_by_mail_at_once(
    desk: Desk, error: type[TransportError]
) -> None:
    desk.treat(desk.patient(), MORNING)
    desk.sms.script(error("no", code="30005"))
    desk.drain(DUE)
    assert (state(desk.the()), desk.the().channel, desk.the().attempts) == ("sent", "email", 2)
    assert [each.to for each in desk.email.sent] == ["vera@example.org"]
    assert [(each.channel, each.code) for each in desk.outbox.attempts(1)] == [
        ("sms", "30005"),
        ("email", None),
    ]
    patient = desk.intake.patient("pat-1")
    if error is WrongAddress:
        assert patient.bad_addresses == {Channel.SMS}
        assert patient.consents(Channel.SMS)
    else:
        assert patient.consent[Channel.SMS].source == "console 30005"
        assert not patient.consents(Channel.SMS)
        assert not patient.bad_addresses


@REFUSALS
def test_where_there_is_no_other_way_it_has_failed_and_staff_see_it(
    desk: Desk, error: type[TransportError]
) -> None:
    desk.protocol(NOTE, rule("later", after="3h"))
    desk.treat(desk.patient(channels="sms"), MORNING)
    desk.sms.script(error("no"))
    desk.drain(DUE)
    assert state(desk.the()) == "failed/rejected"
    assert (desk.the().channel, desk.the().wake_at) == ("sms", None)
    assert [each.milestone for each in desk.reminders(needs_staff=True)] == ["note"]
    assert state(desk.the("later")) in ("skipped/no-address", "skipped/no-consent")


@REFUSALS
def test_a_milestone_for_texts_alone_does_not_go_by_mail(
    desk: Desk, error: type[TransportError]
) -> None:
    desk.protocol(rule("note", after="1h", channels=["sms"]))
    desk.treat(desk.patient(), MORNING)
    desk.sms.script(error("no"))
    desk.drain(DUE)
    assert (state(desk.the()), desk.email.asked) == ("failed/rejected", 0)


@REFUSALS
def test_there_is_no_second_way_once_it_is_too_late(
    desk: Desk, error: type[TransportError]
) -> None:
    desk.treat(desk.patient(), MORNING)

    def slow(_: Message) -> None:
        desk.clock.move(timedelta(hours=13))
        raise error("no")

    desk.sms.script(slow)
    desk.drain(DUE)
    assert (state(desk.the()), desk.email.asked) == ("expired/late", 0)


# The text, and doubt ------------------------------------------------------------------------------


def test_a_refused_message_has_failed_and_is_not_sent_another_way(desk: Desk) -> None:
    desk.treat(desk.patient(), MORNING)
    desk.sms.script(Rejected("no such route", code="21612"))
    desk.drain(DUE)
    desk.later(hours=1)
    assert (state(desk.the()), desk.email.asked, desk.sms.asked) == ("failed/rejected", 0, 1)
    assert len(desk.reminders(needs_staff=True)) == 1


@pytest.mark.parametrize("error", [InDoubt("timeout"), ValueError("boom"), TransportError("?")])
def test_what_may_have_been_accepted_is_unknown_and_never_sent_again_by_itself(
    desk: Desk, error: Exception
) -> None:
    vera = desk.patient()
    desk.treat(vera, MORNING)
    desk.sms.script(error)
    desk.drain(DUE)
    desk.later(hours=1)
    desk.intake.pause(f"pat-{vera.id}", desk.now, paused=False)
    desk.later(days=2)
    assert (state(desk.the()), desk.sms.asked, desk.email.asked) == ("unknown", 1, 0)
    assert desk.outcomes() == ["in-doubt"]
    assert len(desk.reminders(needs_staff=True)) == 1


# What is told -------------------------------------------------------------------------------------


@pytest.mark.parametrize(("code", "named"), [("99999", "99999"), (None, "no code")])
def test_staff_are_told_to_look_up_what_nobody_knows(
    desk: Desk, code: str | None, named: str
) -> None:
    desk.treat(desk.patient(), MORNING)
    desk.sms.script(Rejected("?", code=code))
    desk.drain(DUE)
    (item,) = items.waiting(desk.house, desk.now)
    assert item["why"] == f"note: refused ({named}): look it up before trying again"


def test_want_of_room_is_no_refusal(desk: Desk) -> None:
    desk.treat(desk.patient(), MORNING)
    desk.sms.script(AtCapacity("no room: too many requests at once", code="20429"))
    desk.drain(DUE)
    assert desk.outcomes() == ["temporary"]


def test_what_a_person_says_was_sent_is_not_told_as_left_out(desk: Desk) -> None:
    patient_id = desk.treat(desk.patient(), MORNING).patient_id
    desk.sms.script(InDoubt("timed out"))
    desk.drain(DUE)
    before = desk.intake.chart(patient_id).reminders
    change = desk.intake.resolve_reminder("rem-1", Resolution.SENT, "Ana", desk.now)
    ((what, _, _, after, _),) = changes.rows(before, change)
    assert (what, after) == ("sent", "sent")
