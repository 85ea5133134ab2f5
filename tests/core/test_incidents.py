"""A red flag: a person has to act, and until then nothing is said that would reassure."""

from dataclasses import replace
from datetime import timedelta

import pytest

from reminderd.errors import NotFound, Refused
from reminderd.incoming import Replies
from reminderd.interfaces import Reply
from reminderd.model import Message, Severity
from reminderd.outbox_values import Incident
from reminderd.staff import items
from reminderd.words import Aftermath
from tests.core.build import at, state
from tests.core.desk import Desk, patient, rule

MORNING, DUE = "2026-03-10 10:00", "2026-03-10 11:00"
VERA, ANA, STRANGER = "+34600000001", "+34600000002", "+34600000009"
FEVER, BREATH = "I have a fever", "I cannot breathe"
EVERY_KIND = (
    rule("no-heat", "restriction", after="1h", holds="24h", quiet="ignore"),
    rule("heat", "release", after="24h", topics=["heat"]),
    rule("massage", "routine", after="2h"),
    rule("ice", after="1h"),
    rule("well", "check", after="2h"),
    rule("next", "course", lead="-2d", at="12:00"),
)
COURSE = '[course]\nintervals = ["7d"]\n'

pytestmark = pytest.mark.usefixtures("sound")


@pytest.fixture
def treated(desk: Desk) -> Desk:
    desk.treat(desk.patient(), MORNING)
    return desk


def writes(desk: Desk, text: str, sender: str = VERA) -> None:
    """It comes in, and a minute goes by."""
    with desk.outbox.transaction():
        sid = f"SM{len(desk.outbox.replies())}"
        desk.outbox.keep_reply("console", Reply(sid, sender, "+34600000000", text), desk.now)
    Replies(desk.outbox, desk.house.decide).apply(None, desk.now)
    desk.clock.move(timedelta(minutes=1))


def the_incident(desk: Desk) -> Incident:
    (one,) = desk.outbox.incidents(open_only=True)
    return one


def takes_it_on(desk: Desk, who: str) -> None:
    desk.house.incidents.acknowledge("inc-1", who, desk.now)
    desk.clock.move(timedelta(minutes=1))


def close(desk: Desk, texts: str = "resume", name: str = "inc-1") -> None:
    desk.house.incidents.close(name, "Seen.", Aftermath(texts), "Dr. Alba", desk.now)


def told(desk: Desk) -> list[str]:
    """What was done about incidents, by the trail."""
    trail = (each.entry for each in desk.outbox.trail())
    return [each.action for each in trail if each.what.startswith("inc-")]


# It is opened ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "severity"), [(FEVER, Severity.URGENT), (BREATH, Severity.EMERGENCY)]
)
def test_a_red_flag_opens_an_incident_and_the_reply_says_which(
    treated: Desk, text: str, severity: Severity
) -> None:
    came_at = treated.now
    writes(treated, text)
    assert the_incident(treated) == Incident(
        1, severity, VERA, (1,), (1,), came_at, came_at, sessions=(1,)
    )
    (reply,) = treated.outbox.replies()
    assert reply.decision is not None
    assert reply.decision.why["incident"] == "inc-1"
    assert told(treated) == ["incident-opened"]


def test_what_comes_while_it_is_open_says_so_and_is_for_a_person(treated: Desk) -> None:
    writes(treated, FEVER)
    for text in ("all good", "4", "can I come?"):
        writes(treated, text)
        decision = treated.outbox.replies()[0].decision
        assert decision is not None
        assert (decision.why["incident"], decision.for_staff) == ("inc-1", True)
    assert the_incident(treated).replies == (1,)


@pytest.mark.parametrize("text", ["no fever, all good", "is Tuesday possible?", "STOP", "4"])
def test_nothing_else_does(treated: Desk, text: str) -> None:
    writes(treated, text)
    assert treated.outbox.incidents(open_only=False) == []
    assert state(treated.the()) in ("scheduled", "cancelled/opted-out")


def test_of_a_number_that_nobody_has_too(desk: Desk) -> None:
    writes(desk, BREATH, STRANGER)
    one = the_incident(desk)
    assert (one.number, one.patients, one.sessions) == (STRANGER, (), ())
    (item,) = items.waiting(desk.house, desk.now)
    assert item == {
        "what": "incident", "id": "inc-1", "patient": None,
        "why": "emergency from an unknown number since 2026-03-10 10:00: nobody has taken it on",
        "do": "reminderd incident show inc-1, then incident ack inc-1",
    }  # fmt: skip


def test_of_somebody_whose_clinic_is_no_longer_configured_too(desk: Desk) -> None:
    with desk.outbox.transaction():
        number, _ = desk.outbox.reserve_ids(1, 0)
        gone = replace(patient("Vera"), id=number, clinic="gone")
        desk.outbox.add_patients([gone], desk.now)
    writes(desk, BREATH)
    assert the_incident(desk).patients == (1,)
    close(desk)


