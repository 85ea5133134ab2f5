"""When a milestone means to speak, until when it is worth it, and what its session forbids."""

from datetime import datetime, timedelta

import pytest

from reminderd.model import Milestone, Reason, Reminder, State
from reminderd.timing import bans, treatments
from tests.core.build import (
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
    restriction,
    routine,
    row,
    rows,
    session,
)

AWAKE = clinic(quiet="00:00-00:00")
T = at("2026-03-28 14:30")


def nominal(
    milestone: Milestone, when: datetime = T, zone_name: str = "Europe/Madrid"
) -> list[str | None]:
    """Where the milestone lies on the patient's clock when the treatment is at `when`."""
    care = protocol(milestone, course=course("7d", "14d"))
    where = clinic(quiet="00:00-00:00", zone_name=zone_name)
    planned = rows(chart(session(when), care, clinic=where))
    return [local(each.nominal_at, zone_name) for each in planned]


def expiry(milestone: Milestone, when: datetime = T) -> str | None:
    (planned,) = rows(chart(session(when), protocol(milestone), clinic=AWAKE))
    return local(planned.expires_at)


@pytest.mark.parametrize(
    ("milestone", "when", "expected"),
    [
        (inform(after="0m"), "2026-03-28 14:30", "2026-03-28 14:30"),
        (inform(after="12h"), "2026-03-28 14:30", "2026-03-29 03:30"),
        (inform(after="48h"), "2026-03-28 14:30", "2026-03-30 15:30"),
        (inform(after="48h"), "2026-10-24 14:30", "2026-10-26 13:30"),
        (inform(after="90m"), "2026-10-25 02:30", "2026-10-25 03:00"),
        (inform(before="48h"), "2026-03-30 14:30", "2026-03-28 13:30"),
        (inform(day=2, at="09:00"), "2026-03-28 14:30", "2026-03-30 09:00"),
        (inform(day=1, at="02:30"), "2026-03-28 14:30", "2026-03-29 03:30"),
        (inform(day=1, at="02:30"), "2026-10-24 14:30", "2026-10-25 02:30"),
        (inform(day=-3, at="10:00"), "2026-03-30 14:30", "2026-03-27 10:00"),
        (inform(day=0, at="18:00"), "2026-03-28 14:30", "2026-03-28 18:00"),
    ],
)
def test_hours_are_elapsed_and_days_have_their_time_on_the_clock(
    milestone: Milestone, when: str, expected: str
) -> None:
    assert nominal(milestone, at(when)) == [expected]


def test_the_day_is_counted_on_the_patients_calendar_and_not_in_utc() -> None:
    late = at("2026-03-10 22:30", "America/Los_Angeles")  # 11 March in UTC
    assert nominal(inform(day=1, at="09:00"), late, "America/Los_Angeles") == ["2026-03-11 09:00"]


def test_the_zone_of_the_patient_comes_before_that_of_the_clinic() -> None:
    away = patient(timezone="Australia/Lord_Howe")
    planned = row(chart(session(T), protocol(inform(day=1, at="09:00")), patient=away), "bruising")
    assert local(planned.due_at, "Australia/Lord_Howe") == "2026-03-30 09:00"


def test_several_days_give_one_reminder_a_day_numbered_from_1() -> None:
    massage = routine(day=None, days=(1, 5), at="18:00")
    planned = rows(chart(session(T), protocol(massage), clinic=AWAKE))
    assert [(each.occurrence, local(each.nominal_at)) for each in planned] == [
        (1, "2026-03-29 18:00"), (2, "2026-03-30 18:00"), (3, "2026-03-31 18:00"),
        (4, "2026-04-01 18:00"), (5, "2026-04-02 18:00"),
    ]  # fmt: skip


def test_days_may_all_lie_before_the_session() -> None:
    assert nominal(inform(days=(-3, -2), at="09:00")) == ["2026-03-25 09:00", "2026-03-26 09:00"]


def test_what_is_not_repeated_is_occurrence_1() -> None:
    assert row(chart(session(T), protocol(inform(after="1h"))), "bruising").occurrence == 1


def test_aftercare_is_never_before_the_treatment() -> None:
    assert nominal(inform(day=0, at="09:00")) == ["2026-03-28 14:30"]
    assert nominal(course_step(lead=-9)) == ["2026-03-28 14:30"]


def test_pre_care_expires_at_the_treatment_at_the_latest() -> None:
    assert expiry(inform(before="24h", expires="48h")) == "2026-03-28 14:30"
    assert expiry(inform(before="24h", expires="3h")) == "2026-03-27 17:30"
    assert expiry(restriction(before="24h", holds="0m")) == "2026-03-28 14:30"


def test_expiry_counts_from_the_nominal_instant_and_days_by_the_calendar() -> None:
    assert expiry(inform(after="12h", expires="24h")) == "2026-03-30 03:30"
    assert expiry(inform(after="1h", expires="1d")) == "2026-03-29 15:30"
    assert expiry(inform(after="12h", expires="1d")) == "2026-03-30 03:30"


