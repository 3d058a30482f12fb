"""Calls that are being forwarded: how many there may be, and when one is given up.

Callers do not say when they no longer wait for an answer, so the oldest call of a user makes room for the next. A call is also given
up when the connection that it came on is gone, and when the server stops.
"""

import asyncio
from collections.abc import Generator
from contextlib import contextmanager

from xirtam_core.names import Username
from xirtam_core.rpc.home_server import ServerBusy
from xirtam_server.peer import PEER


class Call:
    """One call in flight."""

    __slots__ = ("is_released", "limit", "size")

    def __init__(self, size: int, longest_s: float) -> None:
        self.size = size
        self.is_released = False
        self.limit = asyncio.timeout(longest_s)

    def release(self) -> None:
        """Gives it up: nobody waits for it any more, or another one needs its place."""
        if not self.is_released and not self.limit.expired():
            self.is_released = True
            self.limit.reschedule(asyncio.get_running_loop().time())


class Calls:
    """All calls in flight, by user, within bounds."""

    def __init__(self, *, most: int, most_per_user: int, most_bytes: int, longest_s: float) -> None:
        """`most_bytes` is for all requests together; those of one user may have an eighth of it."""
        self._most, self._most_per_user, self._most_bytes = most, most_per_user, most_bytes
        self._longest_s = longest_s
        self._by_user: dict[Username, dict[Call, None]] = {}
        self._count = self._bytes = 0
        self._is_closed = False
        self.given_up = 0
        """Calls that made room for others of their user."""

    @contextmanager
    def begin(self, user: Username, size: int) -> Generator[Call]:
        """A call of `user`, whose request has `size` bytes; raises `ServerBusy` where there are too many of others."""
        if self._is_closed or self._count >= self._most or self._bytes + size > self._most_bytes:
            raise ServerBusy
        calls, peer = self._by_user.setdefault(user, {}), PEER.get()
        self._make_room(calls, size)
        call = Call(size, self._longest_s)
        calls[call] = None
        self._count += 1
        self._bytes += size
        if peer is not None:
            peer.waiting[call] = None
        try:
            yield call
        finally:
            self._count -= 1
            self._bytes -= size
            calls.pop(call, None)
            if not calls and self._by_user.get(user) is calls:
                del self._by_user[user]
            if peer is not None:
                peer.waiting.pop(call, None)

    def _make_room(self, calls: dict[Call, None], size: int) -> None:
        share = self._most_bytes // 8 - size
        while calls and (len(calls) >= self._most_per_user or sum(call.size for call in calls) > share):
            oldest = next(iter(calls))
            del calls[oldest]
            oldest.release()
            self.given_up += 1

    def close(self) -> None:
        """Gives up all calls, and takes no more."""
        self._is_closed = True
        for calls in self._by_user.values():
            for call in calls:
                call.release()