def test_the_trail_says_neither_how_serious_it_is_nor_what_was_found(treated: Desk) -> None:
    writes(treated, FEVER)
    takes_it_on(treated, "Bo Tarn")
    close(treated)
    entries = [each.entry for each in treated.outbox.trail() if each.entry.what == "inc-1"]
    assert [(each.action, each.by, each.patient, each.after) for each in entries] == [
        ("incident-opened", "reminderd", 1, {}),
        ("incident-acknowledged", "Bo Tarn", 1, {}),
        ("incident-closed", "Dr. Alba", 1, {"texts": "resume"}),
    ]


# A further red flag ------------------------------------------------------------------------------


def test_a_further_red_flag_is_one_more_of_the_same_incident(treated: Desk) -> None:
    writes(treated, FEVER)
    again_at = treated.now
    writes(treated, "and pus comes out")
    one = the_incident(treated)
    assert (one.replies, one.raised_at, one.severity) == ((1, 2), again_at, Severity.URGENT)
    assert one.opened_at < again_at
    assert told(treated) == ["incident-opened", "incident-raised"]


def test_where_it_is_worse_somebody_has_to_take_it_on_anew(treated: Desk) -> None:
    writes(treated, FEVER)
    takes_it_on(treated, "Bo Tarn")
    writes(treated, BREATH)
    one = the_incident(treated)
    assert (one.severity, one.acknowledged_at, one.acknowledged_by) == (
        Severity.EMERGENCY, None, None,
    )  # fmt: skip


def test_where_it_is_not_worse_whoever_has_taken_it_on_still_has(treated: Desk) -> None:
    writes(treated, BREATH)
    takes_it_on(treated, "Bo Tarn")
    writes(treated, FEVER)
    one = the_incident(treated)
    assert (one.severity, one.acknowledged_by) == (Severity.EMERGENCY, "Bo Tarn")
    takes_it_on(treated, "Cy Tarn")
    assert the_incident(treated).acknowledged_by == "Cy Tarn"
    takes_it_on(treated, "Bo Tarn")
    assert the_incident(treated).acknowledged_by == "Cy Tarn"


def test_another_number_has_an_incident_of_its_own(treated: Desk) -> None:
    treated.patient("Ana", phone=ANA)
    writes(treated, FEVER)
    writes(treated, BREATH, ANA)
    assert [each.patients for each in treated.outbox.incidents(open_only=True)] == [(1,), (2,)]
    first, second = items.waiting(treated.house, treated.now)[:2]
    assert (first["id"], second["id"]) == ("inc-2", "inc-1")  # the emergency first


def test_after_it_is_closed_the_next_one_is_new(treated: Desk) -> None:
    writes(treated, FEVER)
    close(treated)
    writes(treated, FEVER)
    assert [each.id for each in treated.outbox.incidents(open_only=False)] == [1, 2]
    assert the_incident(treated).replies == (2,)


def set_back(desk: Desk, **span: float) -> None:
    desk.clock = type(desk.clock)(desk.now - timedelta(**span))


def test_by_a_clock_that_was_set_back_whoever_took_it_on_is_told_of_a_further_one(
    treated: Desk,
) -> None:
    writes(treated, FEVER)
    takes_it_on(treated, "Bo Tarn")
    set_back(treated, hours=3)
    writes(treated, FEVER)
    one = the_incident(treated)
    assert one.acknowledged_at is not None
    assert one.raised_at > one.acknowledged_at


def test_by_a_clock_that_is_behind_what_took_place_is_withheld_all_the_same(treated: Desk) -> None:
    set_back(treated, days=3)
    writes(treated, FEVER)
    assert the_incident(treated).sessions == (1,)


# What is withheld --------------------------------------------------------------------------------


def test_what_would_reassure_waits_and_what_protects_goes_out(desk: Desk) -> None:
    desk.protocol(*EVERY_KIND, course=COURSE)
    desk.treat(desk.patient(), MORNING)
    writes(desk, FEVER)
    assert desk.states() == {
        "no-heat": "scheduled", "well": "scheduled", "heat": "held/paused",
        "massage": "held/paused", "ice": "held/paused", "next": "held/paused",
    }  # fmt: skip
    desk.drain("2026-03-10 12:00")
    assert {each: said for each, said in desk.states().items() if said == "sent"} == {
        "no-heat": "sent", "well": "sent",
    }  # fmt: skip


def test_everybody_with_that_number_is_meant_and_nobody_else(treated: Desk) -> None:
    treated.treat(treated.patient("Bea"), MORNING)
    treated.treat(treated.patient("Ana", phone=ANA), MORNING)
    writes(treated, FEVER)
    assert the_incident(treated).patients == (1, 2)
    assert [state(each) for each in treated.reminders()] == [
        "held/paused", "held/paused", "scheduled",
    ]  # fmt: skip


def test_a_treatment_that_comes_later_is_not_withheld_until_the_next_red_flag(
    treated: Desk,
) -> None:
    writes(treated, FEVER)
    session = treated.treat(treated.intake.patient("pat-1"), "2026-03-10 10:30")
    assert [state(each) for each in treated.reminders()] == ["held/paused", "scheduled"]
    writes(treated, FEVER)
    assert [state(each) for each in treated.reminders()] == ["held/paused", "held/paused"]
    assert the_incident(treated).sessions == (1, session.id)


