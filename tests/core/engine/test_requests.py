"""Somebody unknown who writes is a message request: bounded, and the account's owner decides."""

import asyncio
from pathlib import Path

import pytest

from tests.core.engine.said_about import post_control, target_of
from tests.sim.people import Pair, two_people
from tests.sim.virtual_time import simulated, until
from tests.sim.world import SimDevice
from xirtam_core.chat import Chat, SendState
from xirtam_core.codec.primitives import Hash
from xirtam_core.engine import admission
from xirtam_core.errors import NotFound, Refused
from xirtam_core.events import ChatChanged, ChatRemoved, MessageAdded
from xirtam_core.people import Standing
from xirtam_core.protocol.control import EDIT, Edit
from xirtam_core.settings import Settings, Strangers
from xirtam_core.storage import counters


def _choose(device: SimDevice, strangers: Strangers) -> None:
    device.engine.preferences.change(Settings(strangers=strangers))


def _chat(device: SimDevice, peer: SimDevice) -> Chat:
    return next(chat for chat in device.engine.conversations.chats() if chat.peer == peer.name)


async def _request(pair: Pair, text: str = "hello") -> None:
    """Bobby, whom Alice does not know, writes to her."""
    _choose(pair.alice, Strangers.ASK)
    await pair.bobby.write(pair.alice, text)
    await pair.alice.gets(pair.bobby, text)


