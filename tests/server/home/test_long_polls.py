"""Waiting for messages: woken by what comes, bounded in time and number, and let go when the caller or the server goes."""

import asyncio
from pathlib import Path

import msgspec
import pytest

from tests.server_builders import LIMIT_S, QUICK, Harbor, calling, fetch, open_harbor, post, text_of, until
from xirtam_core.codec.primitives import AuthToken, Hash
from xirtam_core.crypto.hashing import token_hash
from xirtam_core.protocol.mailbox import MailboxAcl, ReceiveFrom, direct_mailbox, group_messages_mailbox
from xirtam_core.rpc.home_server import AccessDenied, HomeServer

GROUP = Hash(b"g" * 32)
MESSAGES = group_messages_mailbox(GROUP)


async def test_a_poll_is_answered_when_a_message_comes(harbor: Harbor, home: HomeServer) -> None:
    alice, token = await harbor.new_account("alice", home)
    poll = asyncio.create_task(fetch(home, token, alice.username, timeout_ms=30_000))
    await until(lambda: harbor.service.parked == 1)
    await post(home, alice.username, "ding")
    async with asyncio.timeout(LIMIT_S):
        assert [text_of(entry) for entry in await poll] == ["ding"]
    assert harbor.service.parked == 0


async def test_a_poll_without_news_is_answered_with_nothing_when_its_time_is_over(
    harbor: Harbor, home: HomeServer
) -> None:
    alice, token = await harbor.new_account("alice", home)
    loop = asyncio.get_running_loop()
    begun = loop.time()
    assert await fetch(home, token, alice.username, timeout_ms=100) == ()
    assert loop.time() - begun >= 0.1


async def test_no_wait_means_what_is_there_now(harbor: Harbor, home: HomeServer) -> None:
    alice, token = await harbor.new_account("alice", home)
    async with asyncio.timeout(LIMIT_S):
        assert await fetch(home, token, alice.username, timeout_ms=0) == ()
        await post(home, alice.username)
        assert len(await fetch(home, token, alice.username, timeout_ms=0)) == 1


async def test_a_poll_of_many_mailboxes_is_woken_by_any_of_them(harbor: Harbor, home: HomeServer) -> None:
    alice, token = await harbor.new_account("alice", home)
    await home.register_group(token, GROUP)
    wanted = tuple(ReceiveFrom(token, mailbox, 0) for mailbox in (direct_mailbox(alice.username), MESSAGES))
    poll = asyncio.create_task(home.mailbox_multirecv(wanted, 30_000))
    await until(lambda: harbor.service.parked == 1)
    await post(home, MESSAGES, "to the group", auth=token)
    async with asyncio.timeout(LIMIT_S):
        assert set(await poll) == {MESSAGES}


async def test_a_refused_reader_waits_a_while_but_hears_of_messages_elsewhere(tmp_path: Path) -> None:
    limits = msgspec.structs.replace(QUICK, denied_pause_s=0.3)
    async with open_harbor(tmp_path, limits=limits) as harbor, calling(harbor.urls["tcp"]) as home:
        alice, token = await harbor.new_account("alice", home)
        refused = ReceiveFrom(AuthToken(b"\x11" * 20), MESSAGES, 0)
        loop = asyncio.get_running_loop()
        begun = loop.time()
        with pytest.raises(AccessDenied):
            await home.mailbox_multirecv((refused,), 0)
        assert loop.time() - begun >= 0.3

        wanted = (refused, ReceiveFrom(token, direct_mailbox(alice.username), 0))
        poll = asyncio.create_task(home.mailbox_multirecv(wanted, 30_000))
        await until(lambda: harbor.service.parked == 1)
        await post(home, alice.username)
        assert set(await poll) == {direct_mailbox(alice.username)}


async def test_a_reader_who_lost_the_right_gets_nothing_that_came_after(harbor: Harbor, home: HomeServer) -> None:
    _, owner = await harbor.new_account("alice", home)
    member = AuthToken(b"\x44" * 20)
    await home.register_group(owner, GROUP)
    await home.mailbox_acl_edit(owner, MESSAGES, MailboxAcl(token_hash(member), False, False, True))
    poll = asyncio.create_task(fetch(home, member, MESSAGES, timeout_ms=30_000))
    await until(lambda: harbor.service.parked == 1)

    await home.mailbox_acl_edit(owner, MESSAGES, MailboxAcl(token_hash(member), False, False, False))
    await post(home, MESSAGES, "secret", auth=owner)

    async with asyncio.timeout(LIMIT_S):
        with pytest.raises(AccessDenied):
            await poll


async def test_polls_beyond_the_bound_answer_the_oldest_early(tmp_path: Path) -> None:
    limits = msgspec.structs.replace(QUICK, most_polls=8, most_polls_per_peer=3)
    async with open_harbor(tmp_path, limits=limits) as harbor, calling(harbor.urls["tcp"]) as home:
        alice, token = await harbor.new_account("alice", home)
        polls = [asyncio.create_task(fetch(home, token, alice.username, timeout_ms=60_000)) for _ in range(4)]
        await until(lambda: polls[0].done())
        assert polls[0].result() == ()
        assert harbor.service.parked == 3

        async with calling(harbor.urls["http"]) as other:
            polls += [asyncio.create_task(fetch(other, token, alice.username, timeout_ms=60_000)) for _ in range(6)]
            await until(lambda: polls[1].done())
            await post(home, alice.username, "for all")
            async with asyncio.timeout(LIMIT_S):
                answers = await asyncio.gather(*polls)
        assert [len(answer) for answer in answers] == [0, 0] + [1] * 8


async def test_a_caller_who_leaves_is_waited_for_no_longer(harbor: Harbor, url: str) -> None:
    async with calling(url) as home:
        alice, token = await harbor.new_account("alice", home)
        poll = asyncio.create_task(fetch(home, token, alice.username, timeout_ms=30_000))
        await until(lambda: harbor.service.parked == 1)
        poll.cancel()
    await until(lambda: harbor.service.parked == 0)


async def test_a_server_that_stops_answers_its_polls(harbor: Harbor, home: HomeServer) -> None:
    alice, token = await harbor.new_account("alice", home)
    poll = asyncio.create_task(fetch(home, token, alice.username, timeout_ms=30_000))
    await until(lambda: harbor.service.parked == 1)
    harbor.service.stop_waiting()
    async with asyncio.timeout(LIMIT_S):
        assert await poll == ()


async def test_every_reader_sees_every_message_once_and_in_order_while_many_write(
    harbor: Harbor, home: HomeServer, url: str
) -> None:
    alice, token = await harbor.new_account("alice", home)
    writers, each = 4, 60
    accepted: dict[str, int] = {}

    async def write(number: int) -> None:
        async with calling(url) as own:
            for sequence in range(each):
                accepted[f"{number}/{sequence}"] = await post(own, alice.username, f"{number}/{sequence}")

    async def read() -> list[tuple[int, str]]:
        seen: list[tuple[int, str]] = []
        async with calling(url) as own:
            while len(seen) < writers * each:
                after = seen[-1][0] if seen else 0
                page = await fetch(own, token, alice.username, after, 2000)
                seen += [(entry.received_at, text_of(entry)) for entry in page]
        return seen

    async with asyncio.timeout(4 * LIMIT_S):
        *_, first, second = await asyncio.gather(*(write(number) for number in range(writers)), read(), read())

    assert first == second == sorted((stamp, text) for text, stamp in accepted.items())
    assert len({stamp for stamp, _ in first}) == writers * each
