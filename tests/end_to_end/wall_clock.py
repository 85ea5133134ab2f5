"""`reminderd` with a wall clock that a file puts wrong: before its command stands this one.

The file holds by how many seconds; the machine's other clocks are as they are.
"""

import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from reminderd.clock import SystemClock

_OFFSET = Path(sys.argv[1])


def _now(_: SystemClock) -> datetime:
    return datetime.now(UTC) + timedelta(seconds=float(_OFFSET.read_text() or 0))


if __name__ == "__main__":
    SystemClock.now = _now  # type: ignore[method-assign]  # which is the point
    sys.argv[1:] = sys.argv[sys.argv.index("--config") :]
    from reminderd.__main__ import main

    main()
