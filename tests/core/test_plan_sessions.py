"""What a patient's sessions mean for one another, for channels, holds, and for the staff."""

from datetime import datetime, timedelta

import pytest

from reminderd.model import Channel, Chart, Milestone, Patient, Reminder, SessionState, State
from tests.core.build import (
    LONG_AGO,
    adjusted,
    at,
    chart,
    check_in,
    clinic,
    course,
    course_step,
    inform,
    local,
    patient,
    protocol,
    release,
    remembered,
    restriction,
    routine,
    row,
    rows,
    session,
    with_row,
    with_session,
)

FIRST, SECOND = at("2026-03-10 14:30"), at("2026-03-11 10:00")
AWAKE = clinic(quiet="00:00-00:00")
SHOWER = protocol(restriction(), release())


def outcome(reminder: Reminder) -> str:
    """`scheduled`, or `skipped/superseded`."""
    return reminder.state + (f"/{reminder.reason}" if reminder.reason else "")


def found(chart: Chart, name: str, session_id: int = 1, now: datetime = LONG_AGO) -> str:
    return outcome(row(chart, name, now, session_id))


# What other sessions forbid -------------------------------------------------------------------


def test_a_release_is_withheld_while_another_session_forbids_it() -> None:
    overlapping = [session(FIRST), session(FIRST + timedelta(hours=6), id=2)]
    planned = chart(overlapping, SHOWER, clinic=AWAKE)
    assert found(planned, "shower-again") == "skipped/superseded"
    assert found(planned, "shower-again", 2) == "scheduled"


def test_a_withheld_release_keeps_its_due_instant_and_has_no_channel() -> None:
    overlapping = [session(FIRST), session(FIRST + timedelta(hours=6), id=2)]
    withheld = row(chart(overlapping, SHOWER, clinic=AWAKE), "shower-again")
    assert local(withheld.due_at) == "2026-03-11 02:30"
    assert withheld.channel is None


def test_a_ban_is_over_at_its_end_and_begins_at_its_start() -> None:
    for hours, expected in (
        (11, "skipped/superseded"),
        (12, "skipped/superseded"),
        (13, "scheduled"),
    ):
        later = [session(FIRST), session(FIRST + timedelta(hours=hours), id=2)]
        assert found(chart(later, SHOWER, clinic=AWAKE), "shower-again") == expected
    exactly = [session(FIRST), session(FIRST, id=2)]
    assert found(chart(exactly, SHOWER, clinic=AWAKE), "shower-again") == "scheduled"


def test_a_booked_session_forbids_as_one_that_took_place() -> None:
    soon = [session(FIRST), session(FIRST + timedelta(hours=6), id=2, done=False)]
    assert found(chart(soon, SHOWER, clinic=AWAKE), "shower-again") == "skipped/superseded"


@pytest.mark.parametrize("state", [SessionState.CANCELLED, SessionState.NO_SHOW])
def test_a_session_that_did_not_happen_forbids_nothing(state: SessionState) -> None:
    called_off = session(FIRST + timedelta(hours=6), id=2, state=state)
    planned = chart([session(FIRST), called_off], SHOWER, clinic=AWAKE)
    assert [each.session_id for each in rows(planned)] == [1, 1]
    assert found(planned, "shower-again") == "scheduled"


def test_pre_care_of_the_next_session_forbids_too() -> None:
    before = restriction("no-alcohol-before", "alcohol", before="24h", holds="0m")
    wine = release("wine-again", "alcohol", after="24h", expires="24h")
    care = protocol(before, wine)
    sessions = [session(FIRST), session(FIRST + timedelta(hours=36), id=2, done=False)]
    assert found(chart(sessions, care, clinic=AWAKE), "wine-again") == "skipped/superseded"


def test_a_sessions_own_restrictions_count_against_its_releases() -> None:
    care = protocol(restriction(holds="48h"), release(after="12h"))
    assert found(chart(session(FIRST), care), "shower-again") == "skipped/superseded"


def test_a_release_on_another_topic_goes_out() -> None:
    care = protocol(restriction("no-heat", "heat", "sunbathing", holds="48h"), release(after="12h"))
    assert found(chart(session(FIRST), care), "shower-again") == "scheduled"


def test_a_routine_is_withheld_where_one_of_its_topics_is_forbidden() -> None:
    massage = protocol(routine("massage", "massage", "touch"))
    gentle = protocol(restriction("no-touch", "touch", holds="48h"))
    sessions = [session(FIRST), session(FIRST + timedelta(hours=2), id=2, protocol="gentle")]
    planned = chart(sessions, {1: massage, 2: gentle})
    assert found(planned, "massage") == "skipped/conflict"


