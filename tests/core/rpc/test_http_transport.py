"""The HTTP transport against servers that answer wrongly, too much, or not at all (spec: rpc.md, HTTP)."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest

from tests.core.rpc.loopback import LIMIT_S, Loopback, Peer, answer, free_port, id_of, request, serving, until
from xirtam_core.errors import Malformed, NotConnected, Unreachable
from xirtam_core.rpc.transports.http import HttpTransport


@asynccontextmanager
async def connected(server: Loopback, path: str = "/", **options: int) -> AsyncGenerator[HttpTransport, None]:
    transport = HttpTransport(f"http://127.0.0.1:{server.port}{path}", **options)
    try:
        yield transport
    finally:
        await transport.close()


async def echo(peer: Peer) -> None:
    while heard := await peer.http_request():
        await peer.say_http(answer(id_of(heard[1])))


async def call(transport: HttpTransport, call_id: str, timeout_s: float = LIMIT_S) -> bytes:
    return await transport.call(request(call_id), call_id, timeout_s=timeout_s)


async def test_a_call_is_a_post_of_json_to_the_exact_path_of_the_url() -> None:
    heads: list[str] = []

    async def recording(peer: Peer) -> None:
        while heard := await peer.http_request():
            heads.append(heard[0])
            await peer.say_http(answer(id_of(heard[1])), "200 OK", "set-cookie: track=1; Path=/")

    async with serving(recording) as server, connected(server, "/rpc/v1?x=1") as transport:
        assert await call(transport, "req-1") == answer("req-1")
        assert await call(transport, "req-2") == answer("req-2")
        assert server.accepted == 1
    assert heads[0].startswith("POST /rpc/v1?x=1 HTTP/1.1\r\n")
    headers = heads[1].lower()
    assert "content-type: application/json" in headers
    assert "accept-encoding: identity" in headers
    assert "cookie" not in headers, "cookies would link calls that are meant to be anonymous"


@pytest.mark.parametrize(
    "status", ["204 No Content", "400 Bad Request", "413 Too Large", "500 Oops", "502 Bad Gateway"]
)
async def test_any_status_but_200_is_a_failure_of_the_transport(status: str) -> None:
    async def failing(peer: Peer) -> None:
        while heard := await peer.http_request():
            body = b"" if status.startswith("204") else answer(id_of(heard[1]))
            await peer.say_http(body, status)

    async with serving(failing) as server, connected(server) as transport:
        with pytest.raises(Unreachable, match=status[:3]):
            await call(transport, "req-1")


async def test_a_redirect_is_not_followed() -> None:
    async with serving(echo) as target:

        async def elsewhere(peer: Peer) -> None:
            while await peer.http_request():
                await peer.say_http(b"", "307 Temporary Redirect", f"location: http://127.0.0.1:{target.port}/")

        async with serving(elsewhere) as server, connected(server) as transport:
            with pytest.raises(Unreachable, match="307"):
                await call(transport, "req-1")
        assert target.accepted == 0


async def test_proxies_named_by_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{await free_port()}")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    async with serving(echo) as server, connected(server) as transport:
        assert await call(transport, "req-1") == answer("req-1")


async def test_an_answer_up_to_the_limit_is_taken_and_a_longer_one_is_not() -> None:
    async def long(peer: Peer) -> None:
        while heard := await peer.http_request():
            await peer.say_http(b"x" * (100_000 if id_of(heard[1]) == "req-fits" else 100_001))

    async with serving(long) as server, connected(server, longest_answer=100_000) as transport:
        assert len(await call(transport, "req-fits")) == 100_000
        with pytest.raises(Unreachable, match="too long"):
            await call(transport, "req-more")


async def test_an_endless_answer_is_cut_off() -> None:
    async def endless(peer: Peer) -> None:
        await peer.http_request()
        peer.writer.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n")
        while True:
            peer.writer.write(b"10000\r\n" + b"x" * 65536 + b"\r\n")
            await peer.writer.drain()

    async with serving(endless) as server, connected(server, longest_answer=1_000_000) as transport:
        with pytest.raises(Unreachable, match="too long"):
            await call(transport, "req-1")
        await until(lambda: server.ended == 1)


@pytest.mark.parametrize(
    "garbage",
    [
        b"SSH-2.0-OpenSSH_9\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: -5\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 50\r\n\r\nx",
        b"",
    ],
    ids=["not http", "bad length", "cut short", "nothing"],
)
async def test_what_is_not_http_is_a_failure_of_the_transport(garbage: bytes) -> None:
    async def confused(peer: Peer) -> None:
        await peer.http_request()
        peer.writer.write(garbage)
        await peer.writer.drain()

    async with serving(confused) as server, connected(server) as transport:
        with pytest.raises(Unreachable):
            await call(transport, "req-1")


async def test_where_nobody_listens_the_call_fails_as_not_connected() -> None:
    transport = HttpTransport(f"http://127.0.0.1:{await free_port()}/")
    with pytest.raises(NotConnected):
        await call(transport, "req-1")
    await transport.close()


@pytest.mark.parametrize("host", ["a" * 70 + ".invalid", "exa mple", "[::zz]", "xn--a-.invalid"])
async def test_a_host_that_is_no_name_is_a_failure_of_the_transport(host: str) -> None:
    transport = HttpTransport(f"http://{host}:4001/")
    with pytest.raises(Unreachable):
        await call(transport, "req-1")
    await transport.close()


async def test_a_server_that_comes_back_is_found_again() -> None:
    server = Loopback(echo)
    await server.start()
    port = server.port
    async with connected(server) as transport:
        await call(transport, "req-1")
        await server.stop()
        with pytest.raises(Unreachable):
            await call(transport, "req-2")
        await server.start(port)
        assert await call(transport, "req-3") == answer("req-3")
        await server.stop()


async def test_a_call_without_an_answer_times_out_and_others_go_on() -> None:
    async def silent_once(peer: Peer) -> None:
        if server.accepted == 1:
            await peer.silence()
        await echo(peer)

    async with serving(silent_once) as server, connected(server) as transport:
        with pytest.raises(Unreachable, match=r"within 0\.2 s"):
            await call(transport, "req-1", timeout_s=0.2)
        assert await call(transport, "req-2") == answer("req-2")


async def test_a_cancelled_call_frees_its_connection() -> None:
    heard = asyncio.Event()

    async def silent(peer: Peer) -> None:
        await peer.http_request()
        heard.set()
        await peer.silence()

    async with serving(silent) as server, connected(server) as transport:
        abandoned = asyncio.create_task(call(transport, "req-1"))
        await heard.wait()
        abandoned.cancel()
        with pytest.raises(asyncio.CancelledError):
            await abandoned
        await until(lambda: server.ended == 1)


async def test_more_long_polls_than_idle_connections_run_side_by_side() -> None:
    release = asyncio.Event()

    async def held(peer: Peer) -> None:
        while heard := await peer.http_request():
            await release.wait()
            await peer.say_http(answer(id_of(heard[1])))

    async with serving(held) as server, connected(server) as transport:
        calls = [asyncio.create_task(call(transport, f"req-{number}")) for number in range(30)]
        await until(lambda: server.accepted == 30)
        release.set()
        assert len(await asyncio.gather(*calls)) == 30


async def test_a_request_over_a_mebibyte_is_refused_before_it_is_sent() -> None:
    async with serving(echo) as server, connected(server) as transport:
        with pytest.raises(Malformed, match="too long to send"):
            await transport.call(b"x" * (2**20 + 1), "req-1", timeout_s=1)
        assert server.accepted == 0


async def test_closing_fails_calls_in_flight_and_later_ones() -> None:
    heard: list[object] = []

    async def silent(peer: Peer) -> None:
        heard.append(await peer.http_request())
        await peer.silence()

    async with serving(silent) as server:
        transport = HttpTransport(f"http://127.0.0.1:{server.port}/")
        waiting = [asyncio.create_task(call(transport, f"req-{number}")) for number in range(3)]
        await until(lambda: len(heard) == 3)
        await transport.close()
        failures = await asyncio.gather(*waiting, return_exceptions=True)
        assert all(isinstance(failure, Unreachable) for failure in failures)
        with pytest.raises(Unreachable, match="closed"):
            await call(transport, "req-4")
        await until(lambda: server.ended == 3)


@pytest.mark.parametrize(
    ("host", "named"),
    [
        ("harbor.example", "harbor.example"),
        ("[2001:db8::7]", "[2001:db8::7]"),
        ("bücher.example", "xn--bcher-kva.example"),
    ],
)
async def test_a_given_address_is_called_under_the_name_of_the_url(host: str, named: str) -> None:
    heads: list[str] = []

    async def recording(peer: Peer) -> None:
        while heard := await peer.http_request():
            heads.append(heard[0])
            await peer.say_http(answer(id_of(heard[1])))

    async with serving(recording) as server:
        port = server.port
        transport = HttpTransport(f"http://{host}:{port}/rpc?x=1", address="127.0.0.1")
        try:
            assert await call(transport, "req-1") == answer("req-1")
        finally:
            await transport.close()
    assert heads[0].startswith("POST /rpc?x=1 HTTP/1.1\r\n")
    assert f"\r\nhost: {named}:{port}\r\n" in heads[0].lower()


async def test_at_a_given_address_tls_asks_for_the_name_of_the_url() -> None:
    heard: list[bytes] = []

    async def recording(peer: Peer) -> None:
        heard.append(await peer.reader.read(4096))

    async with serving(recording) as server:
        transport = HttpTransport(f"https://harbor.example:{server.port}/", address="127.0.0.1")
        try:
            with pytest.raises(Unreachable):
                await call(transport, "req-1")
        finally:
            await transport.close()
    assert b"harbor.example" in heard[0], "the name that the certificate must have"
