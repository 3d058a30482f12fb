"""Who is told what a client understands, and who writes just now (spec: extensions.md, Control events)."""

import asyncio
from pathlib import Path

import msgspec

from tests import builders
from tests.core.engine.said_about import post_control
from tests.sim.home_server import ReferenceServer, SimHomeServer
from tests.sim.people import Pair, acquaint, knows, two_people
from tests.sim.virtual_time import simulated, until
from tests.sim.world import SimDevice
from xirtam_core.chat import MessageKind
from xirtam_core.codec.primitives import AuthToken, Base64Bytes, Hash
from xirtam_core.events import ChatChanged, MessageAdded, Typing
from xirtam_core.people import Standing
from xirtam_core.protocol import direct_message
from xirtam_core.protocol.blob import CONTROL, MESSAGE_CONTENT, Blob
from xirtam_core.protocol.control import HELLO, TYPING, Hello, TypingNotice
from xirtam_core.protocol.event import TEXT, Event, ToUser
from xirtam_core.settings import Settings
from xirtam_core.storage import people, settings


class Opened(msgspec.Struct, frozen=True):
    """What lies in a mailbox: the kind of the inner blob, and the MIME type of the event."""

    kind: str
    mime: str


def _lying_there(pair: Pair, device: SimDevice) -> list[Opened]:
    home = pair.harbor if device is pair.alice else pair.beach
    found: list[Opened] = []
    for entry in home.mailbox(device.name).entries:
        signed = direct_message.unseal(entry.message, device.keys.medium_secrets).signed
        opened = direct_message.open_signed(signed, device.name)
        found.append(Opened(opened.kind, opened.event.mime.removeprefix("application/vnd.xirtam.v1.")))
    return found


def _features(device: SimDevice, other: SimDevice) -> tuple[str, ...] | None:
    person = people.find(device.database, other.name)
    return None if person is None else person.features


def _typings(device: SimDevice) -> list[bool]:
    return [event.active for event in device.events if isinstance(event, Typing)]


