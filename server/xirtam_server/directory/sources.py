"""How often each source of calls may ask, in bounded memory.

A source's state is one number: when its bucket will be full again. One that is not remembered has a full bucket, unless one that was
not full had to be forgotten: then it counts as no fuller than that, so that coming from many places gains nobody anything.
"""

import ipaddress
from collections import OrderedDict
from functools import lru_cache


@lru_cache(maxsize=4096)
def source_of(address: str) -> str:
    """What counts as one source with `address`: the /64 of an IPv6 address, everything else as it is."""
    try:
        parsed = ipaddress.IPv6Address(address.partition("%")[0])
    except ValueError:
        return address
    return str(parsed.ipv4_mapped or ipaddress.IPv6Network((int(parsed) >> 64 << 64, 64)))


class SourceRates:
    """For each source a bucket of `burst` tokens, refilled at `per_s` (0: no limit); the last `most` that asked are remembered."""

    def __init__(self, per_s: float, burst: int, most: int) -> None:
        self._token_s = 1 / per_s if per_s > 0 else 0.0
        self._deepest_s = max(burst, 1) * self._token_s
        self._most = most
        self._full_at: OrderedDict[str, float] = OrderedDict()
        self._forgotten = 0.0

    def takes(self, source: str, now: float) -> bool:
        """Takes a token of `source`, at a monotonic time in seconds; False where there is none."""
        if not self._token_s:
            return True
        full_at = max(self._full_at.get(source, self._forgotten), now) + self._token_s
        if full_at - now > self._deepest_s:
            return False
        self._full_at[source] = full_at
        self._full_at.move_to_end(source)
        if len(self._full_at) > self._most:
            self._forgotten = max(self._forgotten, self._full_at.popitem(last=False)[1])
        return True
