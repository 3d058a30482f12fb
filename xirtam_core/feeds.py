"""Feeds: what comes, item by item, for as long as somebody asks for more.

A feed holds nothing while its reader is busy with an item, so it can be left at any point, by `break`, an exception or cancellation,
and needs no closing. It ends by itself when its account is closed by whoever opened it, and raises `Unreachable` where the process
that has the account open has ended.
"""

import asyncio
import contextlib
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable
from typing import Generic, Self, TypeVar

from xirtam_core.chat import Change, Message, Received
from xirtam_core.errors import Unreachable
from xirtam_core.events import Event
from xirtam_core.faces.conversations import Conversations

Listener = Callable[[Event], None]
Item = TypeVar("Item")

_LOOK_S = 30.0
"""How often it looks without having heard that something came; only a listener that was cut off depends on that."""


class Source(Conversations):
    """An account's conversations, with word of what happens in them and of their end."""

    is_closed: bool
    """Whether whoever opened it has closed it."""

    @abstractmethod
    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Calls `listener` with every event from now on, in the engine's thread; what comes back ends that."""

    @abstractmethod
    def when_over(self, wake: Callable[[], None]) -> Callable[[], None]:
        """Calls `wake`, in any thread, once there will be no more events; what comes back ends that."""


class _Feed(ABC, Generic[Item]):
    """Gives items one by one, reading more when there are none left."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._items: deque[Item] = deque()

    def __aiter__(self) -> Self:
        return self

    @abstractmethod
    async def _read(self) -> list[Item]:
        """What comes after the items that were read before, as much as fits, or nothing."""

    async def _has_dealt_with_last(self) -> None:
        """Called when another item is asked for."""
        return

    async def _next(self) -> Item:
        """The next item, waited for; raises `StopAsyncIteration` once the account is closed."""
        try:
            if not self._source.is_closed:
                await self._has_dealt_with_last()
            if not self._items:
                self._items.extend(await self._read_if_open() or await self._wait())
        except Unreachable:
            if self._source.is_closed:
                raise StopAsyncIteration from None
            raise
        return self._items.popleft()

    async def _read_if_open(self) -> list[Item]:
        if self._source.is_closed:
            raise StopAsyncIteration
        return await self._read()

    async def _wait(self) -> list[Item]:
        loop, news = asyncio.get_running_loop(), asyncio.Event()

        def wake(_: Event | None = None) -> None:
            with contextlib.suppress(RuntimeError):  # the loop has ended, so nobody waits any more
                loop.call_soon_threadsafe(news.set)

        unsubscribe, forget = self._source.subscribe(wake), self._source.when_over(wake)
        try:
            while not (found := await self._read_if_open()):
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(_LOOK_S):
                        await news.wait()
                news.clear()
            return found
        finally:
            unsubscribe()
            forget()


class Following(_Feed[Change]):
    """Every message that is new or changes, as `Client.follow` gives it."""

    def __init__(self, source: Source, after: int | None) -> None:
        """For `Client.follow`."""
        super().__init__(source)
        self._cursor = after

    async def _read(self) -> list[Change]:
        if self._cursor is None:
            self._cursor = await self._source.latest_change()
        found = await self._source.changes(self._cursor)
        if found:
            self._cursor = found[-1].cursor
        return found

    async def __anext__(self) -> Change:
        return await self._next()


class Incoming(_Feed[Received]):
    """Messages from others, as `Client.incoming` gives them. A message counts as dealt with once the next one is asked for."""

    def __init__(self, source: Source, reader: str, *, from_now: bool) -> None:
        """For `Client.incoming`."""
        super().__init__(source)
        self._reader = reader
        self._from_now = from_now
        self._cursor: int | None = None
        self._given: int | None = None

    async def _read(self) -> list[Received]:
        if self._cursor is None:
            self._cursor = await self._start()
        found = await self._source.received(self._cursor)
        if found:
            self._cursor = found[-1].cursor
        return found

    async def _start(self) -> int:
        cursor = await self._source.listened(self._reader)
        if cursor == 0 and self._from_now:
            cursor = await self._source.latest_received()
            await self._source.mark_listened(cursor, self._reader)
        return cursor

    async def done(self) -> None:
        """Notes that the message that was given last has been dealt with; for who leaves without asking for another."""
        if self._given is not None:
            await self._source.mark_listened(self._given, self._reader)
            self._given = None

    async def __anext__(self) -> Message:
        received = await self._next()
        self._given = received.cursor
        return received.message

    async def _has_dealt_with_last(self) -> None:
        await self.done()
