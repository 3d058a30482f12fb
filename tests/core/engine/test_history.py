"""Older messages, shared between an account's devices (spec: extensions.md, Own devices)."""

import asyncio
import zlib
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest

from tests import builders
from tests.sim.people import Pair, two_people
from tests.sim.virtual_time import simulated, until
from tests.sim.world import SimDevice
from xirtam_core.chat import SendState
from xirtam_core.engine import history
from xirtam_core.engine.fragments import Fragments
from xirtam_core.events import HistoryAdded, MessageAdded
from xirtam_core.names import Username
from xirtam_core.protocol import archive
from xirtam_core.protocol.account_events import HistoryShared
from xirtam_core.protocol.archive import ArchivedChat, ArchivedMessage, Packer, Record
from xirtam_core.protocol.event import TEXT
from xirtam_core.storage import amendments, chats, messages

THOUSANDS = 5_000


class Scene(msgspec.Struct, frozen=True):
    """Alice has written with Bobby, and then got a tablet."""

    pair: Pair
    tablet: SimDevice

    @property
    def phone(self) -> SimDevice:
        return self.pair.alice

    async def tablet_holds(self, *texts: str, limit_s: float = 120) -> None:
        bobby = self.pair.bobby
        await until(lambda: self.tablet.texts(bobby) == list(texts), f"the tablet holds {texts}", limit_s)


@asynccontextmanager
async def scene(place: Path, *, starts: bool = True) -> AsyncGenerator[Scene]:
    async with two_people(place) as pair:
        await pair.alice.has_sent(await pair.alice.write(pair.bobby, "one"))
        await pair.bobby.gets(pair.alice, "one")
        await pair.bobby.has_sent(await pair.bobby.write(pair.alice, "two"))
        await pair.alice.gets(pair.bobby, "two")
        tablet = pair.world.another_device(pair.alice, "tablet")
        if starts:
            tablet.start()
        yield Scene(pair, tablet)


@simulated
async def test_a_new_device_gets_the_messages_that_came_before_it(tmp_path: Path) -> None:
    async with scene(tmp_path) as at:
        assert await at.phone.engine.history.share() == 2
        await at.tablet_holds("one", "two")
        mine, theirs = at.phone.messages(at.pair.bobby), at.tablet.messages(at.pair.bobby)
        assert [(each.id, each.position, each.sent_at, each.received_at, each.mine) for each in mine] == [
            (each.id, each.position, each.sent_at, each.received_at, each.mine) for each in theirs
        ]
        assert not any(isinstance(event, MessageAdded) for event in at.tablet.events)  # so nobody is notified of them


@simulated
async def test_whoever_shows_a_chat_is_told_once_that_history_has_come_to_it(tmp_path: Path) -> None:
    async with scene(tmp_path) as at:
        chat = HistoryAdded(at.pair.bobby.name)
        await at.phone.engine.history.share()
        await until(lambda: at.tablet.events.count(chat) == 1, "it is told")
        assert at.tablet.texts(at.pair.bobby) == ["one", "two"]
        await at.phone.engine.history.share()
        await asyncio.sleep(120)
        assert at.tablet.events.count(chat) == 1, "there is nothing new in it"


@simulated
async def test_whoever_shows_a_chat_is_told_what_history_has_changed_in_it(tmp_path: Path) -> None:
    async with scene(tmp_path) as at:
        await at.phone.engine.history.share()
        await at.tablet_holds("one", "two")
        bobby = at.pair.bobby
        two = messages.find_in_chat(at.phone.database, bobby.name, at.phone.messages(bobby)[-1].id)
        assert two is not None
        amendments.edit(
            at.phone.database, two, "two, amended", at.phone.clock.now_ns()
        )  # an edit that the tablet missed
        await at.phone.engine.history.share()
        await at.tablet_holds("one", "two, amended")
        await until(lambda: at.tablet.events.count(HistoryAdded(bobby.name)) == 2, "it is told")


@simulated
async def test_a_device_that_is_off_takes_the_history_when_it_is_back_and_so_does_one_that_crashes(
    tmp_path: Path,
) -> None:
    async with scene(tmp_path, starts=False) as at:
        await at.phone.engine.history.share()
        await asyncio.sleep(86_400)
        at.pair.world.faults.only, at.pair.world.faults.lost_request = "v1_download_frag", 1.0
        at.tablet.start()
        await asyncio.sleep(600)  # it has heard of the archive, and cannot get it
        await at.tablet.crash()
        at.pair.world.faults.lost_request = 0.0
        at.tablet.start()
        await at.tablet_holds("one", "two", limit_s=3600)


