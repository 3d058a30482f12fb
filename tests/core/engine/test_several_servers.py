"""Mailboxes read at several servers side by side (spec: client.md, Receiving)."""

import asyncio
import secrets
from pathlib import Path

from tests.sim.home_server import ReferenceServer, SimHomeServer
from tests.sim.people import Pair, two_people
from tests.sim.virtual_time import simulated, until
from tests.sim.world import SimDevice
from xirtam_core.chat import Connection
from xirtam_core.codec.primitives import AuthToken, Base64Bytes, Hash
from xirtam_core.crypto.hashing import token_hash
from xirtam_core.protocol.blob import Blob
from xirtam_core.protocol.mailbox import MailboxAcl, group_messages_mailbox
from xirtam_core.storage import journal
from xirtam_core.storage.journal import Place

GROUP = group_messages_mailbox(Hash(bytes(range(32))))


async def _join(device: SimDevice, server: SimHomeServer, owner: SimDevice, mailbox: Hash = GROUP) -> AuthToken:
    """Lets a device read a group's mailbox at a server that is not its own; gives the token for it."""
    token = AuthToken(secrets.token_bytes(20))
    await server.register_group(await owner.engine._session.token(), Hash(bytes(range(32))))  # type: ignore[reportPrivateUsage]
    rights = MailboxAcl(token_hash(token), can_edit_acl=False, can_send=True, can_recv=True)
    server.mailboxes[mailbox].access = {rights.token_hash: rights}
    journal.follow(device.database, Place(server.name, mailbox), token)
    device.engine._poller.refresh()  # type: ignore[reportPrivateUsage]
    return token


def _cursor(device: SimDevice, server: SimHomeServer, mailbox: Hash = GROUP) -> int:
    return next(
        each.cursor_ns for each in journal.followed(device.database, server.name) if each.place.mailbox == mailbox
    )


async def _post(server: SimHomeServer, token: AuthToken, mailbox: Hash = GROUP) -> int:
    return await server.mailbox_send(token, mailbox, Blob("v1.something", Base64Bytes(b"else")), 0)


async def _is_read(device: SimDevice, server: SimHomeServer, received_at: int, limit_s: float) -> None:
    await until(lambda: _cursor(device, server) == received_at, "the entry is read", limit_s)


def _connection(device: SimDevice) -> Connection:
    return device.engine.conversations.status().connection


@simulated
async def test_a_mailbox_at_another_server_is_read_from_the_moment_that_it_is_followed(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        await asyncio.sleep(3600)
        token = await _join(pair.alice, pair.beach, pair.bobby)
        await _is_read(pair.alice, pair.beach, await _post(pair.beach, token), 5)
        await pair.bobby.write(pair.alice, "still at home")
        await pair.alice.gets(pair.bobby, "still at home", limit_s=5)


@simulated
async def test_a_mailbox_that_is_added_breaks_off_the_poll_that_does_not_ask_for_it(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        await asyncio.sleep(7200)  # so the poll would wait for minutes
        token = await _join(pair.bobby, pair.beach, pair.bobby)
        await _is_read(pair.bobby, pair.beach, await _post(pair.beach, token), 5)
        await pair.alice.write(pair.bobby, "both are read")
        await pair.bobby.gets(pair.alice, "both are read", limit_s=5)


@simulated
async def test_a_dead_second_server_holds_up_nothing_and_is_read_once_it_is_back(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        token = await _join(pair.alice, pair.beach, pair.bobby)
        await asyncio.sleep(60)
        pair.world.machine(pair.beach).stop()
        carol = pair.world.device("carol", pair.harbor)
        carol.start()
        await carol.write(pair.alice, "hello")
        await pair.alice.gets(carol, "hello", limit_s=10)
        await asyncio.sleep(600)
        assert _connection(pair.alice) is Connection.CONNECTED
        received_at = await _post(pair.beach, token)
        pair.world.machine(pair.beach).start()
        await _is_read(pair.alice, pair.beach, received_at, 60)


@simulated
async def test_a_mailbox_that_is_refused_does_not_stop_the_others_of_its_server(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        token = await _join(pair.bobby, pair.beach, pair.bobby)
        pair.beach.mailboxes[GROUP].access = {}
        await asyncio.sleep(60)
        await pair.alice.write(pair.bobby, "hello")
        await pair.bobby.gets(pair.alice, "hello", limit_s=30)
        assert _connection(pair.bobby) is Connection.CONNECTED
        assert _polls(pair) < 60
        rights = MailboxAcl(token_hash(token), can_edit_acl=False, can_send=True, can_recv=True)
        pair.beach.mailboxes[GROUP].access = {rights.token_hash: rights}
        await _is_read(pair.bobby, pair.beach, await _post(pair.beach, token), 3600)


def _polls(pair: Pair) -> int:
    return pair.world.machine(pair.beach).calls.count("v1_mailbox_multirecv")


@simulated
async def test_the_own_mailbox_is_signed_in_for_again_although_another_is_refused_too(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        await _join(pair.bobby, pair.beach, pair.bobby)
        await asyncio.sleep(30)
        pair.beach.mailboxes[GROUP].access = {}
        pair.beach.forget_tokens()
        await pair.alice.write(pair.bobby, "hello")
        await pair.bobby.gets(pair.alice, "hello", limit_s=120)


@simulated
async def test_a_mailbox_that_is_no_longer_followed_is_not_asked_for(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        await _join(pair.alice, pair.beach, pair.bobby)
        await asyncio.sleep(60)
        journal.unfollow(pair.alice.database, Place(pair.beach.name, GROUP))
        pair.alice.engine._poller.refresh()  # type: ignore[reportPrivateUsage]
        await pair.bobby.crash()
        await asyncio.sleep(10)
        before = _polls(pair)
        await asyncio.sleep(7200)
        assert _polls(pair) == before


@simulated
async def test_what_becomes_visible_late_at_a_second_server_is_read_too(tmp_path: Path) -> None:
    async with two_people(tmp_path, beach=ReferenceServer) as pair:
        token = await _join(pair.alice, pair.beach, pair.bobby)
        await asyncio.sleep(60)
        seen: list[int] = []
        settle = pair.alice.engine._inbox.accept  # type: ignore[reportPrivateUsage]

        def noting(place: Place, entries):  # type: ignore[no-untyped-def]
            entries = list(entries)
            seen.extend(entry.received_at for entry in entries if place.mailbox == GROUP)
            return settle(place, entries)

        pair.alice.engine._inbox.accept = noting  # type: ignore[method-assign]
        sent = await asyncio.gather(*(_post_after(delay, pair.beach, token) for delay in range(6)))
        await until(lambda: set(sent) <= set(seen), "all are read, whenever they become visible", 60)


async def _post_after(delay_s: float, server: SimHomeServer, token: AuthToken) -> int:
    await asyncio.sleep(delay_s)
    return await _post(server, token)