@pytest.mark.parametrize("rule", [check_in(after="6h"), inform(after="6h")])
def test_checks_and_information_are_never_forbidden(rule: Milestone) -> None:
    care = protocol(restriction("no", "check-in", "bruising"), rule)
    assert found(chart(session(FIRST), care), rule.id) == "scheduled"


def test_what_is_overdue_is_looked_at_now_and_not_when_it_was_due() -> None:
    new = session(FIRST + timedelta(hours=14), id=2)
    planned = chart([session(FIRST), new], SHOWER, clinic=AWAKE)
    assert found(planned, "shower-again", now=FIRST + timedelta(hours=13)) == "scheduled"
    assert found(planned, "shower-again", now=FIRST + timedelta(hours=14)) == "skipped/superseded"


def test_a_release_that_a_short_ban_withheld_is_revived_when_the_ban_is_over() -> None:
    short = protocol(restriction(holds="2h"))
    sessions = [session(FIRST), session(FIRST + timedelta(hours=11), id=2, protocol="short")]
    planned = remembered(chart(sessions, {1: SHOWER, 2: short}, clinic=AWAKE), FIRST)
    assert found(planned, "shower-again", now=FIRST) == "skipped/superseded"
    assert found(planned, "shower-again", now=FIRST + timedelta(hours=13)) == "scheduled"


# The all-clear that never comes ---------------------------------------------------------------


def needs_staff(chart: Chart, now: datetime = LONG_AGO) -> list[int | None]:
    return [each.session_id for each in rows(chart, now) if each.needs_staff]


def test_a_withheld_release_needs_nobody_while_a_later_one_is_planned() -> None:
    overlapping = [session(FIRST), session(FIRST + timedelta(hours=6), id=2)]
    assert needs_staff(chart(overlapping, SHOWER, clinic=AWAKE)) == []


def test_a_withheld_release_without_a_later_one_is_shown_to_staff() -> None:
    silent = protocol(restriction(holds="24h"))
    sessions = [session(FIRST), session(FIRST + timedelta(hours=6), id=2, protocol="silent")]
    assert needs_staff(chart(sessions, {1: SHOWER, 2: silent}, clinic=AWAKE)) == [1]


def test_a_later_release_on_another_topic_is_no_all_clear() -> None:
    other = protocol(restriction(holds="24h"), release("heat-again", "heat", after="24h"))
    sessions = [session(FIRST), session(FIRST + timedelta(hours=6), id=2, protocol="other")]
    assert needs_staff(chart(sessions, {1: SHOWER, 2: other}, clinic=AWAKE)) == [1]


def test_a_release_before_the_end_of_the_longest_ban_is_no_all_clear() -> None:
    longer = protocol(restriction(holds="72h"))
    sessions = [
        session(FIRST),
        session(FIRST + timedelta(hours=6), id=2),
        session(FIRST + timedelta(hours=7), id=3, protocol="longer"),
    ]
    planned = chart(sessions, {1: SHOWER, 2: SHOWER, 3: longer}, clinic=AWAKE)
    assert needs_staff(planned) == [1, 2]


def test_a_later_release_that_is_skipped_is_no_all_clear() -> None:
    off = {"shower-again": adjusted(off=True)}
    sessions = [session(FIRST), session(FIRST + timedelta(hours=6), id=2, adjustments=off)]
    assert needs_staff(chart(sessions, SHOWER, clinic=AWAKE)) == [1]


def test_a_held_release_is_still_an_all_clear_to_come() -> None:
    sessions = [session(FIRST), session(FIRST + timedelta(hours=6), id=2, done=False)]
    assert needs_staff(chart(sessions, SHOWER, clinic=AWAKE)) == []


def test_an_all_clear_that_was_sent_counts_for_good() -> None:
    sessions = [session(FIRST), session(FIRST + timedelta(hours=6), id=2)]
    now = FIRST + timedelta(hours=18)
    planned = remembered(chart(sessions, SHOWER, clinic=AWAKE), FIRST)
    sent = with_row(planned, "shower-again", 2, state=State.SENT, sent_at=now)
    assert needs_staff(sent, now + timedelta(days=9)) == []


def test_an_all_clear_lost_to_a_session_that_was_then_called_off_is_shown_to_staff() -> None:
    sessions = [session(FIRST), session(FIRST + timedelta(hours=6), id=2, done=False)]
    planned = remembered(chart(sessions, SHOWER, clinic=AWAKE), FIRST)
    much_later = FIRST + timedelta(days=5)
    called_off = with_session(planned, id=2, state=SessionState.NO_SHOW)
    assert needs_staff(called_off, much_later) == [1]


