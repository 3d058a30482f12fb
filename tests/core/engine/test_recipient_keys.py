"""Which keys a message is sealed to, and at which server they are found (spec: client.md, Sending; devices.md)."""

import asyncio
from pathlib import Path

import pytest

from tests import builders
from tests.sim.people import nothing_but_messages, two_people
from tests.sim.virtual_time import simulated
from xirtam_core.chat import SendState
from xirtam_core.codec.primitives import Base64Bytes
from xirtam_core.crypto import dh
from xirtam_core.errors import Unverified
from xirtam_core.protocol.blob import Blob
from xirtam_core.protocol.direct_message import unseal
from xirtam_core.protocol.directory import ServerDescriptor, ServerUrl
from xirtam_core.protocol.header_encryption import hint_of
from xirtam_core.protocol.medium_key import sign_medium_key


@simulated
async def test_a_sender_asks_for_keys_again_after_a_minute_and_uses_what_comes_within_a_moment(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        nothing_but_messages(pair)
        calls = pair.world.machine(pair.beach).calls
        for number in range(4):
            await pair.alice.has_sent(await pair.alice.write(pair.bobby, f"number {number}"))
        assert calls.count("v1_device_medium_pks") == 1
        await asyncio.sleep(61)
        fresh = builders.dh_secret("a new one")
        await pair.bobby.crash()
        pair.beach.devices[pair.bobby.keys.hash].key = sign_medium_key(
            pair.bobby.keys.secret, dh.public_of(fresh), builders.NOW_S + 10
        )
        pair.beach.mailbox(pair.bobby.name).entries.clear()
        await pair.alice.has_sent(await pair.alice.write(pair.bobby, "under the new key"))
        assert calls.count("v1_device_medium_pks") == 2
        (entry,) = pair.beach.mailbox(pair.bobby.name).entries
        opener = (hint_of(dh.public_of(fresh)), fresh)
        assert unseal(entry.message, [opener]).signed.sender == pair.alice.name


@simulated
async def test_a_key_is_not_given_up_for_an_older_one(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        await pair.alice.has_sent(await pair.alice.write(pair.bobby, "one"))
        old = sign_medium_key(pair.bobby.keys.secret, dh.public_of(builders.dh_secret("old")), builders.NOW_S - 100)
        pair.beach.devices[pair.bobby.keys.hash].key = old
        await asyncio.sleep(120)
        await pair.alice.has_sent(await pair.alice.write(pair.bobby, "two"))
        await pair.bobby.gets(pair.alice, "one", "two")


@simulated
async def test_a_message_goes_to_all_devices_that_are_certified_and_to_no_others(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        nothing_but_messages(pair)
        tablet = pair.bobby.keys.issue("bobby's tablet")
        stranger = builders.account("mallory")
        pair.beach.adopt(pair.bobby.name, tablet.chain, tablet.signed_medium_key())
        pair.beach.adopt(pair.bobby.name, stranger.chain, stranger.signed_medium_key())
        await pair.alice.write(pair.bobby, "to both")
        await pair.bobby.gets(pair.alice, "to both")
        (entry,) = pair.beach.mailbox(pair.bobby.name).entries
        assert unseal(entry.message, tablet.medium_secrets).signed.sender == pair.alice.name
        with pytest.raises(Unverified):
            unseal(entry.message, stranger.medium_secrets)


@pytest.mark.parametrize("damage", ["no descriptor", "no address that anybody could use"])
def test_a_message_waits_while_the_entry_of_the_peers_server_is_damaged(tmp_path: Path, damage: str) -> None:
    @simulated
    async def scenario() -> None:
        async with two_people(tmp_path) as pair:
            await asyncio.sleep(1)
            owner, good = builders.signing_secret(pair.beach.name), pair.world.directory.state(pair.beach.name).value
            assert good is not None
            useless = ServerDescriptor((ServerUrl("gopher://beach:70"),), pair.alice.keys.pk).blob()
            bad = Blob("v1.made_up", Base64Bytes(b"???")) if damage == "no descriptor" else useless
            pair.world.directory.set_value(pair.beach.name, owner, bad)
            message = await pair.alice.write(pair.bobby, "hello")
            await asyncio.sleep(300)
            assert pair.alice.find(message.id).state is SendState.QUEUED
            pair.world.directory.set_value(pair.beach.name, owner, good)
            await pair.alice.has_sent(message, limit_s=300)

    scenario()
