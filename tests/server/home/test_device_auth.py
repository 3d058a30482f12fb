"""Who gets a token, and who does not."""

import asyncio
import threading
from pathlib import Path

import pytest

from tests.builders import Device, account
from tests.server_builders import (
    HARBOR,
    QUICK,
    FakeDirectory,
    Harbor,
    answer_challenge,
    calling,
    chains_of,
    fetch,
    open_harbor,
    post,
    sign_in,
    until,
)
from xirtam_core.codec.primitives import Hash
from xirtam_core.names import ServerName, Username
from xirtam_core.protocol.certificate import CertificateChain, certify, verify
from xirtam_core.protocol.directory import UserDescriptor
from xirtam_core.rpc.home_server import AccessDenied, HomeServer, ServerBusy
from xirtam_server.home import devices
from xirtam_server.home.challenges import Challenges
from xirtam_server.home.registration import RegistrationPolicy
from xirtam_server.storage.sqlite import StoreLimits


async def test_a_device_has_one_token_for_ever(harbor: Harbor, home: HomeServer) -> None:
    alice, token = await harbor.new_account("alice", home)
    assert await sign_in(home, alice) == token


async def test_each_device_has_a_token_of_its_own_and_reads_the_same_mailbox(harbor: Harbor, home: HomeServer) -> None:
    alice, token = await harbor.new_account("alice", home)
    phone = alice.issue("phone")
    phones_token = await sign_in(home, phone)
    await post(home, alice.username)

    assert phones_token != token
    assert await fetch(home, phones_token, alice.username) == await fetch(home, token, alice.username)
    assert await home.device_certs(alice.username) == chains_of(alice, phone)


async def test_the_devices_of_a_root_that_was_replaced_are_let_in_no_more(harbor: Harbor, home: HomeServer) -> None:
    alice, token = await harbor.new_account("alice", home)
    phones_token = await sign_in(home, alice.issue("phone"))
    await post(home, alice.username)
    assert len(await fetch(home, token, alice.username)) == 1
    fresh = account("recovered")
    anew = Device(alice.username, fresh.secret, fresh.chain, fresh.medium)
    harbor.directory.add(anew)
    new_token = await sign_in(home, anew)

    assert await home.device_certs(alice.username) == chains_of(anew)
    assert await home.device_medium_pks(alice.username) == {}
    assert len(await fetch(home, new_token, alice.username)) == 1
    for former in (token, phones_token):
        with pytest.raises(AccessDenied):
            await fetch(home, former, alice.username)
    with pytest.raises(AccessDenied):
        await sign_in(home, alice)
    tablet = anew.issue("tablet")
    await sign_in(home, tablet)
    assert await home.device_certs(alice.username) == chains_of(anew, tablet)


async def test_a_challenge_can_be_answered_once(harbor: Harbor, home: HomeServer) -> None:
    alice = account("alice")
    harbor.directory.add(alice)
    challenge = (await home.device_auth_start(alice.username)).challenge
    signature = answer_challenge(alice, challenge)

    await home.device_auth_finish(alice.username, alice.chain, challenge, signature)
    with pytest.raises(AccessDenied):
        await home.device_auth_finish(alice.username, alice.chain, challenge, signature)


async def test_an_answer_must_be_for_this_server_this_user_and_this_challenge(harbor: Harbor, home: HomeServer) -> None:
    alice, bobby = account("alice"), account("bobby")
    harbor.directory.add(alice)
    harbor.directory.add(bobby)
    offered = (await home.device_auth_start(alice.username)).challenge
    other = (await home.device_auth_start(alice.username)).challenge
    bad = [
        (alice, offered, answer_challenge(alice, offered, ServerName("~elsewhere"))),
        (alice, offered, answer_challenge(alice, other)),
        (alice, offered, answer_challenge(bobby, offered, username=alice.username)),
        (bobby, offered, answer_challenge(bobby, offered)),
        (alice, Hash(b"\x01" * 32), answer_challenge(alice, Hash(b"\x01" * 32))),
    ]
    for device, challenge, signature in bad:
        with pytest.raises(AccessDenied):
            await home.device_auth_finish(device.username, device.chain, challenge, signature)
    assert await home.device_auth_finish(alice.username, alice.chain, offered, answer_challenge(alice, offered))


