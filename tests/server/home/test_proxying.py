"""Forwarding: own users reach other servers and the directory through theirs, and nobody reaches more than that."""

import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.server_builders import TRANSPORTS, FakeDirectory, Harbor, calling, fetch, open_harbor, post, until
from xirtam_core.codec.primitives import ANONYMOUS, AuthToken
from xirtam_core.errors import Unreachable
from xirtam_core.names import ServerName
from xirtam_core.protocol.mailbox import direct_mailbox
from xirtam_core.rpc import envelope
from xirtam_core.rpc.envelope import CallError
from xirtam_core.rpc.home_server import HomeServer, ProxyNotSupported, ServerBusy, UpstreamFailed
from xirtam_core.rpc.service import RawJson
from xirtam_server.home import upstreams
from xirtam_server.home.proxying import ProxyPolicy

BEACH = ServerName("~beach")
OPEN = ProxyPolicy(servers=True, directory=True, private_addresses=True, idle_s=0.4)

Answer = Callable[[bytes], Awaitable[bytes]]


def raw(method: str = "v1_server_info", *params: Any, call_id: str | int = "inner") -> RawJson:
    return RawJson({"jsonrpc": "2.0", "method": method, "params": list(params), "id": call_id})


class OneAnswer:
    """A directory that answers a call with what it was made with: text, the rest of a response, or a fault."""

    def __init__(self, answer: Any) -> None:
        self.answer, self.asked = answer, []

    async def call(self, request: bytes, call_id: str, *, timeout_s: float) -> bytes:
        self.asked.append(json.loads(request))
        if isinstance(self.answer, Exception):
            raise self.answer
        if isinstance(self.answer, bytes):
            return self.answer.replace(b"ID", call_id.encode())
        return json.dumps({"jsonrpc": "2.0", "id": call_id} | self.answer).encode()

    async def close(self) -> None:
        pass


@contextlib.asynccontextmanager
async def line_server(answer: Answer) -> AsyncGenerator[str]:
    """A server on TCP of which each line is answered, or not, by `answer`; its URL."""
    connections: set[asyncio.StreamWriter] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.add(writer)
        with contextlib.suppress(OSError, ValueError):
            while line := await reader.readline():
                if line.strip():
                    writer.write(await answer(line))
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, limit=2**22)
    try:
        yield f"tcp://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        for writer in connections:
            writer.transport.abort()


@contextlib.asynccontextmanager
async def open_pair(tmp_path: Path, policy: ProxyPolicy = OPEN, url: str = "") -> AsyncGenerator[tuple[Harbor, Harbor]]:
    """A server that forwards, and one that is known to its directory as ~beach, at `url` if that is given."""
    for name in ("near", "far"):
        (tmp_path / name).mkdir()
    directory = FakeDirectory()
    async with (
        open_harbor(tmp_path / "far") as far,
        open_harbor(tmp_path / "near", directory=directory, proxy=policy) as near,
    ):
        directory.add_server(BEACH, url or far.urls["tcp"])
        yield near, far


@pytest.fixture
async def pair(tmp_path: Path) -> AsyncIterator[tuple[Harbor, Harbor]]:
    async with open_pair(tmp_path) as opened:
        yield opened


@contextlib.asynccontextmanager
async def alice_at(near: Harbor) -> AsyncGenerator[tuple[HomeServer, AuthToken]]:
    async with calling(near.urls["tcp"]) as home:
        yield home, (await near.new_account("alice", home))[1]


async def reason_for(call: Awaitable[Any]) -> str:
    with pytest.raises(UpstreamFailed) as failure:
        await call
    return failure.value.reason


class ThroughProxy:
    """A transport to ~beach through alice's server, as a reference client calls other servers."""

    def __init__(self, home: HomeServer, token: AuthToken) -> None:
        self._home, self._token = home, token

    async def call(self, request: bytes, call_id: str, *, timeout_s: float) -> bytes:
        answer = await self._home.proxy_server(self._token, BEACH, RawJson(json.loads(request)))
        return json.dumps(answer.value).encode()

    async def close(self) -> None:
        pass


