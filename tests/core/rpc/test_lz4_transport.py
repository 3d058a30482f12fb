"""The LZ4 transport against servers with other frame settings, broken frames and bombs (spec: rpc.md, LZ4)."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from lz4 import frame

from tests.core.rpc.loopback import LIMIT_S, Loopback, Peer, answer, free_port, id_of, request, serving
from xirtam_core.errors import Malformed, NotConnected, Unreachable
from xirtam_core.rpc.transports.lz4stream import STEP, FrameReader, FrameWriter
from xirtam_core.rpc.transports.lz4tcp import Lz4TcpTransport

HEADER = bytes.fromhex("04224d184040c0")


class Packed:
    """The server's side of one connection, with frame settings of its own."""

    def __init__(self, peer: Peer, **settings: Any) -> None:
        self.peer = peer
        self._compressor = frame.LZ4FrameCompressor(**({"auto_flush": True, "block_linked": True} | settings))
        self._decompressor = frame.LZ4FrameDecompressor()
        self._heard = bytearray()
        self.header = self._compressor.begin()

    async def line(self) -> bytes:
        while b"\n" not in self._heard:
            packed = await self.peer.reader.read(2**16)
            if not packed:
                return b""
            self._heard += self._decompressor.decompress(
                packed, 2**24
            )  # without a limit, lz4 4.4 may keep the last bytes back
        line, _, rest = bytes(self._heard).partition(b"\n")
        self._heard[:] = rest
        return line or await self.line()

    def pack(self, data: bytes) -> bytes:
        header, self.header = self.header, b""
        return header + self._compressor.compress(data)

    async def say(self, *lines: bytes) -> None:
        self.peer.writer.write(self.pack(b"".join(line + b"\n" for line in lines)))
        await self.peer.writer.drain()


def packed(behaviour: Callable[[Packed], Awaitable[None]], **settings: Any) -> Callable[[Peer], Awaitable[None]]:
    return lambda peer: behaviour(Packed(peer, **settings))


async def echo(peer: Packed) -> None:
    while line := await peer.line():
        await peer.say(answer(id_of(line)))


@asynccontextmanager
async def connected(server: Loopback, **options: float) -> AsyncGenerator[Lz4TcpTransport, None]:
    transport = Lz4TcpTransport(f"lz4tcp://127.0.0.1:{server.port}", **options)  # type: ignore[arg-type]
    try:
        yield transport
    finally:
        await transport.close()


async def call(transport: Lz4TcpTransport, call_id: str, timeout_s: float = LIMIT_S) -> bytes:
    return await transport.call(request(call_id), call_id, timeout_s=timeout_s)


async def test_a_frame_begins_as_that_of_the_reference_and_never_ends() -> None:
    heard: list[bytes] = []

    async def recording(peer: Peer) -> None:
        heard.append(await peer.reader.read(2**16))

    async with serving(recording) as server, connected(server) as transport:
        with pytest.raises(Unreachable, match="closed"):
            await call(transport, "req-1")
    assert heard[0].startswith(HEADER)
    decompressor = frame.LZ4FrameDecompressor()
    assert decompressor.decompress(heard[0], 2**20) == request("req-1") + b"\n"
    assert not decompressor.eof


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"block_size": frame.BLOCKSIZE_MAX4MB},
        {"block_linked": False},
        {"content_checksum": True, "block_checksum": True},
        {"compression_level": 9, "block_size": frame.BLOCKSIZE_MAX1MB},
    ],
    ids=["usual", "large blocks", "independent", "checksums", "high compression"],
)
async def test_any_legal_frame_settings_are_taken(settings: dict[str, Any]) -> None:
    async def large(peer: Packed) -> None:
        while line := await peer.line():
            await peer.say(answer(id_of(line), "x" * 300_000))

    async with serving(packed(large, **settings)) as server, connected(server) as transport:
        for number in range(3):
            name = f"req-{number}"
            assert await call(transport, name) == answer(name, "x" * 300_000)


async def test_the_header_may_come_alone_and_the_rest_byte_by_byte() -> None:
    async def slow(peer: Packed) -> None:
        header, peer.header = peer.header, b""
        peer.peer.writer.write(header)
        await peer.peer.writer.drain()
        for byte in peer.pack(answer(id_of(await peer.line()), "x" * 50) + b"\n"):
            peer.peer.writer.write(bytes([byte]))
            await peer.peer.writer.drain()
        await peer.line()

    async with serving(packed(slow)) as server, connected(server) as transport:
        assert await call(transport, "req-1") == answer("req-1", "x" * 50)