def test_expiry_counts_from_the_treatment_where_that_is_when_it_is_due() -> None:
    assert expiry(inform(day=0, at="09:00", expires="2h")) == "2026-03-28 16:30"


def test_a_restriction_expires_when_it_no_longer_holds() -> None:
    assert expiry(restriction(holds="48h")) == "2026-03-30 15:30"
    assert expiry(restriction(after="6h", holds="2d")) == "2026-03-30 14:30"
    assert expiry(restriction(holds="48h", expires="12h")) == "2026-03-29 03:30"


# The course -----------------------------------------------------------------------------------


def test_the_next_session_is_announced_a_lead_before_its_interval_is_over() -> None:
    assert nominal(course_step(lead=-2, at="10:00")) == ["2026-04-02 10:00"]
    assert nominal(course_step(lead=1, at="10:00")) == ["2026-04-05 10:00"]


def test_the_interval_is_that_of_the_place_in_the_course_and_the_last_repeats() -> None:
    care = protocol(course_step(lead=0), course=course("7d", "14d"))
    days = [at("2026-01-01 12:00"), at("2026-02-01 12:00"), at("2026-03-01 12:00")]
    sessions = [session(day, id=number) for number, day in enumerate(days, 1)]
    due = [
        local(row(chart(sessions, care), "next-session", session_id=number).nominal_at)
        for number in (1, 2, 3)
    ]
    assert due == ["2026-01-08 10:00", "2026-02-15 10:00", "2026-03-15 10:00"]


# In force -------------------------------------------------------------------------------------


def forbidden(
    *milestones: Milestone, when: datetime = T, **facts: object
) -> list[tuple[str | None, str | None]]:
    """From when until when the session's restrictions are in force."""
    found = bans(treatments(chart(session(when, **facts), protocol(*milestones))))
    return [(local(each.start), local(each.end)) for each in found]


def test_a_restriction_is_in_force_from_the_treatment_until_it_no_longer_holds() -> None:
    assert forbidden(restriction(holds="48h")) == [("2026-03-28 14:30", "2026-03-30 15:30")]
    assert forbidden(restriction(holds="2d")) == [("2026-03-28 14:30", "2026-03-30 14:30")]


def test_a_restriction_told_later_is_in_force_from_the_treatment_all_the_same() -> None:
    told_later = restriction(day=3, at="10:00", holds="7d")
    assert forbidden(told_later) == [("2026-03-28 14:30", "2026-04-04 14:30")]


def test_a_restriction_of_the_day_itself_is_not_in_force_before_the_treatment() -> None:
    assert forbidden(restriction(day=0, at="09:00")) == [("2026-03-28 14:30", "2026-03-29 03:30")]


def test_pre_care_is_in_force_from_its_nominal_instant_until_the_treatment() -> None:
    pre_care = restriction(day=-3, at="10:00", holds="0m")
    assert forbidden(pre_care) == [("2026-03-25 10:00", "2026-03-28 14:30")]


def test_pre_care_of_a_day_that_the_zone_skipped_is_in_force_from_the_treatment() -> None:
    treated_at = at("2011-12-31 00:30", "Pacific/Apia")  # there was no day before this one
    pre_care = restriction(day=-1, at="09:00", holds="12h")
    where = clinic(zone_name="Pacific/Apia")
    (found,) = bans(treatments(chart(session(treated_at), protocol(pre_care), clinic=where)))
    assert (found.start, found.end) == (treated_at, treated_at + timedelta(hours=12))


def test_a_restriction_without_a_matching_tag_or_turned_off_is_not_in_force() -> None:
    tagged = restriction(only_for=["weight-loss"])
    assert forbidden(tagged) == []
    assert len(forbidden(tagged, tags=frozenset({"weight-loss", "thigh"}))) == 1
    assert forbidden(restriction(), adjustments={"no-shower": adjusted(off=True)}) == []


def test_an_adjusted_restriction_is_in_force_for_as_long_as_staff_said() -> None:
    longer = {"no-shower": adjusted(holds="72h")}
    assert forbidden(restriction(), adjustments=longer) == [
        ("2026-03-28 14:30", "2026-03-31 15:30")
    ]


# Applicable, and adjusted by staff ------------------------------------------------------------


def test_what_is_only_for_a_tag_is_not_applicable_to_sessions_without_it() -> None:
    care = protocol(inform("plan", only_for=["weight-loss", "thigh"]))
    skipped = row(chart(session(T), care), "plan")
    assert (skipped.state, skipped.reason) == (State.SKIPPED, Reason.NOT_APPLICABLE)
    assert skipped.due_at is None
    assert skipped.channel is None
    tagged = session(T, tags=frozenset({"thigh"}))
    assert row(chart(tagged, care), "plan").state is State.SCHEDULED


def test_what_staff_turned_off_for_this_session_is_skipped() -> None:
    off = {"bruising": adjusted(off=True)}
    sessions = [session(T, adjustments=off), session(T + timedelta(days=60), id=2)]
    planned = chart(sessions, protocol(inform()))
    assert row(planned, "bruising").reason is Reason.OVERRIDE
    assert row(planned, "bruising", session_id=2).state is State.SCHEDULED


