"""Requests that are under way: what clients may have the server keep of them together, and who is to blame that one takes long."""

import asyncio
from pathlib import Path
from typing import Any

import msgspec
import pytest
from websockets.frames import Frame, Opcode

from tests.server.transports.raw_clients import PackedClient, RawClient, SocketClient, call, dial, opened
from tests.server_builders import TRANSPORTS, calling, open_harbor, until
from xirtam_core.protocol.mailbox import direct_mailbox
from xirtam_server.transports.connections import ConnectionLimits

SIZE = 200_000
NARROW = ConnectionLimits(most_held_bytes=4 * SIZE)


def begin(client: RawClient, scheme: str, part: bytes) -> None:
    """Sends the beginning of a request that is somewhat longer than `part`."""
    if scheme == "http":
        client.write(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % (len(part) + 10) + part)
    elif isinstance(client, SocketClient):
        client.write(Frame(Opcode.TEXT, part, fin=False).serialize(mask=True))
    elif isinstance(client, PackedClient):
        client.write(client.compressor.compress(part))
    else:
        client.write(part)


@pytest.mark.parametrize("scheme", TRANSPORTS)
async def test_large_beginnings_of_requests_count_against_what_all_clients_may_make_the_server_keep(
    tmp_path: Path, scheme: str
) -> None:
    async with open_harbor(tmp_path, connection_limits=NARROW) as harbor, opened(harbor.urls[scheme]) as honest:
        counts = harbor.connections.counts[scheme]
        for number in range(6):  # what was read whole is kept no longer
            honest.send(call(number, "v1_device_certs", "@nobody", "x" * SIZE))
            assert (await honest.receive())["id"] == number
        assert counts.overdrawn == 0

        clients: list[Any] = []
        for _ in range(6):
            clients.append(await dial(harbor.urls[scheme]))
            await clients[-1].open()
            begin(clients[-1], scheme, b" " * SIZE)
        await until(lambda: counts.overdrawn >= 2)
        honest.send(call("after"))
        assert (await honest.receive())["id"] == "after"
        for client in clients:
            client.close()
        await until(lambda: len(harbor.connections) == 1)


async def test_requests_that_wait_for_those_before_them_count_too(tmp_path: Path) -> None:
    limits = msgspec.structs.replace(NARROW, most_calls=1)
    async with open_harbor(tmp_path, connection_limits=limits) as harbor, calling(harbor.urls["http"]) as home:
        alice, token = await harbor.new_account("alice", home)
        cursor = {"auth": token.hex(), "mailbox": direct_mailbox(alice.username).hex(), "after": 0}
        counts = harbor.connections.counts["tcp"]
        clients = [await dial(harbor.urls["tcp"]) for _ in range(6)]
        for client in clients:
            client.send(call("poll", "v1_mailbox_multirecv", [cursor], 60_000))
            client.send(call("waits", "v1_device_certs", "@nobody", "x" * SIZE))
        await until(lambda: counts.overdrawn >= 2)
        for client in clients:
            client.close()


async def test_a_client_that_is_not_read_while_its_calls_wait_is_not_blamed_for_an_unfinished_line(
    tmp_path: Path,
) -> None:
    limits = ConnectionLimits(most_calls=1, slow_s=0.3, silence_s=0.3, sweep_s=0.02)
    async with open_harbor(tmp_path, connection_limits=limits) as harbor, calling(harbor.urls["http"]) as home:
        alice, token = await harbor.new_account("alice", home)
        cursor = {"auth": token.hex(), "mailbox": direct_mailbox(alice.username).hex(), "after": 0}
        async with asyncio.TaskGroup() as tasks, opened(harbor.urls["tcp"]) as client:
            sweep = tasks.create_task(harbor.connections.sweep())
            unfinished = call("unfinished")
            lines = [call("poll", "v1_mailbox_multirecv", [cursor], 1000), call("waits"), unfinished[:20]]
            client.write(b"\n".join(lines))
            assert (await client.receive())["id"] == "poll"
            assert (await client.receive())["id"] == "waits"
            client.write(unfinished[20:] + b"\n")
            assert (await client.receive())["id"] == "unfinished"

            client.write(unfinished[:20])
            assert await client.is_closed()
            sweep.cancel()
