"""Whom a server takes as new users, and how long it keeps a place for those who are on their way."""

import asyncio
import sqlite3
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import msgspec
import pytest

from tests.builders import Device, account
from tests.server_builders import (
    HARBOR,
    QUICK,
    FakeDirectory,
    Harbor,
    calling,
    fetch,
    fetch_all,
    open_harbor,
    post,
    sign_in,
    text_of,
    until,
)
from xirtam_core.codec.primitives import AuthToken
from xirtam_core.crypto.hashing import token_hash
from xirtam_core.names import ServerName
from xirtam_core.rpc.home_server import AccessDenied, HomeServer, ServerBusy
from xirtam_server.home.rates import RateLimits
from xirtam_server.home.registration import Registration, RegistrationPolicy, mint_invite
from xirtam_server.peer import PEER, Peer

CLOSED, INVITE = (RegistrationPolicy(policy) for policy in (Registration.CLOSED, Registration.INVITE))
BRIEF = RegistrationPolicy(prepared_s=1)
OFTEN = msgspec.structs.replace(QUICK, purge_every_s=0.05)
ELSEWHERE = ServerName("~elsewhere")


def people(harbor: Harbor, *names: str, server: ServerName = HARBOR) -> Sequence[Device]:
    devices = [account(name) for name in names]
    for device in devices:
        harbor.directory.add(device, server)
    return devices


async def new_invite(harbor: Harbor, uses: int = 1, valid_s: int = 60) -> AuthToken:
    return await mint_invite(harbor.service._store, uses, valid_s)  # pyright: ignore[reportPrivateUsage]


async def test_a_closed_server_takes_nobody_new_and_keeps_those_it_has(tmp_path: Path) -> None:
    directory = FakeDirectory()
    async with open_harbor(tmp_path, directory=directory) as harbor, calling(harbor.urls["tcp"]) as home:
        assert (await home.server_info()).registration == "open"
        alice, token = await harbor.new_account("alice", home)
    async with (
        open_harbor(tmp_path, directory=directory, registration=CLOSED, legacy_device_auth=True) as harbor,
        calling(harbor.urls["tcp"]) as home,
    ):
        assert (await home.server_info()).registration == "closed"
        (bobby,) = people(harbor, "bobby")
        asked = directory.asked
        for call in (sign_in(home, bobby), home.device_auth(bobby.username, bobby.chain)):
            with pytest.raises(AccessDenied):
                await call
        assert directory.asked == asked, "and does not trouble the directory with them"
        with pytest.raises(AccessDenied):
            await home.redeem_invite(bobby.username, await new_invite(harbor))
        assert await sign_in(home, alice) == token
        assert await sign_in(home, alice.issue("phone")) != token


async def test_an_invite_lets_each_newcomer_in_once_and_only_so_many(tmp_path: Path) -> None:
    async with open_harbor(tmp_path, registration=INVITE) as harbor, calling(harbor.urls["http"]) as home:
        info = await home.server_info()
        assert info.registration == "invite"
        assert "invites" in info.features
        alice, bobby, carol = people(harbor, "alice", "bobby", "carol")
        with pytest.raises(AccessDenied):
            await sign_in(home, alice)

        invite = await new_invite(harbor, uses=2)
        for _ in range(3):
            await home.redeem_invite(alice.username, invite)
        await sign_in(home, alice)
        await home.redeem_invite(alice.username, await new_invite(harbor, uses=0))
        await home.redeem_invite(bobby.username, invite)
        with pytest.raises(AccessDenied):
            await home.redeem_invite(carol.username, invite)
        with pytest.raises(AccessDenied):
            await sign_in(home, carol)
        await sign_in(home, bobby)


async def test_an_invite_that_is_unknown_or_over_lets_nobody_in(tmp_path: Path) -> None:
    async with open_harbor(tmp_path, registration=INVITE) as harbor, calling(harbor.urls["http"]) as home:
        (alice,) = people(harbor, "alice")
        for invite in (AuthToken(b"\x01" * 20), await new_invite(harbor, valid_s=0), await new_invite(harbor, uses=0)):
            with pytest.raises(AccessDenied):
                await home.redeem_invite(alice.username, invite)