async def test_many_calls_share_one_connection_and_each_gets_its_own_answer() -> None:
    async def backwards(peer: Packed) -> None:
        ids = [id_of(await peer.line()) for _ in range(20)]
        await peer.say(b"", *(answer(call_id, call_id) for call_id in reversed(ids)))
        await peer.line()

    async with serving(packed(backwards)) as server, connected(server) as transport:
        names = [f"req-{number}" for number in range(20)]
        assert await asyncio.gather(*(call(transport, name) for name in names)) == [
            answer(name, name) for name in names
        ]
        assert server.accepted == 1


@pytest.mark.parametrize(
    "garbage",
    [
        b"HTTP/1.1 400 Bad Request\r\n",
        HEADER + b"\xff\xff\xff\x7f" + b"x" * 100,
        HEADER + b"\x00\x00\x00\x00",
        HEADER[:-1] + b"\xff",
        FrameWriter().pack(b'{"id":null}\n'),
    ],
    ids=["http", "block too large", "end mark", "header checksum", "no response"],
)
async def test_a_broken_frame_fails_all_calls_in_flight_and_the_next_call_makes_a_new_connection(
    garbage: bytes,
) -> None:
    async def confused(peer: Packed) -> None:
        if server.accepted > 1:
            await echo(peer)
            return
        await peer.line()
        await peer.line()
        peer.peer.writer.write(garbage)
        await peer.peer.writer.drain()
        await peer.line()

    async with serving(packed(confused)) as server, connected(server) as transport:
        failures = await asyncio.gather(call(transport, "req-1"), call(transport, "req-2"), return_exceptions=True)
        assert [type(failure) for failure in failures] == [Unreachable, Unreachable]
        assert await call(transport, "req-3") == answer("req-3")


async def test_a_bomb_is_unpacked_only_until_it_is_too_long() -> None:
    async def bomb(peer: Packed) -> None:
        await peer.line()
        for _ in range(50):
            peer.peer.writer.write(peer.pack(b"x" * 2**20))
        await peer.line()

    async with serving(packed(bomb)) as server, connected(server, longest_answer=2 * 2**20) as transport:
        with pytest.raises(Unreachable, match="too long"):
            await call(transport, "req-1")


def test_what_a_frame_holds_comes_in_bounded_steps_and_all_of_it() -> None:
    reader = FrameReader()
    reader.feed(FrameWriter().pack(b"y" * 10 * STEP + b"z"))
    pieces: list[bytes] = []
    while reader.has_more:
        pieces.append(reader.read())
    assert max(len(piece) for piece in pieces) == STEP
    assert b"".join(pieces) == b"y" * 10 * STEP + b"z"


def test_only_large_blocks_count_as_memory_taken() -> None:
    sizes: dict[int, int] = {}
    for size in (frame.BLOCKSIZE_MAX64KB, frame.BLOCKSIZE_MAX256KB, frame.BLOCKSIZE_MAX4MB):
        reader = FrameReader()
        reader.feed(frame.LZ4FrameCompressor(block_size=size).begin())
        sizes[size] = reader.window
    assert list(sizes.values()) == [0, 2 * 256 * 2**10, 8 * 2**20]


async def test_a_server_that_comes_back_is_found_again() -> None:
    server = Loopback(packed(echo))
    await server.start()
    port = server.port
    async with connected(server) as transport:
        await call(transport, "req-1")
        await server.stop()
        with pytest.raises(Unreachable):
            await call(transport, "req-2")
        with pytest.raises(NotConnected):
            await call(transport, "req-3")
        await server.start(port)
        assert await call(transport, "req-4") == answer("req-4")
        await server.stop()


async def test_empty_lines_keep_a_waiting_connection_alive() -> None:
    heard = asyncio.Event()

    async def patient(peer: Packed) -> None:
        call_id = id_of(await peer.line())
        await peer.peer.reader.read(2**16)  # an empty line, packed
        heard.set()
        await peer.say(answer(call_id))
        await peer.line()

    async with serving(packed(patient)) as server, connected(server, keep_alive_s=0.05) as transport:
        await call(transport, "req-1")
        assert heard.is_set()


async def test_where_nobody_listens_the_call_fails_as_not_connected() -> None:
    transport = Lz4TcpTransport(f"lz4tcp://127.0.0.1:{await free_port()}")
    with pytest.raises(NotConnected):
        await call(transport, "req-1")
    await transport.close()


@pytest.mark.parametrize("url", ["lz4tcp://host", "lz4tcp://:4001", "lz4tcp://host:0"])
def test_an_lz4tcp_url_must_name_a_host_and_a_port(url: str) -> None:
    with pytest.raises(Malformed):
        Lz4TcpTransport(url)
