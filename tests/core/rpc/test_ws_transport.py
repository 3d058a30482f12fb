"""The WebSocket transport against servers that answer late, wrongly, or not at all (spec: rpc.md, Transports)."""

import asyncio
import logging
import subprocess
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest
from websockets.frames import Frame, Opcode
from websockets.http11 import Request
from websockets.protocol import State
from websockets.server import ServerProtocol

from tests.core.rpc.loopback import LIMIT_S, Loopback, Peer, answer, free_port, id_of, request, serving, until
from xirtam_core.errors import Malformed, NotConnected, Unreachable
from xirtam_core.rpc.transports.ws import WebSocketTransport


class Socket:
    """The server's side of one connection."""

    def __init__(self, peer: Peer) -> None:
        self.peer = peer
        self.protocol = ServerProtocol(max_size=None)
        self.request: Request | None = None
        self.frames: list[Frame] = []

    async def events(self) -> bool:
        """Takes in what comes; False when the client has gone."""
        data = await self.peer.reader.read(2**16)
        if data and self.protocol.state is not State.CLOSED:
            self.protocol.receive_data(data)
        for event in self.protocol.events_received():
            if isinstance(event, Request):
                self.request = event
            elif isinstance(event, Frame):
                self.frames.append(event)
        await self.flush()
        return bool(data)

    async def accept(self) -> None:
        while self.request is None and await self.events():
            pass
        if self.request is not None:
            self.protocol.send_response(self.protocol.accept(self.request))
            await self.flush()

    async def flush(self) -> None:
        self.peer.writer.write(b"".join(self.protocol.data_to_send()))
        await self.peer.writer.drain()

    async def message(self) -> bytes:
        """The next text message that is not empty; b"" when the client has gone."""
        while True:
            while not self.frames:
                if not await self.events():
                    return b""
            frame = self.frames.pop(0)
            if frame.opcode is Opcode.TEXT and frame.data:
                return bytes(frame.data)

    async def say(self, *messages: bytes) -> None:
        for message in messages:
            self.protocol.send_text(message)
        await self.flush()

    async def say_raw(self, data: bytes) -> None:
        self.peer.writer.write(data)
        await self.peer.writer.drain()


def socket(behaviour: Callable[[Socket], Awaitable[None]]) -> Callable[[Peer], Awaitable[None]]:
    async def accepting(peer: Peer) -> None:
        opened = Socket(peer)
        await opened.accept()
        await behaviour(opened)

    return accepting


async def echo(peer: Socket) -> None:
    while message := await peer.message():
        await peer.say(answer(id_of(message)))


@asynccontextmanager
async def connected(server: Loopback, **options: float) -> AsyncGenerator[WebSocketTransport, None]:
    transport = WebSocketTransport(f"ws://127.0.0.1:{server.port}/ws?x=1", **options)  # type: ignore[arg-type]
    try:
        yield transport
    finally:
        await transport.close()


async def call(transport: WebSocketTransport, call_id: str, timeout_s: float = LIMIT_S) -> bytes:
    return await transport.call(request(call_id), call_id, timeout_s=timeout_s)


async def test_many_calls_share_one_connection_and_each_gets_its_own_answer_whatever_their_order() -> None:
    async def backwards(peer: Socket) -> None:
        ids = [id_of(await peer.message()) for _ in range(20)]
        await peer.say(b"", *(answer(call_id, call_id) for call_id in reversed(ids)))
        await peer.message()

    async with serving(socket(backwards)) as server, connected(server) as transport:
        names = [f"req-{number}" for number in range(20)]
        assert await asyncio.gather(*(call(transport, name) for name in names)) == [
            answer(name, name) for name in names
        ]
        assert server.accepted == 1


async def test_the_handshake_asks_for_the_exact_path_offers_no_compression_and_says_nothing_of_the_machine() -> None:
    asked: list[Request] = []

    async def recording(peer: Socket) -> None:
        assert peer.request is not None
        asked.append(peer.request)
        await echo(peer)

    async with serving(socket(recording)) as server, connected(server) as transport:
        await call(transport, "req-1")
    assert asked[0].path == "/ws?x=1"
    assert asked[0].headers["User-Agent"] == "xirtam"
    assert not {"Sec-WebSocket-Extensions", "Origin", "Cookie", "Authorization"} & set(asked[0].headers)


async def test_an_answer_may_come_in_pieces_with_pings_between() -> None:
    async def pieces(peer: Socket) -> None:
        text = answer(id_of(await peer.message()), "x" * 50)
        peer.protocol.send_text(text[:10], fin=False)
        peer.protocol.send_ping(b"there?")
        peer.protocol.send_continuation(text[10:30], fin=False)
        peer.protocol.send_continuation(text[30:], fin=True)
        for byte in b"".join(peer.protocol.data_to_send()):
            await peer.say_raw(bytes([byte]))
        while not any(frame.opcode is Opcode.PONG for frame in peer.frames):
            await peer.events()
        await peer.message()

    async with serving(socket(pieces)) as server, connected(server) as transport:
        assert await call(transport, "req-1") == answer("req-1", "x" * 50)


