"""What staff enter: the fact and the plan that follows are stored together, or neither is."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from reminderd import bootstrap
from reminderd.errors import (
    ConfigurationError,
    InvalidInput,
    NotFound,
    Refused,
    Temporary,
    TransportError,
)
from reminderd.model import Channel, SessionState
from reminderd.roster import SessionEntry
from tests.configuration import configuration
from tests.core.build import at, local, state
from tests.core.desk import NOTE, Desk, patient, rule

MORNING = "2026-03-10 10:00"


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path, at(MORNING))
    desk.protocol(
        rule("do-not", "restriction", after="0m", holds="12h", topics=["shower"]),
        rule("all-clear", "release", after="12h", expires="24h", topics=["shower"]),
        rule("before", before="24h", expires="20h"),
    )
    yield desk
    desk.close()


def entry(when: str, protocol: str = "care") -> SessionEntry:
    return SessionEntry(protocol, at(when), frozenset({"first"}), "face")


# Patients -----------------------------------------------------------------------------------------


def test_enrolling_stores_patient_session_and_plan_in_one_step(desk: Desk) -> None:
    change = desk.intake.enrol(patient(ref="A-1"), entry(MORNING), desk.now)
    assert change.chart.patient == desk.intake.patient("A-1") == desk.intake.patient("pat-1")
    assert change.session == desk.intake.session("ses-1")
    assert (change.session.area, change.session.tags) == ("face", {"first"})
    assert change.session.recorded_at == desk.now
    assert {each.milestone for each in change.reminders} == {"do-not", "all-clear", "before"}
    assert sorted(each.id or 0 for each in change.chart.reminders) == [1, 2, 3]


def test_a_patient_alone_has_nothing_planned(desk: Desk) -> None:
    assert desk.intake.add_patient(patient(), desk.now).chart.reminders == ()


def test_an_enrolment_that_fails_leaves_no_patient_behind(desk: Desk) -> None:
    with pytest.raises(NotFound):
        desk.intake.enrol(patient(), entry(MORNING, "nothing"), desk.now)
    assert desk.outbox.patients() == []
    assert desk.outbox.free_ids() == (1, 1)


def test_a_ref_names_one_patient(desk: Desk) -> None:
    desk.patient(ref="A-1")
    desk.patient("Paco", ref="A-2")
    with pytest.raises(Refused, match="A-1"):
        desk.patient(ref="A-1")
    with pytest.raises(Refused, match="A-1"):
        desk.intake.edit_patient("A-2", lambda each: replace(each, ref="A-1"), desk.now)
    assert [each.ref for each in desk.outbox.patients()] == ["A-1", "A-2"]


def test_a_patient_of_a_clinic_that_is_not_configured_is_refused(desk: Desk) -> None:
    with pytest.raises(ConfigurationError, match="second"):
        desk.intake.add_patient(replace(patient(), clinic="second"), desk.now)
    desk.patient()
    with pytest.raises(ConfigurationError, match="second"):
        desk.intake.edit_patient("pat-1", lambda each: replace(each, clinic="second"), desk.now)
    assert [each.clinic for each in desk.outbox.patients()] == ["main"]


@pytest.mark.parametrize("name", ["pat-9", "pat-0", "A-9", "", "ses-1", "pat-1;", "pat-1 2"])
def test_who_is_not_there_is_not_found(desk: Desk, name: str) -> None:
    desk.treat(desk.patient(), MORNING)
    with pytest.raises(NotFound) as caught:
        desk.intake.patient(name)
    assert caught.value.remedy


@pytest.mark.parametrize("name", ["ses-9", "rem-9", "1", "pat-1", ""])
def test_what_is_not_there_is_not_found(desk: Desk, name: str) -> None:
    desk.patient()
    for look in (desk.intake.session, desk.intake.reminder):
        with pytest.raises(NotFound):
            look(name)


def test_an_edited_patient_is_planned_again(desk: Desk) -> None:
    desk.treat(desk.patient(), MORNING)
    change = desk.intake.edit_patient(
        "pat-1", lambda each: replace(each, timezone="Asia/Tokyo", phone=None), desk.now
    )
    moved = next(each for each in change.chart.reminders if each.milestone == "all-clear")
    assert local(moved.due_at, "Asia/Tokyo") == "2026-03-11 08:00"
    assert moved.channel is Channel.EMAIL


def test_an_edit_that_changes_nothing_changes_no_reminder(desk: Desk) -> None:
    desk.treat(desk.patient(), MORNING)
    assert desk.intake.edit_patient("pat-1", lambda each: each, desk.now).reminders == ()


def test_consent_is_recorded_with_its_source_and_plans_again(desk: Desk) -> None:
    desk.treat(desk.patient(consent=""), MORNING)
    assert set(desk.states().values()) == {"skipped/past", "skipped/no-consent"}
    change = desk.intake.record_consent(
        "pat-1", [Channel.EMAIL], granted=True, source="phone call", now=desk.now
    )
    assert change.chart.patient.consent[Channel.EMAIL].source == "phone call"
    assert {each.channel for each in change.reminders} == {Channel.EMAIL}
    desk.intake.record_consent(
        "pat-1", [Channel.EMAIL], granted=False, source="letter", now=desk.now
    )
    assert set(desk.states().values()) == {"skipped/past", "skipped/no-consent"}


def test_a_pause_holds_everything_and_the_end_of_it_lets_it_go_on(desk: Desk) -> None:
    desk.treat(desk.patient(), MORNING)
    before = desk.reminders()
    desk.intake.pause("pat-1", desk.now, paused=True)
    assert desk.states()["all-clear"] == "held/paused"
    desk.intake.pause("pat-1", desk.now, paused=False)
    assert desk.reminders() == before


# Sessions -----------------------------------------------------------------------------------------


def test_a_session_in_the_past_or_now_is_done_and_one_ahead_is_booked(desk: Desk) -> None:
    vera = desk.patient()
    states = [
        desk.book(vera, when).state
        for when in ("2026-03-10 09:00", MORNING, "2026-03-10 10:01", "2026-04-01 10:00")
    ]
    done, booked = SessionState.DONE, SessionState.BOOKED
    assert states == [done, done, booked, booked]


def test_aftercare_waits_until_the_session_is_done(desk: Desk) -> None:
    desk.book(desk.patient(), "2026-03-12 10:00")
    assert desk.states() == {
        "before": "scheduled",
        "do-not": "held/unconfirmed",
        "all-clear": "held/unconfirmed",
    }
    desk.drain("2026-03-11 10:00")
    desk.drain("2026-03-12 10:05")
    desk.intake.session_done("ses-1", None, desk.now)
    assert desk.states() == {"before": "sent", "do-not": "scheduled", "all-clear": "scheduled"}


def test_where_the_clinic_does_not_confirm_aftercare_goes_out_without(tmp_path: Path) -> None:
    config = configuration("[sessions]\nconfirm = false\n")
    desk = Desk(tmp_path, at(MORNING), config=config)
    desk.protocol(NOTE)
    session = desk.book(desk.patient(), "2026-03-12 10:00")
    assert (session.state, desk.states()) == (SessionState.BOOKED, {"note": "scheduled"})
    desk.close()


def test_the_same_session_twice_is_refused(desk: Desk) -> None:
    vera = desk.patient()
    desk.treat(vera, MORNING)
    with pytest.raises(Refused, match="ses-1"):
        desk.treat(vera, MORNING)
    desk.intake.cancel_session("ses-1", desk.now)
    assert desk.treat(vera, MORNING).id == 2


def test_a_session_cannot_be_done_before_its_time(desk: Desk) -> None:
    desk.book(desk.patient(), "2026-03-12 10:00")
    with pytest.raises(Refused, match="lies ahead"):
        desk.intake.session_done("ses-1", None, desk.now)
    assert desk.intake.session("ses-1").state is SessionState.BOOKED


def test_a_session_that_took_place_earlier_is_done_at_that_time(desk: Desk) -> None:
    desk.book(desk.patient(), "2026-03-12 10:00")
    change = desk.intake.session_done("ses-1", at("2026-03-10 09:30"), desk.now)
    assert change.session is not None
    assert (change.session.at, change.session.state) == (
        at("2026-03-10 09:30"),
        SessionState.DONE,
    )
    assert local(desk.the("all-clear").nominal_at) == "2026-03-10 21:30"


def test_a_session_that_is_moved_takes_its_reminders_along(desk: Desk) -> None:
    desk.book(desk.patient(), "2026-03-12 10:00")
    ids = {each.id for each in desk.reminders()}
    change = desk.intake.move_session("ses-1", at("2026-03-13 12:00"), desk.now)
    assert change.session is not None
    assert change.session.state is SessionState.BOOKED
    assert local(desk.the("before").due_at) == "2026-03-12 12:00"
    assert {each.id for each in desk.reminders()} == ids


def test_a_booked_session_moved_into_the_past_still_has_to_be_marked_done(desk: Desk) -> None:
    desk.book(desk.patient(), "2026-03-12 10:00")
    desk.clock.move_to(at("2026-03-12 09:00"))
    change = desk.intake.move_session("ses-1", at("2026-03-12 08:00"), desk.now)
    assert change.session is not None
    assert change.session.state is SessionState.BOOKED
    change = desk.intake.session_done("ses-1", None, desk.now)
    assert change.session is not None
    assert change.session.state is SessionState.DONE


def test_an_entry_that_changes_nothing_about_a_session_is_no_history(desk: Desk) -> None:
    session = desk.book(desk.patient(), "2026-03-12 10:00")
    assert desk.intake.move_session("ses-1", session.at, desk.now).reminders == ()
    desk.intake.cancel_session("ses-1", desk.now)
    desk.intake.cancel_session("ses-1", desk.now)
    (change,) = desk.intake.chart(1).changes
    assert change.was == session


@pytest.mark.parametrize("no_show", [False, True])
def test_what_is_called_off_takes_what_waited_with_it(desk: Desk, no_show: bool) -> None:
    desk.book(desk.patient(), "2026-03-12 10:00")
    desk.drain("2026-03-11 11:00")
    desk.clock.move_to(at("2026-03-12 10:10" if no_show else "2026-03-11 12:00"))
    desk.intake.cancel_session("ses-1", desk.now, no_show=no_show)
    assert desk.states() == {
        "before": "sent",
        "do-not": "cancelled/session-cancelled",
        "all-clear": "cancelled/session-cancelled",
    }
    called_off = SessionState.NO_SHOW if no_show else SessionState.CANCELLED
    assert desk.intake.session("ses-1").state is called_off


# Reminders ----------------------------------------------------------------------------------------


def test_what_staff_call_off_stays_off_until_they_ask_for_it_again(desk: Desk) -> None:
    desk.treat(desk.patient(), MORNING)
    before = desk.the("all-clear")
    desk.intake.cancel_reminder(f"rem-{before.id}", desk.now)
    desk.intake.plan_all_again(desk.now)
    assert desk.states()["all-clear"] == "cancelled/by-staff"
    assert desk.intake.retry_reminder(f"rem-{before.id}", desk.now).reminders == (before,)


def test_what_has_left_can_be_neither_called_off_nor_tried_again(desk: Desk) -> None:
    desk.treat(desk.patient(), MORNING)
    desk.drain()
    name = f"rem-{desk.the('do-not').id}"
    for decide in (desk.intake.cancel_reminder, desk.intake.retry_reminder):
        with pytest.raises(Refused, match="sent"):
            decide(name, desk.now)


def test_what_is_unknown_is_not_simply_tried_again(desk: Desk) -> None:
    desk.treat(desk.patient(), MORNING)
    desk.sms.script(TransportError("?"))
    desk.drain()
    with pytest.raises(Refused, match="unknown"):
        desk.intake.retry_reminder(f"rem-{desk.the('do-not').id}", desk.now)


def test_what_waits_for_its_next_try_can_be_tried_at_once(desk: Desk) -> None:
    desk.treat(desk.patient(), MORNING)
    desk.sms.script(Temporary("not now", retry_after=timedelta(hours=3)))
    desk.drain()
    desk.intake.retry_reminder(f"rem-{desk.the('do-not').id}", desk.now)
    desk.drain()
    assert desk.states()["do-not"] == "sent"


def test_what_is_over_is_not_tried_again(desk: Desk) -> None:
    desk.treat(desk.patient(), MORNING)
    name = f"rem-{desk.the('do-not').id}"
    desk.intake.cancel_reminder(name, desk.now)
    with pytest.raises(Refused, match="expired"):
        desk.intake.retry_reminder(name, at("2026-03-12 10:00"))


def test_a_reminder_of_a_session_that_was_called_off_is_not_tried_again(desk: Desk) -> None:
    desk.treat(desk.patient(), MORNING)
    desk.intake.cancel_session("ses-1", desk.now)
    name = f"rem-{desk.the('all-clear').id}"
    with pytest.raises(Refused, match="no longer planned"):
        desk.intake.retry_reminder(name, desk.now)
    assert desk.states()["all-clear"] == "cancelled/session-cancelled"


# Planning again, and signatures -------------------------------------------------------------------


def test_planning_everybody_again_changes_nothing_where_nothing_has_changed(desk: Desk) -> None:
    for _ in range(3):
        desk.treat(desk.patient(), MORNING)
    before = desk.reminders()
    assert desk.intake.plan_all_again(desk.now) == 0
    assert desk.intake.plan_again([1, 2, 3], desk.now + timedelta(hours=1), chunk=1) == 0
    assert desk.reminders() == before


def test_a_session_keeps_the_protocol_that_it_was_recorded_under(desk: Desk) -> None:
    vera = desk.patient()
    desk.treat(vera, MORNING)
    desk.protocol(NOTE)
    desk.book(vera, "2026-03-20 10:00")
    desk.intake.plan_all_again(desk.now)
    assert [(each.session_id, each.milestone) for each in desk.reminders()][-1] == (2, "note")
    assert desk.states()["all-clear"] == "scheduled"


def test_nothing_leaves_the_machine_without_a_signature(strict: Desk) -> None:
    strict.treat(strict.patient(channels="email"), MORNING)
    strict.treat(strict.patient(channels="sms"), MORNING)
    assert [state(each) for each in strict.reminders()] == ["held/unapproved", "scheduled"]
    approval = strict.intake.approve("care", " Dr. Example ", strict.now)
    assert (approval.by, approval.at) == ("Dr. Example", strict.now)
    assert [state(each) for each in strict.reminders()] == ["scheduled", "scheduled"]
    assert strict.intake.approval_of(strict.house.library.find("care").protocol) == approval


def test_nobody_signs_for_words_that_do_not_exist(strict: Desk) -> None:
    strict.protocol(rule("note", after="1h", template="unwritten"))
    with pytest.raises(Refused, match="unwritten"):
        strict.intake.approve("care", "Dr. Example", strict.now)
    assert strict.house.outbox.approvals() == []


def test_a_signature_is_under_the_words_too(strict: Desk) -> None:
    strict.treat(strict.patient(channels="email"), MORNING)
    strict.intake.approve("care", "Dr. Example", strict.now)
    strict.template("note", "{% block line %}Something else.{% endblock %}")
    renewed = bootstrap.with_fresh_texts(strict.house)
    renewed.intake.plan_all_again(strict.now)
    assert strict.states() == {"note": "held/unapproved"}
    assert renewed.intake.approval_of(renewed.library.find("care").protocol) is None


@pytest.mark.parametrize("by", ["", "  "])
def test_a_signature_needs_a_name(desk: Desk, by: str) -> None:
    with pytest.raises(InvalidInput):
        desk.intake.approve("care", by, desk.now)
    assert desk.outbox.approvals() == []


def test_what_there_is_not_cannot_be_signed(desk: Desk) -> None:
    with pytest.raises(NotFound):
        desk.intake.approve("nothing", "Dr. Example", desk.now)
