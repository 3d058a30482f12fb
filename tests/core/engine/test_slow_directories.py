"""A directory, or a server, that takes its time holds nobody up who is known already (spec: client.md, Trust, Sending)."""

import asyncio
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests import builders
from tests.sim.home_server import SimHomeServer
from tests.sim.people import Pair, two_people
from tests.sim.virtual_time import simulated, until
from tests.sim.world import SimDevice
from xirtam_core.chat import SendState
from xirtam_core.codec.primitives import ANONYMOUS, Hash
from xirtam_core.crypto import dh
from xirtam_core.errors import Unverified
from xirtam_core.names import Username
from xirtam_core.protocol.direct_message import unseal
from xirtam_core.protocol.header_encryption import hint_of
from xirtam_core.protocol.mailbox import direct_mailbox
from xirtam_core.protocol.medium_key import SignedMediumKey, sign_medium_key


class SlowKeys(SimHomeServer):
    """Takes its time to say which keys somebody has."""

    answer_s = 0.0

    async def device_medium_pks(self, username: Username) -> Mapping[Hash, SignedMediumKey]:
        await asyncio.sleep(self.answer_s)
        return await super().device_medium_pks(username)


async def _say(pair: Pair, sender: SimDevice, text: str) -> None:
    blob = builders.sealed_message(sender.keys, builders.text_event(pair.bobby.name, text), [pair.bobby.keys])
    await pair.beach.mailbox_send(ANONYMOUS, direct_mailbox(pair.bobby.name), blob, 0)


async def _meet(pair: Pair) -> None:
    await pair.alice.write(pair.bobby, "hello")
    await pair.bobby.gets(pair.alice, "hello")
    await pair.bobby.write(pair.alice, "hi")
    await pair.alice.gets(pair.bobby, "hi")


@simulated
async def test_a_message_from_somebody_known_shows_at_once_and_is_confirmed_when_the_answer_is_there(
    tmp_path: Path,
) -> None:
    async with two_people(tmp_path) as pair:
        await _meet(pair)
        await asyncio.sleep(120)
        pair.world.directory.answer_s = 8
        await _say(pair, pair.alice, "you know me")
        await pair.bobby.gets(pair.alice, "hello", "you know me", limit_s=1)
        assert not pair.bobby.messages(pair.alice)[-1].verified
        await until(lambda: pair.bobby.messages(pair.alice)[-1].verified, "the mark is lifted", 8)


@simulated
async def test_somebody_unknown_holds_up_nobody_in_the_same_batch_and_is_understood_with_the_answer(
    tmp_path: Path,
) -> None:
    async with two_people(tmp_path) as pair:
        carol = pair.world.device("carol", pair.harbor)
        await _meet(pair)
        await asyncio.sleep(120)
        await pair.bobby.crash()
        await _say(pair, carol, "you do not know me")
        await _say(pair, pair.alice, "but me you do")
        pair.world.directory.answer_s = 8
        pair.bobby.start()
        await pair.bobby.gets(pair.alice, "hello", "but me you do", limit_s=2)
        assert pair.bobby.texts(carol) == []
        await pair.bobby.gets(carol, "you do not know me", limit_s=9)


@simulated
async def test_a_message_to_somebody_known_goes_out_within_seconds(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        await _meet(pair)
        await asyncio.sleep(120)
        pair.world.directory.answer_s = 300
        await pair.alice.has_sent(await pair.alice.write(pair.bobby, "one"), limit_s=2)
        before = len(pair.world.directory.lookups)
        for number in range(20):
            await pair.alice.has_sent(await pair.alice.write(pair.bobby, f"number {number}"), limit_s=1)
        assert len(pair.world.directory.lookups) - before <= 4, "one name is not asked about twice at a time"


@simulated
async def test_a_root_that_a_late_answer_shows_to_have_changed_blocks_what_is_sent_from_then_on(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        await _meet(pair)
        new = pair.bobby.change_root("mallory")
        pair.beach.adopt(pair.bobby.name, new.chain, new.signed_medium_key())
        await asyncio.sleep(120)
        pair.world.directory.answer_s = 5
        await pair.alice.has_sent(await pair.alice.write(pair.bobby, "under the old key"), limit_s=3)
        await until(lambda: pair.alice.engine.conversations.chats()[0].alarm, "the alarm is raised", 10)
        blocked = await pair.alice.write(pair.bobby, "not under the new one")
        await asyncio.sleep(300)
        assert pair.alice.find(blocked.id).state is SendState.QUEUED


@simulated
async def test_keys_are_asked_for_behind_a_message_unless_they_are_so_old_that_they_may_be_gone(tmp_path: Path) -> None:
    async with two_people(tmp_path, beach=SlowKeys) as pair:
        assert isinstance(pair.beach, SlowKeys)
        await pair.alice.has_sent(await pair.alice.write(pair.bobby, "one"))
        await pair.bobby.crash()
        await asyncio.sleep(120)
        pair.beach.answer_s = 20
        await pair.alice.has_sent(await pair.alice.write(pair.bobby, "two"), limit_s=2)
        await asyncio.sleep(3700)
        late = await pair.alice.write(pair.bobby, "three")
        await asyncio.sleep(19)
        assert pair.alice.find(late.id).received_at is None, "it waits for keys that count"
        await pair.alice.has_sent(late, limit_s=5)


@simulated
async def test_an_answer_that_comes_late_is_used_for_the_next_message(tmp_path: Path) -> None:
    async with two_people(tmp_path, beach=SlowKeys) as pair:
        assert isinstance(pair.beach, SlowKeys)
        await pair.alice.has_sent(await pair.alice.write(pair.bobby, "one"))
        await pair.bobby.crash()
        await asyncio.sleep(120)
        fresh = builders.dh_secret("a new one")
        pair.beach.devices[pair.bobby.keys.hash].key = sign_medium_key(
            pair.bobby.keys.secret, dh.public_of(fresh), builders.NOW_S + 10
        )
        pair.beach.answer_s = 20
        calls = pair.world.machine(pair.beach).calls
        before = calls.count("v1_device_medium_pks")
        await pair.alice.has_sent(await pair.alice.write(pair.bobby, "two"), limit_s=2)
        await asyncio.sleep(21)
        await pair.alice.has_sent(await pair.alice.write(pair.bobby, "three"), limit_s=2)
        assert calls.count("v1_device_medium_pks") == before + 1
        two, three = (entry.message for entry in pair.beach.mailbox(pair.bobby.name).entries[-2:])
        opener = (hint_of(dh.public_of(fresh)), fresh)
        assert unseal(three, [opener]).signed.sender == pair.alice.name
        with pytest.raises(Unverified):
            unseal(two, [opener])