async def test_invites_are_stored_as_hashes_and_cannot_be_guessed_at_for_long(tmp_path: Path) -> None:
    rates = RateLimits(invites_per_source=0.001, invites_burst=2, patience_s=0)
    async with open_harbor(tmp_path, registration=INVITE, rates=rates) as harbor:
        invite = await new_invite(harbor)
        PEER.set(Peer("192.0.2.1"))
        for guess in range(2):
            with pytest.raises(AccessDenied):
                await harbor.service.redeem_invite(account("alice").username, AuthToken(bytes([guess]) * 20))
        with pytest.raises(ServerBusy):
            await harbor.service.redeem_invite(account("alice").username, invite)
    with closing(sqlite3.connect(tmp_path / "home.db")) as db:
        assert db.execute("SELECT token_hash FROM invite").fetchall() == [(bytes(token_hash(invite)),)]
    assert bytes(invite) not in _everything_in(tmp_path)


def _everything_in(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.iterdir() if path.is_file())


async def test_a_user_of_another_server_prepares_a_move_and_loses_nothing_by_it(
    harbor: Harbor, home: HomeServer
) -> None:
    assert "prepare" in (await home.server_info()).features
    (alice,) = people(harbor, "alice", server=ELSEWHERE)
    token = await sign_in(home, alice)
    await home.device_add_medium_pk(token, alice.signed_medium_key())
    await post(home, alice.username, "before the directory has it")
    people(harbor, "alice")
    assert await sign_in(home, alice) == token
    assert set(await home.device_medium_pks(alice.username)) == {alice.hash}
    assert [text_of(entry) for entry in await fetch(home, token, alice.username)] == ["before the directory has it"]


async def test_the_old_method_prepares_nothing(tmp_path: Path) -> None:
    async with open_harbor(tmp_path, legacy_device_auth=True) as harbor, calling(harbor.urls["tcp"]) as home:
        (alice,) = people(harbor, "alice", server=ELSEWHERE)
        with pytest.raises(AccessDenied):
            await home.device_auth(alice.username, alice.chain)


@pytest.mark.parametrize("policy", [CLOSED, INVITE])
async def test_nobody_prepares_a_move_to_a_server_that_would_not_take_them(
    tmp_path: Path, policy: RegistrationPolicy
) -> None:
    async with open_harbor(tmp_path, registration=policy) as harbor, calling(harbor.urls["tcp"]) as home:
        (alice,) = people(harbor, "alice", server=ELSEWHERE)
        with pytest.raises(AccessDenied):
            await sign_in(home, alice)


async def test_who_prepared_a_move_and_did_not_come_is_removed(tmp_path: Path) -> None:
    limits = msgspec.structs.replace(OFTEN, purge_step=5)
    async with (
        open_harbor(tmp_path, registration=BRIEF, limits=limits) as harbor,
        calling(harbor.urls["tcp"]) as home,
    ):
        (alice,) = people(harbor, "alice", server=ELSEWHERE)
        token = await sign_in(home, alice)
        await asyncio.gather(*(post(home, alice.username) for _ in range(30)))
        await until(lambda: _is_unknown(home, alice))
        with pytest.raises(AccessDenied):
            await post(home, alice.username)
        with pytest.raises(AccessDenied):
            await home.device_add_medium_pk(token, alice.signed_medium_key())


async def _is_unknown(home: HomeServer, device: Device) -> bool:
    """Whether nothing is left of the device's user: a mailbox is the last to go."""
    if await home.device_certs(device.username) is not None:
        return False
    try:
        await post(home, device.username)
    except AccessDenied:
        return True
    return False


async def test_who_came_stays_though_they_have_not_signed_in_since(tmp_path: Path) -> None:
    async with (
        open_harbor(tmp_path, registration=BRIEF, limits=OFTEN) as harbor,
        calling(harbor.urls["tcp"]) as home,
    ):
        alice, bobby = people(harbor, "alice", "bobby", server=ELSEWHERE)
        token = await sign_in(home, alice)
        await sign_in(home, bobby)
        await post(home, alice.username, "kept")
        people(harbor, "alice")
        await until(lambda: _is_unknown(home, bobby))
        assert [text_of(entry) for entry in await fetch_all(home, token, alice.username)] == ["kept"]
        found = await harbor.service._store.find_account(alice.username)  # pyright: ignore[reportPrivateUsage]
        assert found is not None
        assert found.prepared_until == 0


async def test_while_the_directory_is_away_nobody_is_removed(tmp_path: Path) -> None:
    async with (
        open_harbor(tmp_path, registration=BRIEF, limits=OFTEN) as harbor,
        calling(harbor.urls["tcp"]) as home,
    ):
        (alice,) = people(harbor, "alice", server=ELSEWHERE)
        token = await sign_in(home, alice)
        harbor.directory.is_reachable = False
        asked, over = harbor.directory.asked, time.monotonic() + 1
        await until(lambda: harbor.directory.asked > asked + 2 and time.monotonic() > over)
        await home.device_add_medium_pk(token, alice.signed_medium_key())
        await post(home, alice.username)
