"""How often strangers may write, and anybody ask what is costly: token buckets by source and by mailbox, in bounded memory.

A bucket is one number: when it will be full again. A key that is not remembered has a full one, unless some that was not yet full
had to be forgotten: then all that are not remembered count as no fuller than that one. So being forgotten gains nobody anything.
"""

import ipaddress
from collections import OrderedDict
from collections.abc import Hashable
from functools import lru_cache
from typing import Generic, TypeVar

import msgspec

K = TypeVar("K", bound=Hashable)


class RateLimits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How often callers may do what they may do unknown: a burst, then so many a second; 0: no limit.

    A source is an IPv4 address or an IPv6 /64. Sends count for callers without a device token of this server, and without an entry
    of their own in the mailbox's access list. Who is over a limit waits for a moment, and is told `retry_later` if that will not do.
    """

    anonymous_per_source: float = 100.0
    """Sends, from one source to all mailboxes; whole servers may forward for their users."""
    anonymous_source_burst: int = 2000
    """Sends at once from one address."""
    anonymous_per_mailbox: float = 50.0
    """Sends, from all sources to one mailbox."""
    anonymous_mailbox_burst: int = 2000
    """Sends at once to one mailbox."""
    anonymous_source_share: float = 0.5
    """What part of a mailbox's rate and burst one source may use up, so that others still get through."""
    costly_per_source: float = 20.0
    """Challenges, authentications, profiles, and calls for mailboxes that do not exist: each costs a question to the directory, many
    signatures to check, or a look into the store."""
    costly_burst: int = 1000
    """Of these at once."""
    invites_per_source: float = 0.2
    """Invites redeemed or guessed at."""
    invites_burst: int = 20
    """Of these at once."""
    most_remembered: int = 50_000
    """Sources, mailboxes, and pairs of them, that are remembered, each; those used last."""
    patience_s: float = 5.0
    """Longest that who is over a limit is made to wait: reference clients give up after eight refusals in three seconds."""
    most_held_back: int = 2000
    """Callers that wait so at once; others are refused."""
    most_held_back_bytes: int = 32 * 2**20
    """Messages that wait so."""


UNLIMITED = RateLimits(
    anonymous_per_source=0, anonymous_per_mailbox=0, costly_per_source=0, invites_per_source=0
)  # fmt: skip
"""For a network that only its owner's machine reaches."""


class TokenBuckets(Generic[K]):
    """A bucket of `burst` tokens for each key, refilled at `per_s` (0: no limit); `most` keys are remembered."""

    def __init__(self, per_s: float, burst: float, most: int) -> None:
        self._token_s = 1 / per_s if per_s > 0 else 0.0
        self._deepest_s = max(burst, 1) * self._token_s
        self._most = most
        self._full_at: OrderedDict[K, float] = OrderedDict()
        self._forgotten_full_at = 0.0

    def __len__(self) -> int:
        return len(self._full_at)

    def wait_s(self, key: K, now: float) -> float:
        """How long until the key's next token, at most 0 when there is one."""
        full_at = self._full_at.get(key, self._forgotten_full_at)
        return max(full_at - now, 0.0) + self._token_s - self._deepest_s

    def take(self, key: K, now: float) -> None:
        """Takes a token, also one that is yet to come: who takes it must wait for it."""
        if not self._token_s:
            return
        remembered = self._full_at
        remembered[key] = max(remembered.get(key, self._forgotten_full_at), now) + self._token_s
        remembered.move_to_end(key)
        if len(remembered) > self._most:
            _, full_at = remembered.popitem(last=False)
            self._forgotten_full_at = max(self._forgotten_full_at, full_at)


@lru_cache(maxsize=4096)
def source_of(address: str) -> str:
    """What counts as one source with `address`: an IPv4 address, the /64 of an IPv6 one; a text that is neither as it is."""
    if ":" not in address:
        return address
    try:
        parsed = ipaddress.IPv6Address(address.partition("%")[0])
    except ValueError:
        return address
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(ipaddress.IPv6Network((int(parsed) >> 64 << 64, 64)))
