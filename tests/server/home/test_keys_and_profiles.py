"""Medium-term keys and profiles: whose word is published."""

import msgspec
import pytest

from tests.builders import NOW_S, Device
from tests.server_builders import Harbor, sign_in
from xirtam_core.codec.integers import LATEST
from xirtam_core.codec.primitives import AuthToken, Signature
from xirtam_core.crypto import signing
from xirtam_core.names import Username
from xirtam_core.protocol.medium_key import sign_medium_key
from xirtam_core.protocol.profile import UserProfile
from xirtam_core.rpc.home_server import AccessDenied, HomeServer


def profile(by: Device, name: str, created: int) -> UserProfile:
    unsigned = UserProfile(name, None, created, Signature(bytes(64)))
    return msgspec.structs.replace(unsigned, signature=signing.sign(by.secret, unsigned.signed_bytes()))


async def test_a_devices_newest_key_is_published(harbor: Harbor, home: HomeServer) -> None:
    alice, token = await harbor.new_account("alice", home)
    phone = alice.issue("phone")
    phones_token = await sign_in(home, phone)
    keys = [alice.signed_medium_key(NOW_S), alice.signed_medium_key(NOW_S + 3600), phone.signed_medium_key(NOW_S)]
    await home.device_add_medium_pk(token, keys[0])
    await home.device_add_medium_pk(token, keys[1])
    await home.device_add_medium_pk(phones_token, keys[2])

    assert await home.device_medium_pks(alice.username) == {alice.hash: keys[1], phone.hash: keys[2]}


async def test_an_older_key_does_not_come_back_but_the_same_may(harbor: Harbor, home: HomeServer) -> None:
    alice, token = await harbor.new_account("alice", home)
    newer = alice.signed_medium_key(NOW_S)
    await home.device_add_medium_pk(token, newer)
    await home.device_add_medium_pk(token, newer)
    with pytest.raises(AccessDenied):
        await home.device_add_medium_pk(token, alice.signed_medium_key(NOW_S - 1))
    assert await home.device_medium_pks(alice.username) == {alice.hash: newer}


async def test_a_key_that_the_device_did_not_sign_is_refused(harbor: Harbor, home: HomeServer) -> None:
    alice, token = await harbor.new_account("alice", home)
    bobby, _ = await harbor.new_account("bobby", home)
    beyond = sign_medium_key(alice.secret, alice.medium_pk, LATEST + 1)
    for auth, key in (
        (token, bobby.signed_medium_key()),
        (AuthToken(b"\x11" * 20), alice.signed_medium_key()),
        (token, beyond),
    ):
        with pytest.raises(AccessDenied):
            await home.device_add_medium_pk(auth, key)
    assert await home.device_medium_pks(alice.username) == {}


async def test_an_unknown_user_has_no_keys_no_devices_and_no_profile(home: HomeServer) -> None:
    nobody = Username("@nobody")
    assert await home.device_medium_pks(nobody) == {}
    assert await home.device_certs(nobody) is None
    assert await home.profile(nobody) is None


async def test_a_profile_replaces_an_older_one(harbor: Harbor, home: HomeServer) -> None:
    alice, _ = await harbor.new_account("alice", home)
    await home.profile_set(alice.username, profile(alice, "Al", NOW_S))
    await home.profile_set(alice.username, profile(alice, "Alice", NOW_S + 1))
    for late in (profile(alice, "Al", NOW_S + 1), profile(alice, "Al", NOW_S)):
        with pytest.raises(AccessDenied):
            await home.profile_set(alice.username, late)
    assert await home.profile(alice.username) == profile(alice, "Alice", NOW_S + 1)


async def test_a_profile_is_taken_from_the_users_own_devices_alone(harbor: Harbor, home: HomeServer) -> None:
    alice, _ = await harbor.new_account("alice", home)
    bobby, _ = await harbor.new_account("bobby", home)
    unknown = alice.issue("phone")
    for signer in (bobby, unknown):
        with pytest.raises(AccessDenied):
            await home.profile_set(alice.username, profile(signer, "Alice", NOW_S))
    await sign_in(home, unknown)
    await home.profile_set(alice.username, profile(unknown, "Alice", NOW_S))


async def test_a_profile_of_any_size_is_not_kept(harbor: Harbor, home: HomeServer) -> None:
    alice, _ = await harbor.new_account("alice", home)
    with pytest.raises(AccessDenied):
        await home.profile_set(alice.username, profile(alice, "A" * 100_000, NOW_S))
