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


def test_the_provider_may_ask_for_more_time_but_not_for_less() -> None:
    assert pause(1, retry_after=timedelta(minutes=5)) == timedelta(minutes=5)
    assert pause(4, retry_after=timedelta(seconds=1)) == timedelta(minutes=4)