@pytest.mark.parametrize("scheme", ["http", "tcp"])
async def test_a_client_talks_to_another_server_through_its_own(tmp_path: Path, scheme: str) -> None:
    async with open_pair(tmp_path) as (near, far), alice_at(near) as (home, token):
        near.directory.add_server(BEACH, far.urls[scheme])
        beach = HomeServer.stub(ThroughProxy(home, token))
        bob, bobs_token = await far.new_account("bobby", beach)
        assert (await beach.server_info()).server_name == (await home.server_info()).server_name
        waiting = asyncio.create_task(fetch(beach, bobs_token, bob.username, timeout_ms=10_000))
        await until(lambda: far.service.parked == 1)
        await post(beach, bob.username, "through two servers")
        assert [entry.message.inner for entry in await waiting] == [b"through two servers"]


async def test_ids_come_back_as_they_were_and_go_out_as_others(tmp_path: Path) -> None:
    seen: list[Any] = []

    async def answer(line: bytes) -> bytes:
        seen.append(json.loads(line)["id"])
        return json.dumps({"jsonrpc": "2.0", "id": seen[-1], "result": seen[-1]}).encode() + b"\n"

    async with (
        line_server(answer) as url,
        open_pair(tmp_path, url=url) as (near, _),
        alice_at(near) as (home, token),
    ):
        for call_id in ("1", 1, -(2**63), "ü"):
            calls = (home.proxy_server(token, BEACH, raw(call_id=call_id)) for _ in range(3))
            for answered in await asyncio.gather(*calls):
                assert answered.value["id"] == call_id
                assert type(answered.value["id"]) is type(call_id)
    assert len(set(seen)) == 12
    assert not set(seen) & {"1", 1, "ü"}


async def test_errors_come_back_as_they_are_and_a_null_as_neither(pair: tuple[Harbor, Harbor]) -> None:
    near, _ = pair
    async with alice_at(near) as (home, token):
        refused = await home.proxy_server(token, BEACH, raw("v1_device_auth", "@alice"))
        assert refused.value == {
            "jsonrpc": "2.0",
            "id": "inner",
            "error": {"code": -1, "message": "deserialization of argument 1 failed", "data": None},
        }
        unknown = await home.proxy_server(token, BEACH, raw("v1_unheard_of"))
        assert unknown.value["error"] == {"code": -32601, "message": "Method not found", "data": None}
        assert await home.proxy_server(token, BEACH, raw("v1_profile", "@nobody")) == RawJson(
            {"jsonrpc": "2.0", "id": "inner"}
        )


async def test_only_own_users_are_served_and_only_what_is_switched_on(tmp_path: Path) -> None:
    only = ProxyPolicy(servers=True, only_servers=("~elsewhere",), private_addresses=True)
    for name, policy in (("off", ProxyPolicy()), ("only", only), ("open", OPEN)):
        folder = tmp_path / name
        folder.mkdir()
        async with open_pair(folder, policy) as (near, _), alice_at(near) as (home, token):
            for auth in (ANONYMOUS, AuthToken(b"t" * 20)) + ((token,) if policy is not OPEN else ()):
                with pytest.raises(ProxyNotSupported):
                    await home.proxy_server(auth, BEACH, raw())
                with pytest.raises(ProxyNotSupported):
                    await home.proxy_directory(auth, raw())
            assert near.directory.asked == 1  # for alice's device


async def test_what_is_no_request_is_an_argument_that_does_not_decode(pair: tuple[Harbor, Harbor]) -> None:
    near, _ = pair
    async with alice_at(near) as (home, token):
        sound = raw().value
        for broken in (None, [], "text", {}, sound | {"id": None}, sound | {"params": {}}, sound | {"id": "x" * 300}):
            with pytest.raises(CallError, match="deserialization of argument 2 failed"):
                await home.proxy_server(token, BEACH, RawJson(broken))


async def test_a_server_that_is_unknown_or_cannot_be_called_is_named_without_its_address(tmp_path: Path) -> None:
    async with open_pair(tmp_path) as (near, _), alice_at(near) as (home, token):
        assert await reason_for(home.proxy_server(token, ServerName("~nowhere"), raw())) == "server not in directory"
        near.directory.add_server(ServerName("~without"))
        without = home.proxy_server(token, ServerName("~without"), raw())
        assert await reason_for(without) == "server not in directory"
        urls = [
            "http://127.0.0.1:9",
            "tcp://127.0.0.1:9",
            "ws://127.0.0.1:9",
            "tcp://127.0.0.1",
            "http://a:b@127.0.0.1:9",
        ]
        for number, url in enumerate([*urls, "http://name.invalid", "ftp://127.0.0.1"]):
            name = ServerName(f"~broken{number}")
            near.directory.add_server(name, url)
            assert await reason_for(home.proxy_server(token, name, raw())) == "server not reachable"
        near.directory.is_reachable = False
        with pytest.raises(ServerBusy):
            await home.proxy_server(token, ServerName("~another"), raw())