def test_a_session_called_off_leaves_no_gap_where_a_later_all_clear_was_sent() -> None:
    sessions = [
        session(FIRST),
        session(FIRST + timedelta(hours=6), id=2, done=False),
        session(FIRST + timedelta(hours=13), id=3),
    ]
    planned = remembered(chart(sessions, SHOWER, clinic=AWAKE), FIRST)
    told = with_row(planned, "shower-again", 3, state=State.SENT, sent_at=FIRST + timedelta(days=2))
    called_off = with_session(told, id=2, state=SessionState.NO_SHOW)
    assert needs_staff(called_off, FIRST + timedelta(days=5)) == []


# Channels --------------------------------------------------------------------------------------


def channel(who: Patient, *allowed: Channel) -> str:
    """The channel that was chosen, or the reason for none."""
    care = protocol(inform(channels=allowed or None))
    found = row(chart(session(FIRST), care, patient=who), "bruising")
    return str(found.channel or found.reason)


def test_the_patients_first_channel_is_taken() -> None:
    assert channel(patient(channels="sms email")) == "sms"
    assert channel(patient(channels="email sms")) == "email"


def test_the_milestone_narrows_the_channels_and_the_patient_orders_them() -> None:
    assert channel(patient(channels="sms email"), Channel.EMAIL) == "email"
    assert channel(patient(channels="email sms"), Channel.SMS, Channel.EMAIL) == "email"


def test_a_channel_without_consent_or_address_is_passed_over() -> None:
    assert channel(patient(consent="email")) == "email"
    assert channel(patient(phone=None)) == "email"
    assert channel(patient(bad_addresses=frozenset({Channel.SMS}))) == "email"


def test_no_address_means_that_no_listed_channel_has_one() -> None:
    assert channel(patient(phone=None, email=None)) == "no-address"
    assert channel(patient(phone=None, consent="")) == "no-consent"
    assert channel(patient(phone=None), Channel.SMS) == "no-address"
    assert channel(patient(channels="email"), Channel.SMS) == "no-address"
    assert channel(patient(channels="")) == "no-address"
    everywhere = frozenset(Channel)
    assert channel(patient(bad_addresses=everywhere)) == "no-address"


def test_an_address_without_consent_is_a_matter_of_consent() -> None:
    assert channel(patient(consent="")) == "no-consent"
    assert channel(patient(phone=None, consent="sms")) == "no-consent"
    assert channel(patient(consent="email"), Channel.SMS) == "no-consent"


# The course ------------------------------------------------------------------------------------

WEEKLY = protocol(course_step(), course=course("7d", maximum=3))


@pytest.mark.parametrize("done", [True, False])
def test_nobody_is_asked_to_book_who_has_booked(done: bool) -> None:
    sessions = [session(FIRST), session(FIRST + timedelta(days=30), id=2, done=done)]
    planned = chart(sessions, WEEKLY)
    assert found(planned, "next-session") == "skipped/booked"
    assert found(planned, "next-session", 2) == ("scheduled" if done else "held/unconfirmed")


def test_an_earlier_another_or_a_cancelled_session_is_no_booking() -> None:
    others = [
        session(FIRST - timedelta(days=30), id=2),
        session(FIRST + timedelta(days=30), id=3, protocol="other"),
        session(FIRST + timedelta(days=30), id=4, state=SessionState.CANCELLED),
    ]
    assert found(chart([session(FIRST), *others], WEEKLY), "next-session") == "scheduled"


def test_the_course_is_over_once_its_maximum_is_reached() -> None:
    days = (0, 7, 14, 21)
    sessions = [session(FIRST + timedelta(days=day), id=day + 1) for day in days]
    assert found(chart(sessions[:2], WEEKLY), "next-session", 8) == "scheduled"
    assert found(chart(sessions[:3], WEEKLY), "next-session", 15) == "skipped/not-applicable"
    assert found(chart(sessions, WEEKLY), "next-session", 22) == "skipped/not-applicable"
    assert found(chart(sessions, WEEKLY), "next-session", 15) == "skipped/booked"


def test_a_session_that_did_not_happen_has_no_place_in_the_course() -> None:
    missed = session(FIRST - timedelta(days=7), id=9, state=SessionState.NO_SHOW)
    before = [session(FIRST - timedelta(days=14), id=2), missed]
    assert found(chart([session(FIRST), *before], WEEKLY), "next-session") == "scheduled"


# Holds -----------------------------------------------------------------------------------------

SMS_LEAVES = clinic(leaving=[Channel.SMS])
BOTH = protocol(inform("ask", day=-3), inform("ice", after="0m"))


