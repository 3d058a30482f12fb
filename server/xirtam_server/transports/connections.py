"""All client connections of a process: how many there may be, and which have been silent or stuck for too long."""

import asyncio
from collections import defaultdict
from collections.abc import Callable
from typing import ClassVar, Protocol

import msgspec


class ConnectionLimits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Bounds on connections. Sizes in bytes, times in seconds."""

    most: int = 16_000
    """Open at once; further ones are closed at once."""
    max_request_bytes: int = 2 * 2**20
    """Of one request over HTTP."""
    max_line_bytes: int = 2**20
    """Of one request over TCP."""
    most_calls: int = 128
    """In flight on one TCP connection; further ones wait."""
    most_unsent_bytes: int = 64 * 2**20
    """Answers that one client has not taken yet."""
    silence_s: float = 600.0
    """A TCP connection on which no line came for so long is closed."""
    idle_http_s: float = 75.0
    """An HTTP connection without a request for so long is closed."""
    slow_s: float = 60.0
    """A request must have arrived, and some of an answer been taken, in this time."""
    sweep_s: float = 5.0
    """How often they are looked through for those to close."""


class Connection(Protocol):
    """What the sweep asks of a connection."""

    counted_as: ClassVar[str]
    """The transport under whose name it is counted."""

    def is_stale(self, now: float) -> bool:
        """Whether it should go, at loop time `now`."""
        ...

    def abort(self) -> None:
        """Ends it at once."""
        ...

    async def finish(self) -> None:
        """Takes no more calls, answers those in flight, and ends."""
        ...


class ConnectionCounts(msgspec.Struct):
    """What has become of the connections of one transport since the start."""

    opened: int = 0
    refused: int = 0
    """Turned away: too many."""
    stale: int = 0
    """Closed because they were silent, slow or stuck."""
    open: int = 0
    """Right now."""


class Connections:
    """The register of open connections. `on_change` hears of the number whenever it changes."""

    def __init__(self, limits: ConnectionLimits) -> None:
        self.limits = limits
        self.on_change: Callable[[int], None] = lambda _: None
        self.counts: defaultdict[str, ConnectionCounts] = defaultdict(ConnectionCounts)
        """By transport."""
        self._open: set[Connection] = set()

    def __len__(self) -> int:
        return len(self._open)

    def admit(self, connection: Connection) -> bool:
        """Registers a new connection; False where there are too many: it must end at once."""
        counts = self.counts[connection.counted_as]
        if len(self._open) >= self.limits.most:
            counts.refused += 1
            return False
        self._open.add(connection)
        counts.opened += 1
        counts.open += 1
        self.on_change(len(self._open))
        return True

    def leave(self, connection: Connection) -> None:
        """The connection is gone."""
        if connection in self._open:
            self._open.discard(connection)
            self.counts[connection.counted_as].open -= 1
            self.on_change(len(self._open))

    async def finish(self) -> None:
        """Lets every connection answer what it is at, and ends it."""
        await asyncio.gather(*(connection.finish() for connection in self._open))

    def abort(self) -> None:
        """Ends every connection at once."""
        for connection in list(self._open):
            connection.abort()

    async def sweep(self) -> None:
        """Ends stale connections, now and then, until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(self.limits.sweep_s)
            now = loop.time()
            for connection in [connection for connection in self._open if connection.is_stale(now)]:
                self.counts[connection.counted_as].stale += 1
                connection.abort()


class Flow:
    """Whether the other end takes what is written to it: stuck when nothing of a full buffer leaves for too long."""

    __slots__ = ("_since", "_unsent")

    def __init__(self) -> None:
        self._unsent = 0
        self._since = 0.0

    def is_stuck(self, unsent: int, now: float, slow_s: float) -> bool:
        """Whether `unsent` bytes have waited without progress; to be asked now and then."""
        if unsent == 0 or unsent < self._unsent or self._unsent == 0:
            self._since = now
        self._unsent = unsent
        return unsent > 0 and now - self._since > slow_s
