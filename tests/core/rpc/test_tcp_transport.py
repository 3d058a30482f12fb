"""The TCP transport against servers that answer late, wrongly, or not at all (spec: rpc.md, TCP)."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

import pytest

from tests.core.rpc.loopback import LIMIT_S, Loopback, Peer, answer, free_port, id_of, request, serving, until
from xirtam_core.errors import Malformed, NotConnected, Unreachable
from xirtam_core.rpc.transports.tcp import TcpTransport


@asynccontextmanager
async def connected(server: Loopback, **options: float) -> AsyncGenerator[TcpTransport, None]:
    transport = TcpTransport(f"tcp://127.0.0.1:{server.port}", **options)  # type: ignore[arg-type]
    try:
        yield transport
    finally:
        await transport.close()


async def echo(peer: Peer) -> None:
    while line := await peer.line():
        await peer.say(answer(id_of(line)))


async def call(transport: TcpTransport, call_id: str, timeout_s: float = LIMIT_S) -> bytes:
    return (await transport.call(request(call_id), call_id, timeout_s=timeout_s)).rstrip()


async def test_many_calls_share_one_connection_and_each_gets_its_own_answer_whatever_their_order() -> None:
    async def backwards(peer: Peer) -> None:
        ids = [id_of(await peer.line()) for _ in range(20)]
        await peer.say(*(answer(call_id, call_id) for call_id in reversed(ids)))
        await peer.line()

    async with serving(backwards) as server, connected(server) as transport:
        names = [f"req-{number}" for number in range(20)]
        found = await asyncio.gather(*(call(transport, name) for name in names))
        assert found == [answer(name, name) for name in names]
        assert server.accepted == 1


async def test_answers_to_unknown_ids_and_empty_lines_are_passed_over() -> None:
    async def chatty(peer: Peer) -> None:
        call_id = id_of(await peer.line())
        await peer.say(
            b"", b"\r", answer("req-of-another"), b'{"jsonrpc":"2.0","result":1,"id":7}', answer(call_id) + b"\r"
        )
        await peer.line()

    async with serving(chatty) as server, connected(server) as transport:
        assert await call(transport, "req-1") == answer("req-1")


async def test_an_answer_that_comes_in_pieces_is_put_together() -> None:
    async def slow(peer: Peer) -> None:
        for byte in answer(id_of(await peer.line()), "x" * 50) + b"\n":
            peer.writer.write(bytes([byte]))
            await peer.writer.drain()
        await peer.line()

    async with serving(slow) as server, connected(server) as transport:
        assert await call(transport, "req-1") == answer("req-1", "x" * 50)


async def test_a_connection_lost_in_mid_call_fails_all_calls_in_flight_and_the_next_call_makes_a_new_one() -> None:
    first = True

    async def dies_once(peer: Peer) -> None:
        nonlocal first
        if first:
            first = False
            await peer.line()
            await peer.line()
        else:
            await echo(peer)

    async with serving(dies_once) as server, connected(server) as transport:
        failures = await asyncio.gather(call(transport, "req-1"), call(transport, "req-2"), return_exceptions=True)
        assert [type(failure) for failure in failures] == [Unreachable, Unreachable]
        assert await call(transport, "req-3") == answer("req-3")
        assert server.accepted == 2


async def test_a_server_that_comes_back_is_found_again() -> None:
    server = Loopback(echo)
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


async def test_where_nobody_listens_all_waiting_calls_fail_as_not_connected() -> None:
    transport = TcpTransport(f"tcp://127.0.0.1:{await free_port()}")
    failures = await asyncio.gather(call(transport, "req-1"), call(transport, "req-2"), return_exceptions=True)
    assert [type(failure) for failure in failures] == [NotConnected, NotConnected]
    await transport.close()


async def test_a_host_that_is_no_name_is_not_connected() -> None:
    transport = TcpTransport(f"tcp://{'a' * 70}.invalid:4001")
    with pytest.raises(NotConnected):
        await call(transport, "req-1")
    await transport.close()


@pytest.mark.parametrize(
    "garbage",
    [
        b"HTTP/1.1 400 Bad Request",
        b'{"jsonrpc":"2.0","error":{"code":-32700,"message":"Parse error","data":""},"id":null}',
        b'{"jsonrpc":"2.0","result":null}',
        b'{"id":1.5}',
        b"[]",
        b"\xff\xfe\x00",
        b'{"id":' + b"[" * 100_000,
        b'{"x":' + b"[" * 100_000 + b"]" * 100_000 + b',"id":"req-1"}',
    ],
    ids=["http", "null id", "no id", "odd id", "array", "binary", "cut short", "deep"],
)
async def test_a_line_that_is_no_response_fails_all_calls_in_flight_and_breaks_the_connection(garbage: bytes) -> None:
    async def confused(peer: Peer) -> None:
        if server.accepted > 1:
            await echo(peer)
            return
        await peer.line()
        await peer.line()
        await peer.say(garbage)
        await peer.line()

    async with serving(confused) as server, connected(server) as transport:
        failures = await asyncio.gather(call(transport, "req-1"), call(transport, "req-2"), return_exceptions=True)
        assert [type(failure) for failure in failures] == [Unreachable, Unreachable]
        await call(transport, "req-3")
        assert server.accepted == 2


async def test_an_answer_up_to_the_limit_is_taken_and_a_longer_one_breaks_the_connection() -> None:
    async def long(peer: Peer) -> None:
        while line := await peer.line():
            size = 100_000 if id_of(line) == "req-fits" else 110_000
            await peer.say(answer(id_of(line), "x" * (size - len(answer(id_of(line), "")))))

    async with serving(long) as server, connected(server, longest_answer=100_000) as transport:
        assert len(await call(transport, "req-fits")) == 100_000
        with pytest.raises(Unreachable, match="too long"):
            await call(transport, "req-more")


async def test_an_endless_line_is_not_collected_for_ever() -> None:
    async def endless(peer: Peer) -> None:
        await peer.line()
        while True:
            peer.writer.write(b"x" * 65536)
            await peer.writer.drain()

    async with serving(endless) as server, connected(server, longest_answer=1_000_000) as transport:
        with pytest.raises(Unreachable, match="too long"):
            await call(transport, "req-1")
        await until(lambda: server.ended == 1)


async def test_a_request_over_a_mebibyte_is_refused_before_it_is_sent() -> None:
    async with serving(echo) as server, connected(server) as transport:
        with pytest.raises(Malformed, match="too long to send"):
            await transport.call(b"x" * (2**20 + 1), "req-1", timeout_s=1)
        largest = b'{"id":"req-2","x":"' + b"x" * (2**20 - 21) + b'"}'
        assert len(largest) == 2**20
        await transport.call(largest, "req-2", timeout_s=LIMIT_S)


async def test_a_request_with_line_ends_in_it_travels_as_one_line() -> None:
    async with serving(echo) as server, connected(server) as transport:
        reply = await transport.call(b'{\n"id": "req-1",\n"method": "m"\n}', "req-1", timeout_s=LIMIT_S)
        assert id_of(reply) == "req-1"


async def test_a_call_without_an_answer_times_out_and_its_late_answer_is_passed_over() -> None:
    release = asyncio.Event()

    async def late(peer: Peer) -> None:
        first, other = id_of(await peer.line()), id_of(await peer.line())
        await peer.say(answer(other))
        await release.wait()
        await peer.say(answer(first))
        await echo(peer)

    async with serving(late) as server, connected(server) as transport:
        slow = asyncio.create_task(call(transport, "req-slow", timeout_s=0.1))
        await asyncio.sleep(0)
        await call(transport, "req-quick")
        with pytest.raises(Unreachable, match=r"within 0\.1 s"):
            await slow
        release.set()
        assert await call(transport, "req-next") == answer("req-next")
        assert server.accepted == 1


async def test_a_connection_on_which_nothing_came_for_a_whole_call_is_given_up() -> None:
    async def deaf(peer: Peer) -> None:
        if server.accepted > 1:
            await echo(peer)
        await peer.silence()

    async with serving(deaf) as server, connected(server) as transport:
        with pytest.raises(Unreachable):
            await call(transport, "req-1", timeout_s=0.2)
        assert await call(transport, "req-2") == answer("req-2")


async def test_a_cancelled_call_is_forgotten_and_disturbs_no_other() -> None:
    heard = asyncio.Event()
    release = asyncio.Event()

    async def held(peer: Peer) -> None:
        first = id_of(await peer.line())
        heard.set()
        await release.wait()
        await peer.say(answer(first))
        await echo(peer)

    async with serving(held) as server, connected(server) as transport:
        abandoned = asyncio.create_task(call(transport, "req-1"))
        await heard.wait()
        abandoned.cancel()
        with pytest.raises(asyncio.CancelledError):
            await abandoned
        release.set()
        assert await call(transport, "req-2") == answer("req-2")
        assert server.accepted == 1


async def test_a_call_cancelled_before_the_connection_stands_is_never_sent() -> None:
    seen: list[str] = []

    async def recording(peer: Peer) -> None:
        while line := await peer.line():
            seen.append(id_of(line))
            await peer.say(answer(id_of(line)))

    async with serving(recording) as server, connected(server) as transport:
        early = asyncio.create_task(call(transport, "req-1"))
        await asyncio.sleep(0)
        early.cancel()
        await call(transport, "req-2")
        assert seen == ["req-2"]


async def test_an_open_connection_is_kept_alive_with_empty_lines() -> None:
    beats = asyncio.Event()

    async def counting(peer: Peer) -> None:
        call_id = id_of(await peer.line())
        assert [await peer.reader.readline() for _ in range(3)] == [b"\n"] * 3
        beats.set()
        await peer.say(answer(call_id))
        await peer.silence()

    async with serving(counting) as server, connected(server, keep_alive_s=0.01) as transport:
        assert await call(transport, "req-1") == answer("req-1")
        assert beats.is_set()


async def test_a_connection_that_nobody_uses_is_let_go_after_a_while() -> None:
    async with serving(echo) as server, connected(server, keep_alive_s=0.01) as transport:
        await call(transport, "req-1")
        await until(lambda: server.ended == 1)
        assert await call(transport, "req-2") == answer("req-2")


async def test_closing_fails_calls_in_flight_and_later_ones_and_leaves_no_task() -> None:
    async def silent(peer: Peer) -> None:
        await peer.silence()

    async with serving(silent) as server:
        transport = TcpTransport(f"tcp://127.0.0.1:{server.port}")
        waiting = asyncio.create_task(call(transport, "req-1"))
        await until(lambda: server.accepted == 1)
        await transport.close()
        with pytest.raises(Unreachable, match="closed"):
            await waiting
        with pytest.raises(Unreachable, match="closed"):
            await call(transport, "req-2")
        assert not [task for task in asyncio.all_tasks() if task.get_name().startswith("tcp://")]


async def test_closing_while_the_connection_is_being_made_fails_the_call_at_once() -> None:
    async with serving(echo) as server:
        transport = TcpTransport(f"tcp://127.0.0.1:{server.port}")
        waiting = asyncio.create_task(call(transport, "req-1"))
        await asyncio.sleep(0)
        await transport.close()
        with pytest.raises(Unreachable):
            await waiting


@pytest.mark.parametrize("url", ["tcp://host", "tcp://:4001", "tcp://host:0"])
def test_a_tcp_url_must_name_a_host_and_a_port(url: str) -> None:
    with pytest.raises(Malformed):
        TcpTransport(url)