def test_aftercare_waits_until_the_session_is_done_and_pre_care_does_not() -> None:
    planned = chart(session(FIRST, done=False), BOTH)
    assert found(planned, "ice") == "held/unconfirmed"
    assert found(planned, "ask") == "scheduled"
    held = row(planned, "ice")
    assert (held.due_at, held.channel) == (FIRST, Channel.SMS)
    assert held.wake_at is None


def test_everything_of_a_paused_patient_waits() -> None:
    planned = chart(session(FIRST), BOTH, patient=patient(paused=True))
    assert {found(planned, name) for name in ("ask", "ice")} == {"held/paused"}


def test_what_nobody_signed_waits_where_it_would_leave_the_machine() -> None:
    planned = chart(session(FIRST), BOTH, clinic=SMS_LEAVES)
    assert found(planned, "ice") == "held/unapproved"
    assert found(chart(session(FIRST), BOTH, clinic=SMS_LEAVES, approved=[1]), "ice") == "scheduled"
    by_mail = chart(session(FIRST), BOTH, clinic=SMS_LEAVES, patient=patient(channels="email"))
    assert found(by_mail, "ice") == "scheduled"


def test_of_several_holds_unapproved_is_shown_then_paused_then_unconfirmed() -> None:
    booked, paused = session(FIRST, done=False), patient(paused=True)
    assert found(chart(booked, BOTH, clinic=SMS_LEAVES, patient=paused), "ice") == "held/unapproved"
    assert found(chart(booked, BOTH, patient=paused), "ice") == "held/paused"
    assert found(chart(booked, BOTH), "ice") == "held/unconfirmed"


def test_the_first_reason_found_stays() -> None:
    nobody = patient(consent="", paused=True)
    booked = session(FIRST, done=False)
    assert found(chart(booked, BOTH, patient=nobody), "ice") == "skipped/no-consent"
    after = FIRST + timedelta(days=9)
    assert found(chart(booked, BOTH, patient=nobody), "ice", now=after) == "skipped/past"


def test_forbidden_is_found_before_consent_and_consent_before_the_course() -> None:
    nobody = patient(consent="")
    own = protocol(restriction(holds="48h"), release(after="12h"))
    assert found(chart(session(FIRST), own, patient=nobody), "shower-again") == "skipped/superseded"
    sessions = [session(FIRST), session(FIRST + timedelta(days=30), id=2)]
    assert found(chart(sessions, WEEKLY, patient=nobody), "next-session") == "skipped/no-consent"


# The past --------------------------------------------------------------------------------------


def test_what_was_first_planned_at_its_expiry_is_past_and_before_it_is_due() -> None:
    care = protocol(inform(after="1h", expires="3h"))
    planned = chart(session(FIRST), care)
    assert found(planned, "bruising", now=FIRST + timedelta(hours=4)) == "skipped/past"
    just_in_time = row(planned, "bruising", FIRST + timedelta(hours=4, microseconds=-1))
    assert outcome(just_in_time) == "scheduled"
    assert just_in_time.due_at == FIRST + timedelta(hours=1)


# Duplicates ------------------------------------------------------------------------------------

SUNSCREEN = protocol(routine("spf", "sun", days=(1, 3)))


def staying(chart: Chart, now: datetime = LONG_AGO) -> list[tuple[int | None, str | None]]:
    return [
        (each.session_id, local(each.due_at)[:10])
        for each in rows(chart, now)
        if each.state is State.SCHEDULED
    ]


def test_of_the_same_routine_on_the_same_day_that_of_the_latest_session_stays() -> None:
    planned = chart([session(FIRST), session(SECOND, id=2)], SUNSCREEN)
    assert staying(planned) == [
        (1, "2026-03-11"), (2, "2026-03-12"), (2, "2026-03-13"), (2, "2026-03-14"),
    ]  # fmt: skip


def test_sessions_at_the_same_instant_are_told_apart_by_when_they_were_recorded() -> None:
    later = LONG_AGO + timedelta(days=1)
    one_day = protocol(routine("spf", "sun"))
    planned = chart([session(FIRST, recorded_at=later), session(FIRST, id=2)], one_day)
    assert (found(planned, "spf"), found(planned, "spf", 2)) == ("scheduled", "skipped/duplicate")
    planned = chart([session(FIRST), session(FIRST, id=2)], one_day)
    assert (found(planned, "spf"), found(planned, "spf", 2)) == ("skipped/duplicate", "scheduled")


