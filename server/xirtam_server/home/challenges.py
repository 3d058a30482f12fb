"""Challenges for device authentication: a nonce to sign within a minute, once (spec: extensions.md, Device authentication).

A challenge carries its own expiry and a tag under a key that the server's processes share, so that handing one out costs no memory
and any of them takes it back. Only those used are remembered, until they expire.
"""

import hmac
import secrets
import time
from collections.abc import Callable

from blake3 import blake3

from xirtam_core.codec.primitives import Hash
from xirtam_core.names import Username
from xirtam_core.rpc.home_server import Challenge, ServerBusy

_EXPIRY_SIZE = 8
_NONCE_SIZE = 8
_TAG_SIZE = 16


class Challenges:
    """Makes challenges, and takes each back once."""

    def __init__(
        self, valid_s: int, most_spent: int, clock: Callable[[], float] = time.time, key: bytes | None = None
    ) -> None:
        self._key = key or secrets.token_bytes(32)
        self._valid_s, self._most_spent, self._clock = valid_s, most_spent, clock
        self._spent: dict[Hash, int] = {}

    def make(self, username: Username) -> Challenge:
        """A challenge for a device of `username`."""
        expires = int(self._clock()) + self._valid_s
        head = expires.to_bytes(_EXPIRY_SIZE, "big") + secrets.token_bytes(_NONCE_SIZE)
        return Challenge(Hash(head + self._tag(head, username)), expires)

    def _tag(self, head: bytes, username: Username) -> bytes:
        return blake3(head + username.encode(), key=self._key).digest(_TAG_SIZE)

    def is_open(self, challenge: Hash, username: Username) -> bool:
        """Whether `challenge` was made here for `username`, has not expired and was not spent."""
        head, tag = challenge[:-_TAG_SIZE], challenge[-_TAG_SIZE:]
        made_here = hmac.compare_digest(tag, self._tag(head, username))
        return made_here and int.from_bytes(head[:_EXPIRY_SIZE], "big") > self._clock() and challenge not in self._spent

    def spend(self, challenge: Hash) -> None:
        """Takes an open challenge back; raises `ServerBusy` rather than remember more than the bound."""
        now = self._clock()
        while self._spent and next(iter(self._spent.values())) <= now:
            del self._spent[next(iter(self._spent))]
        if len(self._spent) >= self._most_spent:
            raise ServerBusy
        # Remembered by its own expiry at most: all last equally long, so the oldest spent is never far from the front.
        self._spent[challenge] = int(now) + self._valid_s + 1
