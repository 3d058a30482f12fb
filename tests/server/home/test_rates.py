"""Strangers who write too often, and callers who ask too often: they are slowed, then refused, and nobody else notices."""

import asyncio
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, TypeVar

import pytest

from tests.builders import account
from tests.server_builders import Harbor, calling, fetch_all, open_harbor, post, sign_in, until
from xirtam_core.codec.primitives import ANONYMOUS, AuthToken, Base64Bytes, Hash, Signature
from xirtam_core.crypto.hashing import token_hash
from xirtam_core.names import ServerName, Username
from xirtam_core.protocol.attachment import Leaf, LeafNonce
from xirtam_core.protocol.mailbox import MailboxAcl, group_messages_mailbox
from xirtam_core.protocol.profile import UserProfile
from xirtam_core.rpc.home_server import AccessDenied, ProxyNotSupported, ServerBusy
from xirtam_core.rpc.service import RawJson
from xirtam_server.home.proxying import ProxyPolicy
from xirtam_server.home.rates import RateLimits
from xirtam_server.home.throttle import Throttle
from xirtam_server.peer import PEER, Peer

R = TypeVar("R")
BOX, OTHER_BOX = Hash(b"1" * 32), Hash(b"2" * 32)
HERE, THERE = "192.0.2.1", "192.0.2.2"
IMPATIENT = RateLimits(patience_s=0, anonymous_source_burst=4, anonymous_mailbox_burst=100)


async def called_from(address: str, call: Coroutine[Any, Any, R]) -> R:
    """What `call` gives a caller at `address`."""

    async def calling_from() -> R:
        PEER.set(Peer(address))
        return await call

    return await asyncio.create_task(calling_from())


