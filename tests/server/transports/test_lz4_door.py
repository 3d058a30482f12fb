"""The LZ4 door: frames of any settings, broken ones, and a few bytes that stand for many."""

import asyncio
from pathlib import Path
from typing import Any

import msgspec
import pytest
from lz4 import frame

from tests.server.transports.raw_clients import TIGHT, call, dial, opened
from tests.server_builders import Harbor, calling, open_harbor, until
from xirtam_core.protocol.mailbox import direct_mailbox

HEADER = bytes.fromhex("04224d184040c0")


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
async def test_any_legal_frame_settings_are_taken(tight: Harbor, settings: dict[str, Any]) -> None:
    async with opened(tight.urls["lz4tcp"], **settings) as client:
        for number in range(300):
            client.send(call(number))
        assert {(await client.receive())["id"] for _ in range(300)} == set(range(300))


async def test_answers_come_in_a_frame_that_begins_as_that_of_the_reference_and_never_ends(tight: Harbor) -> None:
    async with opened(tight.urls["lz4tcp"]) as client:
        client.send(call("a"))
        packed = await client.reader.read(2**16)
        assert packed.startswith(HEADER)
        decompressor = frame.LZ4FrameDecompressor()
        assert decompressor.decompress(packed, 2**16).endswith(b"}\n")
        assert not decompressor.eof


async def test_a_message_may_span_blocks_and_flushes_and_come_byte_by_byte(tight: Harbor) -> None:
    async with opened(tight.urls["lz4tcp"]) as client:
        text = call("a") + b"\n"
        packed = b"".join(client.compressor.compress(text[at : at + 5]) for at in range(0, len(text), 5))
        for byte in packed:
            client.write(bytes([byte]))
            await asyncio.sleep(0)
        assert (await client.receive())["id"] == "a"


async def test_what_is_no_request_is_answered_with_a_parse_error_and_empty_lines_with_nothing(tight: Harbor) -> None:
    async with opened(tight.urls["lz4tcp"]) as client:
        for message in (b"", b"\r", b"{nope", call("a")):
            client.send(message)
        assert [(await client.receive())["id"] for _ in range(2)] == [None, "a"]


@pytest.mark.parametrize(
    "garbage",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b"\x04",
        b"\x04\x22\x4d\x19",
        HEADER[:-1] + b"\xff",
        b"\x04\x22\x4d\x18\x00\x40\xc0",
        HEADER + b"\x00\x00\x00\x00",
        HEADER + b"\xff\xff\xff\x7f" + b"x" * 100,
        HEADER + b"\x04\x00\x00\x00\xff\xff\xff\xff",
        b"\x50\x2a\x4d\x18\x04\x00\x00\x00abcd",
    ],
    ids=[
        *("http", "one byte", "magic", "header checksum", "version", "end mark", "block too large", "bad block"),
        "skippable frame",
    ],
)
async def test_a_broken_frame_closes_the_connection(
    tight: Harbor, garbage: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    client = await dial(tight.urls["lz4tcp"])
    client.write(garbage)
    assert await client.is_closed()
    client.close()
    await until(lambda: len(tight.connections) == 0)
    assert not caplog.records


async def test_a_frame_that_ends_closes_the_connection(tight: Harbor) -> None:
    async with opened(tight.urls["lz4tcp"]) as client:
        client.send(call("a"))
        await client.receive()
        client.write(client.compressor.flush())
        assert await client.is_closed()


@pytest.mark.parametrize("filling", [b"x", b" ", b"{"])
async def test_a_line_that_is_too_long_when_unpacked_closes_the_connection(tight: Harbor, filling: bytes) -> None:
    async with opened(tight.urls["lz4tcp"]) as client:
        client.write(client.compressor.compress(filling * 10_000_000))
        assert await client.is_closed()


async def test_line_ends_without_number_are_worth_no_more_than_one(tight: Harbor) -> None:
    async with opened(tight.urls["lz4tcp"]) as bomber, opened(tight.urls["lz4tcp"]) as honest:
        bomber.write(bomber.compressor.compress(b"\n" * 50_000_000))
        honest.send(call("meanwhile"))
        assert (await honest.receive())["id"] == "meanwhile"
        bomber.send(call("and now"))
        assert (await bomber.receive())["id"] == "and now"


async def test_a_packed_flood_of_calls_waits_for_its_turn_and_others_get_theirs(tmp_path: Path) -> None:
    limits = msgspec.structs.replace(TIGHT, most_calls=4, slow_s=15.0)
    async with open_harbor(tmp_path, connection_limits=limits) as harbor:
        async with calling(harbor.urls["http"]) as home:
            alice, token = await harbor.new_account("alice", home)
        wanted = [{"auth": token.text(), "mailbox": direct_mailbox(alice.username).text(), "after": 0}]
        parked = call("parked", "v1_mailbox_multirecv", wanted, 20_000)
        async with opened(harbor.urls["lz4tcp"]) as flooder, opened(harbor.urls["lz4tcp"]) as honest:
            for _ in range(4):
                flooder.send(parked)
            await until(lambda: harbor.service.parked == 4)
            flooder.write(flooder.compressor.compress((parked + b"\n") * 100_000))
            for number in range(20):
                honest.send(call(number))
                assert (await honest.receive())["id"] == number
            assert harbor.service.parked == 4


async def test_large_windows_count_against_what_all_clients_may_make_the_server_keep(tmp_path: Path) -> None:
    limits = msgspec.structs.replace(TIGHT, most_held_bytes=20 * 2**20, slow_s=15.0)
    async with open_harbor(tmp_path, connection_limits=limits) as harbor:
        clients = [await dial(harbor.urls["lz4tcp"]) for _ in range(3)]
        for client in clients:
            await client.open(block_size=frame.BLOCKSIZE_MAX4MB)
        await until(lambda: harbor.connections.counts["lz4tcp"].overdrawn == 1)
        await until(lambda: len(harbor.connections) == 2)
        async with opened(harbor.urls["lz4tcp"]) as usual:
            usual.send(call("a"))
            assert (await usual.receive())["id"] == "a"
        for client in clients:
            client.close()
