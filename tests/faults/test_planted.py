"""A test of the tests: every bug that was planted is caught."""

import pytest

from tests.faults.planted import HARD, PLANTED, Bug, caught, year_of
from tests.faults.simulate import play


@pytest.mark.parametrize("bug", PLANTED, ids=[each.what for each in PLANTED])
def test_a_planted_bug_is_caught(bug: Bug) -> None:
    assert caught(bug) is not None


def test_without_a_bug_the_same_years_are_right() -> None:
    assert [play(seed, HARD, year_of(Bug("none"))).wrongs for seed in range(5)] == [[]] * 5


def test_a_year_that_fails_fails_again_in_the_same_way() -> None:
    found = caught(PLANTED[0])
    assert found is not None
    again = caught(PLANTED[0], [found.seed])
    assert again is not None
    assert again.wrongs == found.wrongs
