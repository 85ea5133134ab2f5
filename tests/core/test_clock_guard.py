"""A wall clock that jumps is not believed; one that only drifts, or slept, is."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reminderd.clock_guard import STEADY_SECONDS, ClockGuard, Reading, Wrong
from tests.core.build import at

NOON = at("2026-03-10 12:00")
BEAT = 15.0


def reading(seconds: float, ahead: float = 0.0) -> Reading:
    """So many seconds after noon, by a wall clock that is so many seconds ahead."""
    return Reading(NOON + timedelta(seconds=seconds + ahead), 1000.0 + seconds)


def guard(newest_ago: float | None = None) -> ClockGuard:
    newest = None if newest_ago is None else NOON - timedelta(seconds=newest_ago)
    return ClockGuard(reading(0), newest)


@pytest.mark.parametrize("beat", [0.0, 0.5, BEAT, 8 * 3600.0], ids=["0", "½ s", "beat", "asleep"])
@pytest.mark.parametrize("step", [0.0, 1.0, -1.0, 60.0, -60.0])
def test_time_that_passes_awake_or_asleep_is_believed(beat: float, step: float) -> None:
    assert guard().look(reading(beat, step)) is None


@pytest.mark.parametrize(
    ("step", "said"),
    [
        (61.0, "1 min forwards"),
        (-61.0, "1 min backwards"),
        (3600.0, "60 min forwards"),
        (-3 * 3600.0, "3 h backwards"),
        (365 * 86400.0, "365 days forwards"),
    ],
)
def test_a_step_of_more_than_a_minute_is_noticed_and_told(step: float, said: str) -> None:
    watched = guard()
    assert watched.look(reading(BEAT, step)) is Wrong.STEPPED
    assert said in watched.why


def test_a_clock_that_is_back_for_half_a_minute_is_believed_again() -> None:
    watched = guard()
    watched.look(reading(15, 3600))
    assert watched.look(reading(30)) is Wrong.STEPPED
    assert watched.look(reading(45)) is Wrong.STEPPED
    assert watched.look(reading(60)) is None
    assert watched.why == ""


def test_one_that_jumps_again_before_that_is_not() -> None:
    watched = guard()
    for seconds, ahead in ((15, 3600), (30, 0), (45, 3600), (60, 0), (75, 0)):
        assert watched.look(reading(seconds, ahead)) is Wrong.STEPPED
    assert watched.look(reading(90)) is None


@pytest.mark.parametrize("step", [3600.0, -3600.0])
def test_the_new_time_stays_wrong_until_somebody_accepts_it(step: float) -> None:
    watched = guard()
    for beat in range(1, 1000):
        assert watched.look(reading(beat * BEAT, step)) is Wrong.STEPPED
    watched.accept(reading(20_000, step))
    assert watched.look(reading(20_015, step)) is None
    assert watched.look(reading(20_030)) is Wrong.STEPPED


@pytest.mark.parametrize(
    ("newest_ago", "wrong"), [(None, None), (5, None), (-59, None), (-61, Wrong.BEHIND)]
)
def test_a_clock_behind_what_is_on_record_is_wrong_from_the_start(
    newest_ago: float | None, wrong: Wrong | None
) -> None:
    assert guard(newest_ago).wrong is wrong


def test_a_clock_that_was_behind_is_right_once_it_has_passed_what_is_on_record() -> None:
    watched = guard(newest_ago=-86400.0)
    assert "24 h behind" in watched.why
    assert watched.look(reading(15)) is Wrong.BEHIND
    assert watched.look(reading(30, 86400)) is Wrong.BEHIND  # set right by then
    assert watched.look(reading(45, 2 * 86400)) is Wrong.BEHIND  # and not yet steady
    assert watched.look(reading(60, 2 * 86400)) is Wrong.BEHIND
    assert watched.look(reading(90, 2 * 86400)) is None


Looks = st.lists(
    st.tuples(
        st.floats(0, 30 * 86400),  # until the next look, whether asleep or awake
        st.floats(-60, 60),  # what the clock drifts or is put right by meanwhile
    ),
    max_size=50,
)


@given(Looks)
def test_no_drift_and_no_sleep_ever_stops_sending(looks: list[tuple[float, float]]) -> None:
    watched, seconds, ahead = guard(), 0.0, 0.0
    for ran, drift in looks:
        seconds, ahead = seconds + ran, ahead + drift * 0.999
        assert watched.look(reading(seconds, ahead)) is None


@given(Looks, st.floats(62, 1e8) | st.floats(-1e8, -62), Looks)
def test_every_step_stops_it_until_the_clock_is_back(
    before: list[tuple[float, float]], step: float, after: list[tuple[float, float]]
) -> None:
    watched, seconds = guard(), 0.0
    for ran, _ in before:
        seconds += ran
        watched.look(reading(seconds))
    for ran, _ in [(0.0, 0.0), *after]:
        seconds += ran
        assert watched.look(reading(seconds, step)) is Wrong.STEPPED
    watched.look(reading(seconds))
    assert watched.look(reading(seconds + STEADY_SECONDS + 1)) is None
