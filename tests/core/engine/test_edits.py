"""Edits and withdrawals: by the author alone, the same everywhere in whatever order they come (spec: extensions.md)."""

import asyncio
import itertools
from pathlib import Path

import pytest

from tests.core.engine.said_about import only, post_control, target_of
from tests.sim.people import acquaint, two_people
from tests.sim.virtual_time import simulated, until
from tests.sim.world import SimDevice
from xirtam_core.chat import Message, SendState
from xirtam_core.codec.primitives import Hash
from xirtam_core.errors import Malformed, NotFound, Refused
from xirtam_core.events import ChatChanged, MessageChanged, MessageRemoved
from xirtam_core.protocol.control import DELETE, EDIT, REACTION, Edit, ReactionBody, Withdrawal
from xirtam_core.storage import devices, early_controls


async def _hello(alice: SimDevice, bobby: SimDevice) -> Message:
    message = await alice.write(bobby, "hello")
    await bobby.gets(alice, "hello")
    await alice.has_sent(message)
    return message


def _is_withdrawn(device: SimDevice, peer: SimDevice, message: Message) -> bool:
    return bool(device.messages(peer)) and only(device, peer, message.id).is_withdrawn


def _finds(device: SimDevice, word: str) -> bool:
    sql = "SELECT 1 FROM message_texts WHERE message_texts MATCH ?"
    return device.database.row(sql, word) is not None