@simulated
async def test_each_says_hello_once_when_a_conversation_begins(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        await acquaint(pair)
        assert set(_features(pair.alice, pair.bobby) or ()) >= {
            "reply",
            "edit",
            "delete",
            "reaction",
            "receipt",
            "typing",
        }
        for device, other in ((pair.alice, pair.bobby), (pair.bobby, pair.alice)):
            await device.write(other, "how are you?")
        await asyncio.sleep(60)
        for device in (pair.alice, pair.bobby):
            assert [each.mime for each in _lying_there(pair, device)].count(
                "hello"
            ) == 2  # the other's, and the own copy
        assert _lying_there(pair, pair.bobby)[0] == Opened(MESSAGE_CONTENT, TEXT)
        assert any(isinstance(event, ChatChanged) for event in pair.alice.events)


@simulated
async def test_a_client_that_has_said_nothing_gets_messages_and_what_it_passes_over(tmp_path: Path) -> None:
    async with two_people(tmp_path, beach=ReferenceServer) as pair:
        await pair.bobby.crash()  # in his place is a client that says nothing
        first = await pair.alice.write(pair.bobby, "hello")
        conversations = pair.alice.engine.conversations
        conversations.send_text(pair.bobby.name, "are you there?", reply_to=first.id)
        conversations.edit(pair.bobby.name, first.id, "hallo")
        conversations.react(pair.bobby.name, first.id, "👍")
        await conversations.set_typing(pair.bobby.name, active=True)
        await asyncio.sleep(60)
        conversations.withdraw(pair.bobby.name, first.id)
        await asyncio.sleep(60)
        found = _lying_there(pair, pair.bobby)
        assert {each.mime for each in found if each.kind == MESSAGE_CONTENT} == {TEXT}
        assert {each.mime for each in found if each.kind != MESSAGE_CONTENT} == {"hello", "edit", "reaction", "delete"}
        assert {each.kind for each in found} == {MESSAGE_CONTENT, CONTROL}


@simulated
async def test_two_devices_of_an_account_say_hello_once(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        tablet = pair.world.another_device(pair.alice, "tablet")
        tablet.start()
        await acquaint(pair)
        await until(lambda: knows(tablet, pair.bobby) and tablet.texts(pair.bobby) == ["hello"], "the tablet knows", 60)
        await tablet.write(pair.bobby, "from the tablet")
        await pair.bobby.gets(pair.alice, "hello", "from the tablet")
        await asyncio.sleep(60)
        assert [each.mime for each in _lying_there(pair, pair.bobby)].count("hello") == 2


@simulated
async def test_a_hello_of_a_stranger_makes_no_chat_and_is_not_answered(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        for mime, body in ((HELLO, Hello(("edit",))), (TYPING, TypingNotice(active=True))):
            await post_control(pair, pair.alice.keys, pair.bobby, mime, body.render(), builders.NOW_NS)
        await asyncio.sleep(60)
        assert pair.bobby.engine.conversations.chats() == []
        assert not [event for event in pair.bobby.events if isinstance(event, ChatChanged | MessageAdded | Typing)]
        assert pair.harbor.mailbox(pair.alice.name).entries == []


@simulated
async def test_somebody_who_only_asks_to_write_is_not_told_what_this_client_understands(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        people.store(pair.bobby.database, people.Person(username=pair.alice.name, standing=Standing.REQUEST))
        await pair.alice.write(pair.bobby, "hello")
        await until(lambda: knows(pair.bobby, pair.alice), "the hello is heard", 60)
        await asyncio.sleep(60)
        assert not knows(pair.alice, pair.bobby)
        own_copies = [each for each in _lying_there(pair, pair.alice) if each.mime != "device"]
        assert own_copies == [Opened(MESSAGE_CONTENT, TEXT), Opened(CONTROL, "hello")], "nothing of his"


class _Watched(SimHomeServer):
    """A home server that notes the times to live."""

    ttls: list[int]

    async def mailbox_send(self, auth: AuthToken, mailbox: Hash, message: Blob, ttl: int) -> int:
        self.ttls = [*getattr(self, "ttls", []), ttl]
        return await super().mailbox_send(auth, mailbox, message, ttl)


@simulated
async def test_a_peer_sees_that_something_is_being_written_and_nobody_keeps_it(tmp_path: Path) -> None:
    async with two_people(tmp_path, beach=_Watched) as pair:
        await acquaint(pair)
        await asyncio.sleep(60)
        assert isinstance(pair.beach, _Watched)
        sent, own = len(pair.beach.ttls), len(pair.harbor.mailbox(pair.alice.name).entries)
        for _ in range(20):  # with each key that is pressed
            await pair.alice.engine.conversations.set_typing(pair.bobby.name, active=True)
        await until(lambda: _typings(pair.bobby) == [True], "it is seen", 5)
        await pair.alice.engine.conversations.set_typing(pair.bobby.name, active=False)
        await pair.alice.engine.conversations.set_typing(pair.bobby.name, active=False)
        await until(lambda: _typings(pair.bobby) == [True, False], "it has ended", 5)
        assert pair.beach.ttls[sent:] == [15, 15]
        assert len(pair.harbor.mailbox(pair.alice.name).entries) == own
        assert pair.bobby.texts(pair.alice) == ["hello"]
        for device in (pair.alice, pair.bobby):
            assert device.database.rows("SELECT * FROM outbox") == []


@simulated
async def test_typing_is_not_told_where_it_is_turned_off_or_cannot_be_told(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        await acquaint(pair)
        await asyncio.sleep(60)
        conversations, bobby = pair.alice.engine.conversations, pair.bobby.name
        settings.store(pair.alice.database, Settings(send_typing=False))
        await conversations.set_typing(bobby, active=True)
        settings.store(pair.alice.database, Settings())
        pair.world.machine(pair.beach).stop()
        await conversations.set_typing(bobby, active=True)
        pair.world.machine(pair.beach).start()
        await asyncio.sleep(60)
        assert _typings(pair.bobby) == []
        people.store(pair.alice.database, people.Person(username=bobby, standing=Standing.BLOCKED))
        await conversations.set_typing(bobby, active=True)
        await asyncio.sleep(60)
        assert _typings(pair.bobby) == []


@simulated
async def test_typing_is_heard_of_contacts_and_in_time_only(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        await acquaint(pair)
        now = pair.world.clock.now_ns()
        body = TypingNotice(active=True).render()
        await post_control(pair, pair.alice.keys, pair.bobby, TYPING, body, now - 3600 * 10**9)
        for standing in (Standing.REQUEST, Standing.BLOCKED):
            people.store(pair.bobby.database, people.Person(username=pair.alice.name, standing=standing))
            await post_control(pair, pair.alice.keys, pair.bobby, TYPING, body, pair.world.clock.now_ns())
            await asyncio.sleep(5)
        assert _typings(pair.bobby) == []


@simulated
async def test_an_unknown_kind_of_message_is_kept_and_shown_as_such(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        event = Event(ToUser(pair.bobby.name), builders.NOW_NS, "application/x-hologram", Base64Bytes(b"\x00\xff"))
        await pair.world.post(pair.bobby, builders.sealed_message(pair.alice.keys, event, [pair.bobby.keys]))
        await until(lambda: pair.bobby.messages(pair.alice), "it is there", 60)
        (got,) = pair.bobby.messages(pair.alice)
        assert (got.kind, got.mime, got.text) == (MessageKind.UNSUPPORTED, "application/x-hologram", "")
        assert pair.bobby.database.rows("SELECT body FROM messages") == [(b"\x00\xff",)]