def test_a_treatment_that_is_entered_late_is(treated: Desk) -> None:
    writes(treated, FEVER)
    treated.book(treated.intake.patient("pat-1"), "2026-03-10 09:50")
    assert [state(each) for each in treated.reminders()] == ["held/paused", "held/paused"]
    close(treated, "stop")
    assert {state(each) for each in treated.reminders()} == {"cancelled/by-staff"}


def test_nor_is_one_that_lies_ahead(desk: Desk) -> None:
    desk.book(desk.patient(), "2026-03-11 10:00")
    writes(desk, FEVER)
    assert the_incident(desk).sessions == ()


def test_nothing_that_is_on_its_way_leaves_once_the_red_flag_is_on_disk(desk: Desk) -> None:
    """The first is with the provider when the red flag of the second is committed."""
    desk.treat(desk.patient(channels="sms"), MORNING)
    desk.treat(desk.patient("Ana", channels="sms", phone=ANA), MORNING)

    def meanwhile(_: Message) -> None:
        writes(desk, FEVER, ANA)

    desk.sms.script(meanwhile)
    desk.drain(DUE)
    assert [each.to for each in desk.reminded] == [VERA]
    assert [state(each) for each in desk.reminders()] == ["sent", "held/paused"]


def test_staff_who_resume_the_patient_or_correct_the_time_do_not_lift_it(treated: Desk) -> None:
    writes(treated, FEVER)
    treated.intake.pause("pat-1", treated.now, paused=True)
    treated.intake.pause("pat-1", treated.now, paused=False)
    assert state(treated.the()) == "held/paused"
    treated.intake.move_session("ses-1", at("2026-03-10 09:50"), treated.now)
    assert state(treated.the()) == "held/paused"


def test_what_is_withheld_too_long_is_not_sent_any_more(treated: Desk) -> None:
    writes(treated, FEVER)
    treated.drain("2026-03-12 10:00")
    assert state(treated.the()) == "expired/paused"
    close(treated)
    treated.drain("2026-03-12 10:05")
    assert treated.reminded == []


# What staff say ----------------------------------------------------------------------------------


def test_who_resumes_lets_go_what_is_still_valid(treated: Desk) -> None:
    writes(treated, FEVER)
    close(treated, "resume")
    assert state(treated.the()) == "scheduled"
    treated.drain(DUE)
    assert len(treated.reminded) == 1


def test_who_stops_calls_off_what_was_withheld_for_good(treated: Desk) -> None:
    writes(treated, FEVER)
    close(treated, "stop")
    assert state(treated.the()) == "cancelled/by-staff"
    treated.intake.plan_all_again(treated.now)
    treated.drain(DUE)
    assert state(treated.the()) == "cancelled/by-staff"
    assert treated.reminded == []


def test_closing_takes_it_on_and_is_done_with_its_replies(treated: Desk) -> None:
    writes(treated, FEVER)
    writes(treated, "can I come?")
    close(treated)
    (closed,) = treated.outbox.incidents(open_only=False)
    assert (closed.acknowledged_by, closed.closed_by, closed.why) == (
        "Dr. Alba", "Dr. Alba", "Seen.",
    )  # fmt: skip
    assert [each["id"] for each in items.waiting(treated.house, treated.now)] == ["rep-2"]
    assert treated.outbox.replies()[1].done_by == "Dr. Alba"


def test_a_closed_one_is_neither_taken_on_nor_closed_again(treated: Desk) -> None:
    writes(treated, FEVER)
    close(treated)
    for again in (
        lambda: close(treated, "stop"),
        lambda: takes_it_on(treated, "Bo Tarn"),
    ):
        with pytest.raises(Refused, match="inc-1 is closed") as refused:
            again()
        assert "incident show inc-1" in str(refused.value.remedy)
    assert state(treated.the()) == "scheduled"


@pytest.mark.parametrize("name", ["inc-2", "rep-1", "fever"])
def test_one_that_is_not_there_is_named(treated: Desk, name: str) -> None:
    writes(treated, FEVER)
    with pytest.raises(NotFound, match=name) as missing:
        treated.house.incidents.incident(name)
    assert "reminderd incident list" in str(missing.value.remedy)


def test_its_red_flags_are_not_listed_twice(treated: Desk) -> None:
    writes(treated, FEVER)
    (item,) = items.waiting(treated.house, treated.now)
    assert item["why"] == "urgent from pat-1 since 2026-03-10 10:00: nobody has taken it on"
    takes_it_on(treated, "Bo Tarn")
    (item,) = items.waiting(treated.house, treated.now)
    assert item["why"] == "urgent from pat-1 since 2026-03-10 10:00: Bo Tarn has taken it on"
    assert item["do"] == "reminderd incident close inc-1 --why TEXT --texts resume|stop"