async def test_private_addresses_are_not_called_unless_allowed(tmp_path: Path) -> None:
    policy = msgspec.structs.replace(OPEN, private_addresses=False)
    calls = 0

    async def answer(line: bytes) -> bytes:
        nonlocal calls
        calls += 1
        return b""

    async with line_server(answer) as url, open_pair(tmp_path, policy) as (near, _), alice_at(near) as (home, token):
        for number, there in enumerate((url, url.replace("127.0.0.1", "localhost"), url.replace("tcp", "http"))):
            name = ServerName(f"~hidden{number}")
            near.directory.add_server(name, there)
            assert await reason_for(home.proxy_server(token, name, raw())) == "server not reachable"
    assert calls == 0


async def test_another_answer_of_the_name_server_does_not_lead_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.readuntil(b"\r\n\r\n"))
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    looked_up: list[object] = []
    really = socket.getaddrinfo

    def rebinding(host: Any, *args: Any, **more: Any) -> Any:
        if host == "rebind.example":
            looked_up.append(host)
            return really("127.0.0.1", *args, **more)
        return really(host, *args, **more)

    monkeypatch.setattr(socket, "getaddrinfo", rebinding)
    url = f"http://rebind.example:{port}/rpc"
    async with open_pair(tmp_path, url=url) as (near, _), alice_at(near) as (home, token):
        assert await reason_for(home.proxy_server(token, BEACH, raw())) == "server not reachable"
    server.close()
    assert looked_up == ["rebind.example"]
    assert heard[0].startswith(b"POST /rpc HTTP/1.1\r\n")
    assert f"host: rebind.example:{port}".encode() in heard[0].lower()


async def test_where_one_address_of_a_server_does_not_answer_the_next_is_tried(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    really = socket.getaddrinfo

    def two(host: Any, *args: Any, **more: Any) -> Any:
        if host == "two.example":
            return [*really("127.0.0.2", *args, **more), *really("127.0.0.1", *args, **more)]
        return really(host, *args, **more)

    monkeypatch.setattr(socket, "getaddrinfo", two)
    async with open_pair(tmp_path) as (near, far), alice_at(near) as (home, token):
        for scheme in ("http", "tcp"):
            name = ServerName(f"~two{scheme}")
            near.directory.add_server(name, far.urls[scheme].replace("127.0.0.1", "two.example"))
            assert "result" in (await home.proxy_server(token, name, raw())).value


async def test_connections_to_many_servers_make_room_for_each_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upstreams, "_MOST_KEPT", 1)
    policy = msgspec.structs.replace(OPEN, idle_s=600.0)

    async def answer(line: bytes) -> bytes:
        return b'{"id":%b,"result":1}\n' % json.dumps(json.loads(line)["id"]).encode()

    async with line_server(answer) as url, open_pair(tmp_path, policy) as (near, far), alice_at(near) as (home, token):
        near.directory.add_server(ServerName("~another"), url)
        await home.proxy_server(token, BEACH, raw())
        assert len(far.connections) == 1
        await home.proxy_server(token, ServerName("~another"), raw())
        await until(lambda: len(far.connections) == 0)
        assert "result" in (await home.proxy_server(token, BEACH, raw())).value


HOSTILE = {
    "not JSON": b"nonsense\n",
    "no response": b'{"result": 1}\n',
    "another id": b'{"jsonrpc":"2.0","id":"another","result":1}\n',
    "an error that is none": b'{"jsonrpc":"2.0","id":ID,"error":7}\n',
    "broken inside": b'{"jsonrpc":"2.0","id":ID,"result":[1,}\n',
    "not UTF-8": b'{"jsonrpc":"2.0","id":ID,"result":"\xff"}\n',
    "too deep": b'{"jsonrpc":"2.0","id":ID,"result":' + b"[" * 100_000 + b"]" * 100_000 + b"}\n",
    "too long": b'{"jsonrpc":"2.0","id":ID,"result":"' + b"x" * 2**20 + b'"}\n',
    "the end": b"",
}


