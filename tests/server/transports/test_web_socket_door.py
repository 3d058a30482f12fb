"""The WebSocket door: what is a message, what breaks the connection, and what a client may cost."""

import asyncio
from pathlib import Path

import msgspec
import pytest
from websockets.frames import Frame, Opcode

from tests.server.transports.raw_clients import TIGHT, call, dial, opened
from tests.server_builders import Harbor, calling, open_harbor, until
from xirtam_core.protocol.mailbox import direct_mailbox


async def test_many_calls_at_once_are_answered_as_they_are_ready(tight: Harbor) -> None:
    async with calling(tight.urls["http"]) as home:
        alice, token = await tight.new_account("alice", home)
    wanted = [{"auth": token.text(), "mailbox": direct_mailbox(alice.username).text(), "after": 0}]
    async with opened(tight.urls["ws"]) as client:
        client.send(call("slow", "v1_mailbox_multirecv", wanted, 150))
        for number in range(300):
            client.send(call(number))
        ids = [(await client.receive())["id"] for _ in range(301)]
    assert set(ids) == {"slow", *range(300)}
    assert ids[0] != "slow"


async def test_a_message_may_come_in_pieces_with_pings_between(tight: Harbor) -> None:
    async with opened(tight.urls["ws"]) as client:
        text = call("a")
        client.protocol.send_text(text[:5], fin=False)
        client.protocol.send_ping(b"there?")
        client.protocol.send_continuation(text[5:9], fin=False)
        client.protocol.send_continuation(text[9:], fin=True)
        for byte in b"".join(client.protocol.data_to_send()):
            client.write(bytes([byte]))
            await asyncio.sleep(0)
        assert (await client.receive())["id"] == "a"
        assert [(frame.opcode, bytes(frame.data)) for frame in client.frames] == [(Opcode.PONG, b"there?")]


async def test_what_is_no_request_is_answered_with_a_parse_error_and_empty_messages_with_nothing(tight: Harbor) -> None:
    async with opened(tight.urls["ws"]) as client:
        for message in (b"", b"{nope", b"\xff", call("a")):
            client.send(message)
        answers = [await client.receive() for _ in range(3)]
    assert {answer["id"]: answer.get("error", {}).get("code") for answer in answers} == {None: -32700, "a": None}


@pytest.mark.parametrize(
    ("frames", "code"),
    [
        (b"\x81\x02{}", 1002),
        (b"\x82\x82\x00\x00\x00\x00{}", 1003),
        (b"\xc1\x82\x00\x00\x00\x00{}", 1002),
        (b"\x80\x82\x00\x00\x00\x00{}", 1002),
        (b"\x01\x80\x00\x00\x00\x00\x81\x80\x00\x00\x00\x00", 1002),
        (b"\x83\x80\x00\x00\x00\x00", 1002),
        (b"\x09\x80\x00\x00\x00\x00", 1002),
        (b"\x89\xfe\x01\x00\x00\x00\x00\x00", 1002),
        (b"\x81\xfe\x27\x11\x00\x00\x00\x00", 1009),
        (b"\x81\xff\xff\xff\xff\xff\xff\xff\xff\xff\x00\x00\x00\x00", 1009),
        (b"\x88\x82\x00\x00\x00\x00\x03\xe8", 1000),
        (b"\x88\x81\x00\x00\x00\x00\x03", 1002),
    ],
    ids=[
        *("unmasked", "binary", "compressed", "stray continuation", "interleaved", "reserved opcode"),
        *("fragmented ping", "long ping", "one byte too long", "longest", "close", "bad close"),
    ],
)
async def test_what_breaks_the_rules_of_websocket_closes_the_connection_with_the_code_for_it(
    tight: Harbor, frames: bytes, code: int
) -> None:
    async with opened(tight.urls["ws"]) as client:
        if code == 1002 and frames[:1] == b"\x89":
            frames += b"x" * 256
        client.write(frames)
        assert await client.close_code() == code
    await until(lambda: len(tight.connections) == 0)


async def test_pieces_that_are_together_too_long_close_the_connection(tight: Harbor) -> None:
    async with opened(tight.urls["ws"]) as client:
        client.protocol.send_text(b" " * 6000, fin=False)
        client.protocol.send_continuation(b" " * 6000, fin=False)
        client.flush()
        assert await client.close_code() == 1009


