"""STOP, START and other words: whom they stop, what they open, and which word counts."""

from dataclasses import replace
from datetime import timedelta
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from reminderd.audit import Action
from reminderd.consents import last_word
from reminderd.errors import OptedOut
from reminderd.model import Patient, Wish
from tests.core.build import state
from tests.core.desk import NOTE, Desk, rule
from tests.core.wishing import (
    EMAIL,
    NUMBER,
    OTHER,
    SMS,
    agrees,
    staff_say,
    start,
    stop,
    wait,
    wishes,
)

MORNING, DUE = "2026-03-10 10:00", "2026-03-10 11:00"


pytestmark = pytest.mark.usefixtures("sound")


# STOP --------------------------------------------------------------------------------------------


def test_a_stop_takes_everybody_with_that_number_off_at_once(desk: Desk) -> None:
    for name in ("Vera", "Ana"):
        desk.treat(desk.patient(name, channels="sms"), MORNING)
    desk.treat(desk.patient("Bo", channels="sms", phone=OTHER), MORNING)
    assert stop(desk) == [1, 2]
    assert [agrees(desk, each) for each in (1, 2, 3)] == [False, False, True]
    assert [state(each) for each in desk.reminders()] == [
        "cancelled/opted-out", "cancelled/opted-out", "scheduled",
    ]  # fmt: skip
    desk.drain(DUE)
    assert [each.to for each in desk.sms.sent] == [OTHER]


def test_after_a_stop_mail_carries_what_it_may(desk: Desk) -> None:
    desk.protocol(NOTE, rule("text-only", after="1h", channels=["sms"]))
    desk.treat(desk.patient(), MORNING)
    stop(desk)
    assert desk.states() == {"note": "scheduled", "text-only": "cancelled/opted-out"}
    desk.drain(DUE)
    assert (len(desk.sms.sent), len(desk.email.sent)) == (0, 1)


def test_what_was_opted_out_stays_so_through_every_new_plan(desk: Desk) -> None:
    desk.treat(desk.patient(channels="sms"), MORNING)
    stop(desk)
    before = desk.the()
    assert desk.intake.plan_all_again(wait(desk)) == 0
    staff_say(desk, granted=False)
    assert desk.the() == before


def test_what_waits_for_a_person_is_opted_out_too(desk: Desk) -> None:
    desk.book(desk.patient(channels="sms"), "2026-03-11 10:00")
    assert state(desk.the()) == "held/unconfirmed"
    stop(desk)
    assert state(desk.the()) == "cancelled/opted-out"


def test_whoever_never_agreed_is_not_in_the_ledger_for_it(desk: Desk) -> None:
    desk.patient(consent="email")
    assert stop(desk) == []
    assert start(desk) == []
    assert not agrees(desk)


def test_a_stop_from_a_number_that_nobody_has_harms_nothing(desk: Desk) -> None:
    desk.patient()
    assert stop(desk, "+34999999999") == []
    assert agrees(desk)


def test_each_is_in_the_audit_trail_as_the_patients_own_word_without_words(desk: Desk) -> None:
    for name in ("Vera", "Ana"):
        desk.patient(name)
    stop(desk)
    done = [each.entry for each in desk.outbox.trail() if each.entry.action == Action.CONSENT]
    assert [(each.by, each.what, each.after) for each in done] == [
        ("patient", f"pat-{n}", {"consent": {"sms": "withdrawn", "email": "granted"}})
        for n in (1, 2)
    ]


def test_who_gets_the_number_of_a_stop_is_stopped_by_it_unless_they_agreed_later(
    desk: Desk,
) -> None:
    desk.patient()
    older = desk.patient("Ana", phone=OTHER)
    wait(desk)
    stop(desk)
    wait(desk)

    def moves_in(patient: Patient) -> Patient:
        return replace(patient, phone=NUMBER)

    desk.intake.edit_patient(f"pat-{older.id}", moves_in, desk.now)
    assert not agrees(desk, 2)
    desk.patient("Bo", phone=OTHER, email="bo@example.org")
    desk.intake.record_consent("pat-3", [SMS], granted=True, source="form", now=desk.now)
    desk.intake.edit_patient("pat-3", moves_in, desk.now)
    assert agrees(desk, 3)
    assert start(desk) == [1, 2]


# START -------------------------------------------------------------------------------------------


