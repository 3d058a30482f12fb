"""Long polls that wait for mailboxes: they register first, look second and sleep third, so that no entry comes unnoticed in between.

How many may wait is bounded, for each connection and for all: the oldest is let go early, which is always allowed and tells an
abandoned poll from one that somebody still waits for by letting the latter come again.
"""

import asyncio
from collections import Counter
from collections.abc import Generator, Iterable
from contextlib import contextmanager

from xirtam_core.codec.primitives import Hash
from xirtam_server.peer import PEER, Peer


class Poll:
    """One call that waits for some mailboxes."""

    __slots__ = ("_sleep", "_woken", "is_released")

    def __init__(self) -> None:
        self._sleep: asyncio.Future[None] | None = None
        self._woken = False
        self.is_released = False

    def wake(self) -> None:
        """Something came that it may want to see."""
        self._woken = True
        self._stir()

    def release(self) -> None:
        """It shall answer now, with what there is."""
        self.is_released = True
        self._stir()

    def _stir(self) -> None:
        if self._sleep is not None and not self._sleep.done():
            self._sleep.set_result(None)

    async def sleep(self, until: float) -> bool:
        """Waits to be woken, released, or for loop time `until`; whether it was woken, since the last sleep."""
        loop = asyncio.get_running_loop()
        if not self._woken and not self.is_released and loop.time() < until:
            self._sleep = loop.create_future()
            alarm = loop.call_at(until, self._stir)
            try:
                await self._sleep
            finally:
                alarm.cancel()
                self._sleep = None
        woken, self._woken = self._woken, False
        return woken and not self.is_released


class Waiters:
    """Which polls wait for which mailbox."""

    def __init__(self, most: int, most_per_peer: int) -> None:
        self._most, self._most_per_peer = most, most_per_peer
        self._by_mailbox: dict[Hash, dict[Poll, None]] = {}
        self._polls: dict[Poll, None] = {}
        self._is_closed = False
        self.let_go: Counter[str] = Counter()
        """Polls that made room for others, by the bound that was reached."""

    def __len__(self) -> int:
        return len(self._polls)

    @contextmanager
    def watch(self, mailboxes: Iterable[Hash]) -> Generator[Poll]:
        """A poll that is woken by what comes to any of `mailboxes` from here on."""
        poll, peer, names = Poll(), PEER.get(), tuple(mailboxes)
        poll.is_released = self._is_closed
        self._admit(poll, peer)
        for name in names:
            self._by_mailbox.setdefault(name, {})[poll] = None
        try:
            yield poll
        finally:
            for name in names:
                self._leave(name, poll)
            self._polls.pop(poll, None)
            if peer is not None:
                peer.waiting.pop(poll, None)

    def _admit(self, poll: Poll, peer: Peer | None) -> None:
        if len(self._polls) >= self._most:
            self._drop_oldest()
        self._polls[poll] = None
        if peer is None:
            return
        if len(peer.waiting) >= self._most_per_peer:
            oldest = next(iter(peer.waiting))
            del peer.waiting[oldest]
            oldest.release()
            self.let_go["most_polls_per_peer"] += 1
        peer.waiting[poll] = None

    def _drop_oldest(self) -> None:
        oldest = next(iter(self._polls))
        del self._polls[oldest]
        oldest.release()
        self.let_go["most_polls"] += 1

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
            poll.wake()

    def close(self) -> None:
        """Lets all polls go, and those that come from now on."""
        self._is_closed = True
        for poll in list(self._polls):
            poll.release()