@simulated
async def test_what_somebody_unknown_writes_is_a_request_and_is_announced_as_any_message(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        await _request(pair)
        assert _chat(pair.alice, pair.bobby).standing is Standing.REQUEST
        assert [person.standing for person in pair.alice.engine.people.people()] == [Standing.REQUEST]
        assert any(isinstance(event, MessageAdded) for event in pair.alice.events)
        told = {event.chat.standing for event in pair.alice.events if isinstance(event, ChatChanged)}
        assert told == {Standing.REQUEST}
        assert _chat(pair.bobby, pair.alice).standing is Standing.CONTACT  # he has written to her


@simulated
async def test_a_requester_learns_nothing_until_they_are_accepted(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        await _request(pair)
        pair.alice.engine.conversations.mark_read(pair.bobby.name, _chat(pair.alice, pair.bobby).last.position)  # type: ignore[union-attr]
        await until(lambda: pair.bobby.messages(pair.alice)[0].state is SendState.SENT, "it is sent", 60)
        assert not pair.alice.database.rows("SELECT 1 FROM outbox WHERE to_peer")


@simulated
async def test_accepting_makes_a_contact(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        await _request(pair)
        assert pair.alice.engine.people.accept(pair.bobby.name).standing is Standing.CONTACT
        assert _chat(pair.alice, pair.bobby).standing is Standing.CONTACT
        last = [event.chat.standing for event in pair.alice.events if isinstance(event, ChatChanged)][-1]
        assert last is Standing.CONTACT


@simulated
async def test_writing_back_accepts_a_request(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        await _request(pair)
        pair.alice.engine.conversations.send_text(pair.bobby.name, "hello yourself")
        assert _chat(pair.alice, pair.bobby).standing is Standing.CONTACT


@simulated
async def test_starting_a_chat_with_a_requester_accepts_them(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        await _request(pair)
        chat = await pair.alice.engine.conversations.start_chat(pair.bobby.name)
        assert chat.standing is Standing.CONTACT


@simulated
async def test_strangers_are_contacts_at_once_where_that_is_set(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        _choose(pair.alice, Strangers.ACCEPT)
        await pair.bobby.write(pair.alice, "hello")
        await pair.alice.gets(pair.bobby, "hello")
        assert _chat(pair.alice, pair.bobby).standing is Standing.CONTACT


@simulated
async def test_what_strangers_write_is_not_kept_where_that_is_set(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        _choose(pair.alice, Strangers.REFUSE)
        await pair.bobby.has_sent(await pair.bobby.write(pair.alice, "hello"))
        await until(lambda: counters.get(pair.alice.database, "refused") == 1, "it is let go", 60)
        assert pair.alice.engine.conversations.chats() == []
        assert pair.alice.engine.people.people() == []
        assert pair.alice.engine.conversations.status().rejected == 0


@simulated
async def test_a_stranger_gets_in_so_many_messages_and_the_rest_is_put_aside_with_the_reason(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        _choose(pair.alice, Strangers.ASK)
        texts = [f"number {number}" for number in range(admission.MOST_MESSAGES + 3)]
        for text in texts:
            await pair.bobby.write(pair.alice, text)
        await until(lambda: pair.alice.engine.conversations.status().rejected == 3, "three are put aside", 600)
        assert pair.alice.texts(pair.bobby) == texts[: admission.MOST_MESSAGES]
        (reason,) = pair.alice.database.rows("SELECT DISTINCT reason FROM quarantine")
        assert reason == ("a stranger's 50 messages wait to be accepted already",)
        pair.alice.engine.people.accept(pair.bobby.name)
        await pair.bobby.write(pair.alice, "at last")
        await until(lambda: pair.alice.texts(pair.bobby)[-1] == "at last", "a contact has no bound", 600)


@simulated
async def test_a_stranger_gets_in_so_many_bytes(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        _choose(pair.alice, Strangers.ASK)
        for number in range(5):
            await pair.bobby.write(pair.alice, f"{number}" + "x" * (60 * 1024))
        await until(lambda: pair.alice.engine.conversations.status().rejected == 1, "the fifth is too much", 600)
        assert len(pair.alice.texts(pair.bobby)) == 4


@simulated
async def test_only_so_many_strangers_wait(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        _choose(pair.alice, Strangers.ASK)
        rows = [(f"@stranger{number}",) for number in range(admission.MOST_REQUESTERS)]
        pair.alice.database.execute_many("INSERT INTO people (username, standing) VALUES (?, 'request')", rows)
        await pair.bobby.write(pair.alice, "hello")
        await until(lambda: pair.alice.engine.conversations.status().rejected == 1, "it is put aside", 60)
        assert pair.alice.engine.conversations.chats() == []
        pair.alice.engine.people.forget(pair.alice.engine.people.people()[0].name)
        await pair.bobby.write(pair.alice, "is there room?")
        await pair.alice.gets(pair.bobby, "is there room?")


@simulated
async def test_what_somebody_blocked_writes_is_let_go_and_what_was_there_stays(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        await _request(pair)
        assert pair.alice.engine.people.block(pair.bobby.name).standing is Standing.BLOCKED
        await pair.bobby.has_sent(await pair.bobby.write(pair.alice, "are you there?"))
        await until(lambda: counters.get(pair.alice.database, "blocked") == 1, "it is let go", 60)
        assert pair.alice.texts(pair.bobby) == ["hello"]
        assert pair.alice.engine.conversations.status().rejected == 0
        assert pair.bobby.messages(pair.alice)[-1].state is SendState.SENT


@simulated
async def test_nothing_is_sent_to_somebody_blocked_until_they_are_accepted(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        await _request(pair)
        pair.alice.engine.people.block(pair.bobby.name)
        with pytest.raises(Refused, match="@bobby is blocked here"):
            pair.alice.engine.conversations.send_text(pair.bobby.name, "hello")
        with pytest.raises(Refused, match="@bobby is blocked here"):
            await pair.alice.engine.conversations.start_chat(pair.bobby.name)
        pair.alice.engine.people.accept(pair.bobby.name)
        await pair.alice.has_sent(pair.alice.engine.conversations.send_text(pair.bobby.name, "hello"))


@simulated
async def test_somebody_forgotten_leaves_nothing_here_and_is_a_stranger_when_they_come_back(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        await _request(pair, "a word to be searched for")
        alice = pair.alice.engine
        before = alice.conversations.latest_change()
        alice.people.forget(pair.bobby.name)
        assert alice.conversations.chats() == []
        assert alice.people.people() == []
        assert pair.alice.events[-1] == ChatRemoved(pair.bobby.name)
        for table in ("messages", "outbox", "reactions", "people", "chats"):
            assert not pair.alice.database.rows(f"SELECT 1 FROM {table}"), table  # ours
        assert not pair.alice.database.rows("SELECT 1 FROM message_texts WHERE message_texts MATCH 'searched'")
        await pair.bobby.write(pair.alice, "me again")
        await pair.alice.gets(pair.bobby, "me again")
        assert _chat(pair.alice, pair.bobby).standing is Standing.REQUEST
        assert [change.message.text for change in alice.conversations.changes(before)] == ["me again"]


@simulated
async def test_what_waits_for_somebody_forgotten_is_not_sent(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        pair.world.machine(pair.beach).stop()
        await pair.alice.write(pair.bobby, "never mind")
        pair.alice.engine.people.forget(pair.bobby.name)
        pair.world.machine(pair.beach).start()
        await pair.alice.write(pair.bobby, "this")
        await pair.bobby.gets(pair.alice, "this")


@simulated
async def test_nobody_unknown_can_be_accepted_blocked_or_forgotten(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        people = pair.alice.engine.people
        for ask in (people.accept, people.block, people.forget):
            with pytest.raises(NotFound, match="@bobby is not known here"):
                ask(pair.bobby.name)


@simulated
async def test_a_stranger_edits_no_more_bytes_in_than_they_may_write(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        _choose(pair.alice, Strangers.ASK)
        sent = [await pair.bobby.write(pair.alice, f"message {number}") for number in range(20)]
        await pair.alice.gets(pair.bobby, *(message.text for message in sent))
        unknown = [Hash(bytes([number]) * 32) for number in range(100)]
        for number, target in enumerate([*map(target_of, sent), *unknown]):
            body = Edit(target, f"edited {'x' * 60_000}").render()
            await post_control(pair, pair.bobby.keys, pair.alice, EDIT, body, sent[-1].sent_at + number)
        await asyncio.sleep(60)
        edited = [message for message in pair.alice.messages(pair.bobby) if message.is_edited]
        assert len(edited) == 4
        held = pair.alice.database.row("SELECT coalesce(sum(length(event)), 0) FROM early_controls")
        assert held is not None
        assert sum(len(message.text) for message in edited) + held[0] <= admission.MOST_BYTES
        assert pair.alice.engine.people.accept(pair.bobby.name).standing is Standing.CONTACT
        body = Edit(target_of(sent[-1]), "a contact's").render()
        await post_control(pair, pair.bobby.keys, pair.alice, EDIT, body, sent[-1].sent_at + 200)
        await until(lambda: pair.alice.texts(pair.bobby)[-1] == "a contact's", "a contact may", 60)


@simulated
async def test_a_word_on_a_requester_and_their_next_message_may_come_together(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        tablet = pair.world.another_device(pair.alice, "tablet")
        tablet.start()
        for device in (pair.alice, tablet):
            _choose(device, Strangers.ASK)
        await asyncio.sleep(100)
        await pair.bobby.write(pair.alice, "one")
        for device in (pair.alice, tablet):
            await device.gets(pair.bobby, "one")
        tablet.engine.people.forget(pair.bobby.name)
        await tablet.crash()
        pair.alice.engine.people.set_petname(pair.bobby.name, "Bob")
        await asyncio.sleep(60)
        await pair.bobby.has_sent(await pair.bobby.write(pair.alice, "two"))
        tablet.start()
        await tablet.gets(pair.bobby, "two", limit_s=60)
        assert _chat(tablet, pair.bobby).petname == "Bob"
