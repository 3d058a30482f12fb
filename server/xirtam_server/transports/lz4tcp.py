"""JSON-RPC over LZ4: the lines of TCP inside one LZ4 frame per direction (spec: rpc.md, LZ4).

A frame is unpacked a step at a time, other connections getting their turn between steps, and not at all while calls wait for room:
the few bytes that stand for many take neither memory nor the loop.
"""

import asyncio
import socket
from typing import ClassVar

from xirtam_core.errors import Malformed
from xirtam_core.rpc.transports.lz4stream import FrameReader, FrameWriter
from xirtam_server.transports.connections import Connections
from xirtam_server.transports.door import Door
from xirtam_server.transports.tcp import BACKLOG, LineConnection


class Lz4Connection(LineConnection):
    """One client."""

    counted_as: ClassVar[str] = "lz4tcp"

    def __init__(self, door: Door, connections: Connections) -> None:
        super().__init__(door, connections)
        self._incoming = FrameReader()
        self._outgoing: FrameWriter | None = None
        self._next_step: asyncio.Handle | None = None
        self._window = 0

    def data_received(self, data: bytes) -> None:
        try:
            self._incoming.feed(data)
        except Malformed:
            self.abort()
            return
        if self._incoming.window != self._window:
            self._window = self._incoming.window
            self._connections.hold(self, "window", self._window)
        if self._next_step is None and not self._backlog:
            self._unpack()

    def _unpack(self) -> None:
        self._next_step = None
        if self._is_closing or self._is_finishing:
            return
        try:
            piece = self._incoming.read()
        except Malformed:
            self.abort()
            return
        if piece:
            # A run of line ends costs the sender next to nothing: it is worth no more than one here.
            super().data_received(piece if piece.strip(b"\r\n") else b"\n")
        self._begin_calls()

    def _begin_calls(self) -> None:
        super()._begin_calls()
        if self._incoming.has_more and not (self._backlog or self._next_step or self._is_closing):
            self._next_step = self._loop.call_soon(self._unpack)

    def _is_full(self) -> bool:
        return super()._is_full() or self._incoming.has_more

    def _send(self, answer: bytes) -> None:
        if self._outgoing is None:
            self._outgoing = FrameWriter()  # not before it is needed, as it takes more memory than all the rest
        self._transport.write(self._outgoing.pack(answer + b"\n"))


async def listen(door: Door, listener: socket.socket, connections: Connections) -> asyncio.Server:
    """Accepts clients on `listener`, which is bound."""
    loop = asyncio.get_running_loop()
    return await loop.create_server(lambda: Lz4Connection(door, connections), sock=listener, backlog=BACKLOG)