@pytest.mark.parametrize("what", HOSTILE)
async def test_a_hostile_answer_is_the_callers_error_and_the_next_call_works(tmp_path: Path, what: str) -> None:
    policy = msgspec.structs.replace(OPEN, longest_call_s=0.5)
    is_hostile = True

    async def answer(line: bytes) -> bytes:
        call_id = json.dumps(json.loads(line)["id"]).encode()
        return HOSTILE[what].replace(b"ID", call_id) if is_hostile else b'{"id":%b,"result":1}\n' % call_id

    async with (
        line_server(answer) as url,
        open_pair(tmp_path, policy, url) as (near, _),
        alice_at(near) as (home, token),
    ):
        reason = await reason_for(home.proxy_server(token, BEACH, raw()))
        assert reason in ("answer not understood", "server not reachable", "server too slow")
        is_hostile = False
        assert (await home.proxy_server(token, BEACH, raw())).value["result"] == 1


async def test_an_answer_over_several_lines_cannot_pass_for_one_of_ours(tmp_path: Path) -> None:
    forged = '{"jsonrpc":"2.0","id":"req-1","result":"forged"}'
    directory = OneAnswer(b'{"id":"ID","result":[\n%b\r\n]}' % forged.encode())
    async with open_harbor(tmp_path, proxy=OPEN, proxied_directory=directory) as harbor, alice_at(harbor) as (_, token):
        reader, writer = await asyncio.open_connection(*harbor.urls["tcp"].removeprefix("tcp://").split(":"))
        writer.write(envelope.render_request("v1_proxy_directory", [token.text(), raw().value], "outer") + b"\n")
        line = await asyncio.wait_for(reader.readline(), 10)
        writer.close()
        assert json.loads(line)["id"] == "outer"
        assert json.loads(line)["result"]["result"] == [json.loads(forged)]


async def test_the_directory_is_reached_in_the_same_way(tmp_path: Path) -> None:
    directory = OneAnswer({"result": {"height": 2**64 - 1}})
    async with (
        open_harbor(tmp_path, proxy=OPEN, proxied_directory=directory) as harbor,
        alice_at(harbor) as (home, token),
    ):
        answered = await home.proxy_directory(token, raw("v1_get_anchor", 2**64 - 1, call_id=7))
        assert answered.value == {"jsonrpc": "2.0", "id": 7, "result": {"height": 2**64 - 1}}
        assert directory.asked[0]["method"] == "v1_get_anchor"
        assert directory.asked[0]["params"] == [2**64 - 1]
        directory.answer = Unreachable("no connection to 10.1.2.3")
        assert await reason_for(home.proxy_directory(token, raw())) == "directory not reachable"
        with pytest.raises(CallError, match="deserialization of argument 1 failed"):
            await home.proxy_directory(token, RawJson(7))


async def test_a_forwarded_call_is_not_forwarded_again(pair: tuple[Harbor, Harbor]) -> None:
    near, _ = pair
    async with alice_at(near) as (home, token):
        again = raw("v1_proxy_server", token.text(), str(BEACH), raw().value)
        assert "not forwarded again" in await reason_for(home.proxy_server(token, BEACH, again))


async def test_a_server_that_does_not_answer_in_time_is_too_slow(tmp_path: Path) -> None:
    async def never(line: bytes) -> bytes:
        await asyncio.Event().wait()
        return b""

    policy = msgspec.structs.replace(OPEN, longest_call_s=0.1)
    async with (
        line_server(never) as url,
        open_pair(tmp_path, policy, url) as (near, _),
        alice_at(near) as (home, token),
    ):
        assert await reason_for(home.proxy_server(token, BEACH, raw())) == "server too slow"


async def long_poll_at(far: Harbor) -> RawJson:
    """A poll for something that does not come."""
    async with calling(far.urls["http"]) as beach:
        bob, token = await far.new_account("bobby", beach)
    mailbox = direct_mailbox(bob.username).text()
    return raw("v1_mailbox_multirecv", [{"auth": token.text(), "mailbox": mailbox, "after": 0}], 60_000)


@pytest.mark.parametrize("scheme", TRANSPORTS)
async def test_a_forwarded_poll_is_let_go_when_its_caller_leaves(tmp_path: Path, scheme: str) -> None:
    policy = msgspec.structs.replace(OPEN, most_calls=1)
    async with open_pair(tmp_path, policy) as (near, far), alice_at(near) as (home, token):
        poll_there = await long_poll_at(far)
        async with calling(near.urls[scheme]) as leaving:
            poll = asyncio.create_task(leaving.proxy_server(token, BEACH, poll_there))
            await until(lambda: far.service.parked == 1)
            with pytest.raises(ServerBusy):
                await home.proxy_server(token, BEACH, raw())
        with pytest.raises(Unreachable):
            await poll

        async def has_room() -> bool:
            with contextlib.suppress(ServerBusy):
                return "result" in (await home.proxy_server(token, BEACH, raw())).value
            return False

        await until(has_room)


