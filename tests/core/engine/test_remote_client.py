"""An account that another process has open, used through its socket as if it were open here."""

import asyncio
import stat
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest

from tests.sim.people import Pair, two_people
from tests.sim.virtual_time import until
from xirtam_core import errors
from xirtam_core.chat import SendState
from xirtam_core.engine.control import ControlSocket
from xirtam_core.errors import Malformed, NotFound, Refused, Unreachable, XirtamError
from xirtam_core.events import Event, MessageAdded, MessageChanged
from xirtam_core.names import Username
from xirtam_core.remote_client import RemoteClient, connect
from xirtam_core.storage.account_directory import AccountDirectory


class Shared(msgspec.Struct):
    """Alice's engine behind its socket, and a client of it."""

    pair: Pair
    socket: Path
    owner: asyncio.Task[None]
    client: RemoteClient


@asynccontextmanager
async def shared_account(tmp_path: Path) -> AsyncGenerator[Shared, None]:
    async with two_people(tmp_path) as pair:
        socket = AccountDirectory(tmp_path, pair.alice.name).socket
        owner = asyncio.create_task(ControlSocket(pair.alice.engine, socket).run())
        await until(socket.exists, "it listens", 5)
        client = await _connected(tmp_path, pair)
        try:
            yield Shared(pair, socket, owner, client)
        finally:
            await client.close()
            owner.cancel()
            await asyncio.gather(owner, return_exceptions=True)


async def _connected(tmp_path: Path, pair: Pair) -> RemoteClient:
    client = await connect(tmp_path, pair.alice.name)
    assert client is not None
    return client


async def test_everything_that_an_engine_does_can_be_had_through_its_socket(tmp_path: Path) -> None:
    async with shared_account(tmp_path) as shared:
        pair, client = shared.pair, shared.client
        engine = pair.alice.engine
        chat = await client.start_chat(pair.bobby.name)
        assert chat == engine.conversations.chats()[0]
        message = await client.send_text(chat.id, "hello \u2028 ü")
        assert message.state is SendState.QUEUED
        await pair.bobby.gets(pair.alice, "hello \u2028 ü", limit_s=5)
        await pair.bobby.write(pair.alice, "hi")
        await pair.alice.gets(pair.bobby, "hi", limit_s=5)
        assert await client.history(chat.id) == engine.conversations.history(chat.id, None, None, 60)
        assert await client.history(chat.id, after=0, limit=1) == engine.conversations.history(chat.id, None, 0, 1)
        received = await client.received(0)
        assert [each.message.text for each in received] == ["hi"]
        await client.mark_listened(received[0].cursor)
        assert await client.listened() == received[0].cursor == engine.conversations.listened()
        await client.mark_read(chat.id, received[0].message.position)
        await client.set_draft(chat.id, "I was")
        (found,) = await client.chats()
        assert (found.unread, found.draft) == (0, "I was")
        await client.acknowledge_alarm(None)
        await client.acknowledge_alarm(chat.id)
        await client.retry(message.id)
        assert await client.status() == engine.conversations.status()


async def test_events_come_through_the_socket(tmp_path: Path) -> None:
    async with shared_account(tmp_path) as shared:
        heard: list[Event] = []
        unsubscribe = shared.client.subscribe(heard.append)
        await shared.client.start_chat(shared.pair.bobby.name)
        message = await shared.client.send_text(shared.pair.bobby.name, "hello")
        await until(lambda: _states(heard, message.id)[-1:] == [SendState.DELIVERED], "it hears that it was sent", 5)
        assert any(isinstance(event, MessageAdded) and event.message.id == message.id for event in heard)
        unsubscribe()
        count = len(heard)
        await shared.client.set_draft(shared.pair.bobby.name, "more")
        await shared.client.status()
        assert len(heard) == count


def _states(heard: list[Event], message_id: str) -> list[SendState | None]:
    return [each.message.state for each in heard if isinstance(each, MessageChanged) and each.message.id == message_id]


async def test_errors_are_those_that_the_engine_would_raise(tmp_path: Path) -> None:
    async with shared_account(tmp_path) as shared:
        client, bobby = shared.client, shared.pair.bobby.name
        await client.start_chat(bobby)
        message = await client.send_text(bobby, "hello")
        await shared.pair.alice.has_sent(message, limit_s=5)
        with pytest.raises(NotFound, match="@nobody"):
            await client.start_chat(Username("@nobody"))
        with pytest.raises(NotFound):
            await client.history("@nobody")
        with pytest.raises(Malformed):
            await client.send_text(bobby, " ")
        with pytest.raises(Refused):
            await client.discard(message.id)
        shared.pair.world.directory.is_down = True
        with pytest.raises(Unreachable):
            await client.start_chat(Username("@carol"))
        with pytest.raises(XirtamError):
            await client.history(bobby, limit="many")  # type: ignore[arg-type]
        assert (await client.status()).account == shared.pair.alice.name


async def test_an_error_of_a_kind_that_the_caller_does_not_know_comes_as_its_nearest_relative(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Special(errors.Unreachable):
        pass

    async with shared_account(tmp_path) as shared:

        def fail() -> None:
            raise Special("never mind")

        monkeypatch.setattr(shared.pair.alice.engine.conversations, "status", fail)
        with pytest.raises(Unreachable, match="never mind"):
            await shared.client.status()
        monkeypatch.undo()


async def test_the_socket_is_its_owners_alone(tmp_path: Path) -> None:
    async with shared_account(tmp_path) as shared:
        assert stat.S_IMODE(shared.socket.stat().st_mode) == 0o600
        assert stat.S_IMODE(shared.socket.parent.stat().st_mode) == 0o700


async def test_a_call_that_is_under_way_when_the_owner_ends_fails_at_once(tmp_path: Path) -> None:
    async with shared_account(tmp_path) as shared:
        shared.pair.world.directory.answer_s = 60.0
        calling = asyncio.create_task(shared.client.start_chat(Username("@carol")))
        await until(lambda: Username("@carol") in shared.pair.world.directory.lookups, "it is under way", 5)
        shared.owner.cancel()
        with pytest.raises(Unreachable, match="has ended"):
            async with asyncio.timeout(5):
                await calling
        with pytest.raises(Unreachable, match="has ended"):
            await shared.client.status()
        assert not shared.socket.exists()
        assert await connect(tmp_path, shared.pair.alice.name) is None


async def test_a_caller_that_talks_nonsense_or_vanishes_disturbs_nobody_else(tmp_path: Path) -> None:
    async with shared_account(tmp_path) as shared:
        for nonsense in (b"\xff\xfe\n", b"{}\n", b"[]\n", b"[1,2]\n", b'[1,"_require",{"chat":"x"}]\n', b"[1,[],{}]\n"):
            reader, writer = await asyncio.open_unix_connection(shared.socket)
            writer.write(nonsense)
            async with asyncio.timeout(5):
                answer = await reader.readline()
            assert answer == b"" or b"XirtamError" in answer
            writer.close()
        for _ in range(3):
            reader, writer = await asyncio.open_unix_connection(shared.socket)
            writer.write(b'"events"\n' + b'[1,"status",{}]\n' * 5000)
            writer.transport.abort()
        another = await _connected(tmp_path, shared.pair)
        for client in (shared.client, another):
            assert (await client.status()).account == shared.pair.alice.name
        await another.close()
        assert not shared.owner.done()
