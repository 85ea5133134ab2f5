"""Years of a clinic, each with its own faults and power cuts; a seed plays again exactly so."""

import pytest

from tests.faults.simulate import SMALL, play


@pytest.mark.parametrize("seed", range(40))
def test_a_year_of_faults_and_power_cuts_breaks_no_promise(seed: int) -> None:
    wrongs = play(seed, SMALL).wrongs
    assert wrongs == [], f"python -m tests.faults.simulate --small --seed {seed}"


def test_a_seed_tells_the_same_year_again() -> None:
    first, second = play(7, SMALL), play(7, SMALL)
    assert (first.counts, first.fates) == (second.counts, second.fates)
    assert sum(n for what, n in first.counts.items() if what.startswith("cut")) > 0
