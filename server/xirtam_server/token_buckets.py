"""Rates for many keys at once, in bounded memory.

A key's state is one number: when its bucket will be full again. One that is not remembered has a full bucket, unless one that was not
full had to be forgotten: then it counts as no fuller than that, so that coming under many names gains nobody anything.
"""

from collections import OrderedDict
from collections.abc import Hashable
from typing import Final, Generic, TypeVar

K = TypeVar("K", bound=Hashable)
AT_ONCE_S: Final = 1e-6
"""No wait at all: what adding up fractions of a second leaves."""


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

    def takes(self, key: K, now: float) -> bool:
        """Takes a token if there is one; whether there was."""
        if self.wait_s(key, now) > AT_ONCE_S:
            return False
        self.take(key, now)
        return True

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
