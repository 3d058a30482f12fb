"""The library as a bot uses it, against a real server: several accounts in one process, and accounts that change hands."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from tests.e2e.processes import LIMIT_S, Server
from xirtam_core import (
    Client,
    InUse,
    JoinLink,
    KeyPlace,
    Message,
    SendState,
    Unreachable,
    Username,
    open_account,
    open_shared,
    reach,
    register,
)
from xirtam_core.accounts import accounts
from xirtam_core.feeds import Incoming

Open = Callable[[str], Awaitable[Client]]


@pytest.fixture
async def joined(server: Server, tmp_path: Path) -> AsyncGenerator[Open]:
    """Makes accounts, all in one data directory, and opens them in this process."""
    async with AsyncExitStack() as stack:

        async def join(name: str) -> Client:
            link = JoinLink.parse(server.join)
            client = await register(
                tmp_path / "bots", link, Username.parse(name), lambda _: None, key_place=KeyPlace.FILE
            )
            return await stack.enter_async_context(client)

        yield join


async def take(feed: Incoming, count: int = 1) -> list[str]:
    """The texts of the next messages."""
    async with asyncio.timeout(LIMIT_S):
        return [(await anext(feed)).text for _ in range(count)]


async def say(client: Client, peer: Client, text: str) -> Message:
    return await client.send_text((await client.start_chat(peer.account)).id, text)


async def test_two_accounts_of_one_process_talk_and_one_outlives_the_other(joined: Open, tmp_path: Path) -> None:
    alice, bobby = await joined("alice"), await joined("bobby")
    assert sorted(accounts(tmp_path / "bots")) == ["@alice", "@bobby"]
    at_alice, at_bobby = alice.incoming("test"), bobby.incoming("test")
    await say(alice, bobby, "hello")
    assert await take(at_bobby) == ["hello"]
    await say(bobby, alice, "hello yourself")
    assert await take(at_alice) == ["hello yourself"]
    waiting = asyncio.create_task(anext(at_alice, None))
    await alice.close()
    await alice.close()
    async with asyncio.timeout(LIMIT_S):
        assert await waiting is None, "closing ends who waits for messages"
        await alice.ended()
    with pytest.raises(Unreachable, match="closed"):
        await alice.chats()
    await say(bobby, alice, "are you there?")
    async with await open_account(tmp_path / "bots", alice.account) as again:
        assert await take(again.incoming("test"), 2) == ["hello yourself", "are you there?"]
        assert await take(again.incoming("another"), 2) == ["hello yourself", "are you there?"]
    assert (await bobby.status()).account == "@bobby"


async def test_feeds_go_on_when_an_account_changes_hands(joined: Open, tmp_path: Path) -> None:
    alice, bobby = await joined("alice"), await joined("bobby")
    place = tmp_path / "bots"
    with pytest.raises(InUse):
        await open_account(place, bobby.account)
    async with await open_shared(place, bobby.account) as shared, await reach(place, bobby.account) as remote:
        incoming, following, through = shared.incoming("test"), shared.follow(0), remote.incoming("remote")
        await say(alice, bobby, "one")
        assert await take(incoming) == await take(through) == ["one"]
        assert (await anext(following)).message.text == "one"
        waiting = [asyncio.create_task(take(each)) for each in (incoming, through)]
        changed = asyncio.create_task(anext(following))
        await bobby.close()
        with pytest.raises(Unreachable, match="has ended"):
            await waiting[1]
        await say(alice, bobby, "two")
        async with asyncio.timeout(LIMIT_S):
            assert await waiting[0] == ["two"]
            assert (await changed).message.text == "two"
            answer = await say(shared, alice, "three")
            async for change in following:
                if change.message.id == answer.id and change.message.state in (SendState.SENT, SendState.DELIVERED):
                    break
        assert not shared.is_closed
    assert [each async for each in incoming] == []
    assert await take(alice.incoming("test")) == ["three"]
