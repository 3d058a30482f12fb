"""All client connections of a process: how many there may be, and which have been silent or stuck for too long."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Callable
from typing import ClassVar, Protocol

import msgspec

from xirtam_server.transports.addresses import TrustedProxies, counted_source

LARGE_REQUEST = 64 * 2**10
"""From how many bytes on what has come of a request, or waits, is counted in what all clients together make the server keep."""


class ConnectionLimits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Bounds on connections. Sizes in bytes, times in seconds."""

    most: int = 16_000
    """Open at once; further ones are closed at once."""
    most_per_source: int = 1000
    """From one address, IPv6 by /64. Loopback addresses and trusted proxies are not counted, as many clients come from them."""
    max_request_bytes: int = 2 * 2**20
    """Of an HTTP request's body."""
    max_head_bytes: int = 64 * 2**10
    """Of an HTTP request's head."""
    max_line_bytes: int = 2**20
    """Of a request over TCP, LZ4 or WebSocket."""
    max_depth: int = 128
    """Lists and objects within each other in a request."""
    most_calls: int = 128
    """In flight on one such connection; further ones wait."""
    most_pipelined: int = 16
    """HTTP requests that wait on one connection for the one before."""
    most_unsent_bytes: int = 64 * 2**20
    """Answers that one client has not taken yet."""
    most_held_bytes: int = 512 * 2**20
    """What all clients together make the server keep beyond the ordinary: large unsent answers, large LZ4 windows, large
    requests that are unfinished or wait."""
    most_odd_frames: int = 1000
    """WebSocket frames that carry no whole message (pings, pieces, empty ones) on one connection between two sweeps."""
    silence_s: float = 600.0
    """A connection (not of HTTP) on which nothing came for so long is closed."""
    idle_http_s: float = 75.0
    """An HTTP connection without a request for so long is closed."""
    handshake_s: float = 10.0
    """For TLS to be agreed on."""
    slow_s: float = 60.0
    """A request, the first on a connection too, must have arrived, and some of an answer been taken, in this time."""
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
    """Turned away: too many, or too many from there."""
    stale: int = 0
    """Closed because they were silent, slow or stuck."""
    overdrawn: int = 0
    """Closed because they left too much untaken, or held most when all together held too much."""
    open: int = 0
    """Right now."""


class Connections:
    """The register of open connections. `on_change` hears of the number whenever it changes."""

    def __init__(self, limits: ConnectionLimits, proxies: TrustedProxies | None = None) -> None:
        self.limits = limits
        self.proxies = proxies or TrustedProxies()
        self.on_change: Callable[[int], None] = lambda _: None
        self.counts: defaultdict[str, ConnectionCounts] = defaultdict(ConnectionCounts)
        """By transport: `http`, `ws`, `tcp`, `lz4tcp`, and `tls` for those that are still agreeing on it."""
        self._open: dict[Connection, str] = {}
        self._by_source: Counter[str] = Counter()
        self._held: dict[tuple[Connection, str], int] = {}
        self._held_bytes = 0

    def __len__(self) -> int:
        return len(self._open)

    def admit(self, connection: Connection, address: str = "") -> bool:
        """Registers a new connection from `address`; False where there are too many: it must end at once."""
        counts = self.counts[connection.counted_as]
        source = "" if address in self.proxies else counted_source(address)
        if len(self._open) >= self.limits.most or self._is_crowded(source):
            counts.refused += 1
            return False
        self._add(connection, source)
        self.on_change(len(self._open))
        return True

    def _is_crowded(self, source: str) -> bool:
        return source != "" and self._by_source[source] >= self.limits.most_per_source

    def replace(self, connection: Connection, by: Connection, address: str = "") -> bool:
        """The same client goes on as another kind of connection; False where there are too many from where it turns out to be."""
        source = "" if address in self.proxies else counted_source(address)
        if connection not in self._open or (source != self._open[connection] and self._is_crowded(source)):
            self.counts[by.counted_as].refused += 1
            return False
        self._remove(connection)
        self._add(by, source)
        return True

    def _add(self, connection: Connection, source: str) -> None:
        self._open[connection] = source
        if source:
            self._by_source[source] += 1
        counts = self.counts[connection.counted_as]
        counts.opened += 1
        counts.open += 1

    def _remove(self, connection: Connection) -> None:
        source = self._open.pop(connection)
        if source:
            self._by_source[source] -= 1
            if not self._by_source[source]:
                del self._by_source[source]
        self.counts[connection.counted_as].open -= 1

    def leave(self, connection: Connection) -> None:
        """The connection is gone."""
        for kind in ("unsent", "window", "partial", "backlog"):
            self.hold(connection, kind, 0)
        if connection in self._open:
            self._remove(connection)
            self.on_change(len(self._open))

    def hold(self, connection: Connection, kind: str, size: int) -> None:
        """Notes the `size` of what is kept for a connection beyond the ordinary; where all is too much, the largest goes."""
        self._held_bytes += size - (self._held.pop((connection, kind), 0) if self._held else 0)
        if size:
            self._held[connection, kind] = size
        while self._held_bytes > self.limits.most_held_bytes:
            largest, what = max(self._held, key=self._held.__getitem__)
            self._held_bytes -= self._held.pop((largest, what))
            self.counts[largest.counted_as].overdrawn += 1
            largest.abort()

    async def finish(self) -> None:
        """Lets every connection answer what it is at, and ends it."""
        await asyncio.gather(*(connection.finish() for connection in list(self._open)))

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
