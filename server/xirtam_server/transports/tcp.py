"""JSON-RPC over TCP: a line is a request or a response, many calls at once, answered as they are ready (spec: rpc.md, Transports).

The other transports on which many calls share a connection build on this one: they frame messages their own way by overriding
`data_received`, `_send` and `_close`. A client's address is its socket's; the PROXY protocol of load balancers is not spoken.
"""

import asyncio
import socket
from contextvars import copy_context
from typing import ClassVar, cast

from xirtam_core.errors import Malformed
from xirtam_core.rpc import envelope
from xirtam_core.rpc.envelope import Fault
from xirtam_server.peer import PEER, Peer
from xirtam_server.transports.addresses import address_of
from xirtam_server.transports.connections import LARGE_REQUEST, Connections, Flow
from xirtam_server.transports.door import Door

_HIGH_WATER = 2**20
BACKLOG = 4096
_WEIGHT_OF_LINE = 64
"""What a line that waits costs in memory beside its bytes."""


class LineConnection(asyncio.Protocol):
    """One client."""

    counted_as: ClassVar[str] = "tcp"

    def __init__(self, door: Door, connections: Connections) -> None:
        self._door, self._connections, self._limits = door, connections, connections.limits
        self._loop = asyncio.get_running_loop()
        self._peer = Peer()
        self._flow = Flow()
        self._transport = cast("asyncio.Transport", None)
        self._partial: bytearray | None = None
        self._backlog: list[bytes] = []
        self._context = copy_context()
        self._context.run(PEER.set, self._peer)
        self._calls = 0
        self._idle: asyncio.Future[None] | None = None
        self._last_line = self._partial_since = self._loop.time()
        self._has_spoken = False
        self._can_write = True
        self._is_paused = self._is_finishing = self._is_closing = self._is_beginning = False
        self._holds_partial = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._peer.address = address_of(transport)
        if not self._connections.admit(self, self._peer.address):
            self._transport.abort()
            return
        self._set_up()

    def _set_up(self) -> None:
        self._transport.set_write_buffer_limits(high=_HIGH_WATER)
        self._transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def connection_lost(self, exc: Exception | None) -> None:
        self._is_closing = True
        self._connections.leave(self)
        self._backlog.clear()
        self._peer.release()

    def data_received(self, data: bytes) -> None:
        if b"\n" not in data:
            if self._partial is None:
                self._partial, self._partial_since = bytearray(), self._loop.time()
            self._partial += data
            self._count_partial(len(self._partial))
            return
        self._last_line = self._partial_since = self._loop.time()
        self._has_spoken = True
        *lines, rest = (data if self._partial is None else bytes(self._partial) + data).split(b"\n")
        self._partial = bytearray(rest) if rest else None
        self._count_partial(len(rest))
        for line in lines:
            if line and line != b"\r":
                self._check_length(len(line))
                self._backlog.append(line)
        self._begin_calls()
        if self._backlog:
            self._count_backlog()

    def _check_length(self, size: int) -> None:
        if size > self._limits.max_line_bytes:
            self.abort()

    def _count_partial(self, size: int) -> None:
        """Judges what has come of a request, `size` bytes: much of it counts against what all clients may have together."""
        self._check_length(size)
        if size > LARGE_REQUEST or self._holds_partial:
            self._holds_partial = size > LARGE_REQUEST
            self._connections.hold(self, "partial", size if self._holds_partial else 0)

    def _count_backlog(self) -> None:
        """The same for requests that wait, until reading goes on."""
        size = sum(map(len, self._backlog)) + _WEIGHT_OF_LINE * len(self._backlog)
        if size > LARGE_REQUEST and not self._is_closing:
            self._connections.hold(self, "backlog", size)

    def _begin_calls(self) -> None:
        self._is_beginning = True
        begun = 0
        for line in self._backlog:
            if not self._can_write or self._calls >= self._limits.most_calls or self._is_closing:
                break
            begun += 1
            self._begin(line)
        del self._backlog[:begun]
        self._is_beginning = False
        if self._is_closing or self._transport.is_closing():
            return
        if self._is_full() is not self._is_paused:
            self._is_paused = not self._is_paused
            if self._is_paused:
                self._transport.pause_reading()
            else:
                self._connections.hold(self, "backlog", 0)
                self._transport.resume_reading()

    def _go_on(self) -> None:
        """Begins calls that waited. Meanwhile the client was not heard, which is not counted against it."""
        self._begin_calls()
        self._last_line = self._partial_since = self._loop.time()

    def _is_full(self) -> bool:
        """Whether to read no more for now."""
        return bool(self._backlog) or self._is_finishing

    def _begin(self, line: bytes) -> None:
        self._calls += 1
        try:
            self._door.begin(line, self._context, self._ended)
        except Malformed as fault:
            self._ended(envelope.render_fault(None, Fault(envelope.PARSE_ERROR, "Parse error", str(fault))))

    def _ended(self, answer: bytes | None) -> None:
        """A call has come to `answer`."""
        self._calls -= 1
        if answer is not None and not self._is_closing and not self._transport.is_closing():
            self._send(answer)
            self._check_unsent()
        if self._backlog and not self._is_beginning:
            self._go_on()
        if self._idle is not None and not self._calls and not self._idle.done():
            self._idle.set_result(None)

    def _send(self, answer: bytes) -> None:
        self._transport.write(answer + b"\n")

    def _check_unsent(self) -> None:
        """Ends a client that lets answers pile up; a large pile counts against what all clients may have together."""
        unsent = self._transport.get_write_buffer_size()
        if unsent > self._limits.most_unsent_bytes:
            self._connections.counts[self.counted_as].overdrawn += 1
            self.abort()
        elif unsent > _HIGH_WATER:
            self._connections.hold(self, "unsent", unsent)

    def pause_writing(self) -> None:
        self._can_write = False

    def resume_writing(self) -> None:
        self._can_write = True
        self._connections.hold(self, "unsent", 0)
        if self._backlog:
            self._go_on()
        else:
            self._begin_calls()

    def is_stale(self, now: float) -> bool:
        limits = self._limits
        if self._flow.is_stuck(self._transport.get_write_buffer_size(), now, limits.slow_s):
            return True
        if self._backlog:
            return False  # what it says now is not read
        if self._partial is not None and now - self._partial_since > limits.slow_s:
            return True
        return now - self._last_line > (limits.silence_s if self._has_spoken else limits.slow_s)

    def abort(self) -> None:
        self._is_closing = True
        self._transport.abort()

    async def finish(self) -> None:
        """Takes no more calls, waits for those in flight, and closes."""
        self._is_finishing = True
        self._backlog.clear()
        self._begin_calls()  # of which there are none; it stops reading
        self._peer.release()
        if self._calls:
            self._idle = self._loop.create_future()
            await self._idle
        self._close()

    def _close(self) -> None:
        """Ends the connection once what was written has left."""
        self._is_closing = True
        self._transport.close()


async def listen(door: Door, listener: socket.socket, connections: Connections) -> asyncio.Server:
    """Accepts clients on `listener`, which is bound."""
    loop = asyncio.get_running_loop()
    return await loop.create_server(lambda: LineConnection(door, connections), sock=listener, backlog=BACKLOG)
