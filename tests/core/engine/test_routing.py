"""Which way calls go: directly, or through the home server (spec: client.md, Routing)."""

import asyncio
import secrets
from pathlib import Path
from typing import ClassVar

import msgspec
import pytest

from tests import builders
from tests.sim.directory import SimLog
from tests.sim.home_server import ReferenceServer
from tests.sim.people import Pair, two_people
from tests.sim.virtual_time import simulated, until
from tests.sim.world import OUT
from xirtam_core.chat import SendState
from xirtam_core.codec.primitives import AuthToken
from xirtam_core.engine.routes import Routes, Target
from xirtam_core.errors import NotConnected, Unreachable
from xirtam_core.events import StatusChanged
from xirtam_core.names import ServerName, Username
from xirtam_core.rpc import envelope
from xirtam_core.rpc.directory import Directory
from xirtam_core.rpc.home_server import HomeServer
from xirtam_core.rpc.service import Dispatcher, Method, Transport
from xirtam_core.rpc.transports.local import LocalTransport
from xirtam_core.rpc.transports.proxied import NotForwarded, ProxiedTransport
from xirtam_core.settings import Routing


def _block(pair: Pair) -> None:
    """Alice's device does not get through to Bobby's server."""
    pair.alice.end.blocked.append(pair.world.machine(pair.beach))


def _choose_proxy(pair: Pair) -> None:
    preferences = pair.alice.engine.preferences
    preferences.change(msgspec.structs.replace(preferences.settings(), routing=Routing.PROXY))


def _proxied(pair: Pair) -> tuple[ServerName, ...]:
    return pair.alice.engine.conversations.status().proxied


@simulated
async def test_a_server_that_cannot_be_reached_is_reached_through_the_home_server_and_that_shows(
    tmp_path: Path,
) -> None:
    async with two_people(tmp_path, harbor=ReferenceServer) as pair:
        pair.world.forward(pair.harbor)
        _block(pair)
        await pair.alice.write(pair.bobby, "by a detour")
        await pair.bobby.gets(pair.alice, "by a detour", limit_s=10)
        assert _proxied(pair) == (pair.beach.name,)
        told = [event.status.proxied for event in pair.alice.events if isinstance(event, StatusChanged)]
        assert told[-1] == (pair.beach.name,)
        pair.alice.end.blocked.clear()
        await asyncio.sleep(301)
        await pair.alice.write(pair.bobby, "and straight again")
        await pair.bobby.gets(pair.alice, "by a detour", "and straight again", limit_s=10)
        assert _proxied(pair) == ()