@pytest.mark.parametrize("kind", ["pings", "pongs", "empty pieces", "empty messages"])
async def test_frames_that_bring_nothing_are_borne_only_so_long(tmp_path: Path, kind: str) -> None:
    limits = msgspec.structs.replace(TIGHT, most_odd_frames=100)
    odd = {
        "pings": Frame(Opcode.PING, b""),
        "pongs": Frame(Opcode.PONG, b""),
        "empty pieces": Frame(Opcode.CONT, b"", fin=False),
        "empty messages": Frame(Opcode.TEXT, b""),
    }[kind].serialize(mask=True)
    async with (
        open_harbor(tmp_path, connection_limits=limits) as harbor,
        opened(harbor.urls["ws"]) as client,
        opened(harbor.urls["ws"]) as modest,
    ):
        begin = Frame(Opcode.TEXT, b"", fin=False).serialize(mask=True) if kind == "empty pieces" else b""
        modest.write(begin + odd * 90)
        client.write(begin + odd * 5000)
        assert await client.close_code() in (1008, 1006)
        if kind != "empty pieces":
            modest.send(call("still here"))
            assert (await modest.receive())["id"] == "still here"


async def test_a_silent_client_is_pinged_and_one_that_does_not_react_is_closed(tmp_path: Path) -> None:
    limits = msgspec.structs.replace(TIGHT, silence_s=0.4)
    async with open_harbor(tmp_path, connection_limits=limits) as harbor, asyncio.TaskGroup() as tasks:
        sweep = tasks.create_task(harbor.connections.sweep())
        async with opened(harbor.urls["ws"]) as alive, opened(harbor.urls["ws"]) as dead:
            for client in (alive, dead):
                client.send(call("first"))
                await client.receive()
            reading = tasks.create_task(alive.close_code())  # it reads, and so answers pings
            assert await dead.is_closed()
            assert not reading.done()
            assert any(frame.opcode is Opcode.PING for frame in alive.frames)
            reading.cancel()
            alive.send(call("still here"))
        sweep.cancel()


@pytest.mark.parametrize("begun", [b"\x01\x80\x00\x00\x00\x00", b"\x81\xfe\x27\x10\x00\x00\x00\x00{", b"\x81\xfe\x27"])
async def test_a_message_that_never_ends_closes_the_connection(tight: Harbor, begun: bytes) -> None:
    async with opened(tight.urls["ws"]) as client:
        client.send(call("a"))
        await client.receive()
        client.write(begun)
        assert await client.is_closed()
    assert tight.connections.counts["ws"].stale == 1


async def test_parked_polls_are_released_when_the_client_leaves(tight: Harbor) -> None:
    async with calling(tight.urls["http"]) as home:
        alice, token = await tight.new_account("alice", home)
    wanted = [{"auth": token.text(), "mailbox": direct_mailbox(alice.username).text(), "after": 0}]
    async with opened(tight.urls["ws"]) as client:
        client.send(call("parked", "v1_mailbox_multirecv", wanted, 20_000))
        await until(lambda: tight.service.parked == 1)
    await until(lambda: tight.service.parked == 0)


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (b"GET /ws HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n", 400),
        (b"GET /ws HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: x\r\n\r\n", 400),
        (b"GET /ws HTTP/1.1\r\nHost: x\r\n\r\n", 404),
        (b"GET /elsewhere HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n", 404),
        (b"GET / HTTP/1.1\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n", 405),
    ],
    ids=["no key", "bad key", "plain", "elsewhere", "h2c"],
)
async def test_a_handshake_that_is_none_is_refused(
    tight: Harbor, head: bytes, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    client = await dial(tight.urls["ws"])
    client.write(head)
    assert (await client.reader.readline()).startswith(b"HTTP/1.1 %d " % status)
    client.close()
    await until(lambda: len(tight.connections) == 0)
    assert not caplog.records


async def test_a_handshake_while_a_call_is_in_flight_ends_the_connection(tight: Harbor) -> None:
    async with calling(tight.urls["http"]) as home:
        alice, token = await tight.new_account("alice", home)
    wanted = [{"auth": token.text(), "mailbox": direct_mailbox(alice.username).text(), "after": 0}]
    client = await dial(tight.urls["http"])
    client.send(call("parked", "v1_mailbox_multirecv", wanted, 20_000))
    await until(lambda: tight.service.parked == 1)
    client.write(b"GET /ws HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n")
    client.write(b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n")
    assert await client.is_closed()
    await until(lambda: tight.service.parked == 0)
    client.close()
