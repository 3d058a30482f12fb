"""A device that goes with its account to another home server (spec: extensions.md, Changing home servers)."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest

from tests import builders
from tests.sim.clock import SimClock
from tests.sim.faults import ROUGH
from tests.sim.home_server import ReferenceServer, SimHomeServer
from tests.sim.people import Pair, two_people
from tests.sim.virtual_time import simulated, until
from tests.sim.world import SimDevice
from xirtam_core.chat import Connection
from xirtam_core.codec.primitives import ANONYMOUS, AeadKey, AuthToken, Base64Bytes, Hash
from xirtam_core.engine import reader
from xirtam_core.names import ServerName, Username
from xirtam_core.protocol.account_events import GroupJoined, Membership, Moved
from xirtam_core.protocol.blob import MESSAGE_CONTENT
from xirtam_core.protocol.direct_message import seal
from xirtam_core.protocol.directory import UserDescriptor
from xirtam_core.protocol.event import TEXT, Event, ToUser
from xirtam_core.protocol.group import GroupDescriptor
from xirtam_core.protocol.mailbox import direct_mailbox
from xirtam_core.protocol.medium_key import SignedMediumKey
from xirtam_core.storage import group_keys, groups, journal

QUIET_S = 12 * 3600
"""Instead of a week, of which every hour counts here."""
_HOME = ServerName("~island")


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """The old server is left after half a day."""
    monkeypatch.setattr(reader, "QUIET_S", QUIET_S)


class Move(msgspec.Struct, frozen=True):
    """Bobby's account moves from ~beach to ~island."""

    pair: Pair
    island: SimHomeServer

    def flip(self) -> None:
        """The directory says from now on that Bobby lives on ~island."""
        keys = self.pair.bobby.keys
        blob = UserDescriptor(_HOME, keys.chain.this.device_hash()).blob()
        self.pair.world.directory.set_value(keys.username, keys.secret, blob)

    async def is_there(self, device: SimDevice, limit_s: float = 120) -> None:
        await until(lambda: device.engine.account.server == _HOME, "the device lives on ~island", limit_s)

    async def arrives_at_the_old_server(self, text: str, sent_at: int = 5) -> None:
        """A message from Alice, whose client holds the old descriptor and the keys that it finds there."""
        event = Event(ToUser(self.pair.bobby.name), sent_at, TEXT, Base64Bytes(text.encode()))
        key = self.pair.beach.devices[self.pair.bobby.keys.hash].key
        assert key is not None
        alice = self.pair.alice.keys
        blob = seal(MESSAGE_CONTENT, event, alice.username, alice.secret, alice.chain, [key.medium_pk])
        await self.pair.beach.mailbox_send(ANONYMOUS, direct_mailbox(self.pair.bobby.name), blob, 0)


@asynccontextmanager
async def moving(place: Path, *, beach: type[SimHomeServer] = SimHomeServer) -> AsyncGenerator[Move]:
    async with two_people(place, beach=beach) as pair:
        await asyncio.sleep(30)
        yield Move(pair, pair.world.server(str(_HOME)))


def _servers(device: SimDevice) -> set[str]:
    return {str(name) for name in journal.servers(device.database)}


@simulated
async def test_a_device_sees_in_the_directory_that_its_account_has_moved_and_follows(tmp_path: Path) -> None:
    async with moving(tmp_path) as move:
        move.flip()
        await move.is_there(move.pair.bobby, 3700)
        assert move.island.devices[move.pair.bobby.keys.hash].key is not None
        await move.pair.alice.write(move.pair.bobby, "to the new home")
        await move.pair.bobby.gets(move.pair.alice, "to the new home", limit_s=60)
        assert move.pair.bobby.engine.conversations.status().connection is Connection.CONNECTED
        assert move.pair.bobby.engine.conversations.status().server == _HOME
        await move.pair.bobby.has_sent(await move.pair.bobby.write(move.pair.alice, "from there"))
        await move.pair.alice.gets(move.pair.bobby, "from there")


@simulated
async def test_what_comes_after_a_move_to_a_server_whose_clock_is_behind_is_unread_until_it_is_seen(
    tmp_path: Path,
) -> None:
    async with moving(tmp_path) as move:
        alice, bobby = move.pair.alice, move.pair.bobby
        tablet = move.pair.world.another_device(bobby, "tablet")
        tablet.start()
        await asyncio.sleep(60)
        await alice.write(bobby, "before")
        for device in (bobby, tablet):
            await device.gets(alice, "before")
        bobby.engine.conversations.mark_read(alice.name, bobby.messages(alice)[-1].position)
        await until(lambda: _unread(tablet, alice) == 0, "both devices have read it")

        clock = SimClock(asyncio.get_running_loop())
        clock.offset_s = -7200
        move.island.keep_time_by(clock)
        move.flip()
        for device in (bobby, tablet):
            await move.is_there(device, 3700)
        await alice.has_sent(await alice.write(bobby, "after"))
        for device in (bobby, tablet):
            await device.gets(alice, "after", "before", limit_s=600)
            assert _unread(device, alice) == 1
        bobby.engine.conversations.mark_read(alice.name, bobby.messages(alice)[-1].position)
        assert _unread(bobby, alice) == 0
        await until(lambda: _unread(tablet, alice) == 0, "the other device is told", 300)


