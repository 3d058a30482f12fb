"""Calls over WebSocket: a text message is a request or a response, many calls in flight (spec: rpc.md, Transports).

`websockets` says what the bytes mean, and is imported with the first connection, since it takes long to load. As over HTTP nothing is
taken from the environment, no redirect followed, and nothing compressed.
"""

import asyncio
import logging
import ssl
from collections.abc import Iterable
from typing import TYPE_CHECKING, cast
from urllib.parse import urlsplit

from xirtam_core.errors import Malformed, Unreachable
from xirtam_core.rpc.transports.authorities import public_authorities
from xirtam_core.rpc.transports.limits import LONGEST_ANSWER
from xirtam_core.rpc.transports.multiplexed import KEEP_ALIVE_S, MultiplexedTransport
from xirtam_core.rpc.transports.sockets import dial

if TYPE_CHECKING:
    from websockets.client import ClientProtocol
    from websockets.frames import Frame
    from websockets.http11 import Response

_READ = 64 * 2**10
_MOST_UNSENT = 64 * 2**20
_PORTS = {"ws": 80, "wss": 443}

_quiet = logging.getLogger(f"{__name__}.frames")
_quiet.setLevel(logging.CRITICAL)  # it would log what peers send


class WebSocketTransport(MultiplexedTransport):
    """A transport to the server at one `ws` or `wss` URL."""

    def __init__(
        self,
        url: str,
        *,
        keep_alive_s: float = KEEP_ALIVE_S,
        longest_answer: int = LONGEST_ANSWER,
        authorities: ssl.SSLContext | None = None,
    ) -> None:
        """`authorities` are trusted instead of the public ones."""
        parts = urlsplit(url)
        if parts.hostname is None or parts.scheme not in _PORTS or parts.username is not None:
            raise Malformed("a ws or wss URL names a host, and no user")
        host, port = parts.hostname, parts.port or _PORTS[parts.scheme]

        async def opener() -> WebSocketChannel:
            context = (authorities or public_authorities()) if parts.scheme == "wss" else None
            protocol = _protocol(url, longest_answer)
            streams = await dial(host, port, context=context)
            channel = WebSocketChannel(*streams, protocol)
            try:
                await channel.shake_hands()
            except BaseException:
                channel.abort()
                raise
            return channel

        super().__init__(f"{parts.scheme}://{host}:{port}", opener, keep_alive_s)


def _protocol(url: str, longest_answer: int) -> "ClientProtocol":
    from websockets.client import ClientProtocol
    from websockets.exceptions import InvalidURI
    from websockets.uri import parse_uri

    try:
        return ClientProtocol(parse_uri(url.partition("#")[0]), max_size=longest_answer, logger=_quiet)
    except InvalidURI:
        raise Unreachable("not a URL for WebSocket") from None


class WebSocketChannel:
    """A connection on which each text message is a message."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, protocol: "ClientProtocol") -> None:
        self._reader, self._writer, self._protocol = reader, writer, protocol
        self._partial = bytearray()
        self._frames: list[Frame] = []

    async def shake_hands(self) -> None:
        """Asks for WebSocket; raises `Unreachable` where that is refused."""
        request = self._protocol.connect()
        request.headers["User-Agent"] = "xirtam"
        self._protocol.send_request(request)
        self._flush()
        while not (events := await self._events()):
            pass
        if self._protocol.handshake_exc is not None:
            status = cast("Response", events[0]).status_code
            raise Unreachable(
                f"the server answered with HTTP status {status}" if status != 101 else "it speaks no WebSocket"
            )
        self._frames = cast("list[Frame]", events[1:])

    async def _events(self) -> "list[Frame | Response]":
        if self._protocol.close_expected():
            raise Unreachable(self._why_closed())
        data = await self._reader.read(_READ)
        if not data:
            raise Unreachable("the server closed the connection")
        self._protocol.receive_data(data)
        events = self._protocol.events_received()
        self._flush()
        if self._writer.transport.get_write_buffer_size() > _MOST_UNSENT:
            raise Unreachable("the server reads nothing")  # and makes us answer pings without end
        return cast("list[Frame | Response]", events)

    def _why_closed(self) -> str:
        from websockets.exceptions import PayloadTooBig

        if isinstance(self._protocol.parser_exc, PayloadTooBig):
            return "the server's answer is too long"
        return (
            "the server closed the connection" if self._protocol.close_rcvd else "the server does not keep to WebSocket"
        )

    def send(self, messages: Iterable[bytes]) -> None:
        """See `Channel`."""
        from websockets.protocol import OPEN

        if self._protocol.state is OPEN:
            for message in messages:
                self._protocol.send_text(message)
            self._flush()

    def _flush(self) -> None:
        self._writer.write(b"".join(self._protocol.data_to_send()))

    async def receive(self) -> bytes:
        """See `Channel`."""
        from websockets.frames import Opcode

        while True:
            while not self._frames:
                self._frames = cast("list[Frame]", await self._events())[::-1]
            frame = self._frames.pop()
            match frame.opcode:
                case Opcode.TEXT | Opcode.CONT:
                    self._partial += frame.data
                    if frame.fin:
                        message = bytes(self._partial)
                        self._partial.clear()
                        return message
                case Opcode.BINARY:
                    raise Unreachable("the server sent something that is no response")
                case Opcode.CLOSE:
                    raise Unreachable(self._why_closed())
                case _:
                    return b""

    def abort(self) -> None:
        """See `Channel`."""
        self._writer.transport.abort()