@simulated
async def test_sharing_twice_doubles_nothing(tmp_path: Path) -> None:
    async with scene(tmp_path) as at:
        await at.phone.engine.history.share()
        await at.tablet_holds("one", "two")
        await at.phone.engine.history.share()
        assert await at.tablet.engine.history.share() == 2
        await asyncio.sleep(120)
        await at.tablet_holds("one", "two")
        assert at.phone.texts(at.pair.bobby) == ["one", "two"]


@simulated
async def test_the_sharing_device_does_not_fetch_its_own_archive(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        await pair.alice.has_sent(await pair.alice.write(pair.bobby, "one"))
        await pair.alice.engine.history.share()
        await asyncio.sleep(60)
        assert pair.world.machine(pair.harbor).calls.count("v1_download_frag") == 0


@simulated
async def test_what_was_read_is_not_unread_on_the_new_device_and_what_was_not_is(tmp_path: Path) -> None:
    async with scene(tmp_path) as at:
        read = at.phone.messages(at.pair.bobby)[-1].position
        at.phone.engine.conversations.mark_read(at.pair.bobby.name, read)
        await at.pair.bobby.write(at.phone, "three")
        await at.phone.gets(at.pair.bobby, "two", "three")
        await at.phone.engine.history.share()
        await at.tablet_holds("one", "two", "three")
        chat = chats.find(at.tablet.database, at.pair.bobby.name)
        assert chat is not None
        assert chat.unread == 1


@simulated
async def test_a_message_that_the_device_has_keeps_its_place_among_the_older_ones(tmp_path: Path) -> None:
    async with scene(tmp_path) as at:
        await asyncio.sleep(70)  # so that Bobby's client knows the tablet
        await at.pair.bobby.write(at.phone, "three")
        await at.tablet_holds("three")
        await at.phone.gets(at.pair.bobby, "two", "three")
        await at.phone.engine.history.share()
        await at.tablet_holds("one", "two", "three")


@simulated
async def test_a_message_that_no_server_has_is_not_shared(tmp_path: Path) -> None:
    async with scene(tmp_path) as at:
        at.pair.world.machine(at.pair.beach).stop()
        waiting = await at.phone.write(at.pair.bobby, "waits")
        assert await at.phone.engine.history.share() == 2
        assert at.phone.find(waiting.id).state is SendState.QUEUED


@simulated
async def test_an_edit_that_comes_before_the_history_is_found_in_it(tmp_path: Path) -> None:
    async with scene(tmp_path) as at:
        await asyncio.sleep(70)
        chat = at.phone.name
        two = at.pair.bobby.messages(at.phone)[-1]
        await asyncio.sleep(70)
        at.pair.bobby.engine.conversations.edit(chat, two.id, "two, amended")
        await until(lambda: at.phone.texts(at.pair.bobby)[-1] == "two, amended", "the phone has the edit")
        await at.phone.engine.history.share()
        await at.tablet_holds("one", "two, amended")
        assert at.tablet.messages(at.pair.bobby)[-1].is_edited


@simulated
async def test_thousands_of_messages_arrive_in_order(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        tablet = pair.world.another_device(pair.alice, "tablet")
        _fill(pair.alice, pair.bobby.name)
        tablet.start()
        assert await pair.alice.engine.history.share() == THOUSANDS
        await until(lambda: _count(tablet) == THOUSANDS, "all are there", 600)
        assert tablet.texts(pair.bobby) == [f"number {number}" for number in range(THOUSANDS)]


def _fill(device: SimDevice, peer: Username) -> None:
    with device.database.transaction():
        chats.open_chat(device.database, peer, builders.NOW_NS)
        for number in range(THOUSANDS):
            event = builders.text_event(device.name, f"number {number}", number + 1)
            at = builders.NOW_NS + number
            messages.insert(
                device.database, peer, peer, event, event.hash(), is_mine=False, received_at_ns=at, position_ns=at
            )


def _count(device: SimDevice) -> int:
    row = device.database.row("SELECT count(*) FROM messages")
    assert row is not None
    return row[0]


# What harms nothing


async def _offer(at: Scene, content: bytes) -> None:
    """The phone offers `content` as an archive."""

    async def pieces() -> AsyncIterator[bytes]:
        yield content

    session, network = at.phone.engine._session, at.phone.engine._network  # type: ignore[reportPrivateUsage]
    fragments = Fragments(at.phone.database, session, network, at.phone.clock)
    root = await fragments.upload("history", archive.MIME, pieces(), 3600)
    event = HistoryShared.of(root, "~harbor", at.phone.keys.hash)
    await asyncio.sleep(70)  # the tablet's key is known by then
    at.phone.engine._base.own_devices.tell(event)  # type: ignore[reportPrivateUsage]


def _packed(records: Sequence[Record]) -> bytes:
    packer = Packer()
    return b"".join(packer.add(record) for record in records) + packer.finish()


def _message(peer: Username, me: Username, text: str, **changes: object) -> ArchivedMessage:
    event = builders.text_event(me, text, 7)
    at = builders.NOW_NS
    made = ArchivedMessage(str(peer), str(peer), bytes(event.hash()), at, 7, at, TEXT, text.encode())
    return msgspec.structs.replace(made, **changes)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no archive at all",
        zlib.compress(b"\xff\xff\xff\xff" + bytes(100)),
        zlib.compress(b"\x00\x00\x00\x04junk")[:-3],
        zlib.compress(b"\x00\x00\x00\x08" + b"short"),
        zlib.compress(bytes(50_000_000)),
        zlib.compress(b"\x00\x3f\xff\xff" + b"\x91" * 0x3FFFFF),
    ],
    ids=["empty", "noise", "a huge record", "cut off", "a record cut off", "a bomb", "nested without end"],
)
@simulated
async def test_an_archive_that_is_none_harms_nothing(tmp_path: Path, content: bytes) -> None:
    async with scene(tmp_path) as at:
        await _offer(at, content)
        await asyncio.sleep(60)
        await at.phone.engine.history.share()
        await at.tablet_holds("one", "two")


