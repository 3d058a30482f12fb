"""Whom to believe, and for how long (spec: client.md, Trust)."""

import asyncio
from pathlib import Path

import pytest

from tests import builders
from tests.sim.people import Pair, two_people
from tests.sim.virtual_time import simulated, until
from tests.sim.world import SimDevice
from xirtam_core.chat import SendState
from xirtam_core.codec.primitives import Base64Bytes
from xirtam_core.errors import Unreachable, Unverified
from xirtam_core.events import AlarmRaised, MessageChanged
from xirtam_core.names import Username
from xirtam_core.protocol.blob import Blob
from xirtam_core.protocol.direct_message import unseal


async def _say(pair: Pair, sender: builders.Device, text: str, receiver: SimDevice | None = None) -> None:
    """Puts a message into a mailbox (Bobby's) without the sender's engine."""
    receiver = receiver or pair.bobby
    event = builders.text_event(receiver.name, text)
    await pair.world.post(receiver, builders.sealed_message(sender, event, [receiver.keys]))


async def _meet(pair: Pair) -> None:
    await pair.alice.write(pair.bobby, "hello")
    await pair.bobby.gets(pair.alice, "hello")
    await pair.bobby.write(pair.alice, "hi")
    await pair.alice.gets(pair.bobby, "hi")


def _alarms(device: SimDevice) -> list[AlarmRaised]:
    return [event for event in device.events if isinstance(event, AlarmRaised)]


