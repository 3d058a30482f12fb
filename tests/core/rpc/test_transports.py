"""Choosing, sharing and trying transports (spec: rpc.md, Transports)."""

import asyncio
from pathlib import Path

import pytest

from tests.core.rpc.loopback import LIMIT_S, Peer, answer, free_port, id_of, request, serving, until
from xirtam_core.errors import Malformed, NotConnected, Unreachable
from xirtam_core.rpc.transports import Failover, TransportPool, connect, usable_url
from xirtam_core.rpc.transports.http import HttpTransport
from xirtam_core.rpc.transports.lz4tcp import Lz4TcpTransport
from xirtam_core.rpc.transports.tcp import TcpTransport
from xirtam_core.rpc.transports.ws import WebSocketTransport


async def echo(peer: Peer) -> None:
    while line := await peer.line():
        await peer.say(answer(id_of(line)))


async def test_the_scheme_chooses_the_transport() -> None:
    assert isinstance(connect("http://chat.example.org/"), HttpTransport)
    assert isinstance(connect("https://chat.example.org"), HttpTransport)
    assert isinstance(connect("tcp://chat.example.org:4001"), TcpTransport)
    assert isinstance(connect("tcp://[::1]:4001"), TcpTransport)
    assert isinstance(connect("lz4tcp://chat.example.org:4001"), Lz4TcpTransport)
    assert isinstance(connect("ws://chat.example.org/ws"), WebSocketTransport)
    assert isinstance(connect("wss://chat.example.org/ws"), WebSocketTransport)


@pytest.mark.parametrize(
    "url",
    [
        *(
            "wss:///x",
            "ws://chat.example.org:x/",
            "ws://somebody:secret@chat.example.org/",
            "lz4tcp://chat.example.org",
            "gopher://chat.example.org/",
        ),
        *(
            "tcp://chat.example.org",
            "tcp://chat.example.org:0",
            "tcp://chat.example.org:99999",
            "http://",
            "http:///x",
            "",
            "x",
        ),
        *("http://[::1", "http://chat.example.org:x/"),
    ],
)
def test_what_cannot_be_reached_from_here_is_refused_and_skipped(url: str) -> None:
    with pytest.raises(Malformed):
        connect(url)
    assert usable_url([url]) is None
    assert (
        usable_url([url, "tcp://chat.example.org:4001", "https://chat.example.org/"]) == "tcp://chat.example.org:4001"
    )


async def test_a_pool_gives_one_transport_for_each_url_and_closes_them_all() -> None:
    heard: list[bytes] = []

    async def silent(peer: Peer) -> None:
        heard.append(await peer.line())
        await peer.silence()

    async with serving(silent) as first, serving(silent) as second:
        pool = TransportPool()
        urls = [f"tcp://127.0.0.1:{first.port}", f"http://127.0.0.1:{second.port}/"]
        assert pool.get(urls[0]) is pool.get(urls[0])
        calls = [asyncio.create_task(pool.get(url).call(request("r"), "r", timeout_s=LIMIT_S)) for url in urls]
        await until(lambda: len(heard) == 2)
        await pool.close()
        failures = await asyncio.gather(*calls, return_exceptions=True)
        assert all(isinstance(failure, Unreachable) for failure in failures)
        await until(lambda: first.ended == second.ended == 1)


async def test_a_list_of_urls_goes_on_to_the_next_where_no_connection_comes_about_and_remembers_it() -> None:
    async with serving(echo) as server:
        pool = TransportPool()
        urls = ["gopher://127.0.0.1/", f"tcp://127.0.0.1:{await free_port()}", f"tcp://127.0.0.1:{server.port}"]
        several = Failover(urls, pool)
        for number in range(3):
            reply = await several.call(request(f"r{number}"), f"r{number}", timeout_s=LIMIT_S)
            assert id_of(reply) == f"r{number}"
        await pool.close()


@pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="only Linux tells of a connection's timers")
@pytest.mark.parametrize("scheme", ["http", "tcp"])
async def test_the_system_watches_over_a_call_that_waits_long(scheme: str) -> None:
    asked: list[bytes] = []

    async def waits(peer: Peer) -> None:
        asked.append(await peer.line())
        await peer.silence()

    async with serving(waits) as server:
        transport = connect(f"{scheme}://127.0.0.1:{server.port}")
        calling = asyncio.create_task(transport.call(request("r1"), "r1", timeout_s=LIMIT_S))
        await until(lambda: bool(asked))
        await until(lambda: _has_keep_alive_timer(server.port))
        await transport.close()
        await asyncio.gather(calling, return_exceptions=True)


def _has_keep_alive_timer(port: int) -> bool:
    """Whether the system probes the connection that leads from here to `port`."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    # The kernel may say things twice, or not at all, while connections come and go.
    return any(row[5].startswith("02:") for row in rows if int(row[2].split(":")[1], 16) == port)


async def test_what_may_have_reached_a_server_is_not_said_to_another_but_the_next_call_is() -> None:
    async def hangs_up(peer: Peer) -> None:
        await peer.line()

    async with serving(hangs_up) as first, serving(echo) as second:
        pool = TransportPool()
        several = Failover([f"tcp://127.0.0.1:{first.port}", f"tcp://127.0.0.1:{second.port}"], pool)
        with pytest.raises(Unreachable):
            await several.call(request("r1"), "r1", timeout_s=LIMIT_S)
        assert second.accepted == 0
        assert id_of(await several.call(request("r2"), "r2", timeout_s=LIMIT_S)) == "r2"
        await pool.close()


async def test_a_list_of_urls_none_of_which_answers_is_not_connected() -> None:
    pool = TransportPool()
    several = Failover([f"tcp://127.0.0.1:{await free_port()}", f"http://127.0.0.1:{await free_port()}/"], pool)
    for _ in range(2):
        with pytest.raises(NotConnected):
            await several.call(request("r"), "r", timeout_s=LIMIT_S)
    await pool.close()


def test_a_list_of_urls_none_of_which_can_be_reached_from_here_is_refused() -> None:
    with pytest.raises(Malformed):
        Failover(["gopher://chat.example.org/"], TransportPool())
