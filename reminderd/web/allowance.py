"""How many calls that nobody has proven genuine are looked at: token buckets, told the time."""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import ip_address

EACH_PER_SECOND = 50.0  # of one caller; the machine itself, where a proxy may be, is none
ALL_PER_SECOND = 1000.0
SECONDS_AT_ONCE = 2.0  # so many seconds' worth may come at once
MOST_CALLERS = 4096


@dataclass(slots=True)
class _Bucket:
    tokens: float
    at: float


class Allowance:
    """Whoever proves genuine takes nothing of it; `seconds` is a monotonic clock."""

    def __init__(
        self,
        seconds: Callable[[], float],
        *,
        each_per_second: float = EACH_PER_SECOND,
        all_per_second: float = ALL_PER_SECOND,
    ) -> None:
        self._seconds = seconds
        self._each = each_per_second
        self._all = all_per_second
        self._together = _Bucket(all_per_second * SECONDS_AT_ONCE, seconds())
        self._callers: OrderedDict[str, _Bucket] = OrderedDict()

    def take(self, peer: str) -> bool:
        """Whether a call from that address may be looked at."""
        now, caller = self._seconds(), self._caller(peer)
        buckets = [(self._together, self._all)]
        if caller is not None:
            buckets.append((caller, self._each))
        for bucket, rate in buckets:
            gained = (now - bucket.at) * rate
            bucket.tokens = min(bucket.tokens + gained, rate * SECONDS_AT_ONCE)
            bucket.at = now
        may = all(bucket.tokens >= 1 for bucket, _ in buckets)
        for bucket, _ in buckets if may else ():
            bucket.tokens -= 1
        return may

    def give_back(self, peer: str) -> None:
        """That call was genuine."""
        for bucket in (self._together, self._caller(peer)):
            if bucket is not None:
                bucket.tokens += 1

    def _caller(self, peer: str) -> _Bucket | None:
        """The bucket of a caller; whoever was not heard of for longest is forgotten first."""
        name = _name(peer)
        if name is None:
            return None
        found = self._callers.get(name)
        if found is None:
            found = _Bucket(self._each * SECONDS_AT_ONCE, self._seconds())
            self._callers[name] = found
            if len(self._callers) > MOST_CALLERS:
                self._callers.popitem(last=False)
        self._callers.move_to_end(name)
        return found


@lru_cache(MOST_CALLERS)
def _name(peer: str) -> str | None:
    """Who has one IPv6 address has the rest of its network too; None for this machine."""
    address = ip_address(peer)
    if address.is_loopback:
        return None
    return peer if address.version == 4 else f"{int(address) >> 64:x}"