def test_a_start_opens_what_the_same_number_closed_and_plans_what_is_still_valid(
    desk: Desk,
) -> None:
    desk.protocol(NOTE, rule("soon-over", after="1h", expires="10m"))
    for name in ("Vera", "Ana"):
        desk.treat(desk.patient(name, channels="sms"), MORNING)
    stop(desk)
    wait(desk, 80)
    assert start(desk) == [1, 2]
    assert {state(each) for each in desk.reminders() if each.milestone == "note"} == {"scheduled"}
    assert {state(each) for each in desk.reminders() if each.milestone == "soon-over"} == {
        "cancelled/opted-out"
    }
    desk.drain()
    assert len(desk.sms.sent) == 2


def test_a_start_opens_nothing_that_staff_had_closed(desk: Desk) -> None:
    desk.patient()
    staff_say(desk, granted=False)
    wait(desk)
    assert stop(desk) == []
    wait(desk)
    assert start(desk) == []
    assert not agrees(desk)


def test_a_start_opens_nothing_that_staff_closed_once_more_after_the_stop(desk: Desk) -> None:
    desk.patient()
    stop(desk)
    wait(desk)
    staff_say(desk, granted=False)
    wait(desk)
    assert start(desk) == []


def test_another_number_opens_nothing_also_where_it_is_the_patients_by_now(desk: Desk) -> None:
    desk.patient()
    stop(desk)
    desk.intake.edit_patient("pat-1", lambda each: replace(each, phone=OTHER), wait(desk))
    assert start(desk, OTHER) == []
    assert start(desk, NUMBER) == []
    assert not agrees(desk)


def test_a_start_opens_what_the_provider_told_that_the_number_had_closed(desk: Desk) -> None:
    desk.treat(desk.patient(), MORNING)
    desk.sms.script(OptedOut("no", code="21610"))
    desk.drain(DUE)
    assert not agrees(desk)
    wait(desk)
    assert start(desk) == [1]


def test_a_start_does_not_touch_mail(desk: Desk) -> None:
    desk.patient()
    staff_say(desk, granted=False, channel=EMAIL)
    stop(desk)
    start(desk)
    assert (agrees(desk), agrees(desk, channel=EMAIL)) == (True, False)


def test_a_start_does_not_let_go_on_what_staff_have_paused(desk: Desk) -> None:
    desk.treat(desk.patient(channels="sms"), MORNING)
    desk.intake.pause("pat-1", desk.now, paused=True)
    stop(desk)
    start(desk)
    assert state(desk.the()) == "held/paused"


# Which word counts: the latest that was said, whenever it arrives ------------------------------


@pytest.mark.parametrize(
    ("said", "agreed"),
    [
        # Each word, the minute at which it was said, and that at which it arrived.
        ("stop 5 5", False),
        ("stop 5 5, start 7 7", True),
        ("stop 5 5, start 7 7, stop 9 9", False),
        ("stop 5 20", False),  # late, and nothing newer was said
        ("grant 10 10, stop 5 20", True),  # late: a newer grant stands
        ("grant 10 10, stop 15 20", False),
        ("stop 10 10, start 5 20", False),  # START was said before
        ("stop 5 5, stop 10 10, start 7 20", False),  # it opened the first one only
        ("stop 5 5, start 7 20", True),
        ("stop 5 5, start 10 10, stop 7 20", True),  # STOP was said before the START
        ("stop 5 5, stop 4 6, start 7 7", True),  # an older one came second
        ("stop 5 5, grant 10 10", True),
        ("stop 5 5, grant 10 10, start 11 11", True),
        ("stop 5 5, grant 10 10, withdraw 12 12, start 15 15", False),  # staff closed it
        ("withdraw 5 5, stop 7 7, start 9 9", False),
        ("withdraw 5 5, grant 7 7, stop 9 9, start 11 11", True),
        ("start 5 5", True),
        ("withdraw 5 5, start 7 7", False),
        ("start 10 10, stop 5 20", True),  # STOP was said before the START
        ("withdraw 5 5, start 10 10, stop 7 20", False),
    ],
)
def test_the_latest_word_that_was_said_counts(desk: Desk, said: str, agreed: bool) -> None:
    desk.patient()
    began = desk.now
    for word in said.split(", "):
        what, at, arrives = word.split()
        desk.clock.move_to(began + timedelta(minutes=int(arrives)))
        said_at = began + timedelta(minutes=int(at))
        match what:
            case "stop":
                stop(desk, said_at=said_at)
            case "start":
                start(desk, said_at=said_at)
            case _:
                staff_say(desk, granted=what == "grant")
    assert agrees(desk) is agreed


