"""A worker of `cluster.py`: the daemon as installed, but for the way to its provider.

`python -m tests.faults.cluster_worker CONFIG PORT LEASE`, the seconds after which the others count
it as dead; with a lease as the product has it nothing else is changed.
"""

import sys
from datetime import timedelta


def main(config: str, port: int, lease: timedelta) -> None:
    """Work until told to end."""
    from reminderd.engines.distributed import leases

    if lease != leases.LEASE:
        _hurry(lease)
    from reminderd import bootstrap
    from reminderd.cli import main as command
    from tests.faults.lines import Lines

    bootstrap.build_transport = lambda settings, name: Lines(port)
    sys.argv = ["reminderd", "--config", config, "run"]
    command()


def _hurry(lease: timedelta) -> None:
    """Before anybody else has read it."""
    from reminderd.engines.distributed import leases

    milliseconds = lease // timedelta(milliseconds=1)
    leases.ALIVE = leases.ALIVE.replace(f"{leases.LEASE_MS}", f"{milliseconds}")
    leases.LEASE, leases.LEASE_MS = lease, milliseconds
    from reminderd.engines.distributed import beats, workers

    workers.EVERY = lease / 5
    beats.HEARTBEAT_SECONDS = workers.EVERY.total_seconds()
    beats.EVERY_15_SECONDS = "* * * * * *"


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), timedelta(seconds=float(sys.argv[3])))
