"""Run the measurements that are named, or all of them."""

import sys

from benchmarks import check, daemon, drain, flood, intake, scale, start

MEASUREMENTS = {
    "start": start.run,
    "check": check.run,
    "intake": intake.run,
    "drain": drain.run,
    "daemon": daemon.run,
    "flood": flood.run,
    "scale": scale.run,
}

if __name__ == "__main__":
    for name in sys.argv[1:] or list(MEASUREMENTS):
        print(f"\n{name}")
        MEASUREMENTS[name]()