def test_a_challenge_is_over_after_its_minute() -> None:
    now = [1000.0]
    challenges = Challenges(60, 10, clock=lambda: now[0])
    made = challenges.make(Username("@alice"))
    assert made.expires == 1060
    assert challenges.is_open(made.challenge, Username("@alice"))
    now[0] = 1060.0
    assert not challenges.is_open(made.challenge, Username("@alice"))


def test_spent_challenges_are_forgotten_only_when_they_are_over_and_bounded_until_then() -> None:
    now = [1000.0]
    challenges = Challenges(60, 2, clock=lambda: now[0])
    alice = Username("@alice")
    made = [challenges.make(alice).challenge for _ in range(3)]
    challenges.spend(made[0])
    challenges.spend(made[1])
    with pytest.raises(ServerBusy):
        challenges.spend(made[2])
    now[0] = 1059.0
    assert not challenges.is_open(made[0], alice)
    now[0] = 1062.0
    challenges.spend(made[2])


async def test_the_chain_must_lead_to_the_root_that_the_directory_names(harbor: Harbor, home: HomeServer) -> None:
    alice, mallory = account("alice"), account("mallory")
    harbor.directory.add(alice)
    impostor = mallory.issue("phone")
    for device in (mallory, impostor):
        challenge = (await home.device_auth_start(alice.username)).challenge
        signature = answer_challenge(device, challenge, username=alice.username)
        with pytest.raises(AccessDenied):
            await home.device_auth_finish(alice.username, device.chain, challenge, signature)
    assert await home.device_certs(alice.username) is None


async def test_users_of_other_servers_and_of_none_are_refused_where_nobody_prepares_a_move(tmp_path: Path) -> None:
    alice, bobby = account("alice"), account("bobby")
    async with (
        open_harbor(tmp_path, registration=RegistrationPolicy(prepared_s=0), legacy_device_auth=True) as harbor,
        calling(harbor.urls["tcp"]) as home,
    ):
        harbor.directory.add(alice, ServerName("~elsewhere"))
        for device in (alice, bobby):
            with pytest.raises(AccessDenied):
                await sign_in(home, device)
            with pytest.raises(AccessDenied):
                await home.device_auth(device.username, device.chain)
        assert "prepare" not in (await home.server_info()).features


async def test_the_directory_is_asked_each_time(harbor: Harbor, home: HomeServer) -> None:
    alice = account("alice")
    with pytest.raises(AccessDenied):
        await sign_in(home, alice)
    harbor.directory.add(alice)
    await sign_in(home, alice)
    harbor.directory.users[alice.username] = UserDescriptor(HARBOR, account("mallory").hash)
    with pytest.raises(AccessDenied):
        await sign_in(home, alice)


async def test_without_a_directory_a_device_is_told_to_come_again(harbor: Harbor, home: HomeServer) -> None:
    alice = account("alice")
    harbor.directory.add(alice)
    harbor.directory.is_reachable = False
    with pytest.raises(ServerBusy):
        await sign_in(home, alice)


async def test_a_directory_that_is_away_for_a_moment_costs_a_moment(harbor: Harbor, home: HomeServer) -> None:
    alice = account("alice")
    harbor.directory.add(alice)
    harbor.directory.is_reachable = False
    signing_in = asyncio.create_task(sign_in(home, alice))
    await until(lambda: harbor.directory.asked > 0)
    harbor.directory.is_reachable = True
    await signing_in


async def test_a_directory_that_does_not_answer_holds_nobody_for_long(tmp_path: Path) -> None:
    class Silent(FakeDirectory):
        async def user(self, name: Username) -> UserDescriptor | None:
            await asyncio.Event().wait()
            raise AssertionError

    limits = type(QUICK)(directory_timeout_s=0.05)
    async with open_harbor(tmp_path, directory=Silent(), limits=limits) as harbor, calling(harbor.urls["tcp"]) as home:
        with pytest.raises(ServerBusy):
            await sign_in(home, account("alice"))