@simulated
async def test_an_edited_message_says_the_new_text_on_every_device(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        tablet = pair.world.another_device(pair.alice, "tablet")
        tablet.start()
        message = await _hello(pair.alice, pair.bobby)
        cursor = pair.bobby.engine.conversations.latest_change()
        edited = pair.alice.engine.conversations.edit(pair.bobby.name, message.id, "goodbye")
        assert (edited.text, edited.is_edited, edited.id) == ("goodbye", True, message.id)
        await pair.bobby.gets(pair.alice, "goodbye")
        await until(lambda: tablet.texts(pair.bobby) == ["goodbye"], "the tablet has it", 60)
        got = pair.bobby.messages(pair.alice)[0]
        assert (got.is_edited, got.id) == (True, message.id)
        assert [each.message for each in pair.bobby.engine.conversations.changes(cursor)] == [got]
        assert MessageChanged(got) in pair.bobby.events
        for device in (pair.alice, pair.bobby, tablet):
            assert _finds(device, "goodbye")
            assert not _finds(device, "hello")
        chat = pair.bobby.engine.conversations.chats()[0]
        assert chat.last == got
        assert ChatChanged(chat) in pair.bobby.events


@simulated
async def test_a_withdrawn_message_leaves_nothing_but_that_there_was_one(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        await acquaint(pair)
        question = pair.alice.messages(pair.bobby)[0]
        message = pair.alice.engine.conversations.send_text(pair.bobby.name, "a secret", reply_to=question.id)
        await until(lambda: "a secret" in pair.bobby.texts(pair.alice), "it is there", 60)
        await pair.alice.has_sent(message)
        pair.alice.engine.conversations.edit(pair.bobby.name, message.id, "a sekret")
        pair.bobby.engine.conversations.react(pair.alice.name, message.id, "👍")
        await until(lambda: only(pair.alice, pair.bobby, message.id).reactions, "the reaction is there", 60)
        pair.alice.engine.conversations.withdraw(pair.bobby.name, message.id)
        await until(lambda: only(pair.bobby, pair.alice, message.id).is_withdrawn, "it is taken back", 60)
        await asyncio.sleep(60)
        for device, peer in ((pair.alice, pair.bobby), (pair.bobby, pair.alice)):
            found = only(device, peer, message.id)
            assert (found.text, found.quote, found.reactions, found.is_edited) == ("", None, (), False)
            assert not _finds(device, "secret")
            assert not _finds(device, "sekret")
            rows = device.database.rows("SELECT body, edited_body FROM messages WHERE is_withdrawn")
            assert rows == [(b"", None)]
        again = pair.alice.engine.conversations.withdraw(pair.bobby.name, message.id)
        assert again.is_withdrawn
        for refused in ("edit", "react"):
            with pytest.raises(Refused):
                getattr(pair.alice.engine.conversations, refused)(pair.bobby.name, message.id, "👍")


@simulated
async def test_nobody_changes_what_another_has_said(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        message = await _hello(pair.alice, pair.bobby)
        edit, withdrawal = Edit(target_of(message), "I am a fool"), Withdrawal(target_of(message))
        for mailbox in (pair.alice, pair.bobby):  # Bobby says it to Alice, and to his own other devices
            for mime, body in ((EDIT, edit), (DELETE, withdrawal)):
                to = pair.alice
                await post_control(pair, pair.bobby.keys, mailbox, mime, body.render(), message.sent_at + 5, to)
        await pair.bobby.write(pair.alice, "done")
        await pair.alice.gets(pair.bobby, "done")
        await asyncio.sleep(60)
        assert pair.alice.texts(pair.bobby) == pair.bobby.texts(pair.alice) == ["hello", "done"]
        for change in ("edit", "withdraw"):
            arguments = ("I am a fool",) if change == "edit" else ()
            with pytest.raises(Refused):
                getattr(pair.bobby.engine.conversations, change)(pair.alice.name, message.id, *arguments)


@simulated
async def test_only_what_is_there_and_sensible_can_be_edited(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        message = await _hello(pair.alice, pair.bobby)
        conversations = pair.alice.engine.conversations
        with pytest.raises(NotFound):
            conversations.edit(pair.bobby.name, "00" * 32, "text")
        with pytest.raises(NotFound):
            conversations.edit("@nobody", message.id, "text")
        with pytest.raises(Malformed):
            conversations.edit(pair.bobby.name, message.id, "  ")
        assert not conversations.edit(pair.bobby.name, message.id, "hello").is_edited


@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_edits_come_to_the_same_in_whatever_order_they_come(tmp_path: Path, order: tuple[int, ...]) -> None:
    @simulated
    async def scenario() -> None:
        async with two_people(tmp_path) as pair:
            message = await _hello(pair.alice, pair.bobby)
            for number in order:
                body = Edit(target_of(message), f"version {number}").render()
                await post_control(pair, pair.alice.keys, pair.bobby, EDIT, body, message.sent_at + number)
            await pair.bobby.gets(pair.alice, "version 2", limit_s=60)
            body = Edit(target_of(message), "version 1b").render()
            await post_control(pair, pair.alice.keys, pair.bobby, EDIT, body, message.sent_at + 1)
            await asyncio.sleep(30)
            assert pair.bobby.texts(pair.alice) == ["version 2"]

    scenario()


@simulated
async def test_two_devices_that_edit_at_odds_come_to_the_same_whatever_their_clocks(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        tablet = pair.world.another_device(pair.alice, "tablet")
        tablet.start()
        pair.alice.clock.offset_s = 3 * 3600
        message = await _hello(pair.alice, pair.bobby)
        await until(lambda: tablet.texts(pair.bobby) == ["hello"], "the tablet has it", 60)
        pair.alice.engine.conversations.edit(pair.bobby.name, message.id, "from the phone")
        await until(lambda: tablet.texts(pair.bobby) == ["from the phone"], "the tablet has the edit", 60)
        tablet.engine.conversations.edit(pair.bobby.name, message.id, "from the tablet")
        await pair.bobby.gets(pair.alice, "from the tablet", limit_s=60)
        await until(lambda: pair.alice.texts(pair.bobby) == ["from the tablet"], "the phone has it", 60)
        for device, text in ((pair.alice, "one"), (tablet, "two")):  # both at once
            device.engine.conversations.edit(pair.bobby.name, message.id, text)
        await asyncio.sleep(60)
        assert (
            len(
                {tuple(device.texts(pair.bobby)) for device in (pair.alice, tablet)}
                | {tuple(pair.bobby.texts(pair.alice))}
            )
            == 1
        )


@simulated
async def test_what_comes_before_its_message_waits_for_it(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        await acquaint(pair)
        pair.bobby.end.is_cut = True
        await asyncio.sleep(600)
        message = await pair.alice.write(pair.bobby, "first")
        await pair.alice.has_sent(message)
        pair.alice.engine.conversations.edit(pair.bobby.name, message.id, "second")
        pair.alice.engine.conversations.react(pair.bobby.name, message.id, "👍")
        box = pair.beach.mailbox(pair.bobby.name)
        await until(lambda: len(box.entries) >= 5, "all is in the mailbox", 60)
        late = box.entries[-3]
        box.entries.remove(late)  # the message, which another way brings later
        pair.bobby.end.is_cut = False
        early = "SELECT count(*) FROM early_controls"
        await until(lambda: pair.bobby.database.row(early) == (2,), "both wait", 3600)
        assert pair.bobby.texts(pair.alice) == ["hello"]
        pair.bobby.events.clear()
        await pair.bobby.restart()
        await pair.world.post(pair.bobby, late.message)
        await pair.bobby.gets(pair.alice, "hello", "second", limit_s=60)
        got = only(pair.bobby, pair.alice, message.id)
        assert got.is_edited
        assert [reaction.emoji for reaction in got.reactions] == ["👍"]
        assert pair.bobby.database.row(early) == (0,)


@simulated
async def test_what_waits_is_bounded_in_number_and_time(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        message = await _hello(pair.alice, pair.bobby)
        for number in range(early_controls.MOST_OF_A_CHAT + 20):
            target = Hash(number.to_bytes(32, "big"))
            body = ReactionBody(target, "👍").render()
            await post_control(pair, pair.alice.keys, pair.bobby, REACTION, body, message.sent_at + number)

        def waiting() -> int:
            return len(pair.bobby.database.rows("SELECT 1 FROM early_controls"))

        await until(lambda: waiting() == early_controls.MOST_OF_A_CHAT, "the latest wait", 60)
        longer = early_controls.LONGEST_WAIT_S + 60
        pair.bobby.database.execute("UPDATE early_controls SET came_s = came_s - ?", longer)
        body = ReactionBody(Hash(bytes(32)), "👍").render()
        await post_control(pair, pair.alice.keys, pair.bobby, REACTION, body, message.sent_at + 7)
        await until(lambda: waiting() == 1, "the old ones are gone", 600)


@simulated
async def test_what_is_said_about_nothing_makes_no_chat(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        for mime in (EDIT, DELETE, REACTION):
            body = b'{"target":"%s","text":"boo","emoji":"\xf0\x9f\x91\x8d"}' % (b"00" * 32)
            await post_control(pair, pair.alice.keys, pair.bobby, mime, body, 10)
        await asyncio.sleep(60)
        assert pair.bobby.engine.conversations.chats() == []
        assert pair.bobby.database.rows("SELECT * FROM early_controls") == []
        assert pair.bobby.database.rows("SELECT * FROM people") == []
        assert pair.bobby.engine.conversations.status().rejected == 0


@simulated
async def test_a_message_edited_before_it_goes_out_arrives_edited(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        pair.world.machine(pair.beach).stop()
        message = await pair.alice.write(pair.bobby, "hello")
        pair.alice.engine.conversations.edit(pair.bobby.name, message.id, "goodbye")
        assert pair.alice.texts(pair.bobby) == ["goodbye"]
        await asyncio.sleep(120)
        await pair.alice.restart()
        pair.world.machine(pair.beach).start()
        await pair.bobby.gets(pair.alice, "goodbye", limit_s=300)
        assert pair.bobby.messages(pair.alice)[0].id == message.id


@simulated
async def test_a_message_withdrawn_before_it_goes_out_never_does(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        pair.world.machine(pair.beach).stop()
        message = await pair.alice.write(pair.bobby, "hello")
        await asyncio.sleep(60)
        withdrawn = pair.alice.engine.conversations.withdraw(pair.bobby.name, message.id)
        assert (withdrawn.is_withdrawn, withdrawn.text) == (True, "")
        assert pair.alice.texts(pair.bobby) == []
        assert MessageRemoved(pair.bobby.name, message.id) in pair.alice.events
        pair.world.machine(pair.beach).start()
        await asyncio.sleep(600)
        assert pair.bobby.engine.conversations.chats() == []


@simulated
async def test_a_message_withdrawn_after_its_answer_got_lost_is_withdrawn_at_the_peer_too(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        pair.world.faults.only, pair.world.faults.lost_reply = "v1_mailbox_send", 1.0
        message = await pair.alice.write(pair.bobby, "hello")
        await until(lambda: pair.alice.find(message.id).failure, "an attempt has failed", 60)
        assert pair.alice.find(message.id).state is SendState.QUEUED
        pair.alice.engine.conversations.withdraw(pair.bobby.name, message.id)
        pair.world.faults.lost_reply = 0.0
        await until(
            lambda: _is_withdrawn(pair.bobby, pair.alice, message),
            "it is taken back",
            300,
        )


@simulated
@pytest.mark.parametrize("how", ["withdraw", "discard"])
async def test_a_message_taken_back_after_the_power_went_during_its_sending_is_withdrawn_at_the_peer_too(
    tmp_path: Path, how: str
) -> None:
    async with two_people(tmp_path) as pair:
        pair.world.faults.latency_s = 20.0
        message = await pair.alice.write(pair.bobby, "hello")
        await until(lambda: pair.beach.mailbox(pair.bobby.name).entries, "the server has it", 300)
        await pair.alice.crash()
        pair.alice.end.is_cut = True
        conversations = pair.alice.start().conversations
        assert pair.alice.find(message.id).failure is None
        conversations.withdraw(pair.bobby.name, message.id) if how == "withdraw" else conversations.discard(message.id)
        pair.alice.end.is_cut = False
        await until(lambda: _is_withdrawn(pair.bobby, pair.alice, message), "it is taken back", 300)


@simulated
async def test_what_a_revoked_device_says_about_messages_changes_nothing(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        await acquaint(pair)
        stolen = pair.alice.keys.issue("stolen")
        message = pair.alice.messages(pair.bobby)[0]
        devices.revoke(pair.alice.database, stolen.hash)
        for mime, body in ((EDIT, Edit(target_of(message), "send money")), (DELETE, Withdrawal(target_of(message)))):
            await post_control(pair, stolen, pair.alice, mime, body.render(), pair.world.clock.now_ns(), pair.bobby)
        await asyncio.sleep(60)
        assert pair.alice.texts(pair.bobby) == ["hello"]


@simulated
async def test_a_withdrawn_message_is_not_sent_again(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        pair.beach.mailbox(pair.bobby.name).takes_messages = False
        message = await pair.alice.write(pair.bobby, "I never said that")
        await until(lambda: pair.alice.find(message.id).state is SendState.FAILED, "it fails", 120)
        pair.alice.database.execute("UPDATE messages SET is_withdrawn = 1")
        with pytest.raises(Refused):
            pair.alice.engine.conversations.retry(message.id)


@simulated
async def test_a_message_withdrawn_between_its_legs_is_withdrawn_on_the_other_device_too(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        tablet = pair.world.another_device(pair.alice, "tablet")
        tablet.start()
        await asyncio.sleep(5)
        pair.world.machine(pair.harbor).stop()
        message = await pair.alice.write(pair.bobby, "hello")
        await pair.bobby.gets(pair.alice, "hello")
        await pair.alice.has_sent(message)
        pair.alice.engine.conversations.withdraw(pair.bobby.name, message.id)
        await until(lambda: only(pair.bobby, pair.alice, message.id).is_withdrawn, "it is taken back", 60)
        await pair.alice.restart()
        pair.world.machine(pair.harbor).start()
        await until(
            lambda: _is_withdrawn(tablet, pair.bobby, message),
            "on the tablet",
            600,
        )
        await asyncio.sleep(120)
        assert pair.alice.database.rows("SELECT body FROM messages") == [(b"",)]
