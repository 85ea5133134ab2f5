"""How long a temporary error makes a message wait."""

from datetime import UTC, datetime, timedelta

import pytest

from reminderd.retry import next_try_at

NOW = datetime(2026, 3, 28, 13, 30, tzinfo=UTC)


def pause(attempts: int, *, chance: float = 0, retry_after: timedelta | None = None) -> timedelta:
    return next_try_at(NOW, attempts, retry_after=retry_after, chance=chance) - NOW


@pytest.mark.parametrize(
    ("attempts", "seconds"),
    [(1, 30), (2, 60), (3, 120), (4, 240), (5, 480), (6, 960), (7, 1800), (8, 1800)],
)
def test_the_pause_doubles_up_to_half_an_hour(attempts: int, seconds: int) -> None:
    assert pause(attempts) == timedelta(seconds=seconds)


def test_any_number_of_attempts_has_a_pause() -> None:
    assert pause(0) == timedelta(seconds=30)
    assert pause(1_000_000) == timedelta(minutes=30)


def test_chance_stretches_the_pause_by_up_to_a_quarter_and_never_shortens_it() -> None:
    assert pause(2, chance=0.5) == timedelta(seconds=67.5)
    assert pause(2, chance=1) == timedelta(seconds=75)


@pytest.mark.parametrize("wish", [timedelta(seconds=6), timedelta(minutes=5), timedelta(hours=2)])
def test_a_pause_that_the_provider_names_is_kept_however_short_or_long(wish: timedelta) -> None:
    for attempts in (1, 4, 100):
        assert pause(attempts, retry_after=wish) == wish
        assert pause(attempts, retry_after=wish, chance=1) == wish * 1.25


def test_a_pause_of_nothing_is_none() -> None:
    assert pause(2, retry_after=timedelta(0)) == timedelta(minutes=1)
