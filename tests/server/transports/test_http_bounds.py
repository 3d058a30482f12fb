"""What a client of HTTP may cost before and beside its requests: heads, pipelines, bodies that never come."""

import asyncio
from pathlib import Path

import msgspec
import pytest

from tests.server.transports.raw_clients import TIGHT, call, dial, opened
from tests.server_builders import Harbor, calling, open_harbor, until
from xirtam_core.protocol.mailbox import direct_mailbox


@pytest.mark.parametrize(
    "head",
    [
        b"GET /" + b"x" * 20_000,
        b"POST / HTTP/1.1\r\nX: " + b"x" * 20_000,
        b"POST / HTTP/1.1\r\n" + b"X: y\r\n" * 5000,
        b"\r\n" * 20_000 + b"POST / HTTP/1.1\r\nX: " + b"x" * 9000,
    ],
    ids=["path", "one header", "many headers", "after empty lines"],
)
async def test_a_head_that_is_too_long_ends_the_connection(tight: Harbor, head: bytes) -> None:
    client = await dial(tight.urls["http"])
    for at in range(0, len(head), 1000):
        client.write(head[at : at + 1000])
        await asyncio.sleep(0)
    assert await client.is_closed()
    client.close()


async def test_a_head_that_is_too_long_behind_a_call_in_flight_ends_the_connection(tight: Harbor) -> None:
    async with calling(tight.urls["http"]) as home:
        alice, token = await tight.new_account("alice", home)
    wanted = [{"auth": token.text(), "mailbox": direct_mailbox(alice.username).text(), "after": 0}]
    client = await dial(tight.urls["http"])
    client.send(call("parked", "v1_mailbox_multirecv", wanted, 20_000))
    await until(lambda: tight.service.parked == 1)
    client.write(b"POST / HTTP/1.1\r\nX: ")
    while not client.writer.transport.is_closing() and tight.service.parked:
        client.write(b"x" * 1000)
        await asyncio.sleep(0.001)
    await until(lambda: tight.service.parked == 0)
    client.close()


async def test_requests_may_be_pipelined_but_not_without_number(tmp_path: Path) -> None:
    limits = msgspec.structs.replace(TIGHT, most_pipelined=8, slow_s=15.0)
    async with open_harbor(tmp_path, connection_limits=limits) as harbor:
        async with opened(harbor.urls["http"]) as modest:
            for number in range(8):
                modest.send(call(number))
            assert [(await modest.receive())["id"] for _ in range(8)] == list(range(8))
        async with opened(harbor.urls["http"]) as flooder:
            request = call("a")
            flooder.write((b"POST / HTTP/1.1\r\nContent-Length: %d\r\n\r\n" % len(request) + request) * 500)
            assert await flooder.is_closed()
        await until(lambda: len(harbor.connections) == 0)


@pytest.mark.parametrize("begun", [b"Content-Length: 100\r\n\r\n", b"Transfer-Encoding: chunked\r\n\r\n"])
async def test_a_request_whose_body_never_comes_ends_the_connection(tight: Harbor, begun: bytes) -> None:
    async with opened(tight.urls["http"]) as client:
        client.write(b"POST / HTTP/1.1\r\n" + begun)
        assert await client.is_closed()
    assert tight.connections.counts["http"].stale == 1


async def test_a_long_poll_outlives_the_time_for_requests(tight: Harbor) -> None:
    async with calling(tight.urls["http"]) as home:
        alice, token = await tight.new_account("alice", home)
    wanted = [{"auth": token.text(), "mailbox": direct_mailbox(alice.username).text(), "after": 0}]
    async with opened(tight.urls["http"]) as client:
        client.send(call("parked", "v1_mailbox_multirecv", wanted, 900))
        client.send(call("behind it"))
        assert [(await client.receive())["id"] for _ in range(2)] == ["parked", "behind it"]
    assert tight.connections.counts["http"].stale == 0


@pytest.mark.parametrize(
    "request_",
    [
        b"POST / HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n12345",
        b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 99999999999999999999999\r\n\r\n",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n",
        b"POST / HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"POST http://[ HTTP/1.1\r\n\r\n",
        b"POST * HTTP/1.1\r\n\r\n",
        b"POST /%ff%00 HTTP/1.1\r\nContent-Length: 0\r\n\r\n",
        b"CONNECT x:1 HTTP/1.1\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"POST /\xff HTTP/1.1\r\nContent-Length: 0\r\n\r\n",
    ],
)
async def test_a_request_that_is_none_is_refused_without_a_word_in_the_log(
    tight: Harbor, request_: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    async with opened(tight.urls["http"]) as client:
        client.write(request_)
        client.writer.write_eof()
        answer = await client.reader.read(2**16)
        assert answer == b"" or answer.split()[1][:1] == b"4"
    await until(lambda: len(tight.connections) == 0)
    assert not caplog.records