@simulated
async def test_a_known_sender_is_believed_and_marked_while_the_directory_is_out_of_reach(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        await _meet(pair)
        await asyncio.sleep(120)
        pair.world.directory.is_down = True
        await _say(pair, pair.alice.keys, "is this on?")
        await pair.bobby.gets(pair.alice, "hello", "is this on?", limit_s=30)
        message = pair.bobby.messages(pair.alice)[-1]
        assert not message.verified
        await pair.bobby.restart()
        await asyncio.sleep(600)
        assert not pair.bobby.messages(pair.alice)[-1].verified
        pair.world.directory.is_down = False
        await until(lambda: pair.bobby.messages(pair.alice)[-1].verified, "the mark is lifted", 120)
        changed = [event.message for event in pair.bobby.events if isinstance(event, MessageChanged)]
        assert (changed[-1].id, changed[-1].verified) == (message.id, True)


@simulated
async def test_what_another_root_had_signed_keeps_its_mark_even_after_the_alarm_is_acknowledged(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        await _meet(pair)
        await asyncio.sleep(120)
        pair.world.directory.is_down = True
        await _say(pair, pair.alice.keys, "was that her?")
        await pair.bobby.gets(pair.alice, "hello", "was that her?", limit_s=30)
        pair.alice.change_root("somebody")
        pair.world.directory.is_down = False
        await until(lambda: pair.bobby.engine.conversations.chats()[0].alarm, "the alarm is raised", 120)
        pair.bobby.engine.conversations.acknowledge_alarm(pair.alice.name)
        await asyncio.sleep(600)
        assert [each.verified for each in pair.bobby.messages(pair.alice) if not each.mine] == [True, False]


@simulated
async def test_a_look_up_is_good_for_a_minute(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        await _meet(pair)
        lookups = pair.world.directory.lookups
        before = lookups.count(pair.alice.name)
        for _ in range(5):
            await _say(pair, pair.alice.keys, "again")
            await asyncio.sleep(5)
        assert lookups.count(pair.alice.name) == before
        await asyncio.sleep(120)
        await pair.alice.write(pair.bobby, "later")
        await until(lambda: pair.bobby.texts(pair.alice)[-1] == "later", "it arrives")
        assert lookups.count(pair.alice.name) > before


@simulated
async def test_a_changed_root_raises_an_alarm_that_blocks_sending_until_it_is_acknowledged(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        await _meet(pair)
        new = pair.bobby.change_root("bobby_anew")
        pair.beach.adopt(pair.bobby.name, new.chain, new.signed_medium_key())
        await asyncio.sleep(120)
        before = len(pair.beach.mailbox(pair.bobby.name).entries)
        message = await pair.alice.write(pair.bobby, "the safe is open")
        await until(lambda: pair.alice.engine.conversations.chats()[0].alarm, "the alarm is raised", 60)
        await asyncio.sleep(600)
        assert len(pair.beach.mailbox(pair.bobby.name).entries) == before, "nothing went out"
        found = pair.alice.find(message.id)
        assert found.state is SendState.QUEUED
        assert "identity" in str(found.failure)
        (alarm,) = _alarms(pair.alice)
        assert alarm.chat == pair.bobby.name
        await pair.alice.restart()
        assert pair.alice.engine.conversations.chats()[0].alarm
        await asyncio.sleep(600)
        assert pair.alice.find(message.id).state is SendState.QUEUED
        pair.alice.engine.conversations.acknowledge_alarm(pair.bobby.name)
        await pair.alice.has_sent(message, limit_s=120)
        assert pair.alice.engine.conversations.chats()[0].alarm is None
        assert len(_alarms(pair.alice)) == 1
        sent = pair.beach.mailbox(pair.bobby.name).entries[-1].message
        assert unseal(sent, new.medium_secrets).signed.sender == pair.alice.name


@simulated
async def test_a_root_that_changes_while_messages_are_being_sent_lets_none_through(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        await _meet(pair)
        await asyncio.sleep(59)
        new = pair.bobby.change_root("mallory")
        pair.beach.adopt(pair.bobby.name, new.chain, new.signed_medium_key())
        for number in range(30):
            await pair.alice.write(pair.bobby, f"number {number}")
            await asyncio.sleep(5)
        await until(lambda: pair.alice.engine.conversations.chats()[0].alarm, "the alarm is raised", 60)
        for entry in pair.beach.mailbox(pair.bobby.name).entries:
            with pytest.raises(Unverified):
                unseal(entry.message, new.medium_secrets)


@simulated
async def test_a_message_under_a_new_root_raises_the_alarm_too(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        await _meet(pair)
        new = pair.alice.change_root("alice_anew")
        await asyncio.sleep(120)
        await _say(pair, new, "it is me")
        await until(lambda: pair.bobby.engine.conversations.chats()[0].alarm, "the alarm is raised", 60)
        await pair.bobby.gets(pair.alice, "hello", "it is me")


@simulated
async def test_a_new_root_is_asked_for_before_a_message_under_it_is_given_up(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        await _meet(pair)
        await asyncio.sleep(5)  # what is known of Alice is fresh, and just now became wrong
        new = pair.alice.change_root("alice_anew")
        pair.world.directory.is_down = True
        await asyncio.sleep(70)
        await _say(pair, new, "it is me")
        await until(lambda: pair.bobby.engine.conversations.status().waiting == 1, "it waits", 60)
        pair.world.directory.is_down = False
        await pair.bobby.gets(pair.alice, "hello", "it is me", limit_s=400)


@simulated
async def test_an_alarm_about_one_person_blocks_nobody_else(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        carol = pair.world.device("carol", pair.harbor)
        carol.start()
        await _meet(pair)
        pair.bobby.change_root("bobby_anew")
        await asyncio.sleep(120)
        await pair.alice.write(pair.bobby, "blocked")
        await pair.alice.write(carol, "not blocked")
        await carol.gets(pair.alice, "not blocked", limit_s=10)


@simulated
async def test_a_directory_caught_lying_is_told_once_and_stored_until_acknowledged(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        await _meet(pair)
        await asyncio.sleep(120)
        pair.bobby.directory.lie = "two logs at height 7"
        for number in range(3):
            await _say(pair, pair.alice.keys, f"number {number}")
            await asyncio.sleep(60)
        (alarm,) = _alarms(pair.bobby)
        assert "two logs at height 7" in alarm.text
        assert alarm.chat is None
        await pair.bobby.restart()
        assert "two logs at height 7" in str(pair.bobby.engine.conversations.status().alarm)
        with pytest.raises(Unreachable):
            await pair.bobby.engine.conversations.start_chat(Username("@carol"))
        assert len(_alarms(pair.bobby)) == 1
        pair.bobby.directory.lie = None
        pair.bobby.engine.conversations.acknowledge_alarm(None)
        assert pair.bobby.engine.conversations.status().alarm is None
        await until(lambda: all(each.verified for each in pair.bobby.messages(pair.alice)), "all is checked", 120)
        pair.bobby.directory.lie = "again"
        await asyncio.sleep(120)
        await _say(pair, pair.alice.keys, "more")
        await until(lambda: len(_alarms(pair.bobby)) == 2, "a new lie is told", 60)


@simulated
async def test_a_name_whose_entry_is_no_user_is_nobody(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        mallory = pair.world.device("mallory", pair.beach)
        garbage = Blob("v1.made_up", Base64Bytes(b"???"))
        pair.world.directory.set_value(mallory.name, mallory.keys.secret, garbage)
        await _say(pair, mallory.keys, "hello")
        await _meet(pair)
        await asyncio.sleep(3600.0)  # our directory might have been behind the sender's
        status = pair.bobby.engine.conversations.status()
        assert (status.waiting, status.rejected) == (0, 1), "it does not wait for ever, and keeps no secret alive"
        assert all(each.verified for each in pair.bobby.messages(pair.alice)), (
            "it takes nobody else's verification away"
        )


@simulated
async def test_nobody_can_name_an_account_into_the_list_of_contacts(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        mallory = pair.world.device("mallory", pair.beach)
        forged = builders.Device(pair.alice.name, mallory.keys.secret, mallory.keys.chain, mallory.keys.medium)
        await _say(pair, forged, "I am Alice")
        await asyncio.sleep(60)
        assert pair.bobby.engine.conversations.chats() == []
        assert pair.bobby.engine.conversations.status().rejected == 1


@simulated
async def test_a_directory_that_says_another_of_oneself_at_first_is_not_believed(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        carol = pair.world.device("carol", pair.harbor)
        carol.change_root("mallory")
        carol.start()
        await carol.write(carol, "a note to myself")
        await until(lambda: any(isinstance(event, AlarmRaised) for event in carol.events), "it is an alarm", 300)
        await asyncio.sleep(120)
        assert carol.messages(carol)[0].state is SendState.QUEUED
