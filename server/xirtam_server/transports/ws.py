"""JSON-RPC over WebSocket: a text message is a request or a response, many calls at once (spec: rpc.md, Transports).

A connection begins as one of HTTP, which hands it over here. `websockets` says what the bytes mean; nothing is compressed, so a
message is as long as it is. What carries no whole message (pings, pieces, empty ones) costs work and brings nothing: only so much
of it is borne.
"""

import asyncio
import logging
from typing import ClassVar, cast

from websockets.frames import CloseCode, Frame, Opcode
from websockets.http11 import Request
from websockets.protocol import State
from websockets.server import ServerProtocol

from xirtam_server.transports.connections import Connections
from xirtam_server.transports.door import Door
from xirtam_server.transports.tcp import LineConnection

_SLICE = 4096
"""Bytes that are looked at before what they brought is judged."""

_quiet = logging.getLogger(f"{__name__}.frames")
_quiet.setLevel(logging.CRITICAL)  # it would log what peers send


class WebSocketConnection(LineConnection):
    """One client."""

    counted_as: ClassVar[str] = "ws"

    def __init__(self, door: Door, connections: Connections) -> None:
        super().__init__(door, connections)
        self._protocol = ServerProtocol(max_size=self._limits.max_line_bytes, logger=_quiet)
        self._odd_frames = 0
        self._is_pinged = False

    def open(self, transport: asyncio.Transport, address: str, head: bytes) -> None:
        """Goes on with a connection of HTTP, registered already, on which the request `head` asked for it; or refuses."""
        self._transport = transport
        self._peer.address = address
        self._set_up()
        self._protocol.receive_data(head)
        for request in self._protocol.events_received():
            self._protocol.send_response(self._protocol.accept(cast("Request", request)))
        self._flush()
        if self._protocol.state is not State.OPEN:
            self._close_transport()

    def data_received(self, data: bytes) -> None:
        for at in range(0, len(data), _SLICE):
            if self._is_closing:
                return
            self._protocol.receive_data(data[at : at + _SLICE])
            for frame in self._protocol.events_received():
                self._take(cast("Frame", frame))
            self._flush()
        self._note_partial()
        self._begin_calls()
        if self._backlog:
            self._count_backlog()

    def _take(self, frame: Frame) -> None:
        match frame.opcode:
            case Opcode.TEXT | Opcode.CONT:
                if frame.opcode is Opcode.TEXT and frame.fin:
                    self._take_message(bytes(frame.data))
                    return
                self._partial = self._partial or bytearray()
                self._partial += frame.data
                if frame.fin:
                    message, self._partial = bytes(self._partial), None
                    self._take_message(message)
                else:
                    self._bear()
            case Opcode.BINARY:
                self._fail(CloseCode.UNSUPPORTED_DATA)
            case _:
                self._bear()
                self._last_line = self._loop.time()
                self._is_pinged = False

    def _take_message(self, message: bytes) -> None:
        self._last_line = self._partial_since = self._loop.time()
        self._has_spoken, self._is_pinged = True, False
        if message:
            self._backlog.append(message)
        else:
            self._bear()

    def _bear(self) -> None:
        """Counts a frame that carries no whole message."""
        self._odd_frames += 1
        if self._odd_frames > self._limits.most_odd_frames:
            self._fail(CloseCode.POLICY_VIOLATION)

    def _note_partial(self) -> None:
        """Since when a message has been under way."""
        if self._protocol.current_size is not None or self._protocol.reader.buffer:
            if self._partial is None:
                self._partial, self._partial_since = bytearray(), self._loop.time()
            self._count_partial(len(self._partial) + len(self._protocol.reader.buffer))
        else:
            self._partial = None
            if self._holds_partial:
                self._count_partial(0)

    def _send(self, answer: bytes) -> None:
        self._protocol.send_text(answer)
        self._flush()

    def _flush(self) -> None:
        pieces = self._protocol.data_to_send()
        if not pieces:
            return
        if not self._transport.is_closing():
            self._transport.write(b"".join(pieces))
        if b"" in pieces:  # how the protocol says that it has ended
            self._close_transport()
        else:
            self._check_unsent()

    def _fail(self, code: CloseCode) -> None:
        if self._protocol.state is State.OPEN:
            self._protocol.fail(code)

    def _close(self) -> None:
        if self._protocol.state is State.OPEN:
            self._protocol.send_close(CloseCode.GOING_AWAY)
            self._flush()
        self._close_transport()

    def _close_transport(self) -> None:
        self._is_closing = True
        self._backlog.clear()
        self._transport.close()

    def is_stale(self, now: float) -> bool:
        """See `Connection`. One who has long been silent is pinged first, and any client of WebSocket answers that by itself."""
        self._odd_frames = 0
        if now - self._last_line > self._limits.silence_s / 2 and not self._is_pinged and not self._is_closing:
            self._is_pinged = True
            self._protocol.send_ping(b"")
            self._flush()
        return super().is_stale(now)
