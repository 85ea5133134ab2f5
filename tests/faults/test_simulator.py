"""Years of a clinic, each with its own faults and power cuts; a seed plays again exactly so."""

import pytest

from tests.faults.simulate import SMALL, play, play_on_the_wire


@pytest.mark.parametrize("seed", range(10))
def test_a_year_of_faults_and_power_cuts_breaks_no_promise(seed: int) -> None:
    wrongs = play(seed, SMALL).wrongs
    assert wrongs == [], f"python -m tests.faults.simulate --small --seed {seed}"


@pytest.mark.parametrize("seed", range(15))
def test_real_clients_and_servers_that_break_break_no_promise(seed: int) -> None:
    wrongs = play_on_the_wire(seed).wrongs
    assert wrongs == [], f"python -m tests.faults.simulate --wire --seed {seed}"


def test_a_seed_tells_the_same_year_again() -> None:
    first, second = play(7, SMALL), play(7, SMALL)
    assert (first.counts, first.fates) == (second.counts, second.fates)
    assert sum(n for what, n in first.counts.items() if what.startswith("cut")) > 0


def test_a_seed_tells_the_same_year_again_over_sockets() -> None:
    first, second = play_on_the_wire(2), play_on_the_wire(2)
    assert (first.counts, first.fates) == (second.counts, second.fates)
