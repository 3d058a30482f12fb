"""Mentions in groups: counted while they are unread, whoever's client wrote them (spec: messages.md, Event)."""

from pathlib import Path

from tests.sim.groups import Circle, circle, holds
from tests.sim.virtual_time import simulated, until
from tests.sim.world import SimDevice
from xirtam_core.chat import Chat, Message
from xirtam_core.codec.primitives import Base64Bytes, Hash
from xirtam_core.crypto import aead, dh
from xirtam_core.protocol import group_message, rekey
from xirtam_core.protocol.archive import ArchivedMessage
from xirtam_core.protocol.blob import MESSAGE_CONTENT
from xirtam_core.protocol.event import TEXT, Event, ToGroup
from xirtam_core.storage import archive, groups


def _chat(device: SimDevice, chat: str) -> Chat:
    return next(each for each in device.engine.conversations.chats() if each.id == chat)


def _last(device: SimDevice, chat: str) -> Message:
    return [each for each in device.messages(chat) if each.kind != "notice"][-1]


async def _mentions(group: Circle, device: SimDevice, count: int) -> None:
    await until(lambda: _chat(device, group.group).mentions == count, f"{count} mentions are unread", 600)


@simulated
async def test_a_name_is_a_mention_for_whom_it_names_until_it_is_read(tmp_path: Path) -> None:
    async with circle(tmp_path) as group:
        group.alice.engine.conversations.send_text(group.group, "who comes on Thursday, @Bobby?")
        group.alice.engine.conversations.send_text(group.group, "bobby@carol is no address")
        await group.all_get("who comes on Thursday, @Bobby?", "bobby@carol is no address")
        bobbys = _chat(group.bobby, group.group)
        assert (bobbys.mentions, bobbys.unread) == (1, 2)
        assert [each.mentions_me for each in group.bobby.messages(group.group) if each.kind == "text"] == [True, False]
        assert (_chat(group.carol, group.group).mentions, _chat(group.alice, group.group).mentions) == (0, 0)
        first = next(each for each in group.bobby.messages(group.group) if each.mentions_me)
        group.bobby.engine.conversations.mark_read(group.group, first.position)
        bobbys = _chat(group.bobby, group.group)
        assert (bobbys.mentions, bobbys.unread) == (0, 1)


@simulated
async def test_an_answer_is_a_mention_for_whom_it_answers(tmp_path: Path) -> None:
    async with circle(tmp_path) as group:
        for device in (group.alice, group.bobby, group.carol):
            for other in {group.alice, group.bobby, group.carol} - {device}:
                await device.engine.conversations.start_chat(other.name)
                device.engine.conversations.send_text(other.name, "hello")
        await until(lambda: len(group.alice.messages(group.carol.name)) == 2, "they have met", 600)
        group.alice.engine.conversations.send_text(group.group, "who comes?")
        await group.all_get("who comes?")
        group.carol.engine.conversations.send_text(group.group, "I do", reply_to=_last(group.carol, group.group).id)
        await group.all_get("who comes?", "I do")
        assert _last(group.alice, group.group).reply_to is not None
        assert (_chat(group.alice, group.group).mentions, _chat(group.bobby, group.group).mentions) == (1, 0)


@simulated
async def test_an_edit_makes_a_mention_and_unmakes_one_and_a_withdrawal_leaves_none(tmp_path: Path) -> None:
    async with circle(tmp_path) as group:
        written = group.alice.engine.conversations.send_text(group.group, "@carol, who comes?")
        await _mentions(group, group.carol, 1)
        group.alice.engine.conversations.edit(group.group, written.id, "@bobby, who comes?")
        await _mentions(group, group.bobby, 1)
        await _mentions(group, group.carol, 0)
        assert _last(group.bobby, group.group).mentions_me
        group.alice.engine.conversations.withdraw(group.group, written.id)
        await _mentions(group, group.bobby, 0)
        assert not _last(group.bobby, group.group).mentions_me


@simulated
async def test_a_muted_group_counts_mentions_and_a_direct_chat_has_none(tmp_path: Path) -> None:
    async with circle(tmp_path) as group:
        group.bobby.engine.groups.mute(group.group, muted=True)
        group.alice.engine.conversations.send_text(group.group, "@bobby?")
        group.alice.engine.conversations.send_text(group.bobby.name, "@bobby?")
        await _mentions(group, group.bobby, 1)
        await until(lambda: _last(group.bobby, group.alice.name).text == "@bobby?", "it comes", 600)
        assert _chat(group.bobby, group.alice.name).mentions == 0


@simulated
async def test_a_mention_that_had_to_wait_for_its_key_counts_although_what_came_after_it_is_read(
    tmp_path: Path,
) -> None:
    async with circle(tmp_path) as group:
        stored = groups.find(group.alice.database, group.group)
        assert stored is not None
        key, keys = aead.new_key(), group.alice.keys
        event = Event(ToGroup(stored.id), group.world.clock.now_ns(), TEXT, Base64Bytes(b"early, @bobby"))
        early = group_message.seal(MESSAGE_CONTENT, event, keys.username, keys.secret, keys.chain, key)
        await group.harbor.mailbox_send(stored.token, stored.messages_mailbox, early, 0)
        group.alice.engine.conversations.send_text(group.group, "late, @bobby")
        await holds(group.bobby, group.group, "late, @bobby")
        group.bobby.engine.conversations.mark_read(group.group, _last(group.bobby, group.group).position)
        assert _chat(group.bobby, group.group).mentions == 0
        receivers = [dh.public_of(group.bobby.keys.medium)]
        rekeyed = rekey.seal(stored.id, key, keys.username, keys.secret, keys.chain, receivers)
        await group.harbor.mailbox_send(stored.token, stored.messages_mailbox, rekeyed, 0)
        await _mentions(group, group.bobby, 1)
        group.bobby.engine.conversations.mark_read(group.group, _last(group.bobby, group.group).position)
        assert _chat(group.bobby, group.group).mentions == 0


@simulated
async def test_what_another_device_has_kept_is_a_mention_by_what_it_says_now(tmp_path: Path) -> None:
    async with circle(tmp_path) as group:
        at_ns = group.world.clock.now_ns()
        changes = (
            ("@bobby?", None, False),
            ("@bobby?", b"@carol?", False),
            ("hm", b"@bobby?", False),
            ("@bobby?", None, True),
        )
        for number, (text, edited, is_withdrawn) in enumerate(changes):
            event = Event(ToGroup(Hash.from_text(group.group)), at_ns + number, TEXT, Base64Bytes(text.encode()))
            kept = ArchivedMessage(
                group.group, group.alice.name, bytes(event.hash()), event.sent_at, event.sent_at, event.sent_at, TEXT,
                event.body, edited_body=edited, edited_at_ns=None if edited is None else event.sent_at, is_withdrawn=is_withdrawn,
            )  # fmt: skip
            archive.take_message(group.bobby.database, kept, group.bobby.name)
        assert [each.mentions_me for each in group.bobby.messages(group.group)[-4:]] == [True, False, True, False]
        assert _chat(group.bobby, group.group).mentions == 2
