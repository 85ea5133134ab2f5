"""What becomes of a reminder that its protocol means for the middle of the night."""

from datetime import datetime

import pytest

from reminderd.model import Kind, Milestone, Reason, Reminder, State
from tests.core.build import (
    LONG_AGO,
    at,
    chart,
    clinic,
    inform,
    local,
    milestone,
    patient,
    protocol,
    release,
    restriction,
    row,
    session,
)

T = at("2026-03-10 14:30")


def planned(
    rule: Milestone,
    when: datetime = T,
    *,
    quiet: str = "21:00-08:00",
    now: datetime = LONG_AGO,
    zone_name: str = "Europe/Madrid",
) -> Reminder:
    where = clinic(quiet, zone_name)
    return row(chart(session(when), protocol(rule), clinic=where), rule.id, now)


def due(
    rule: Milestone, when: datetime = T, zone_name: str = "Europe/Madrid", **more: object
) -> str | None:
    return local(planned(rule, when, zone_name=zone_name, **more).due_at, zone_name)


def at_hour(hour: str, *, quiet: str = "defer", day: int = 1, expires: str = "24h") -> Milestone:
    return inform(day=day, at=hour, quiet=quiet, expires=expires)


def assert_lost_to_the_night(reminder: Reminder) -> None:
    assert (reminder.state, reminder.reason) == (State.SKIPPED, Reason.QUIET_HOURS)
    assert reminder.due_at is None
    assert reminder.channel is None


def test_by_day_nothing_moves() -> None:
    assert due(at_hour("08:00")) == "2026-03-11 08:00"
    assert due(at_hour("20:59")) == "2026-03-11 20:59"


@pytest.mark.parametrize("hour", ["21:00", "23:59"])
def test_what_is_deferred_waits_for_the_morning(hour: str) -> None:
    assert due(at_hour(hour)) == "2026-03-12 08:00"


def test_after_midnight_the_morning_is_that_of_the_same_day() -> None:
    assert due(at_hour("00:00")) == due(at_hour("07:59")) == "2026-03-11 08:00"


def test_quiet_hours_are_those_of_the_patients_zone() -> None:
    abroad = patient(timezone="America/New_York")
    found = row(chart(session(T), protocol(inform(after="16h")), patient=abroad), "bruising")
    assert local(found.nominal_at) == "2026-03-11 06:30"  # in New York it is half past one
    assert local(found.due_at, "America/New_York") == "2026-03-11 08:00"


def test_what_is_advanced_comes_one_minute_before_the_night() -> None:
    assert due(at_hour("21:00", quiet="advance")) == "2026-03-11 20:59"
    assert due(at_hour("03:00", quiet="advance", day=2)) == "2026-03-11 20:59"


def test_what_would_be_advanced_to_before_it_was_first_planned_is_deferred() -> None:
    rule = at_hour("22:00", quiet="advance")
    assert due(rule, now=at("2026-03-11 20:59")) == "2026-03-11 20:59"
    assert due(rule, now=at("2026-03-11 21:00")) == "2026-03-12 08:00"


def test_aftercare_that_would_be_advanced_to_before_the_treatment_is_deferred() -> None:
    rule = inform(after="1h", quiet="advance")
    assert due(rule, at("2026-03-10 20:59")) == "2026-03-10 20:59"
    assert due(rule, at("2026-03-10 21:00")) == "2026-03-11 08:00"


def test_pre_care_may_be_advanced() -> None:
    rule = inform(before="12h", quiet="advance", expires="12h")
    assert due(rule, at("2026-03-11 10:00")) == "2026-03-10 20:59"


def test_what_would_be_advanced_into_another_quiet_period_is_deferred() -> None:
    # On this day 02:30 is 03:30, so the long night before reaches into the one that begins 03:15.
    rule = inform(day=1, at="03:40", quiet="advance", expires="48h")
    found = due(rule, at("2026-03-28 14:30"), quiet="03:15-02:30")
    assert found == "2026-03-30 02:30"


def test_a_release_is_never_advanced_whatever_its_policy() -> None:
    rule = milestone("again", Kind.RELEASE, ["heat"], after="12h", expires="24h", quiet="advance")
    assert due(rule) == "2026-03-11 08:00"


def test_what_is_dropped_is_given_up() -> None:
    assert_lost_to_the_night(planned(at_hour("22:00", quiet="drop")))
    assert due(at_hour("20:00", quiet="drop")) == "2026-03-11 20:00"


def test_what_ignores_the_night_stays() -> None:
    assert due(at_hour("22:00", quiet="ignore")) == "2026-03-11 22:00"


def test_what_could_only_come_at_its_expiry_is_given_up() -> None:
    assert_lost_to_the_night(planned(at_hour("22:00", expires="10h")))
    assert_lost_to_the_night(planned(at_hour("22:00", expires="9h")))
    assert due(at_hour("22:00", expires="601m")) == "2026-03-12 08:00"


def test_pre_care_that_the_night_defers_to_the_treatment_is_given_up() -> None:
    rule = inform(before="2h", expires="24h")
    assert_lost_to_the_night(planned(rule, at("2026-03-10 08:00")))
    assert due(rule, at("2026-03-10 08:01")) == "2026-03-10 08:00"