def _unread(device: SimDevice, other: SimDevice) -> int:
    return next(chat.unread for chat in device.engine.conversations.chats() if chat.peer == other.name)


@simulated
async def test_a_device_that_was_off_follows_when_it_starts(tmp_path: Path) -> None:
    async with moving(tmp_path) as move:
        await move.pair.bobby.crash()
        move.flip()
        move.pair.bobby.start()
        await move.is_there(move.pair.bobby, 30)


@simulated
async def test_a_device_that_is_refused_at_home_asks_the_directory_whether_it_has_moved(tmp_path: Path) -> None:
    async with moving(tmp_path) as move:
        move.flip()
        move.pair.beach.refuses_readers = True
        move.pair.beach.forget_tokens()
        await move.arrives_at_the_old_server("so that the long poll comes back")
        await move.is_there(move.pair.bobby, 300)


@simulated
async def test_a_device_that_is_told_of_the_move_follows_at_once(tmp_path: Path) -> None:
    async with moving(tmp_path) as move:
        tablet = move.pair.world.another_device(move.pair.bobby, "tablet")
        tablet.start()
        await asyncio.sleep(100)  # so that the keys that the phone knows are looked up anew
        move.pair.bobby.engine._base.own_devices.tell(Moved(str(_HOME)))  # type: ignore[reportPrivateUsage]
        await asyncio.sleep(30)
        assert tablet.engine.account.server == "~beach"  # the directory does not say so yet
        move.flip()
        await move.is_there(tablet, 60)
        await move.is_there(move.pair.bobby, 3700)
        await move.pair.alice.write(move.pair.bobby, "to both")
        await tablet.gets(move.pair.alice, "to both", limit_s=100)
        await move.pair.bobby.gets(move.pair.alice, "to both", limit_s=100)


@simulated
async def test_a_word_that_the_directory_does_not_confirm_moves_nothing(tmp_path: Path) -> None:
    async with moving(tmp_path) as move:
        move.pair.bobby.engine._base.own_devices.tell(Moved(str(_HOME)))  # type: ignore[reportPrivateUsage]
        await asyncio.sleep(4 * 3600)
        assert move.pair.bobby.engine.account.server == "~beach"
        assert move.island.devices == {}


@simulated
async def test_an_entry_of_another_identity_is_not_followed(tmp_path: Path) -> None:
    async with moving(tmp_path) as move:
        bobby = move.pair.bobby
        blob = UserDescriptor(_HOME, move.pair.alice.keys.chain.this.device_hash()).blob()
        move.pair.world.directory.set_value(bobby.name, bobby.keys.secret, blob)
        await asyncio.sleep(4 * 3600)
        assert bobby.engine.account.server == "~beach"


@pytest.mark.usefixtures("quick")
@simulated
async def test_what_still_goes_to_the_old_server_is_read_and_opens_for_long(tmp_path: Path) -> None:
    async with moving(tmp_path) as move:
        move.flip()
        await move.is_there(move.pair.bobby, 3700)
        texts: list[str] = []
        for turn in range(4):
            await asyncio.sleep(6 * 3600)
            texts.append(f"turn {turn}")
            await move.arrives_at_the_old_server(texts[-1], sent_at=turn)
            await move.pair.bobby.gets(move.pair.alice, *texts, limit_s=60)
        assert move.pair.bobby.secrets_held() <= 5


@simulated
async def test_messages_by_the_old_and_the_new_way_stand_once_in_the_order_of_their_arrival(tmp_path: Path) -> None:
    async with moving(tmp_path) as move:
        move.flip()
        await move.is_there(move.pair.bobby, 3700)
        await move.arrives_at_the_old_server("one")
        await asyncio.sleep(5)
        await move.pair.alice.has_sent(await move.pair.alice.write(move.pair.bobby, "two"))
        await asyncio.sleep(5)
        await move.arrives_at_the_old_server("one")  # the same event again
        await move.arrives_at_the_old_server("three", sent_at=6)
        await move.pair.bobby.gets(move.pair.alice, "one", "two", "three", limit_s=60)


@pytest.mark.usefixtures("quick")
@simulated
async def test_the_old_server_is_left_once_it_has_been_quiet_for_long(tmp_path: Path) -> None:
    async with moving(tmp_path) as move:
        move.flip()
        await move.is_there(move.pair.bobby, 3700)
        await asyncio.sleep(10 * 3600)
        await move.arrives_at_the_old_server("late")
        await asyncio.sleep(QUIET_S - 3600)
        assert _servers(move.pair.bobby) == {"~beach", "~island"}
        await asyncio.sleep(2 * 3600)
        assert _servers(move.pair.bobby) == {"~island"}
        assert move.pair.bobby.secrets_held() <= 4


