"""Long polls that wait for mailboxes: they register first, look second and sleep third, so that no entry comes unnoticed in between.

How many may wait, and for how many mailboxes, is bounded, for each connection and for all: the oldest is let go early, which is
always allowed and tells an abandoned poll from one that somebody still waits for by letting the latter come again.
"""

import asyncio
from collections import Counter
from collections.abc import Collection, Generator
from contextlib import contextmanager

from xirtam_core.codec.primitives import Hash
from xirtam_server.home.limits import HomeLimits
from xirtam_server.peer import PEER, Peer


class Poll:
    """One call that waits for some mailboxes."""

    __slots__ = ("_sleep", "_woken", "is_released", "mailboxes")

    def __init__(self, mailboxes: Collection[Hash]) -> None:
        self._sleep: asyncio.Future[None] | None = None
        self._woken: dict[Hash, None] | None = None
        self.mailboxes = mailboxes
        self.is_released = False

    def wake(self, mailbox: Hash) -> None:
        """Something came to `mailbox` that it may want to see."""
        if self._woken is None:
            self._woken = {}
        self._woken[mailbox] = None
        self._stir()

    def release(self) -> None:
        """It shall answer now, with what there is."""
        self.is_released = True
        self._stir()

    def _stir(self) -> None:
        if self._sleep is not None and not self._sleep.done():
            self._sleep.set_result(None)

    async def sleep(self, until: float) -> Collection[Hash]:
        """Waits to be woken, released, or for loop time `until`; the mailboxes that woke it since the last sleep, if any did."""
        loop = asyncio.get_running_loop()
        if self._woken is None and not self.is_released and loop.time() < until:
            self._sleep = loop.create_future()
            alarm = loop.call_at(until, self._stir)
            try:
                await self._sleep
            finally:
                alarm.cancel()
                self._sleep = None
        woken, self._woken = self._woken, None
        return () if woken is None or self.is_released else woken


class Waiters:
    """Which polls wait for which mailbox."""

    def __init__(self, limits: HomeLimits) -> None:
        self._limits = limits
        self._watched = 0
        self._by_mailbox: dict[Hash, dict[Poll, None]] = {}
        self._polls: dict[Poll, None] = {}
        self._is_closed = False
        self.let_go: Counter[str] = Counter()
        """Polls that made room for others, by the bound that was reached."""

    def __len__(self) -> int:
        return len(self._polls)

    @contextmanager
    def watch(self, mailboxes: Collection[Hash]) -> Generator[Poll]:
        """A poll that is woken by what comes to any of `mailboxes` from here on; each is named once."""
        poll, peer = Poll(mailboxes), PEER.get()
        poll.is_released = self._is_closed
        self._admit(poll, peer)
        for name in mailboxes:
            self._by_mailbox.setdefault(name, {})[poll] = None
        try:
            yield poll
        finally:
            for name in mailboxes:
                self._leave(name, poll)
            self._forget(poll)
            if peer is not None:
                peer.waiting.pop(poll, None)

    def _admit(self, poll: Poll, peer: Peer | None) -> None:
        limits, size = self._limits, len(poll.mailboxes)
        if peer is not None:
            if len(peer.waiting) >= limits.most_polls_per_peer:
                oldest = next(iter(peer.waiting))
                del peer.waiting[oldest]
                oldest.release()
                self.let_go["most_polls_per_peer"] += 1
            self._make_room_at(peer, size)
            peer.waiting[poll] = None
        while self._polls and (len(self._polls) >= limits.most_polls or self._watched + size > limits.most_watched):
            self.let_go["most_polls" if len(self._polls) >= limits.most_polls else "most_watched"] += 1
            self._drop(next(iter(self._polls)))
        self._polls[poll] = None
        self._watched += size

    def _make_room_at(self, peer: Peer, size: int) -> None:
        """Lets the oldest polls of `peer` go where they and one for `size` mailboxes wait for too many."""
        polls = [call for call in peer.waiting if isinstance(call, Poll)]
        excess = size + sum(len(poll.mailboxes) for poll in polls) - self._limits.most_watched_per_peer
        for poll in polls:
            if excess <= 0:
                return
            excess -= len(poll.mailboxes)
            del peer.waiting[poll]
            self._drop(poll)
            self.let_go["most_watched_per_peer"] += 1

    def _drop(self, poll: Poll) -> None:
        self._forget(poll)
        poll.release()

    def _forget(self, poll: Poll) -> None:
        if poll in self._polls:
            del self._polls[poll]
            self._watched -= len(poll.mailboxes)

    def _leave(self, mailbox: Hash, poll: Poll) -> None:
        polls = self._by_mailbox.get(mailbox)
        if polls is not None:
            polls.pop(poll, None)
            if not polls:
                del self._by_mailbox[mailbox]

    def is_watched(self, mailbox: Hash) -> bool:
        """Whether a poll waits for `mailbox`."""
        return mailbox in self._by_mailbox

    def watched(self) -> list[Hash]:
        """The mailboxes that polls wait for."""
        return list(self._by_mailbox)

    def wake(self, mailbox: Hash) -> None:
        """Something came to `mailbox`."""
        for poll in self._by_mailbox.get(mailbox, ()):
            poll.wake(mailbox)

    def close(self) -> None:
        """Lets all polls go, and those that come from now on."""
        self._is_closed = True
        for poll in list(self._polls):
            poll.release()
