"""Clients that say exactly what a test tells them to, on each transport: bytes on a socket, or whole messages in the right frame."""

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

from lz4 import frame
from websockets.client import ClientProtocol
from websockets.frames import Frame, Opcode
from websockets.uri import parse_uri

from tests.server_builders import LIMIT_S
from xirtam_server.transports.connections import ConnectionLimits

TIGHT = ConnectionLimits(
    most=50, max_request_bytes=20_000, max_line_bytes=10_000, max_head_bytes=8000, slow_s=0.2, sweep_s=0.02
)


def call(call_id: Any, method: str = "v1_device_certs", *params: Any) -> bytes:
    """A request; by default one that is answered at once."""
    return json.dumps({"jsonrpc": "2.0", "method": method, "params": params or ["@nobody"], "id": call_id}).encode()


class RawClient:
    """Bytes on a socket."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, url: str) -> None:
        self.reader, self.writer, self.url = reader, writer, url

    def write(self, data: bytes) -> None:
        if not self.writer.transport.is_closing():
            self.writer.write(data)

    async def is_closed(self) -> bool:
        """Waits until the server closes the connection, whatever it says before."""
        async with asyncio.timeout(LIMIT_S):
            try:
                while await self.reader.read(2**16):
                    pass
            except ConnectionError:
                pass
        return True

    def close(self) -> None:
        self.writer.transport.abort()

    async def open(self) -> None:
        """What comes before the first message."""

    def send(self, message: bytes) -> None:
        """Sends a message."""
        self.write(message + b"\n")

    async def receive(self) -> Any:
        """The next answer."""
        async with asyncio.timeout(LIMIT_S):
            return json.loads(await self.reader.readuntil(b"\n"))


class PackedClient(RawClient):
    """Lines inside an LZ4 frame, whose settings may be chosen."""

    async def open(self, **settings: Any) -> None:
        self.compressor = frame.LZ4FrameCompressor(**({"auto_flush": True, "block_linked": True} | settings))
        self.write(self.compressor.begin())
        self._decompressor = frame.LZ4FrameDecompressor()
        self._heard = bytearray()

    def send(self, message: bytes) -> None:
        self.write(self.compressor.compress(message + b"\n"))

    async def receive(self) -> Any:
        async with asyncio.timeout(LIMIT_S):
            while b"\n" not in self._heard:
                packed = await self.reader.read(2**16)
                if not packed:
                    raise ConnectionError("closed")
                self._heard += self._decompressor.decompress(packed, 2**24)
        line, _, rest = bytes(self._heard).partition(b"\n")
        self._heard[:] = rest
        return json.loads(line)


class SocketClient(RawClient):
    """WebSocket; `frames` are those that came, but for text."""

    async def open(self) -> None:
        self.protocol = ClientProtocol(parse_uri(self.url), max_size=None)
        self.protocol.send_request(self.protocol.connect())
        self.frames: list[Frame] = []
        self._texts: list[bytes] = []
        self.flush()
        while not await self._hear():
            pass

    def flush(self) -> None:
        self.write(b"".join(self.protocol.data_to_send()))

    async def _hear(self) -> bool:
        data = await self.reader.read(2**16)
        if not data:
            raise ConnectionError("closed")
        self.protocol.receive_data(data)
        events = self.protocol.events_received()
        for event in events:
            if isinstance(event, Frame):
                (self._texts if event.opcode is Opcode.TEXT else self.frames).append(  # type: ignore[arg-type]
                    bytes(event.data) if event.opcode is Opcode.TEXT else event
                )
        self.flush()
        return bool(events)

    def send(self, message: bytes) -> None:
        self.protocol.send_text(message)
        self.flush()

    async def receive(self) -> Any:
        async with asyncio.timeout(LIMIT_S):
            while not self._texts:
                await self._hear()
        return json.loads(self._texts.pop(0))

    async def close_code(self) -> int:
        """The code with which the server closes the connection."""
        async with asyncio.timeout(LIMIT_S):
            try:
                while self.protocol.close_rcvd is None:
                    await self._hear()
            except ConnectionError:
                return 1006
        return self.protocol.close_rcvd.code


class PostingClient(RawClient):
    """HTTP, a POST for each message."""

    def send(self, message: bytes) -> None:
        self.write(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % len(message) + message)

    async def receive(self) -> Any:
        async with asyncio.timeout(LIMIT_S):
            head = (await self.reader.readuntil(b"\r\n\r\n")).lower()
            size = int(head.partition(b"content-length:")[2].partition(b"\r")[0])
            body = await self.reader.readexactly(size)
        if not head.startswith(b"http/1.1 200"):
            return {"id": None, "error": {"code": -32700}, "status": int(head.split()[1])}
        return json.loads(body)


_CLIENTS: dict[str, type[RawClient]] = {
    "http": PostingClient,
    "ws": SocketClient,
    "tcp": RawClient,
    "lz4tcp": PackedClient,
}


async def dial(url: str) -> Any:
    """A connection to `url` on which nothing was said yet."""
    parts = urlsplit(url)
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port, limit=2**24)
    return _CLIENTS[parts.scheme](reader, writer, url)


@asynccontextmanager
async def opened(url: str, **settings: Any) -> AsyncGenerator[Any]:
    """A connection to `url`, ready for messages."""
    client = await dial(url)
    try:
        await client.open(**settings)
        yield client
    finally:
        client.close()
