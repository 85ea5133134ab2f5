"""A test of the tests: every bug that was planted is caught."""

import pytest

from tests.faults.happenings import Scale
from tests.faults.planted import PLANTED, year_of
from tests.faults.simulate import play
from tests.faults.steps import BreakingOutbox

HARD = Scale(patients=3, events=15, troubles=0.4, cut_chance=1 / 40)
SEEDS = 25


@pytest.mark.parametrize("bug", PLANTED, ids=[each.__name__ for each in PLANTED])
def test_a_planted_bug_is_caught(bug: type[BreakingOutbox]) -> None:
    year = year_of(bug)
    assert any(play(seed, HARD, year).wrongs for seed in range(SEEDS))


def test_without_a_bug_the_same_years_are_right() -> None:
    assert [play(seed, HARD, year_of(BreakingOutbox)).wrongs for seed in range(5)] == [[]] * 5