@pytest.mark.parametrize(
    "said",
    [
        b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n",
        b"HTTP/1.1 301 Moved Permanently\r\nlocation: ws://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nhi",
        b"HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-accept: x\r\n\r\n",
        b"SSH-2.0-OpenSSH_9\r\n",
        b"",
    ],
    ids=["404", "redirect", "200", "wrong accept", "not http", "nothing"],
)
async def test_a_server_that_refuses_the_handshake_is_not_connected_as_nothing_was_asked_of_it(said: bytes) -> None:
    async def refusing(peer: Peer) -> None:
        await peer.reader.readuntil(b"\r\n\r\n")
        peer.writer.write(said)
        await peer.writer.drain()

    async with serving(refusing) as server, connected(server) as transport:
        with pytest.raises(NotConnected):
            await call(transport, "req-1")


@pytest.mark.parametrize(
    "garbage",
    [
        b"\x81\x02[]",
        b'\x81\x0b{"id":null}',
        b"\x82\x02{}",
        b"\x81\x82\x00\x00\x00\x00{}",
        b"\xc1\x02{}",
        b"\x80\x02{}",
        b"\x83\x00",
        b"\x89\x7e\x01\x00" + b"x" * 256,
        b"\x88\x02\x03\xe8",
        b"",
    ],
    ids=[
        *("array", "null id", "binary", "masked", "compressed", "continuation", "opcode"),
        *("long ping", "close", "gone"),
    ],
)
async def test_what_is_no_response_fails_all_calls_in_flight_and_the_next_call_makes_a_new_connection(
    garbage: bytes,
) -> None:
    async def confused(peer: Socket) -> None:
        if server.accepted > 1:
            await echo(peer)
            return
        await peer.message()
        await peer.message()
        await peer.say_raw(garbage)
        if garbage:
            await peer.peer.silence()

    async with serving(socket(confused)) as server, connected(server) as transport:
        failures = await asyncio.gather(call(transport, "req-1"), call(transport, "req-2"), return_exceptions=True)
        assert [type(failure) for failure in failures] == [Unreachable, Unreachable]
        assert await call(transport, "req-3") == answer("req-3")
        assert server.accepted == 2


async def test_an_answer_up_to_the_limit_is_taken_and_a_longer_one_breaks_the_connection() -> None:
    async def long(peer: Socket) -> None:
        while message := await peer.message():
            size = 100_000 if id_of(message) == "req-fits" else 100_001
            text = answer(id_of(message), "x" * (size - len(answer(id_of(message), ""))))
            peer.protocol.send_text(text[:50_000], fin=False)
            peer.protocol.send_continuation(text[50_000:], fin=True)
            await peer.flush()

    async with serving(socket(long)) as server, connected(server, longest_answer=100_000) as transport:
        assert len(await call(transport, "req-fits")) == 100_000
        with pytest.raises(Unreachable, match="too long"):
            await call(transport, "req-more")


async def test_a_server_that_comes_back_is_found_again() -> None:
    server = Loopback(socket(echo))
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


async def test_empty_messages_keep_a_waiting_connection_alive() -> None:
    async def patient(peer: Socket) -> None:
        call_id = id_of(await peer.message())
        while not any(frame.opcode is Opcode.TEXT and not frame.data for frame in peer.frames):
            await peer.events()
        await peer.say(answer(call_id))
        await peer.message()

    async with serving(socket(patient)) as server, connected(server, keep_alive_s=0.05) as transport:
        assert await call(transport, "req-1") == answer("req-1")


async def test_a_call_without_an_answer_times_out_and_a_silent_connection_is_given_up() -> None:
    async def deaf(peer: Socket) -> None:
        if server.accepted > 1:
            await echo(peer)
        await peer.peer.silence()

    async with serving(socket(deaf)) as server, connected(server) as transport:
        with pytest.raises(Unreachable, match=r"within 0\.2 s"):
            await call(transport, "req-1", timeout_s=0.2)
        assert await call(transport, "req-2") == answer("req-2")


async def test_closing_fails_calls_in_flight_and_leaves_no_task() -> None:
    async def silent(peer: Socket) -> None:
        await peer.peer.silence()

    async with serving(socket(silent)) as server:
        transport = WebSocketTransport(f"ws://127.0.0.1:{server.port}/")
        waiting = asyncio.create_task(call(transport, "req-1"))
        await until(lambda: server.accepted == 1)
        await transport.close()
        with pytest.raises(Unreachable, match="closed"):
            await waiting
        with pytest.raises(Unreachable, match="closed"):
            await call(transport, "req-2")
        assert not [task for task in asyncio.all_tasks() if task.get_name().startswith("ws://")]


async def test_nothing_that_is_said_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        async with serving(socket(echo)) as server, connected(server) as transport:
            await call(transport, "req-secret")
    ours = [record for record in caplog.records if record.name != "websockets.server"]  # that is the test's own server
    assert not [record for record in ours if "req-secret" in record.getMessage()]


async def test_where_nobody_listens_the_call_fails_as_not_connected() -> None:
    transport = WebSocketTransport(f"ws://127.0.0.1:{await free_port()}/ws")
    with pytest.raises(NotConnected):
        await call(transport, "req-1")
    await transport.close()


@pytest.mark.parametrize("url", ["ws:///x", "ws://user:secret@host/", "http://host/"])
def test_a_ws_url_names_a_host_and_no_user(url: str) -> None:
    with pytest.raises(Malformed):
        WebSocketTransport(url)


def test_the_library_for_it_is_loaded_only_when_it_is_used() -> None:
    code = "import sys, xirtam_core.rpc.transports; sys.exit('websockets' in sys.modules or 'httpx' in sys.modules)"
    assert (
        subprocess.run([sys.executable, "-c", code], env={"PYTHONPATH": ":".join(sys.path)}, check=False).returncode
        == 0
    )