class Time:
    """A clock that stands still but for those who sleep."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.sleeps: list[float] = []

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.sleeps.append(seconds)
        await asyncio.Event().wait()


async def sent(throttle: Throttle, times: int, address: str = HERE, mailbox: Hash = BOX) -> int:
    """How many of so many messages pass at once."""
    passed = 0
    for _ in range(times):
        try:
            await called_from(address, throttle.send(mailbox, 100))
        except ServerBusy:
            continue
        passed += 1
    return passed


async def test_a_source_may_send_a_burst_and_then_so_many_a_second() -> None:
    time = Time()
    throttle = Throttle(IMPATIENT, time)
    assert await sent(throttle, 10) == 4
    time.now += 0.02  # at 100 a second
    assert await sent(throttle, 10) == 2
    time.now += 3600
    assert await sent(throttle, 10) == 4
    assert throttle.refused == {"anonymous_sends": 20}


async def test_a_source_over_its_limit_harms_no_other_source_and_no_other_mailbox() -> None:
    throttle = Throttle(RateLimits(patience_s=0, anonymous_source_burst=100, anonymous_mailbox_burst=10), Time())
    assert await sent(throttle, 50) == 5, "one source has a share of a mailbox"
    assert await sent(throttle, 50, THERE) == 5
    assert await sent(throttle, 50, "192.0.2.3") == 0, "the mailbox takes no more from anybody unknown"
    assert await sent(throttle, 5, HERE, OTHER_BOX) == 5


async def test_addresses_of_one_ipv6_network_are_one_source_and_mapped_ones_are_ipv4() -> None:
    throttle = Throttle(IMPATIENT, Time())
    assert await sent(throttle, 10, "2001:db8:0:1::1") == 4
    assert await sent(throttle, 10, "2001:db8:0:1:ffff::2") == 0
    assert await sent(throttle, 10, "2001:db8:0:2::1") == 4
    assert await sent(throttle, 3, HERE) == 3
    assert await sent(throttle, 10, f"::ffff:{HERE}") == 1


async def test_who_is_over_a_limit_waits_for_a_token_if_that_is_near_and_few_wait() -> None:
    time = Time()
    limits = RateLimits(
        anonymous_per_source=1, anonymous_source_burst=1, patience_s=2, most_held_back=2, most_held_back_bytes=250
    )
    throttle = Throttle(limits, time, time.sleep)
    assert await sent(throttle, 1) == 1
    waiting = [asyncio.ensure_future(called_from(HERE, throttle.send(BOX, 100))) for _ in range(2)]
    await until(lambda: len(time.sleeps) == 2)
    assert time.sleeps == [1.0, 2.0]
    assert await sent(throttle, 1) == 0, "three seconds are too long"
    assert await sent(throttle, 1, THERE) == 1
    assert await sent(throttle, 1, THERE) == 0, "enough are waiting"
    for one in waiting:
        one.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    waiting = [asyncio.ensure_future(called_from(THERE, throttle.send(BOX, 300)))]
    with pytest.raises(ServerBusy):  # too large to be held back
        await waiting[0]
    assert throttle.held_back == 2


async def test_calls_from_within_and_from_nowhere_known_are_not_counted_by_source() -> None:
    throttle = Throttle(IMPATIENT, Time())
    assert await sent(throttle, 10, "") == 10
    for _ in range(10):
        await throttle.send(BOX, 100)


async def test_devices_of_this_server_and_guests_of_a_mailbox_are_not_anonymous(tmp_path: Path) -> None:
    rates = RateLimits(patience_s=0, anonymous_per_source=0.001, anonymous_source_burst=2)
    async with open_harbor(tmp_path, rates=rates) as harbor, calling(harbor.urls["tcp"]) as home:
        alice, token = await harbor.new_account("alice", home)
        _, bobbys = await harbor.new_account("bobby", home)
        guest, unknown = AuthToken(b"\x07" * 20), AuthToken(b"\x08" * 20)
        group = group_messages_mailbox(Hash(b"g" * 32))
        await home.register_group(token, Hash(b"g" * 32))
        for name, may_send in ((guest, True), (ANONYMOUS, True)):
            await home.mailbox_acl_edit(token, group, _rights(name, may_send))

        async def send(auth: AuthToken, to: Username | Hash) -> int:
            return await called_from(HERE, post(harbor.service, to, auth=auth))

        for auth in (ANONYMOUS, unknown):
            await send(auth, alice.username)
        for auth in (ANONYMOUS, unknown):
            for to in (alice.username, group):
                with pytest.raises(ServerBusy):
                    await send(auth, to)
        for _ in range(5):
            await send(bobbys, alice.username)
            await send(guest, group)
        assert len(await fetch_all(home, token, alice.username)) == 7
        assert harbor.service.throttle.refused == {"anonymous_sends": 4}


def _rights(token: AuthToken, may_send: bool) -> MailboxAcl:
    return MailboxAcl(token_hash(token), can_edit_acl=False, can_send=may_send, can_recv=False)


async def test_a_sender_who_is_held_back_gets_through_a_little_later(tmp_path: Path) -> None:
    rates = RateLimits(anonymous_per_source=50, anonymous_source_burst=1)
    async with open_harbor(tmp_path, rates=rates) as harbor, calling(harbor.urls["tcp"]) as home:
        alice, token = await harbor.new_account("alice", home)
        sends = (called_from(HERE, post(harbor.service, alice.username, str(number))) for number in range(10))
        stamps = await asyncio.gather(*sends)
        assert stamps == sorted(set(stamps)), "in the order in which they came"
        assert len(await fetch_all(home, token, alice.username)) == 10
        assert harbor.service.throttle.held_back == 9


async def test_rights_that_are_taken_away_during_the_wait_are_gone(tmp_path: Path) -> None:
    rates = RateLimits(anonymous_per_source=10, anonymous_source_burst=1)
    group = group_messages_mailbox(Hash(b"g" * 32))
    async with open_harbor(tmp_path, rates=rates) as harbor, calling(harbor.urls["tcp"]) as home:
        _, token = await harbor.new_account("alice", home)
        await home.register_group(token, Hash(b"g" * 32))
        await home.mailbox_acl_edit(token, group, _rights(ANONYMOUS, may_send=True))
        await called_from(HERE, post(harbor.service, group))
        late = asyncio.ensure_future(called_from(HERE, post(harbor.service, group)))
        await asyncio.sleep(0)
        await home.mailbox_acl_edit(token, group, _rights(ANONYMOUS, may_send=False))
        with pytest.raises(AccessDenied):
            await late


async def test_a_source_signs_in_only_so_often_and_the_directory_is_not_asked_beyond(tmp_path: Path) -> None:
    rates = RateLimits(patience_s=0, costly_per_source=0.001, costly_burst=4)
    async with open_harbor(tmp_path, rates=rates, legacy_device_auth=True) as harbor:
        alice = account("alice")
        harbor.directory.add(alice)
        token = await called_from(HERE, sign_in(harbor.service, alice))
        assert await called_from(HERE, harbor.service.device_auth(alice.username, alice.chain)) == token
        await called_from(HERE, harbor.service.device_auth_start(alice.username))
        for call in (
            harbor.service.device_auth(alice.username, alice.chain),
            harbor.service.device_auth_start(alice.username),
            harbor.service.profile_set(alice.username, UserProfile(None, None, 1, Signature(bytes(64)))),
        ):
            with pytest.raises(ServerBusy):
                await called_from(HERE, call)
        assert harbor.directory.asked == 2
        assert await called_from(THERE, sign_in(harbor.service, alice)) == token
        assert harbor.service.throttle.refused == {"costly_calls": 3}


async def test_a_source_looks_for_mailboxes_that_are_not_there_only_so_often(tmp_path: Path) -> None:
    rates = RateLimits(patience_s=0, costly_per_source=0.001, costly_burst=3)
    nowhere = group_messages_mailbox(Hash(b"n" * 32))
    async with open_harbor(tmp_path, rates=rates) as harbor:
        service, edit = harbor.service, _rights(ANONYMOUS, may_send=True)

        async def answers(address: str) -> list[type[Exception]]:
            calls = (
                post(service, nowhere),
                service.mailbox_acl_edit(ANONYMOUS, nowhere, edit),
                service.mailbox_acl_list(ANONYMOUS, nowhere),
            )
            outcomes = [await asyncio.gather(called_from(address, call), return_exceptions=True) for call in calls]
            return [type(outcome) for (outcome,) in outcomes if isinstance(outcome, Exception)]

        assert await answers(HERE) == [AccessDenied] * 3
        assert await answers(HERE) == [ServerBusy] * 3
        assert await answers(THERE) == [AccessDenied] * 3


async def test_a_source_tries_tokens_of_no_device_only_so_often(tmp_path: Path) -> None:
    rates = RateLimits(patience_s=0, costly_per_source=0.001, costly_burst=3)
    nobodys = AuthToken(b"n" * 20)
    async with open_harbor(tmp_path, rates=rates, proxy=ProxyPolicy()) as harbor:
        service = harbor.service

        async def answers(address: str) -> list[type[Exception]]:
            calls = (
                service.register_group(nobodys, Hash(b"g" * 32)),
                service.upload_frag(nobodys, Leaf(LeafNonce(bytes(24)), Base64Bytes(b"leaf")), 0),
                service.proxy_server(nobodys, ServerName("~elsewhere"), RawJson({})),
            )
            outcomes = [await asyncio.gather(called_from(address, call), return_exceptions=True) for call in calls]
            return [type(outcome) for (outcome,) in outcomes if isinstance(outcome, Exception)]

        assert await answers(HERE) == [AccessDenied, AccessDenied, ProxyNotSupported]
        assert await answers(HERE) == [ServerBusy] * 3
        assert await answers(THERE) == [AccessDenied, AccessDenied, ProxyNotSupported]


async def test_unlimited_is_unlimited(harbor: Harbor) -> None:
    alice = account("alice")
    harbor.directory.add(alice)
    await called_from(HERE, sign_in(harbor.service, alice))
    for _ in range(50):
        await called_from(HERE, post(harbor.service, alice.username))
    assert not harbor.service.throttle.refused
