"""Calls that name very many mailboxes: those that are not there cost little and are counted, those that wait are bounded together."""

import asyncio
import os
from pathlib import Path

import msgspec
import pytest

from tests.server_builders import LIMIT_S, QUICK, Harbor, calling, fetch, open_harbor, post, text_of, until
from xirtam_core.codec.primitives import ANONYMOUS, AuthToken, Hash
from xirtam_core.protocol.mailbox import ReceiveFrom, direct_mailbox, group_messages_mailbox
from xirtam_core.rpc.home_server import AccessDenied, HomeServer, ServerBusy
from xirtam_server.home.rates import RateLimits

GROUP = Hash(b"g" * 32)
MESSAGES = group_messages_mailbox(GROUP)


def unknown(count: int) -> tuple[ReceiveFrom, ...]:
    return tuple(ReceiveFrom(ANONYMOUS, Hash(os.urandom(32)), 0) for _ in range(count))


async def written(harbor: Harbor) -> int:
    """How many jobs the writer has done; those it just did are counted too."""
    await harbor.service.store.probe(0)
    commits = harbor.service.store.commits
    assert commits is not None
    return int(commits.changes.total) - 1


async def refused(home: HomeServer, wanted: tuple[ReceiveFrom, ...]) -> None:
    with pytest.raises(AccessDenied):
        await home.mailbox_multirecv(wanted, 0)


async def test_a_call_for_thousands_of_mailboxes_that_are_not_there_has_few_of_them_looked_up(tmp_path: Path) -> None:
    limits = msgspec.structs.replace(QUICK, most_unknown_at_once=5)
    async with open_harbor(tmp_path, limits=limits) as harbor, calling(harbor.urls["tcp"]) as home:
        before = await written(harbor)
        await refused(home, unknown(2000))
        assert await written(harbor) - before <= 5 + 1


async def test_who_asks_for_mailboxes_that_are_not_there_is_held_to_the_rate_of_costly_calls(tmp_path: Path) -> None:
    rates = RateLimits(costly_per_source=0.001, costly_burst=40, patience_s=0)
    async with open_harbor(tmp_path, rates=rates) as harbor, calling(harbor.urls["tcp"]) as home:
        await refused(home, unknown(100))
        with pytest.raises(ServerBusy):
            await home.mailbox_multirecv(unknown(100), 0)
        assert harbor.service.throttle.refused["costly_calls"] == 1


async def test_a_mailbox_that_was_missing_is_not_looked_up_again_and_found_once_it_is_made(tmp_path: Path) -> None:
    async with open_harbor(tmp_path) as harbor, calling(harbor.urls["tcp"]) as home:
        _, token = await harbor.new_account("alice", home)
        wanted = (ReceiveFrom(token, MESSAGES, 0),)
        await refused(home, wanted)
        before = await written(harbor)
        await refused(home, wanted * 3)
        assert await written(harbor) - before == 1

        await home.register_group(token, GROUP)
        await post(home, MESSAGES, "first", auth=token)
        assert [text_of(entry) for entry in await fetch(home, token, MESSAGES)] == ["first"]


async def test_a_mailbox_named_twice_in_a_call_is_read_from_the_lower_cursor(harbor: Harbor, home: HomeServer) -> None:
    alice, token = await harbor.new_account("alice", home)
    box = direct_mailbox(alice.username)
    first = await post(home, box, "first")
    await post(home, box, "second")
    pages = await home.mailbox_multirecv(tuple(ReceiveFrom(token, box, after) for after in (first, 0, first)), 0)
    assert [text_of(entry) for entry in pages[box]] == ["first", "second"]


async def test_a_mailbox_named_with_a_token_that_may_read_and_one_that_may_not_is_read(
    harbor: Harbor, home: HomeServer
) -> None:
    alice, token = await harbor.new_account("alice", home)
    box = direct_mailbox(alice.username)
    wanted = (ReceiveFrom(AuthToken(b"\x11" * 20), box, 0), ReceiveFrom(token, box, 0))
    await refused(home, wanted)
    await post(home, box, "hello")
    assert [text_of(entry) for entry in (await home.mailbox_multirecv(wanted, 0))[box]] == ["hello"]


async def test_polls_for_more_mailboxes_than_a_connection_may_wait_for_answer_its_oldest_early(tmp_path: Path) -> None:
    limits = msgspec.structs.replace(QUICK, most_watched_per_peer=3, most_watched=5)
    async with open_harbor(tmp_path, limits=limits) as harbor, calling(harbor.urls["tcp"]) as home:
        alice, token = await harbor.new_account("alice", home)
        await home.register_group(token, GROUP)
        own = ReceiveFrom(token, direct_mailbox(alice.username), 0)
        both = (own, ReceiveFrom(token, MESSAGES, 0))

        async def poll(via: HomeServer, wanted: tuple[ReceiveFrom, ...], parked: int) -> "asyncio.Task[int]":
            async def answered() -> int:
                return len(await via.mailbox_multirecv(wanted, 60_000))

            task = asyncio.create_task(answered())
            await until(lambda: harbor.service.parked == parked)
            return task

        # One mailbox named often is one.
        polls = [await poll(home, (own,) * 4000, 1), await poll(home, both, 2)]
        assert not polls[0].done()
        polls.append(await poll(home, (own,), 2))
        await until(polls[0].done)
        async with calling(harbor.urls["tcp"]) as other:
            polls += [await poll(other, both, 3), await poll(other, (own,), 3)]
            await until(polls[1].done)
            await post(home, alice.username)
            async with asyncio.timeout(LIMIT_S):
                assert await asyncio.gather(*polls) == [0, 0, 1, 1, 1]