class Spoken(NamedTuple):
    what: str
    at: int
    arrives: int


WORDS = st.builds(
    lambda what, at, late: Spoken(what, at, at + (late if what in ("stop", "start") else 0)),
    st.sampled_from(["stop", "start", "grant", "withdraw"]),
    st.integers(1, 60),
    st.integers(0, 60),
)


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(WORDS, max_size=8, unique_by=lambda each: each.at))
def test_no_order_of_words_and_arrivals_lets_us_write_after_the_last_stop(
    desk: Desk, spoken: list[Spoken]
) -> None:
    began, who = desk.now, desk.patient(phone=f"+3461{len(desk.outbox.patients()):07d}")
    name = f"pat-{who.id}"
    for each in sorted(spoken, key=lambda each: each.arrives):
        desk.clock.move_to(began + timedelta(minutes=each.arrives))
        said_at = began + timedelta(minutes=each.at)
        assert who.phone is not None
        if each.what == "stop":
            stop(desk, who.phone, said_at)
        elif each.what == "start":
            start(desk, who.phone, said_at)
        else:
            granted = each.what == "grant"
            desk.intake.record_consent(name, [SMS], granted=granted, source="form", now=desk.now)
    newest = {each.what: each.at for each in sorted(spoken, key=lambda each: each.at)}
    granted_at = newest.get("grant", 0)
    if agrees(desk, who.id or 0):
        assert max(granted_at, newest.get("start", 0)) > newest.get("stop", -1)
        assert granted_at >= newest.get("withdraw", -1)
    elif "withdraw" not in newest:
        assert newest["stop"] > max(granted_at, newest.get("start", 0))
    history = desk.outbox.statements(who.id or 0)
    last, present = last_word(history, SMS), desk.intake.patient(name).consent[SMS]
    assert last is not None
    assert (last.wish is Wish.GRANTED, last.at) == (present.granted, present.at)


def test_a_stop_in_the_second_of_the_grant_is_not_older_than_it(desk: Desk) -> None:
    """Providers tell whole seconds."""
    desk.clock.move(timedelta(milliseconds=900))
    desk.patient()
    staff_say(desk, granted=True)
    stop(desk, said_at=desk.now.replace(microsecond=0))
    assert not agrees(desk)


def test_a_stop_does_not_lose_to_a_grant_by_a_clock_that_was_wrong(desk: Desk) -> None:
    desk.patient()
    right = desk.now
    desk.clock.move(timedelta(days=400))
    staff_say(desk, granted=True)
    desk.clock.move_to(right)
    stop(desk)
    assert not agrees(desk)
    staff_say(desk, granted=True)
    assert agrees(desk)


def test_a_late_stop_is_in_the_ledger_all_the_same(desk: Desk) -> None:
    desk.patient()
    said_at = desk.now + timedelta(minutes=5)
    wait(desk)
    staff_say(desk, granted=True)
    wait(desk)
    stop(desk, said_at=said_at)
    last = desk.outbox.statements(1)[-1]
    assert (last.wish, last.at, last.recorded_at) == (Wish.WITHDRAWN, said_at, desk.now)


# Other words -------------------------------------------------------------------------------------


def test_an_objection_in_other_words_holds_all_channels_of_everybody_with_the_number(
    desk: Desk,
) -> None:
    desk.protocol(NOTE, rule("mail", after="1h", channels=["email"]))
    for name in ("Vera", "Ana"):
        desk.treat(desk.patient(name), MORNING)
    made = wishes(desk).object_softly(NUMBER, "no more of these", desk.now, desk.now)
    assert [each.chart.patient.id for each in made] == [1, 2]
    assert {state(each) for each in desk.reminders()} == {"held/paused"}
    assert (agrees(desk), agrees(desk, channel=EMAIL)) == (True, True)
    assert desk.outbox.statements(2)[-1].words == "no more of these"
    objected = [e.entry for e in desk.outbox.trail() if e.entry.action == Action.OBJECTED]
    assert [each.what for each in objected] == ["pat-1", "pat-2"]
    assert "no more" not in str(desk.outbox.trail())


def test_staff_decide_about_it_by_letting_it_go_on(desk: Desk) -> None:
    desk.treat(desk.patient(), MORNING)
    wishes(desk).object_softly(NUMBER, "no more", desk.now, desk.now)
    assert desk.intake.pause("pat-1", wait(desk), paused=False).chart.patient.paused is False
    assert state(desk.the()) == "scheduled"
    assert desk.outbox.statements(1)[-1].wish is Wish.SETTLED