async def test_forwarded_polls_do_not_keep_the_server_from_stopping(tmp_path: Path) -> None:
    async with open_pair(tmp_path) as (near, far), alice_at(near) as (home, token):
        poll_there = await long_poll_at(far)
        poll = asyncio.create_task(home.proxy_server(token, BEACH, poll_there))
        await until(lambda: far.service.parked == 1)
        near.service.stop_waiting()
        with pytest.raises(ServerBusy):
            await asyncio.wait_for(poll, 5)
        with pytest.raises(ServerBusy):
            await home.proxy_server(token, BEACH, raw())


async def test_the_oldest_call_of_a_user_makes_room_and_those_of_others_stay(tmp_path: Path) -> None:
    policy = msgspec.structs.replace(OPEN, most_calls_per_user=2)
    async with open_pair(tmp_path, policy) as (near, far), alice_at(near) as (home, token):
        poll_there = await long_poll_at(far)
        _, carols_token = await near.new_account("carol", home)
        of_carol = asyncio.create_task(home.proxy_server(carols_token, BEACH, poll_there))
        await until(lambda: far.service.parked == 1)
        oldest = asyncio.create_task(home.proxy_server(token, BEACH, poll_there))
        await until(lambda: far.service.parked == 2)
        newer = asyncio.create_task(home.proxy_server(token, BEACH, poll_there))
        await until(lambda: far.service.parked == 3)
        assert "result" in (await home.proxy_server(token, BEACH, raw())).value
        with pytest.raises(ServerBusy):
            await oldest
        assert near.service.forwarded_given_up == 1
        assert not newer.done()
        assert not of_carol.done()
        for poll in (newer, of_carol):
            poll.cancel()


async def test_a_connection_that_nobody_uses_is_closed(tmp_path: Path) -> None:
    async with open_pair(tmp_path) as (near, far), alice_at(near) as (home, token):
        assert len(far.connections) == 0
        await home.proxy_server(token, BEACH, raw())
        assert len(far.connections) == 1
        await until(lambda: len(far.connections) == 0)
        assert "result" in (await home.proxy_server(token, BEACH, raw())).value


def is_calling(near: Harbor) -> bool:
    """Whether a request is with a connection to another server."""
    upstreams = near.service._forwarder._upstreams  # pyright: ignore
    return any(each.calls and each._transports for each in upstreams._by_url.values())  # pyright: ignore


async def test_a_server_that_reads_nothing_cannot_make_ours_hold_more_and_more(tmp_path: Path) -> None:
    """Its user sends large requests and gives each up for the next: the connection is cut before much has piled up."""
    connections: list[asyncio.StreamWriter] = []

    async def deaf(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append(writer)
        await asyncio.Event().wait()

    server = await asyncio.start_server(deaf, "127.0.0.1", 0, limit=1024)
    policy = msgspec.structs.replace(OPEN, most_calls_per_user=1)
    url = f"tcp://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        async with open_pair(tmp_path, policy, url) as (near, _), alice_at(near) as (home, token):
            large = raw("v1_upload_frag", "x" * 900_000)
            calls: list[asyncio.Task[RawJson]] = []
            for _ in range(14):
                calls.append(asyncio.create_task(home.proxy_server(token, BEACH, large)))
                await until(lambda: all(call.done() for call in calls[:-1]))
                await until(
                    lambda: calls[-1].done() or is_calling(near)
                )  # one given up before it is sent piles up nowhere
            assert sum(call.done() for call in calls) == 13
            await until(lambda: len(connections) >= 3)
            for call in calls:
                call.cancel()
    finally:  # a failure here must not show as one of the next test's
        server.close()
        for writer in connections:
            writer.transport.abort()


async def test_a_request_that_no_server_would_read_is_not_sent(pair: tuple[Harbor, Harbor]) -> None:
    near, _ = pair
    async with alice_at(near) as (_, token):
        # From within: over HTTP a server takes more than our own transports send.
        call = near.service.proxy_server(token, BEACH, raw("v1_profile", "x" * (2**20 + 10)))
        assert await reason_for(call) == "request too long"
