"""What a wall clock means: durations, times that do not exist or exist twice, quiet periods."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from reminderd.hours import add, end_of_quiet, local_date, quiet_period, resolve, zone
from reminderd.model import Duration, QuietHours
from tests.core.build import MADRID, at, local

SAO_PAULO, HAVANA, APIA = "America/Sao_Paulo", "America/Havana", "Pacific/Apia"
LORD_HOWE, ST_JOHNS, LONDON = "Australia/Lord_Howe", "America/St_Johns", "Europe/London"


def period(zone_name: str, quiet: str, instant: datetime) -> tuple[str | None, ...] | None:
    found = quiet_period(zone_name, QuietHours.parse(quiet), instant)
    return found and tuple(local(each, zone_name) for each in found)


@pytest.mark.parametrize(
    ("zone_name", "day", "shown", "instant"),
    [
        (MADRID, date(2026, 3, 28), time(14, 30), "2026-03-28T13:30Z"),
        (MADRID, date(2026, 3, 29), time(1, 59), "2026-03-29T00:59Z"),
        (MADRID, date(2026, 3, 29), time(2, 0), "2026-03-29T01:00Z"),
        (MADRID, date(2026, 3, 29), time(2, 30), "2026-03-29T01:30Z"),
        (MADRID, date(2026, 3, 29), time(3, 0), "2026-03-29T01:00Z"),
        (MADRID, date(2026, 10, 25), time(2, 30), "2026-10-25T00:30Z"),
        (MADRID, date(2026, 10, 25), time(3, 0), "2026-10-25T02:00Z"),
        (LORD_HOWE, date(2026, 4, 5), time(1, 45), "2026-04-04T14:45Z"),
        (LORD_HOWE, date(2026, 4, 5), time(2, 0), "2026-04-04T15:30Z"),
        (LORD_HOWE, date(2026, 10, 4), time(2, 15), "2026-10-03T15:45Z"),
        (SAO_PAULO, date(2018, 11, 4), time(0, 0), "2018-11-04T03:00Z"),
        (SAO_PAULO, date(2018, 11, 4), time(0, 45), "2018-11-04T03:45Z"),
        (HAVANA, date(2025, 11, 2), time(0, 0), "2025-11-02T04:00Z"),
        (HAVANA, date(2025, 11, 2), time(0, 30), "2025-11-02T04:30Z"),
        (APIA, date(2011, 12, 30), time(10, 0), "2011-12-30T20:00Z"),
        (APIA, date(2011, 12, 31), time(10, 0), "2011-12-30T20:00Z"),
    ],
)
def test_a_local_time_in_a_gap_moves_on_and_one_that_comes_twice_is_the_first(
    zone_name: str, day: date, shown: time, instant: str
) -> None:
    assert resolve(zone_name, day, shown) == datetime.fromisoformat(instant)
    assert resolve(zone_name, day, shown).tzinfo is UTC


def test_a_time_that_was_read_off_the_second_pass_still_means_the_first() -> None:
    second = time(2, 30, fold=1)
    assert resolve(MADRID, date(2026, 10, 25), second) == at("2026-10-25 02:30")


@pytest.mark.parametrize(
    ("start", "length", "end"),
    [
        ("2026-03-28 14:30", "24h", "2026-03-29 15:30"),
        ("2026-03-28 14:30", "1d", "2026-03-29 14:30"),
        ("2026-03-28 02:30", "1d", "2026-03-29 03:30"),
        ("2026-03-27 02:30", "3d", "2026-03-30 02:30"),
        ("2026-10-24 14:30", "24h", "2026-10-25 13:30"),
        ("2026-10-24 14:30", "1d", "2026-10-25 14:30"),
        ("2026-10-26 14:30", "-1d", "2026-10-25 14:30"),
        ("2026-03-28 14:30", "90m", "2026-03-28 16:00"),
        ("2028-02-28 09:00", "1d", "2028-02-29 09:00"),
    ],
)
def test_hours_are_elapsed_and_days_are_on_the_calendar(start: str, length: str, end: str) -> None:
    assert local(add(MADRID, at(start), Duration.parse(length))) == end


def test_a_calendar_day_around_a_clock_change_is_23_or_25_hours_long() -> None:
    day = Duration.parse("1d")
    spring, autumn = at("2026-03-28 14:30"), at("2026-10-24 14:30")
    assert add(MADRID, spring, day) - spring == timedelta(hours=23)
    assert add(MADRID, autumn, day) - autumn == timedelta(hours=25)


def test_no_days_at_all_leave_an_instant_alone_even_in_the_repeated_hour() -> None:
    second = at("2026-10-25 02:30", fold=1)
    assert add(MADRID, second, Duration.parse("0d")) == second


def test_days_counted_from_the_repeated_hour_do_not_remember_which_pass_it_was() -> None:
    first, second = at("2026-10-25 02:30"), at("2026-10-25 02:30", fold=1)
    days = Duration(154, "d")  # to 2026-03-28 in the next year, where 02:30 does not exist
    assert local(add(MADRID, second, days)) == "2027-03-28 03:30"
    assert add(MADRID, second, days) == add(MADRID, first, days)


def test_a_day_that_a_zone_skipped_is_passed_over() -> None:
    start = at("2011-12-29 10:00", APIA)
    assert local(add(APIA, start, Duration.parse("1d")), APIA) == "2011-12-31 10:00"


def test_the_date_is_the_one_in_the_zone() -> None:
    instant = datetime(2026, 3, 28, 23, 30, tzinfo=UTC)
    assert local_date(MADRID, instant) == date(2026, 3, 29)
    assert local_date("America/Los_Angeles", instant) == date(2026, 3, 28)


@pytest.mark.parametrize(
    ("instant", "quiet", "expected"),
    [
        ("2026-03-10 20:59", "21:00-08:00", None),
        ("2026-03-10 21:00", "21:00-08:00", ("2026-03-10 21:00", "2026-03-11 08:00")),
        ("2026-03-11 00:00", "21:00-08:00", ("2026-03-10 21:00", "2026-03-11 08:00")),
        ("2026-03-11 07:59", "21:00-08:00", ("2026-03-10 21:00", "2026-03-11 08:00")),
        ("2026-03-11 08:00", "21:00-08:00", None),
        ("2026-03-10 13:59", "12:00-14:00", ("2026-03-10 12:00", "2026-03-10 14:00")),
        ("2026-03-10 14:00", "12:00-14:00", None),
        ("2026-03-10 23:59", "00:00-08:00", None),
        ("2026-03-10 00:00", "00:00-08:00", ("2026-03-10 00:00", "2026-03-10 08:00")),
        ("2026-03-10 23:59", "22:00-00:00", ("2026-03-10 22:00", "2026-03-11 00:00")),
        ("2026-03-11 00:00", "22:00-00:00", None),
        ("2026-03-10 03:00", "03:00-03:00", None),
        ("2026-03-10 12:00", "00:00-00:00", None),
    ],
)
def test_a_quiet_period_begins_at_its_start_and_is_over_at_its_end(
    instant: str, quiet: str, expected: tuple[str, str] | None
) -> None:
    assert period(MADRID, quiet, at(instant)) == expected


def test_the_night_of_a_clock_change_lasts_an_hour_less_or_more() -> None:
    quiet = QuietHours.parse("21:00-08:00")
    short = quiet_period(MADRID, quiet, at("2026-03-29 01:00"))
    long = quiet_period(MADRID, quiet, at("2026-10-25 02:30", fold=1))
    assert short is not None
    assert short[1] - short[0] == timedelta(hours=10)
    assert long is not None
    assert long[1] - long[0] == timedelta(hours=12)


def test_lord_howe_changes_by_half_an_hour() -> None:
    quiet = QuietHours.parse("21:00-08:00")
    found = quiet_period(LORD_HOWE, quiet, at("2026-04-05 01:00", LORD_HOWE))
    assert found is not None
    assert found[1] - found[0] == timedelta(hours=11, minutes=30)
    assert period(LORD_HOWE, "02:15-08:00", at("2026-10-04 02:45", LORD_HOWE)) == (
        "2026-10-04 02:45", "2026-10-04 08:00",
    )  # fmt: skip


def test_a_start_that_does_not_exist_is_moved_on_by_the_gap() -> None:
    assert period(MADRID, "02:30-08:00", at("2026-03-29 03:29")) is None
    assert period(MADRID, "02:30-08:00", at("2026-03-29 03:30")) == (
        "2026-03-29 03:30", "2026-03-29 08:00",
    )  # fmt: skip


def test_an_end_that_comes_twice_is_the_first() -> None:
    assert period(MADRID, "21:00-02:30", at("2026-10-25 02:29")) is not None
    assert period(MADRID, "21:00-02:30", at("2026-10-25 02:30")) is None
    assert period(MADRID, "21:00-02:30", at("2026-10-25 02:15", fold=1)) is None


def test_an_end_not_after_its_start_because_the_clock_changed_means_no_period() -> None:
    for hour in ("01:59", "03:10", "03:15", "03:30", "03:45"):
        assert period(MADRID, "02:30-03:15", at(f"2026-03-29 {hour}")) is None
    assert period(MADRID, "02:30-03:15", at("2026-03-30 03:00")) is not None


def test_midnight_may_not_exist() -> None:
    assert period(SAO_PAULO, "00:00-08:00", at("2018-11-03 23:59", SAO_PAULO)) is None
    assert period(SAO_PAULO, "00:00-08:00", at("2018-11-04 01:00", SAO_PAULO)) == (
        "2018-11-04 01:00", "2018-11-04 08:00",
    )  # fmt: skip


def test_midnight_may_come_twice() -> None:
    assert period(HAVANA, "22:00-00:00", at("2025-11-02 00:00", HAVANA)) is None
    found = quiet_period(HAVANA, QuietHours.parse("00:00-01:00"), at("2025-11-02 00:30", HAVANA))
    assert found is not None
    assert found[1] - found[0] == timedelta(hours=2)  # 01:00 comes only after both


def test_midnight_may_come_twice_although_the_date_goes_back() -> None:
    again = at("2009-10-31 23:30", ST_JOHNS, fold=1)  # at 00:01 the clock went back to 23:01
    assert period(ST_JOHNS, "00:00-08:00", again) == ("2009-11-01 00:00", "2009-11-01 08:00")


def test_a_night_into_a_skipped_day_lasts_until_the_morning_after() -> None:
    expected = ("2011-12-29 21:00", "2011-12-31 08:00")
    assert period(APIA, "21:00-08:00", at("2011-12-29 22:00", APIA)) == expected
    assert period(APIA, "21:00-08:00", at("2011-12-31 07:59", APIA)) == expected


def test_quiet_hours_end_only_where_no_other_period_goes_on() -> None:
    nearly_always = QuietHours.parse("03:15-02:30")  # on this day its end falls after its start
    assert local(end_of_quiet(MADRID, nearly_always, at("2026-03-29 01:00"))) == "2026-03-30 02:30"


def test_an_instant_outside_quiet_hours_is_its_own_end() -> None:
    noon = at("2026-03-10 12:00")
    assert end_of_quiet(MADRID, QuietHours.parse("21:00-08:00"), noon) == noon


@pytest.mark.parametrize(
    "name",
    ["", "Mars/Base", "Europe", "Europe/", "/etc/localtime", "..", "../tzdata", "zone.tab",
     "tzdata.zi", "Europe/Madrid\n", "Europe/Mad\0rid", "Europe//Madrid", "Europe.Madrid",
     "a" * 300, "\ud800"],
)  # fmt: skip
def test_what_is_no_zone_is_refused_by_name(name: str) -> None:
    with pytest.raises(ValueError, match="is not a time zone"):
        zone(name)


def test_a_zone_comes_from_the_packaged_data_and_not_from_the_machine(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("zoneinfo.TZPATH", ())
    zone.cache_clear()
    assert isinstance(zone("Indian/Chagos"), ZoneInfo)
    assert str(zone("Indian/Chagos")) == "Indian/Chagos"