def test_a_routine_is_the_same_by_its_set_of_topics() -> None:
    one, two = (
        protocol(routine("a", "massage", "touch")),
        protocol(routine("b", "touch", "massage")),
    )
    three = protocol(routine("c", "touch"))
    sessions = [session(FIRST + timedelta(minutes=each), id=each) for each in (1, 2, 3)]
    planned = chart(sessions, {1: one, 2: two, 3: three})
    assert found(planned, "a", 1) == "skipped/duplicate"
    assert found(planned, "b", 2) == found(planned, "c", 3) == "scheduled"


def test_information_is_the_same_by_its_template() -> None:
    one = protocol(inform("a", "x", day=1, template="ice"), inform("z", "x", day=1))
    two = protocol(inform("b", "y", day=1, at="18:00", template="ice"))
    planned = chart([session(FIRST), session(FIRST, id=2)], {1: one, 2: two})
    assert found(planned, "a") == "skipped/duplicate"
    assert found(planned, "b", 2) == found(planned, "z") == "scheduled"


def test_within_one_session_nothing_is_a_duplicate() -> None:
    twice = protocol(routine("spf", "sun", at="10:00"), routine("spf-again", "sun", at="16:00"))
    planned = chart([session(FIRST), session(FIRST, id=2)], twice)
    assert {found(planned, name, 2) for name in ("spf", "spf-again")} == {"scheduled"}
    assert {found(planned, name, 1) for name in ("spf", "spf-again")} == {"skipped/duplicate"}


def test_other_kinds_are_never_duplicates() -> None:
    care = protocol(restriction(), check_in(), release(after="24h"))
    planned = chart([session(FIRST), session(FIRST, id=2)], care, clinic=AWAKE)
    assert {outcome(each) for each in rows(planned)} == {"scheduled"}


def test_the_day_is_that_of_the_due_instant_on_the_patients_calendar() -> None:
    late = protocol(routine("spf", "sun", at="22:00", expires="20h"))  # deferred to the next day
    next_day = protocol(routine("spf", "sun", day=2, at="10:00"))
    planned = chart([session(FIRST), session(FIRST, id=2)], {1: late, 2: next_day})
    assert found(planned, "spf") == "skipped/duplicate"
    away = patient(timezone="Pacific/Kiritimati")
    early = protocol(routine("spf", "sun", at="09:00"))
    evening = protocol(routine("spf", "sun", at="20:00"))
    planned = chart([session(FIRST), session(FIRST, id=2)], {1: early, 2: evening}, patient=away)
    assert found(planned, "spf") == "skipped/duplicate"  # in UTC they fall on two days


def test_what_was_sent_stays_and_the_later_session_is_quiet() -> None:
    care = protocol(routine("spf", "sun"))
    earlier = remembered(chart(session(FIRST), care), FIRST)
    for state in (State.SENT, State.SENDING, State.UNKNOWN):
        sent = with_row(earlier, "spf", state=state)
        both = chart([session(FIRST), session(FIRST, id=2)], care, reminders=sent.reminders)
        assert found(both, "spf", 2, now=SECOND) == "skipped/duplicate"


def test_what_was_sent_for_a_session_that_was_then_called_off_is_not_said_again() -> None:
    care = protocol(routine("spf", "sun"))
    both = remembered(chart([session(FIRST), session(FIRST, id=2)], care), FIRST)
    sent = with_row(both, "spf", 2, state=State.SENT)
    called_off = with_session(sent, id=2, state=SessionState.CANCELLED)
    assert found(called_off, "spf", 1, now=SECOND) == "skipped/duplicate"


def test_what_failed_to_leave_displaces_nothing() -> None:
    care = protocol(routine("spf", "sun"))
    failed = with_row(remembered(chart(session(FIRST), care), FIRST), "spf", state=State.FAILED)
    both = chart([session(FIRST), session(FIRST, id=2)], care, reminders=failed.reminders)
    assert found(both, "spf", 2, now=SECOND) == "scheduled"


def test_what_is_held_displaces_nothing_and_is_not_displaced() -> None:
    care = protocol(routine("spf", "sun"))
    planned = chart([session(FIRST), session(FIRST + timedelta(hours=1), id=2, done=False)], care)
    assert found(planned, "spf") == "scheduled"
    assert found(planned, "spf", 2) == "held/unconfirmed"


def test_overdue_reminders_keep_the_date_on_which_they_were_due() -> None:
    care = protocol(routine("spf", "sun", expires="3d"))
    sessions = [session(FIRST), session(FIRST + timedelta(days=1), id=2)]
    now = FIRST + timedelta(days=2)
    planned = chart(sessions, care)
    assert found(planned, "spf", 1, now) == found(planned, "spf", 2, now) == "scheduled"
