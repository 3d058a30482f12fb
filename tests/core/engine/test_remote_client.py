"""An account that another process has open, used through its socket as if it were open here."""

import asyncio
import stat
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import msgspec
import pytest

from tests.sim.people import Pair, two_people
from tests.sim.virtual_time import until
from xirtam_core import errors
from xirtam_core.chat import LONGEST_TEXT, DraftEdit, SendState
from xirtam_core.client import OPERATIONS
from xirtam_core.engine.control import ControlSocket
from xirtam_core.errors import Malformed, NotFound, Refused, Unreachable, XirtamError
from xirtam_core.events import Event, MessageAdded, MessageChanged
from xirtam_core.faces.face import Operation
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
        await client.set_draft(chat.id, "I was", reply_to=message.id, edit=DraftEdit(message.id, "hello!"))
        (found,) = await client.chats()
        assert (found.unread, found.draft, found.draft_reply_to) == (0, "I was", message.id)
        assert found.draft_edit == DraftEdit(message.id, "hello!")
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
        with pytest.raises(Malformed, match=r"conversations\.history, limit: Expected `int`, got `str`"):
            await client.history(bobby, limit="many")  # type: ignore[arg-type]
        with pytest.raises(Malformed, match="name"):
            await client.call(OPERATIONS["conversations.start_chat"], {"name": "not a name", "unseen": False})
        with pytest.raises(Malformed, match="chat"):
            await client.call(OPERATIONS["conversations.history"], {})
        with pytest.raises(Malformed, match="takes no 'colour'"):
            await client.call(OPERATIONS["conversations.status"], {"colour": "red"})
        with pytest.raises(XirtamError, match="another version"):
            await client.call(Operation("conversations", "_require", {}, None), {})
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


async def test_a_call_that_takes_long_holds_up_no_other(tmp_path: Path) -> None:
    async with shared_account(tmp_path) as shared:
        directory = shared.pair.world.directory
        directory.answer_s = 60.0
        calls = [asyncio.create_task(shared.client.start_chat(Username(f"@carol{number}"))) for number in range(5)]
        await until(lambda: Username("@carol4") in directory.lookups, "all are under way", 5)
        async with asyncio.timeout(5):
            await shared.client.status()
        assert not any(call.done() for call in calls)
        for call in calls:
            call.cancel()
        await asyncio.gather(*calls, return_exceptions=True)


async def test_a_call_that_is_cancelled_is_cancelled_in_the_engine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with shared_account(tmp_path) as shared:
        begun, cancelled = asyncio.Event(), asyncio.Event()

        async def never(name: Username, *, unseen: bool = False) -> None:
            begun.set()
            try:
                await asyncio.Event().wait()
            finally:
                cancelled.set()

        monkeypatch.setattr(shared.pair.alice.engine.conversations, "start_chat", never)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await shared.client.start_chat(Username("@carol"))
        async with asyncio.timeout(5):
            await begun.wait()
            await cancelled.wait()
        assert (await shared.client.status()).account == shared.pair.alice.name


async def test_long_chats_are_given_page_by_page(tmp_path: Path) -> None:
    async with shared_account(tmp_path) as shared:
        client, peer = shared.client, shared.pair.bobby.name
        await client.start_chat(peer)
        shared.pair.world.machine(shared.pair.beach).stop()
        texts = [f"{number} ".ljust(LONGEST_TEXT, "\1") for number in range(70)]
        with shared.pair.alice.database.transaction():
            for text in texts:
                shared.pair.alice.engine.conversations.send_text(peer, text)
        found: list[str] = []
        position = 0
        while True:
            page = await client.history(peer, after=position, limit=1000)
            assert page.messages
            found += [message.text for message in page.messages]
            position = page.messages[-1].position
            if not page.has_later:
                break
        assert found == texts


async def test_who_reads_nothing_is_given_a_bounded_amount_and_disturbs_nobody(tmp_path: Path) -> None:
    async with shared_account(tmp_path) as shared:
        peer = shared.pair.bobby.name
        await shared.client.start_chat(peer)
        await shared.client.send_text(peer, "x" * LONGEST_TEXT)
        reader, writer = await asyncio.open_unix_connection(shared.socket)
        call = msgspec.json.encode([1, "conversations.history", {"chat": str(peer)}]) + b"\n"
        writer.write(b'"events"\n' + call * 1000)
        async with asyncio.timeout(10):
            for number in range(100):  # each of them is told of as an event, with its text
                await shared.client.set_draft(peer, f"{number} ".ljust(LONGEST_TEXT, "\1"))
        given = 0
        async with asyncio.timeout(10):
            with suppress(ConnectionError):
                while chunk := await reader.read(1 << 20):
                    given += len(chunk)
        assert given < 40 * 1024 * 1024, "it was hung up on"
        writer.close()
        assert (await shared.client.status()).account == shared.pair.alice.name


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