def test_not_applicable_is_found_before_turned_off() -> None:
    off = session(T, adjustments={"plan": adjusted(off=True)})
    care = protocol(inform("plan", only_for=["weight-loss"]))
    assert row(chart(off, care), "plan").reason is Reason.NOT_APPLICABLE


def test_staff_may_choose_another_time_of_day() -> None:
    evening = session(T, adjustments={"massage": adjusted(at="20:00")})
    assert local(row(chart(evening, protocol(routine())), "massage").due_at) == "2026-03-29 20:00"


def shower_again(holds: str = "72h", **facts: object) -> Reminder:
    longer = session(T, adjustments={"no-shower": adjusted(holds=holds)})
    care = protocol(restriction(holds="12h"), release(**facts))
    return row(chart(longer, care, clinic=AWAKE), "shower-again")


def test_a_release_moves_with_the_restriction_that_staff_changed() -> None:
    assert local(shower_again(after="12h").nominal_at) == "2026-03-31 15:30"
    assert local(shower_again(after="12h", expires="6h").expires_at) == "2026-03-31 21:30"
    assert local(shower_again(after="12h", holds="3h").nominal_at) == "2026-03-28 17:30"


def test_a_release_at_another_instant_than_the_end_stays_where_it_is() -> None:
    stays = shower_again(after="13h", expires="90h")
    assert local(stays.nominal_at) == "2026-03-29 04:30"
    assert stays.reason is Reason.SUPERSEDED


def test_a_release_on_another_topic_does_not_move() -> None:
    assert local(shower_again(topic="heat").nominal_at) == "2026-03-29 03:30"


def test_a_release_goes_by_the_longest_of_two_changed_restrictions() -> None:
    longer = {"no-shower": adjusted(holds="24h"), "no-bath": adjusted(holds="36h")}
    restrictions = [restriction(), restriction("no-bath", "shower", "bath")]
    for order in (restrictions, restrictions[::-1]):
        planned = chart(session(T, adjustments=longer), protocol(*order, release()), clinic=AWAKE)
        assert local(row(planned, "shower-again").nominal_at) == "2026-03-30 03:30"


def test_an_adjustment_that_leaves_no_time_is_an_override() -> None:
    told_late = restriction(day=0, at="16:00", holds="12h")
    short = session(T, adjustments={"no-shower": adjusted(holds="1h")})
    skipped = row(chart(short, protocol(told_late), clinic=AWAKE), "no-shower")
    assert (skipped.state, skipped.reason) == (State.SKIPPED, Reason.OVERRIDE)
    assert skipped.due_at is None


@pytest.mark.parametrize("quiet", ["defer", "drop"])
def test_a_time_of_day_within_quiet_hours_that_leaves_no_time_is_an_override(quiet: str) -> None:
    late = session(T, adjustments={"massage": adjusted(at="22:00")})
    skipped = row(chart(late, protocol(routine(expires="6h", quiet=quiet))), "massage")
    assert (skipped.state, skipped.reason) == (State.SKIPPED, Reason.OVERRIDE)
    assert (skipped.due_at, skipped.channel) == (None, None)


def test_an_all_clear_that_staff_moved_into_the_night_is_an_override() -> None:
    longer = session(T, adjustments={"no-shower": adjusted(holds="8h")})
    care = protocol(restriction(holds="6h"), release(after="6h", expires="6h"))
    assert row(chart(longer, care), "shower-again").reason is Reason.OVERRIDE


def test_a_restriction_that_the_night_would_have_left_no_time_anyway_is_no_override() -> None:
    told_late = restriction(day=0, at="22:00", holds="12h", expires="2h")
    longer = session(T, adjustments={"no-shower": adjusted(holds="24h")})
    assert row(chart(longer, protocol(told_late)), "no-shower").reason is Reason.QUIET_HOURS


def test_what_staff_have_shortened_is_not_told_when_it_is_over() -> None:
    care = protocol(restriction(holds="12h", expires="12h"))

    def no_shower(holds: str) -> Reminder:
        changed = session(T, adjustments={"no-shower": adjusted(holds=holds)})
        return row(chart(changed, care, clinic=AWAKE), "no-shower")

    assert local(no_shower("3h").expires_at) == "2026-03-28 17:30"
    assert local(no_shower("24h").expires_at) == "2026-03-29 03:30"
    assert no_shower("0m").reason is Reason.OVERRIDE


def test_an_adjustment_of_one_milestone_is_no_excuse_for_another() -> None:
    told_late = restriction(day=0, at="16:00", holds="1h")
    other = session(T, adjustments={"bruising": adjusted(off=True)})
    planned = chart(other, protocol(told_late, inform()), clinic=AWAKE)
    assert row(planned, "no-shower").reason is not Reason.OVERRIDE


def test_kinds_keep_their_words_in_the_row() -> None:
    planned = row(chart(session(T), protocol(check_in(template="how-are-you"))), "check-in")
    assert (planned.protocol, planned.revision, planned.template) == ("care", 1, "how-are-you")
    assert planned.topics == {"check-in"}
