"""A patient lives by other clocks than those by which the times were told."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from reminderd.corrections import Cause
from reminderd.errors import NotFound
from reminderd.explain import untrue_in_words
from reminderd.model import Chart, ZoneChange
from reminderd.plan import no_longer_true
from tests.core.build import MADRID, at, local
from tests.core.desk import Desk, rule
from tests.core.told import HOUR, T, found, treated

TOKYO, LISBON, LAGOS = "Asia/Tokyo", "Europe/Lisbon", "Africa/Lagos"


def lives_in(chart: Chart, zone: str, since: datetime) -> Chart:
    """The patient as known from then on, planned by Madrid's clocks until then."""
    moved = replace(chart.patient, timezone=zone)
    return replace(chart, patient=moved, zones=(*chart.zones, ZoneChange(chart.timezone, since)))


def test_a_time_told_by_other_clocks_is_false_until_both_are_over() -> None:
    now = T + HOUR
    away = lives_in(treated(now), TOKYO, now)
    false = found(away, now)["no-training"]
    assert false.cause is Cause.ZONE
    assert local(false.was, TOKYO) == "2026-03-12 14:30"  # what the text says, read in Tokyo
    assert local(false.now, TOKYO) == "2026-03-12 22:30"
    assert "no-training" in found(away, T + 47 * HOUR)
    assert found(away, T + 48 * HOUR) == {}


def test_staff_read_both_times_by_the_patients_clocks() -> None:
    away = lives_in(treated(T + HOUR), TOKYO, T + HOUR)
    (false,) = [each for each in no_longer_true(away, T + HOUR) if each.cause is Cause.ZONE]
    assert untrue_in_words(false, away) == (
        "told by the clocks of another zone: it spoke of Thu 12 Mar 14:30,"
        " and that is Thu 12 Mar 22:30 here"
    )


def test_a_treatment_that_lies_ahead_is_at_another_time_by_other_clocks() -> None:
    now = T - HOUR
    away = lives_in(treated(now, done=False), LISBON, now)
    false = found(away, now)["no-wine"]
    assert (false.cause, false.now) == (Cause.ZONE, T)
    assert local(false.was, LISBON) == "2026-03-10 14:30"


def test_clocks_that_show_the_same_tell_the_same() -> None:
    now = T + HOUR
    assert found(lives_in(treated(now), LAGOS, now), now) == {}  # an hour after UTC, like Madrid


def test_who_comes_back_was_told_the_truth() -> None:
    now = T + HOUR
    away = lives_in(treated(now), TOKYO, now)
    assert found(lives_in(away, MADRID, now + HOUR), now + HOUR) == {}


def test_what_is_told_after_the_change_is_true() -> None:
    before = T - timedelta(days=8)
    assert found(lives_in(treated(T + HOUR), MADRID, before), T + HOUR) == {}


def test_a_patient_who_has_been_told_knows() -> None:
    now = T + HOUR
    away = lives_in(treated(now), TOKYO, now)
    told = replace(away, corrected={each.id: now + HOUR for each in away.reminders})
    assert found(told, now + HOUR) == {}


# Kept when staff enter it ------------------------------------------------------------------------


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    desk = Desk(tmp_path, at("2026-03-10 09:00"))
    desk.protocol(rule("no-sun", "restriction", after="0m", holds="48h", expires="12h"))
    yield desk
    desk.close()


def test_a_new_zone_puts_the_patient_on_the_staffs_list(desk: Desk) -> None:
    who = desk.patient()
    desk.treat(who, "2026-03-10 10:00")
    desk.drain()
    desk.clock.move(timedelta(minutes=1))
    edited = desk.intake.edit_patient("pat-1", lambda p: replace(p, timezone=TOKYO), desk.now)
    assert edited.chart.zones == (ZoneChange(MADRID, desk.now),)
    assert [each.milestone for each in edited.chart.reminders if each.needs_staff] == ["no-sun"]


def test_a_clinic_with_other_clocks_moves_its_patients_who_have_no_zone_of_their_own(
    desk: Desk,
) -> None:
    desk.patient()
    desk.patient(timezone=LISBON)
    desk.intake.clinics_moved({"main": MADRID, "gone": TOKYO}, desk.now)
    assert desk.intake.chart(1).zones == ()
    desk.intake.clinics_moved({"main": TOKYO}, desk.now)
    assert desk.intake.chart(1).zones == (ZoneChange(TOKYO, desk.now),)
    assert desk.intake.chart(2).zones == ()


def test_what_leaves_the_zone_as_it_is_is_no_change_of_it(desk: Desk) -> None:
    desk.patient()
    for zone in (MADRID, None):  # the clinic's own
        desk.intake.edit_patient("pat-1", lambda p, z=zone: replace(p, timezone=z), desk.now)
    assert desk.intake.chart(1).zones == ()


def test_where_somebody_lived_is_erased_with_everything_else(desk: Desk) -> None:
    desk.patient()
    desk.intake.edit_patient("pat-1", lambda p: replace(p, timezone=TOKYO), desk.now)
    desk.outbox.erase(desk.intake.patient("pat-1"), desk.now)
    with pytest.raises(NotFound):
        desk.intake.patient("pat-1")
    assert desk.outbox.facts([1])[0].zones == ()