@simulated
async def test_of_a_damaged_archive_what_makes_sense_is_taken_and_the_rest_is_passed_over(tmp_path: Path) -> None:
    async with scene(tmp_path) as at:
        bobby, alice = at.pair.bobby.name, at.phone.name
        good = _message(bobby, alice, "good")
        await _offer(
            at,
            _packed(
                [
                    ArchivedChat("no name", 1, 1),
                    ArchivedChat(str(bobby), -1, 1),
                    ArchivedChat(str(bobby), 1, 0, "emperor"),
                    _message(bobby, alice, "another's words", sender="@carol"),
                    _message(bobby, alice, "another hash", hash=bytes(32)),
                    _message(bobby, alice, "short hash", hash=b"x"),
                    _message(bobby, alice, "no time", position_ns=2**63 - 1),
                    _message(bobby, alice, "odd state", state="lost"),
                    _message(bobby, alice, "odd reactions", reactions=[("@carol", "x" * 1000, 1, False)]),
                    _message(Username("@dorothy"), alice, "a chat that is not there"),
                    good,
                ]
            ),
        )
        await at.tablet_holds("good")
        assert [str(chat.id) for chat in at.tablet.engine.conversations.chats()] == [bobby]


@simulated
async def test_an_archive_that_is_gone_is_given_up_after_its_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history, "KEPT_S", 6 * 3600)
    async with scene(tmp_path) as at:
        await at.phone.engine.history.share()
        at.pair.harbor.fragments.clear()
        calls = at.pair.world.machine(at.pair.harbor).calls
        await asyncio.sleep(8 * 3600)
        tried = calls.count("v1_download_frag")
        assert 0 < tried < 100
        await asyncio.sleep(8 * 3600)
        assert calls.count("v1_download_frag") == tried


@simulated
async def test_what_is_withdrawn_before_an_archive_brings_it_stays_withdrawn(tmp_path: Path) -> None:
    async with scene(tmp_path) as at:
        await asyncio.sleep(100)  # so that the keys that the phone knows are looked up anew
        event, _ = await at.phone.engine.history.offer()
        first = at.phone.messages(at.pair.bobby)[0]
        at.phone.engine.conversations.withdraw(at.pair.bobby.name, first.id)
        await asyncio.sleep(60)
        at.phone.engine._base.own_devices.tell(event)  # type: ignore[reportPrivateUsage]
        await at.tablet_holds("", "two")
        assert at.tablet.messages(at.pair.bobby)[0].is_withdrawn