@pytest.mark.usefixtures("quick")
@simulated
async def test_an_old_server_that_is_dead_is_left_after_as_long_and_keeps_no_secrets(tmp_path: Path) -> None:
    async with moving(tmp_path) as move:
        move.pair.world.machine(move.pair.beach).stop()
        move.flip()
        await move.is_there(move.pair.bobby, 3700)
        await asyncio.sleep(QUIET_S - 7200)
        assert move.pair.bobby.secrets_held() > 8
        await asyncio.sleep(3 * 3600)
        assert _servers(move.pair.bobby) == {"~island"}
        await asyncio.sleep(3 * 3600)
        assert move.pair.bobby.secrets_held() <= 4


@pytest.mark.usefixtures("quick")
@simulated
async def test_a_device_that_was_off_for_long_after_the_move_still_reads_the_old_server(tmp_path: Path) -> None:
    async with moving(tmp_path) as move:
        move.flip()
        await move.is_there(move.pair.bobby, 3700)
        await move.pair.bobby.crash()
        await move.arrives_at_the_old_server("while it was off")
        move.pair.world.machine(move.pair.beach).stop()
        await asyncio.sleep(2 * QUIET_S)
        move.pair.bobby.start()
        await asyncio.sleep(600)
        move.pair.world.machine(move.pair.beach).start()
        await move.pair.bobby.gets(move.pair.alice, "while it was off", limit_s=120)


@pytest.mark.parametrize("moment", range(0, 40, 3))
@simulated
async def test_a_crash_at_any_moment_of_the_move_loses_nothing(tmp_path: Path, moment: int) -> None:
    async with moving(tmp_path) as move:
        move.pair.world.faults.latency_s = ROUGH.latency_s
        await move.pair.bobby.crash()
        move.flip()
        move.pair.bobby.start()
        await asyncio.sleep(moment * 0.1)
        await move.pair.bobby.restart()
        await move.pair.alice.write(move.pair.bobby, "hello")
        await move.pair.bobby.gets(move.pair.alice, "hello", limit_s=300)
        await move.is_there(move.pair.bobby, 300)
        assert _servers(move.pair.bobby) == {"~beach", "~island"}


@pytest.mark.usefixtures("quick")
@simulated
async def test_a_device_moves_back_and_reads_the_first_server_to_stay(tmp_path: Path) -> None:
    async with moving(tmp_path) as move:
        move.flip()
        await move.is_there(move.pair.bobby, 3700)
        keys = move.pair.bobby.keys
        blob = UserDescriptor(ServerName("~beach"), keys.chain.this.device_hash()).blob()
        move.pair.world.directory.set_value(keys.username, keys.secret, blob)
        await until(lambda: move.pair.bobby.engine.account.server == "~beach", "it is back", 3700)
        await asyncio.sleep(2 * QUIET_S)
        assert _servers(move.pair.bobby) == {"~beach"}
        await move.pair.alice.write(move.pair.bobby, "home again")
        await move.pair.bobby.gets(move.pair.alice, "home again", limit_s=120)


@simulated
async def test_the_old_server_may_be_one_of_the_reference(tmp_path: Path) -> None:
    async with moving(tmp_path, beach=ReferenceServer) as move:
        move.flip()
        await move.is_there(move.pair.bobby, 3700)
        await move.arrives_at_the_old_server("late")
        await move.pair.bobby.gets(move.pair.alice, "late", limit_s=120)


@simulated
async def test_a_group_that_one_device_is_in_is_known_to_the_other(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        tablet = pair.world.another_device(pair.alice, "tablet")
        tablet.start()
        await asyncio.sleep(70)
        told = _membership()
        pair.alice.engine._base.own_devices.tell(GroupJoined.of(told))  # type: ignore[reportPrivateUsage]
        name = told.descriptor.id().hex()
        await until(lambda: groups.find(tablet.database, name) is not None, "the tablet knows the group", 60)
        known = groups.find(tablet.database, name)
        assert known is not None
        assert (known.descriptor, known.token) == (told.descriptor, told.token)
        assert group_keys.all_of(tablet.database, name) == [told.key]


def _membership() -> Membership:
    descriptor = GroupDescriptor(
        Hash(bytes(32)), Username("@alice"), builders.NOW_S, ServerName("~harbor"), AeadKey(bytes(32))
    )
    return Membership(descriptor, AeadKey(bytes(range(32))), AuthToken(bytes(range(20))))


class SlowToPublish(SimHomeServer):
    """Takes its time to answer who publishes a key."""

    async def device_add_medium_pk(self, auth: AuthToken, key: SignedMediumKey) -> None:
        await super().device_add_medium_pk(auth, key)
        await asyncio.sleep(5)


@simulated
async def test_a_key_that_is_made_while_the_account_moves_is_published_at_the_new_server(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        await asyncio.sleep(30)
        move, bobby = Move(pair, pair.world.server(str(_HOME), SlowToPublish)), pair.bobby
        move.flip()
        bobby.engine._moves.check_soon()  # type: ignore[reportPrivateUsage]
        published = move.island.devices
        await until(lambda: bobby.keys.hash in published and published[bobby.keys.hash].key, "a key is there", 60)
        await bobby.engine.devices.rotate()
        await move.is_there(bobby)
        assert bobby.published_key(move.island) == bobby.newest_secret()
