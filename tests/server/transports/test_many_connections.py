"""A real server process under many connections that do nothing: little memory each, and others are served."""

import asyncio
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.server.transports.raw_clients import RawClient, call, dial, opened
from tests.server_builders import TRANSPORTS, resident_bytes, server_process

_ALL_DOORS = ("--tcp-port", "0", "--lz4-port", "0")
_MOST_BYTES_EACH = 20_000


@contextmanager
def enough_files(count: int) -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < count + 100:
        pytest.skip(f"this machine allows a process {hard} open files")
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, count + 1000), hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


async def hold_many(data_dir: Path, count: int) -> None:
    with enough_files(count), server_process(data_dir, *_ALL_DOORS) as server:
        urls = [server.urls[scheme] for scheme in TRANSPORTS]
        for url in urls:  # what the first of a kind needs is not each one's
            async with opened(url) as first:
                first.send(call("first"))
                await first.receive()
        before = resident_bytes(server.process.pid)
        idle: list[RawClient] = []
        for number in range(count):
            client = await dial(urls[number % len(urls)])
            idle.append(client)
            if number % 8 >= 4:  # half of them have got as far as a call
                await client.open()
                client.send(call(number))
                await client.receive()
        taken = resident_bytes(server.process.pid) - before
        for url in urls:
            async with opened(url) as honest:
                honest.send(call("honest"))
                assert (await honest.receive())["id"] == "honest"
        for client in idle:
            client.close()
        await asyncio.sleep(0)
        assert taken < count * _MOST_BYTES_EACH + 10_000_000, f"{taken / count:.0f} bytes each"
        assert server.end() == 0
        assert server.process.stderr is not None
        assert server.process.stderr.read() == ""


async def test_a_thousand_idle_connections_take_little_memory_and_others_are_served(tmp_path: Path) -> None:
    await hold_many(tmp_path, 1000)


@pytest.mark.slow
async def test_ten_thousand_idle_connections_take_little_memory_and_others_are_served(tmp_path: Path) -> None:
    await hold_many(tmp_path, 10_000)
