"""Holds callers to the rates: who is over one waits a moment for the next token, if few do, and is refused otherwise.

A call that is refused has taken nothing. One that waits has taken the token that will be there when its wait is over, so those who
wait are served in the order in which they came. Calls from within, and limits by source where the source is not known, pass.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from xirtam_core.codec.primitives import Hash
from xirtam_core.rpc.home_server import ServerBusy
from xirtam_server.home.rates import RateLimits
from xirtam_server.peer import PEER
from xirtam_server.sources import source_of
from xirtam_server.token_buckets import AT_ONCE_S, TokenBuckets

_Charge = tuple[TokenBuckets[Any], Any]


class Throttle:
    """Asked before a call that a rate is for; `refused` counts by limit whom it turned away, `held_back` whom it made wait."""

    def __init__(
        self,
        rates: RateLimits,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        most, share = rates.most_remembered, rates.anonymous_source_share
        self._rates, self._clock, self._sleep = rates, clock, sleep
        self._by_source = TokenBuckets[str](rates.anonymous_per_source, rates.anonymous_source_burst, most)
        self._by_mailbox = TokenBuckets[Hash](rates.anonymous_per_mailbox, rates.anonymous_mailbox_burst, most)
        self._by_both = TokenBuckets[tuple[str, Hash]](
            rates.anonymous_per_mailbox * share, rates.anonymous_mailbox_burst * share, most
        )
        self._costly = TokenBuckets[str](rates.costly_per_source, rates.costly_burst, most)
        self._invites = TokenBuckets[str](rates.invites_per_source, rates.invites_burst, most)
        self._waiting = self._waiting_bytes = 0
        self.limits_sends = rates.anonymous_per_source > 0 or rates.anonymous_per_mailbox > 0
        self.refused: Counter[str] = Counter()
        self.held_back = 0

    async def send(self, mailbox: Hash, size: int) -> bool:
        """Lets a stranger's message of `size` bytes pass, and says whether it had to wait; raises `ServerBusy`."""
        peer = PEER.get()
        if peer is None:
            return False
        charges: Sequence[_Charge] = ((self._by_mailbox, mailbox),)
        if peer.address:
            source = source_of(peer.address)
            charges = ((self._by_source, source), (self._by_both, (source, mailbox)), (self._by_mailbox, mailbox))
        wait_s = self._take("anonymous_sends", charges, size)
        if wait_s:
            await self._hold(wait_s, size)
        return wait_s > 0

    async def costly(self) -> None:
        """Lets a call pass that costs the directory a question, many signatures to check, or a look for what is not there.

        Raises `ServerBusy`.
        """
        await self._pass_source("costly_calls", self._costly)

    async def invite(self) -> None:
        """Lets a caller pass who names an invite; raises `ServerBusy`."""
        await self._pass_source("invites", self._invites)

    async def _pass_source(self, limit: str, buckets: TokenBuckets[str]) -> None:
        peer = PEER.get()
        if peer is not None and peer.address:
            wait_s = self._take(limit, ((buckets, source_of(peer.address)),), 0)
            if wait_s:
                await self._hold(wait_s, 0)

    def _take(self, limit: str, charges: Sequence[_Charge], size: int) -> float:
        """Takes a token of each, and says how long to wait for the last of them; raises `ServerBusy`."""
        now, wait_s = self._clock(), 0.0
        for buckets, key in charges:
            wait_s = max(wait_s, buckets.wait_s(key, now))
        if wait_s > AT_ONCE_S and not self._has_room(wait_s, size):
            self.refused[limit] += 1
            raise ServerBusy
        for buckets, key in charges:
            buckets.take(key, now)
        return wait_s if wait_s > AT_ONCE_S else 0.0

    def _has_room(self, wait_s: float, size: int) -> bool:
        rates = self._rates
        return (
            wait_s <= rates.patience_s
            and self._waiting < rates.most_held_back
            and self._waiting_bytes + size <= rates.most_held_back_bytes
        )

    async def _hold(self, wait_s: float, size: int) -> None:
        self.held_back += 1
        self._waiting += 1
        self._waiting_bytes += size
        try:
            await self._sleep(wait_s)
        finally:
            self._waiting -= 1
            self._waiting_bytes -= size
