"""What becomes of an entry that arrives (spec: client.md, Receiving)."""

import asyncio
from pathlib import Path

import pytest

from tests import builders
from tests.sim.people import Pair, nothing_but_messages, two_people
from tests.sim.virtual_time import simulated, until
from tests.sim.world import SimDevice
from xirtam_core.codec.primitives import Base64Bytes
from xirtam_core.errors import NotFound
from xirtam_core.events import ChatChanged, MessageAdded
from xirtam_core.names import Username
from xirtam_core.protocol.blob import CONTROL, Blob
from xirtam_core.storage import journal


async def _say(pair: Pair, sender: SimDevice, text: str) -> None:
    """Puts a message into Bobby's mailbox without asking the directory."""
    event = builders.text_event(pair.bobby.name, text)
    await pair.world.post(pair.bobby, builders.sealed_message(sender.keys, event, [pair.bobby.keys]))


@simulated
async def test_being_written_to_makes_a_contact(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        assert pair.bobby.engine.conversations.chats() == []
        await pair.alice.write(pair.bobby, "hello")
        await pair.bobby.gets(pair.alice, "hello")
        (chat,) = pair.bobby.engine.conversations.chats()
        assert (chat.peer, chat.server, chat.unread) == (pair.alice.name, pair.harbor.name, 1)
        assert [event.message.text for event in pair.bobby.events if isinstance(event, MessageAdded)] == ["hello"]
        assert any(isinstance(event, ChatChanged) and event.chat.unread == 1 for event in pair.bobby.events)


@simulated
async def test_writing_to_somebody_makes_a_contact(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        await pair.alice.write(pair.bobby, "hello")
        (chat,) = pair.alice.engine.conversations.chats()
        assert (chat.peer, chat.server, chat.unread) == (pair.bobby.name, pair.beach.name, 0)
        assert chat.last is not None
        assert chat.last.text == "hello"


@simulated
async def test_an_answer_comes_into_the_same_chat(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        await pair.alice.write(pair.bobby, "hello")
        await pair.bobby.gets(pair.alice, "hello")
        await pair.bobby.write(pair.alice, "hi")
        await pair.alice.gets(pair.bobby, "hi")
        await until(lambda: all(each.received_at for each in pair.bobby.messages(pair.alice)), "the own copy is there")
        assert pair.alice.texts(pair.bobby) == pair.bobby.texts(pair.alice) == ["hello", "hi"]
        assert len(pair.alice.engine.conversations.chats()) == len(pair.bobby.engine.conversations.chats()) == 1


@simulated
async def test_what_another_own_device_wrote_shows_in_the_chat_with_the_peer(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        tablet = pair.alice.keys.issue("alice's tablet")
        event = builders.text_event(pair.bobby.name, "from my tablet")
        await pair.world.post(pair.alice, builders.sealed_message(tablet, event, [pair.alice.keys]))
        await until(lambda: pair.alice.texts(pair.bobby) == ["from my tablet"], "it shows")
        (message,) = pair.alice.messages(pair.bobby)
        assert message.mine
        assert pair.alice.engine.conversations.chats()[0].unread == 0


@simulated
async def test_the_same_event_is_shown_once_however_often_it_arrives(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        event = builders.text_event(pair.bobby.name, "hello")
        for _ in range(3):
            await pair.world.post(pair.bobby, builders.sealed_message(pair.alice.keys, event, [pair.bobby.keys]))
            await asyncio.sleep(10)
            await pair.bobby.restart()
        await pair.bobby.gets(pair.alice, "hello")
        assert len([each for each in pair.bobby.events if isinstance(each, MessageAdded)]) == 1
        assert pair.bobby.engine.conversations.chats()[0].unread == 1


@simulated
async def test_the_same_words_said_twice_are_two_messages(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        await pair.alice.write(pair.bobby, "ping")
        await pair.alice.write(pair.bobby, "ping")
        await pair.bobby.gets(pair.alice, "ping", "ping")


@simulated
async def test_a_crash_between_journal_and_understanding_loses_nothing(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        nothing_but_messages(pair)
        await pair.bobby.crash()
        await pair.alice.has_sent(await pair.alice.write(pair.bobby, "hello"))
        pair.bobby.start()
        while not journal.due(pair.bobby.database, builders.NOW_S * 2, 10):  # noqa: ASYNC110
            await asyncio.sleep(0.01)  # it stays there for as long as the directory takes to answer
        (box,) = journal.followed(pair.bobby.database, pair.beach.name)
        cursor = box.cursor_ns
        assert cursor > 0
        await pair.bobby.crash()
        pair.beach.mailbox(pair.bobby.name).entries.clear()
        pair.bobby.start()
        await pair.bobby.gets(pair.alice, "hello")
        assert journal.followed(pair.bobby.database, pair.beach.name)[0].cursor_ns == cursor


@simulated
async def test_a_message_from_a_stranger_waits_while_the_directory_is_out_of_reach(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        await asyncio.sleep(1)
        pair.world.directory.is_down = True
        await _say(pair, pair.alice, "you do not know me")
        await until(lambda: pair.bobby.engine.conversations.status().waiting == 1, "it waits", 60)
        await asyncio.sleep(3600)
        assert pair.bobby.engine.conversations.chats() == []
        await pair.bobby.restart()
        pair.world.directory.is_down = False
        await pair.bobby.gets(pair.alice, "you do not know me", limit_s=400)
        assert pair.bobby.messages(pair.alice)[0].verified
        assert pair.bobby.engine.conversations.status().waiting == 0


@simulated
async def test_an_entry_that_waits_does_not_hold_up_other_senders(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        carol = pair.world.device("carol", pair.harbor)
        carol.start()
        await carol.write(pair.bobby, "bobby knows me")
        await pair.bobby.gets(carol, "bobby knows me")
        await asyncio.sleep(1)
        pair.world.directory.is_down = True
        await _say(pair, pair.alice, "and me he does not")
        await until(lambda: pair.bobby.engine.conversations.status().waiting == 1, "it waits", 60)
        await _say(pair, carol, "still here")
        await pair.bobby.gets(carol, "bobby knows me", "still here", limit_s=30)
        assert pair.bobby.texts(pair.alice) == []


@simulated
async def test_what_waited_comes_before_what_the_same_sender_said_later(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        await asyncio.sleep(1)
        pair.world.directory.is_down = True
        await _say(pair, pair.alice, "one")
        await until(lambda: pair.bobby.engine.conversations.status().waiting == 1, "it waits", 60)
        await asyncio.sleep(600)
        pair.world.directory.is_down = False
        await _say(pair, pair.alice, "two")
        await pair.bobby.gets(pair.alice, "one", "two", limit_s=30)
        assert [each.message.text for each in pair.bobby.engine.conversations.received(0, 10)] == ["one", "two"]


@simulated
async def test_order_is_that_of_arrival_in_the_own_mailbox(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        for number, sent_at in enumerate((9, 2**63 - 1, 1)):  # whatever clocks say
            event = builders.text_event(pair.bobby.name, f"number {number}", sent_at=sent_at)
            await pair.world.post(pair.bobby, builders.sealed_message(pair.alice.keys, event, [pair.bobby.keys]))
        await pair.bobby.gets(pair.alice, "number 0", "number 1", "number 2")


@simulated
async def test_an_event_of_a_kind_that_is_not_known_makes_no_contact_and_no_message(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        event = builders.text_event(pair.bobby.name, '{"active": true}')
        await pair.world.post(pair.bobby, builders.sealed_message(pair.alice.keys, event, [pair.bobby.keys], CONTROL))
        await pair.world.post(pair.bobby, Blob("v1.plaintext_direct_message", Base64Bytes(b"buy now")))
        await asyncio.sleep(30)
        status = pair.bobby.engine.conversations.status()
        assert (pair.bobby.engine.conversations.chats(), status.waiting, status.rejected) == ([], 0, 0)
        assert journal.due(pair.bobby.database, builders.NOW_S * 2, 10) == []


@simulated
async def test_received_messages_can_be_followed_by_a_cursor_that_survives_a_restart(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        for number in range(5):
            await pair.alice.write(pair.bobby, f"number {number}")
        await pair.bobby.gets(pair.alice, *(f"number {number}" for number in range(5)))
        first = pair.bobby.engine.conversations.received(0, 2)
        assert [each.message.text for each in first] == ["number 0", "number 1"]
        pair.bobby.engine.conversations.mark_listened(first[-1].cursor)
        await pair.bobby.restart()
        rest = pair.bobby.engine.conversations.received(pair.bobby.engine.conversations.listened(), 100)
        assert [each.message.text for each in rest] == ["number 2", "number 3", "number 4"]
        assert pair.bobby.engine.conversations.received(2**80, 100) == []


@simulated
async def test_a_chat_with_a_name_that_nobody_has_is_not_made(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        with pytest.raises(NotFound, match="@nobody"):
            await pair.alice.engine.conversations.start_chat(Username("@nobody"))
        assert pair.alice.engine.conversations.chats() == []