async def test_a_former_device_whose_call_was_under_way_drops_nobody(
    harbor: Harbor, home: HomeServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice, _ = await harbor.new_account("alice", home)
    fresh = account("recovered")
    anew = Device(alice.username, fresh.secret, fresh.chain, fresh.medium)
    former_judged, go_on = threading.Event(), threading.Event()

    def verify_slowly(chain: CertificateChain, root: Hash, now_s: int) -> int:
        if root == alice.hash:
            former_judged.set()
            go_on.wait(10)
        return verify(chain, root, now_s)

    monkeypatch.setattr(devices, "verify", verify_slowly)
    admit = harbor.service._devices.admit  # pyright: ignore[reportPrivateUsage] - to be in the middle of it
    former = asyncio.create_task(admit(alice.username, alice.chain))
    await asyncio.to_thread(former_judged.wait, 10)
    harbor.directory.add(anew)
    await admit(anew.username, anew.chain)
    go_on.set()
    with pytest.raises(AccessDenied):
        await former
    assert await home.device_certs(alice.username) == chains_of(anew)


async def test_anothers_device_key_under_ones_own_root_takes_nothing_away(harbor: Harbor, home: HomeServer) -> None:
    alice, token = await harbor.new_account("alice", home)
    await home.device_add_medium_pk(token, alice.signed_medium_key())
    mallory, _ = await harbor.new_account("mallory", home)
    # Mallory certifies Alice's device as one of her own. She cannot answer a challenge with it, so take the way of the old method.
    stolen = CertificateChain((mallory.chain.this,), certify(mallory.secret, alice.pk, 2**64 - 1, can_issue=True))
    await harbor.service._devices.admit(mallory.username, stolen)  # pyright: ignore[reportPrivateUsage]

    assert await home.device_certs(alice.username) == chains_of(alice)
    assert set(await home.device_medium_pks(alice.username)) == {alice.hash}
    assert await home.device_medium_pks(mallory.username) == {}
    assert await sign_in(home, alice) == token


async def test_the_old_method_is_refused_unless_it_is_switched_on(
    harbor: Harbor, home: HomeServer, tmp_path: Path
) -> None:
    alice, _ = await harbor.new_account("alice", home)
    with pytest.raises(AccessDenied):
        await home.device_auth(alice.username, alice.chain)

    (tmp_path / "old").mkdir()
    async with (
        open_harbor(tmp_path / "old", directory=harbor.directory, legacy_device_auth=True) as lenient,
        calling(lenient.urls["http"]) as old,
    ):
        assert await old.device_auth(alice.username, alice.chain) == await old.device_auth(alice.username, alice.chain)
        expired = alice.issue("watch", expiry=1)
        with pytest.raises(AccessDenied):
            await old.device_auth(alice.username, expired.chain)


async def test_a_chain_and_a_user_have_only_so_many_certificates_and_devices(tmp_path: Path) -> None:
    limits = type(QUICK)(max_chain=2)
    async with (
        open_harbor(tmp_path, limits=limits, store_limits=StoreLimits(most_devices=2)) as harbor,
        calling(harbor.urls["tcp"]) as home,
    ):
        alice, token = await harbor.new_account("alice", home)
        phone = alice.issue("phone")
        await sign_in(home, phone)
        with pytest.raises(AccessDenied):
            await sign_in(home, alice.issue("watch"))
        with pytest.raises(AccessDenied):
            await sign_in(home, phone.issue("ring"))
        assert await sign_in(home, alice) == token


async def test_the_server_says_what_it_is(home: HomeServer) -> None:
    info = await home.server_info()
    assert info.server_name == HARBOR
    assert "device_auth_challenge" in info.features
    assert info.limits.max_message_bytes > 500_000
