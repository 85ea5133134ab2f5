"""A short version of what `python -m tests.faults.cluster` shows."""

from datetime import timedelta

from tests.faults.cluster import prove
from tests.postgres import Cluster

LEASE = timedelta(seconds=3)  # dead workers are missed sooner, so that the test is


def test_workers_that_are_killed_and_a_server_that_restarts_lose_nothing_and_send_nothing_twice(
    own_cluster: Cluster,
) -> None:
    became = prove(own_cluster, messages=200, kills=2, restarts=1, seed=1, lease=LEASE)
    assert became.is_right, became
    assert became.killed == 2
    assert became.sent + became.in_doubt == 200
