"""Whoever proves nothing gets no more than so many calls looked at."""

import pytest

from reminderd.web.allowance import MOST_CALLERS, SECONDS_AT_ONCE, Allowance

FORGER, OTHER = "203.0.113.7", "198.51.100.9"


class Watch:
    """A clock that stands still until it is moved."""

    seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
def allowance(watch: Watch) -> Allowance:
    return Allowance(watch, each_per_second=5, all_per_second=20)


def taken(allowance: Allowance, peer: str, calls: int = 1000) -> int:
    return sum(allowance.take(peer) for _ in range(calls))


def test_one_caller_gets_a_few_at_once_and_then_so_many_a_second(
    allowance: Allowance, watch: Watch
) -> None:
    assert taken(allowance, FORGER) == 5 * SECONDS_AT_ONCE
    watch.seconds += 1
    assert taken(allowance, FORGER) == 5
    watch.seconds += 3600
    assert taken(allowance, FORGER) == 5 * SECONDS_AT_ONCE


def test_a_forger_takes_nothing_from_other_callers(allowance: Allowance) -> None:
    taken(allowance, FORGER)
    assert taken(allowance, OTHER) == 5 * SECONDS_AT_ONCE


def test_many_callers_together_get_no_more_than_all_may(allowance: Allowance, watch: Watch) -> None:
    assert sum(taken(allowance, f"203.0.113.{n}") for n in range(100)) == 20 * SECONDS_AT_ONCE
    watch.seconds += 1
    assert sum(taken(allowance, f"203.0.113.{n}") for n in range(100)) == 20


def test_whoever_proves_genuine_is_never_kept_waiting(allowance: Allowance) -> None:
    for _ in range(1000):
        assert allowance.take(OTHER)
        allowance.give_back(OTHER)


def test_a_network_of_ipv6_addresses_is_one_caller(allowance: Allowance) -> None:
    found = sum(taken(allowance, f"2001:db8::{n:x}", 1) for n in range(100))
    assert found == 5 * SECONDS_AT_ONCE
    assert allowance.take("2001:db8:0:1::1")


@pytest.mark.parametrize("proxy", ["127.0.0.1", "::1"])
def test_the_machine_itself_where_a_proxy_may_be_counts_for_all_alone(
    allowance: Allowance, proxy: str
) -> None:
    assert taken(allowance, proxy) == 20 * SECONDS_AT_ONCE


def test_callers_without_number_cost_no_memory_without_end(watch: Watch) -> None:
    allowance = Allowance(watch, all_per_second=1e9)
    for n in range(MOST_CALLERS + 500):
        allowance.take(f"10.{n >> 16}.{n >> 8 & 255}.{n & 255}")
    assert len(allowance._callers) == MOST_CALLERS
