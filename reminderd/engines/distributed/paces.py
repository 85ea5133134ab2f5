"""How fast all workers together hand over to a transport: a token bucket in the database."""

from typing import Any

from reminderd.engines.distributed.leases import Rows

# One statement: whoever comes at the same moment waits for the row, and finds what is left.
_TAKE = (
    "INSERT INTO paces (transport, tokens, at) VALUES (%(transport)s, %(most)s - %(count)s, "
    "clock_ms()) ON CONFLICT (transport) DO UPDATE SET at = clock_ms(), tokens = least("
    "paces.tokens + greatest(clock_ms() - paces.at, 0) * %(per_second)s / 1000, %(most)s) "
    "- %(count)s RETURNING tokens"
)


class SharedPace:
    """Implements `pace.Pace` for all who send from one database, by the clock of that."""

    def __init__(self, rows: Rows, transport: str, per_second: float) -> None:
        self._rows = rows
        self._given: dict[str, Any] = {
            "transport": transport,
            "per_second": float(per_second),
            "most": max(float(per_second), 1.0),
        }

    def wait_seconds(self, count: int, now_seconds: float) -> float:
        """As `Pace` says; `now_seconds` tells nothing to the others, and is not used."""
        ((tokens,),) = self._rows(_TAKE, {**self._given, "count": float(count)})
        return max(-float(tokens) / float(self._given["per_second"]), 0.0)
