"""The doors themselves: what is a request, how long it may be, and what happens to connections that misbehave."""

import asyncio
import json
import secrets
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import msgspec
import pytest

from tests.server.transports.raw_clients import call, opened
from tests.server_builders import LIMIT_S, Harbor, calling, fetch, open_harbor, post, until
from xirtam_core.protocol.mailbox import direct_mailbox
from xirtam_server.transports.connections import ConnectionLimits, Flow

LIMITS = ConnectionLimits(most=3, max_request_bytes=20_000, max_line_bytes=10_000, slow_s=0.2, sweep_s=0.02)


@pytest.fixture
async def harbor(tmp_path: Path) -> AsyncIterator[Harbor]:
    async with open_harbor(tmp_path, connection_limits=LIMITS) as opened, asyncio.TaskGroup() as tasks:
        sweep = tasks.create_task(opened.connections.sweep())
        yield opened
        sweep.cancel()


@pytest.fixture
async def web(harbor: Harbor) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=harbor.urls["http"]) as client:
        yield client


class Line:
    """A raw TCP client."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def read(self) -> Any:
        async with asyncio.timeout(LIMIT_S):
            return json.loads(await self.reader.readline())

    async def is_closed(self) -> bool:
        async with asyncio.timeout(LIMIT_S):
            try:
                return await self.reader.read(1) == b""
            except ConnectionError:
                return True


async def dial(harbor: Harbor) -> Line:
    parts = urlsplit(harbor.urls["tcp"])
    return Line(*await asyncio.open_connection(parts.hostname, parts.port))


@pytest.fixture
async def line(harbor: Harbor) -> AsyncIterator[Line]:
    opened = await dial(harbor)
    yield opened
    opened.writer.close()


async def test_http_answers_whatever_the_content_type(web: httpx.AsyncClient) -> None:
    answer = await web.post("/", content=call("a"), headers={"content-type": "text/csv"})
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    assert answer.json() == {"jsonrpc": "2.0", "result": None, "id": "a"}


@pytest.mark.parametrize("body", [b"", b"{nope", b"[]", b"\xff", b"[" * 10_000, call(None), call("x")[:-1]])
async def test_http_answers_what_is_no_request_with_an_empty_400(web: httpx.AsyncClient, body: bytes) -> None:
    answer = await web.post("/", content=body)
    assert (answer.status_code, answer.content) == (400, b"")
    assert answer.headers["content-type"].startswith("text/plain")


async def test_http_knows_one_path_and_one_verb(web: httpx.AsyncClient) -> None:
    assert (await web.post("/elsewhere", content=call("a"))).status_code == 404
    assert (await web.get("/")).status_code == 405
    assert (await web.put("/", content=call("a"))).status_code == 405


async def test_http_refuses_long_bodies_however_they_come(web: httpx.AsyncClient) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(30):
            yield b" " * 1000

    assert (await web.post("/", content=b" " * 20_001)).status_code == 413
    assert (await web.post("/", content=pieces())).status_code == 413
    assert (await web.post("/", content=call("a") + b" " * 10_000)).status_code == 200


async def test_http_waits_only_so_long_for_a_request(harbor: Harbor) -> None:
    parts = urlsplit(harbor.urls["http"])
    reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
    writer.write(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
    async with asyncio.timeout(LIMIT_S):
        assert (await reader.read()).startswith(b"HTTP/1.1 408")
    writer.close()


async def test_tcp_answers_calls_as_they_are_ready(harbor: Harbor) -> None:
    async with calling(harbor.urls["http"]) as home:
        alice, token = await harbor.new_account("alice", home)
    wanted = [{"auth": token.text(), "mailbox": direct_mailbox(alice.username).text(), "after": 0}]
    line = await dial(harbor)
    line.writer.write(call("slow", "v1_mailbox_multirecv", wanted, 200) + b"\n" + call("fast") + b"\r\n\n")
    assert [(await line.read())["id"] for _ in range(2)] == ["fast", "slow"]
    line.writer.close()


async def test_tcp_says_parse_error_and_goes_on(line: Line) -> None:
    line.writer.write(b"{nope\n" + call("a") + b"\n")
    answers = [await line.read() for _ in range(2)]
    assert [answer["id"] for answer in answers] == [None, "a"]
    assert answers[0]["error"]["code"] == -32700
    assert answers[0]["error"]["message"] == "Parse error"


async def test_a_request_may_come_in_pieces(line: Line) -> None:
    text = call("a") + b"\n"
    for at in range(0, len(text), 7):
        line.writer.write(text[at : at + 7])
        await line.writer.drain()
        await asyncio.sleep(0)
    assert (await line.read())["id"] == "a"


@pytest.mark.parametrize("end", [b"", b"\n"])
async def test_a_line_that_is_too_long_breaks_the_connection(line: Line, end: bytes) -> None:
    line.writer.write(b" " * 10_001 + end)
    assert await line.is_closed()


async def test_a_connection_on_which_nothing_was_ever_said_is_closed_sooner_than_one_that_fell_silent(
    harbor: Harbor,
) -> None:
    silent, spoken = await dial(harbor), await dial(harbor)
    spoken.writer.write(call("a") + b"\n")
    assert (await spoken.read())["id"] == "a"
    assert await silent.is_closed()
    spoken.writer.write(call("b") + b"\n")
    assert (await spoken.read())["id"] == "b"
    for dialled in (silent, spoken):
        dialled.writer.close()


async def test_a_line_that_never_ends_breaks_the_connection(line: Line) -> None:
    line.writer.write(b"{")
    assert await line.is_closed()


async def test_a_silent_connection_is_closed_and_an_empty_line_keeps_one_open(tmp_path: Path) -> None:
    limits = msgspec.structs.replace(LIMITS, silence_s=0.3)
    async with open_harbor(tmp_path, connection_limits=limits) as harbor, asyncio.TaskGroup() as tasks:
        sweep = tasks.create_task(harbor.connections.sweep())
        silent, alive = await dial(harbor), await dial(harbor)
        ended = tasks.create_task(silent.is_closed())
        while not ended.done():
            alive.writer.write(b"\n")
            await asyncio.sleep(0.02)
        alive.writer.write(call("still here") + b"\n")
        assert (await alive.read())["id"] == "still here"
        silent.writer.close()
        alive.writer.close()
        sweep.cancel()


async def test_connections_beyond_the_bound_are_turned_away(harbor: Harbor) -> None:
    lines = [await dial(harbor) for _ in range(3)]
    await until(lambda: len(harbor.connections) == 3)
    extra = await dial(harbor)
    assert await extra.is_closed()
    for dialled in (*lines, extra):
        dialled.writer.close()
    await until(lambda: len(harbor.connections) == 0)


async def test_many_calls_at_once_on_one_connection_are_all_answered(line: Line) -> None:
    line.writer.write(b"".join(call(number) + b"\n" for number in range(500)))
    assert {(await line.read())["id"] for _ in range(500)} == set(range(500))


def test_a_reader_that_takes_nothing_is_stuck_and_a_slow_one_is_not() -> None:
    stuck, slow = Flow(), Flow()
    for now in range(100):
        assert stuck.is_stuck(1000, now, 50) is (now > 50)
        assert not slow.is_stuck(1000 - now, now, 50)


@pytest.mark.parametrize("scheme", ["ws", "tcp", "lz4tcp"])
async def test_a_client_that_reads_nothing_is_not_served_without_end(tmp_path: Path, scheme: str) -> None:
    limits = msgspec.structs.replace(LIMITS, max_line_bytes=2**20, max_request_bytes=2**20, slow_s=0.5)
    async with open_harbor(tmp_path, connection_limits=limits) as harbor, asyncio.TaskGroup() as tasks:
        sweep = tasks.create_task(harbor.connections.sweep())
        async with calling(harbor.urls["tcp"]) as home, opened(harbor.urls[scheme]) as deaf:
            alice, token = await harbor.new_account("alice", home)
            await post(home, alice.username, secrets.token_hex(300_000))
            wanted = [{"auth": token.text(), "mailbox": direct_mailbox(alice.username).text(), "after": 0}]
            for number in range(200):
                deaf.send(call(number, "v1_mailbox_multirecv", wanted, 0))
            await until(lambda: len(harbor.connections) == 2)
            await until(lambda: len(harbor.connections) == 1)  # ended, as it took nothing
            assert len(await fetch(home, token, alice.username)) == 1
        sweep.cancel()