def test_a_restriction_that_ends_in_the_night_is_not_told_in_the_morning() -> None:
    rule = restriction(after="7h", holds="12h")
    assert_lost_to_the_night(planned(rule))
    assert due(restriction(after="7h", holds="48h")) == "2026-03-11 08:00"


def test_the_night_is_a_reason_before_the_past_is() -> None:
    rule = at_hour("22:00", expires="9h")
    assert_lost_to_the_night(planned(rule, now=at("2026-04-01 12:00")))


def test_a_release_comes_when_the_night_is_over_and_never_before_its_instant() -> None:
    found = planned(release(after="12h"), at("2026-03-10 14:30"))
    assert (local(found.nominal_at), local(found.due_at)) == (
        "2026-03-11 02:30",
        "2026-03-11 08:00",
    )


@pytest.mark.parametrize("quiet", ["00:00-00:00", "21:00-21:00"])
def test_equal_ends_mean_no_quiet_hours_at_all(quiet: str) -> None:
    assert due(at_hour("03:00"), quiet=quiet) == "2026-03-11 03:00"
    assert due(at_hour("21:00", quiet="drop"), quiet=quiet) == "2026-03-11 21:00"


def test_quiet_hours_may_lie_within_one_day() -> None:
    assert due(at_hour("13:00"), quiet="12:00-15:00") == "2026-03-11 15:00"
    assert due(at_hour("13:00", quiet="advance"), quiet="12:00-15:00") == "2026-03-11 11:59"


# Clock changes --------------------------------------------------------------------------------

SPRING, AUTUMN = at("2026-03-28 14:30"), at("2026-10-24 14:30")


def test_twelve_hours_across_the_spring_change_are_an_hour_later_on_the_clock() -> None:
    found = planned(release(after="12h"), SPRING)
    assert (local(found.nominal_at), local(found.due_at)) == (
        "2026-03-29 03:30",
        "2026-03-29 08:00",
    )


def test_twelve_and_thirteen_hours_across_the_autumn_change_show_the_same_on_the_clock() -> None:
    twelve, thirteen = planned(release(after="12h"), AUTUMN), planned(release(after="13h"), AUTUMN)
    assert twelve.nominal_at == at("2026-10-25 02:30")
    assert thirteen.nominal_at == at("2026-10-25 02:30", fold=1)
    assert local(twelve.due_at) == local(thirteen.due_at) == "2026-10-25 08:00"


def test_a_night_that_would_begin_in_the_missing_hour_begins_after_it() -> None:
    rule = at_hour("03:15")
    assert due(rule, SPRING, quiet="02:30-08:00") == "2026-03-29 03:15"
    assert due(at_hour("03:45"), SPRING, quiet="02:30-08:00") == "2026-03-29 08:00"
    assert due(at_hour("03:45", quiet="advance"), SPRING, quiet="02:30-08:00") == "2026-03-29 03:29"


def test_a_night_that_the_change_leaves_no_time_does_not_happen() -> None:
    for hour in ("02:45", "03:10", "03:20", "03:40"):
        assert due(at_hour(hour, quiet="drop"), SPRING, quiet="02:30-03:15") is not None


def test_a_night_that_ends_in_the_repeated_hour_ends_the_first_time() -> None:
    second = at("2026-10-25 02:10", fold=1)
    found = planned(inform(after="760m"), AUTUMN, quiet="21:00-02:30")
    assert found.nominal_at == second
    assert found.due_at == second


def test_the_half_hour_of_lord_howe_counts() -> None:
    before = at("2026-04-04 14:30", "Australia/Lord_Howe")
    rule = release(after="12h", quiet="ignore")
    assert due(rule, before, zone_name="Australia/Lord_Howe") == "2026-04-05 02:00"
    spring = at("2026-10-03 14:30", "Australia/Lord_Howe")
    assert due(rule, spring, zone_name="Australia/Lord_Howe") == "2026-10-04 03:00"
    assert due(release(), spring, zone_name="Australia/Lord_Howe") == "2026-10-04 08:00"


def test_a_night_may_begin_at_a_midnight_that_does_not_exist() -> None:
    zone_name = "America/Sao_Paulo"
    when = at("2018-11-03 14:30", zone_name)
    quiet = {"quiet": "00:00-08:00", "zone_name": zone_name}
    assert due(at_hour("00:00"), when, **quiet) == "2018-11-04 08:00"
    assert due(at_hour("00:00", quiet="advance"), when, **quiet) == "2018-11-03 23:59"


def test_a_night_may_begin_at_a_midnight_that_comes_twice() -> None:
    zone_name = "America/Havana"
    when = at("2025-11-01 14:30", zone_name)
    quiet = {"quiet": "00:00-08:00", "zone_name": zone_name}
    assert due(inform(after="10h"), when, **quiet) == "2025-11-02 08:00"
    assert due(inform(after="10h", quiet="advance"), when, **quiet) == "2025-11-01 23:59"


def test_a_skipped_day_is_slept_through() -> None:
    zone_name = "Pacific/Apia"
    when = at("2011-12-28 14:30", zone_name)
    assert due(at_hour("22:00"), when, zone_name=zone_name) == "2011-12-31 08:00"
    assert due(at_hour("10:00", day=2), when, zone_name=zone_name) == "2011-12-31 10:00"