@simulated
async def test_a_way_that_was_found_is_used_for_some_minutes_without_trying_the_other(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        pair.world.forward(pair.harbor)
        _block(pair)
        await pair.alice.has_sent(await pair.alice.write(pair.bobby, "one"))
        pair.alice.end.blocked.clear()
        await pair.alice.has_sent(await pair.alice.write(pair.bobby, "two"))
        assert pair.world.machine(pair.beach) not in pair.alice.end.reached


@simulated
async def test_a_home_server_that_does_not_forward_is_not_asked_again_and_again(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        _block(pair)
        message = await pair.alice.write(pair.bobby, "hello?")
        await asyncio.sleep(3600)
        found = pair.alice.find(message.id)
        assert (found.state, found.failure) == (SendState.QUEUED, "no connection")
        assert pair.world.machine(pair.harbor).calls.count("v1_proxy_server") <= 14  # two calls every ten minutes
        pair.alice.end.blocked.clear()
        await pair.bobby.gets(pair.alice, "hello?", limit_s=100)


@simulated
async def test_a_server_that_its_own_home_server_cannot_reach_either_is_waited_for(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        pair.world.forward(pair.harbor)
        pair.world.machine(pair.beach).stop()
        message = await pair.alice.write(pair.bobby, "hello?")
        await asyncio.sleep(600)
        assert pair.alice.find(message.id).state is SendState.QUEUED
        pair.world.machine(pair.beach).start()
        await pair.bobby.gets(pair.alice, "hello?", limit_s=100)


@simulated
async def test_whoever_chose_so_shows_no_other_server_where_they_are(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        pair.world.forward(pair.harbor)
        _choose_proxy(pair)
        await pair.alice.write(pair.bobby, "from nowhere")
        await pair.bobby.gets(pair.alice, "from nowhere", limit_s=10)
        assert _proxied(pair) == (pair.beach.name,)
        assert set(map(id, pair.alice.end.reached)) == {id(pair.world.machine(pair.harbor))}


@pytest.mark.parametrize("is_down", [False, True], ids=["does not forward", "is down"])
def test_whoever_chose_so_waits_where_the_home_server_does_not_help_and_is_told_why(
    tmp_path: Path, is_down: bool
) -> None:
    @simulated
    async def scenario() -> None:
        async with two_people(tmp_path) as pair:
            _choose_proxy(pair)
            await asyncio.sleep(5)
            if is_down:
                pair.world.machine(pair.harbor).stop()
            message = await pair.alice.write(pair.bobby, "not like that")
            await asyncio.sleep(600)
            found = pair.alice.find(message.id)
            assert found.state is SendState.QUEUED
            assert "the setting is to go no other way" in str(found.failure)
            assert pair.world.machine(pair.beach) not in pair.alice.end.reached
            pair.world.forward(pair.harbor)
            pair.world.machine(pair.harbor).start()
            await pair.bobby.gets(pair.alice, "not like that", limit_s=120)
            await until(lambda: pair.alice.find(message.id).state in OUT, "it is sent", 60)

    scenario()


class FixedRelay:
    """Forwards over `proxy`."""

    name = ServerName("~harbor")
    routing = Routing.DIRECT

    def __init__(self, proxy: Transport) -> None:
        self._proxy = proxy

    async def transport(self, target: Target) -> Transport:
        return ProxiedTransport(self._proxy, AuthToken(bytes(20)), target)


class Nowhere:
    """A transport that finds nobody."""

    calls = 0

    async def call(self, request: bytes, call_id: str, *, timeout_s: float) -> bytes:
        self.calls += 1
        raise NotConnected("nobody is there")

    async def close(self) -> None:
        pass


class Proxy(HomeServer):
    """Forwards as a reference server does: under the ids that it gets, a null as neither result nor error."""

    def __init__(self, directory: Directory, server: HomeServer | None = None) -> None:
        self._directory = Dispatcher(directory)
        self._server = Dispatcher(server or HomeServer())
        self.ids: list[str] = []

    async def proxy_directory(self, auth, request):  # type: ignore[no-untyped-def]
        return await self._forward(self._directory, request)

    async def proxy_server(self, auth, server, request):  # type: ignore[no-untyped-def]
        return await self._forward(self._server, request)

    async def _forward(self, dispatcher, request):  # type: ignore[no-untyped-def]
        self.ids.append(request.value["id"])
        answer = msgspec.json.decode(await dispatcher.answer(envelope.request_from(request.value)))
        return type(request)({name: value for name, value in answer.items() if value is not None})


class Profiles(HomeServer):
    """Knows nobody's profile."""

    async def profile(self, username: Username) -> None:
        return None


@pytest.mark.parametrize("routing", list(Routing))
async def test_the_directory_too_is_reached_through_the_home_server(routing: Routing) -> None:
    log, direct, routes = SimLog("a log"), Nowhere(), Routes()
    relay = FixedRelay(LocalTransport(Dispatcher(Proxy(log))))
    relay.routing = routing
    routes.use(relay, lambda: None)
    directory = Directory.stub(routes.route(None, direct))
    assert await directory.get_anchor() == await log.get_anchor()
    assert direct.calls == (0 if routing is Routing.PROXY else 1)
    assert routes.proxied() == (), "it is no server"


async def test_a_proxied_null_has_neither_result_nor_error_and_ids_are_random() -> None:
    proxy = Proxy(SimLog("a log"), Profiles())
    way = ProxiedTransport(LocalTransport(Dispatcher(proxy)), AuthToken(secrets.token_bytes(20)), ServerName("~beach"))
    server = HomeServer.stub(way)
    assert [await server.profile(builders.account("alice").username) for _ in range(3)] == [None] * 3
    assert len(set(proxy.ids)) == 3
    assert all(len(each) > 15 for each in proxy.ids)


@pytest.mark.parametrize("answer", ["garbage", 7, None, {"id": "another", "result": None}, {"result": 2**70}])
async def test_what_a_proxy_makes_up_is_no_answer(answer: object) -> None:
    class Liar(HomeServer):
        async def proxy_server(self, auth, server, request):  # type: ignore[no-untyped-def]
            return type(request)(answer)

    way = ProxiedTransport(LocalTransport(Dispatcher(Liar())), AuthToken(bytes(20)), ServerName("~beach"))
    with pytest.raises(Unreachable):
        await HomeServer.stub(way).profile(Username("@alice"))


async def test_a_server_without_proxy_methods_is_one_that_does_not_forward() -> None:
    class Old(HomeServer):
        methods: ClassVar[dict[str, Method]] = {}

    way = ProxiedTransport(LocalTransport(Dispatcher(Old())), AuthToken(bytes(20)), None)
    with pytest.raises(NotForwarded):
        await Directory.stub(way).get_anchor()
