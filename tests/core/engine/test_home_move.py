"""Moving the account to another home server (spec: extensions.md, Changing home servers)."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from tests import builders
from tests.sim.home_moves import CAPE, ISLAND, Scene, dies_at, fragments_of, make_owner, move_at_last, scene
from tests.sim.home_server import ReferenceServer, SimHomeServer
from tests.sim.virtual_time import simulated, until
from tests.sim.world import SimDevice, url_of
from xirtam_core.chat import Connection
from xirtam_core.codec.primitives import AuthToken
from xirtam_core.crypto import signing
from xirtam_core.errors import Malformed, NotFound, Refused
from xirtam_core.events import AlarmRaised
from xirtam_core.home_move import HomeStep
from xirtam_core.join_link import JoinLink
from xirtam_core.names import ServerName
from xirtam_core.protocol.directory import UserDescriptor
from xirtam_core.protocol.profile import UserProfile
from xirtam_core.storage import journal


@simulated
async def test_an_account_moves_and_its_other_device_follows_and_nobody_else_notices(tmp_path: Path) -> None:
    async with scene(tmp_path) as at:
        move = await at.bobby.engine.home.move("~island")
        assert (move.server, move.old, move.is_under_way) == (ISLAND, "~beach", True)
        for device in (at.bobby, at.tablet):
            await at.lives(device, limit_s=60)
        assert at.in_directory() == ISLAND
        done = await at.bobby.engine.home.state()
        assert done is not None
        assert (done.step, done.is_under_way, done.is_old_read, done.trouble) == (HomeStep.DONE, False, True, None)
        await at.alice.has_sent(await at.alice.write(at.bobby, "after"))
        for device in (at.bobby, at.tablet):
            await device.gets(at.alice, "before", "after")
        await at.bobby.has_sent(await at.bobby.write(at.alice, "from there"))
        await at.alice.gets(at.bobby, "from there")
        assert at.alice.events == [event for event in at.alice.events if type(event).__name__ != "AlarmRaised"]


@simulated
async def test_what_is_written_all_along_comes_once_and_in_order(tmp_path: Path) -> None:
    async with scene(tmp_path, rough=True) as at:
        texts = [f"{number}" for number in range(60)]

        async def write() -> None:
            for text in texts:
                await at.alice.write(at.bobby, text)
                await asyncio.sleep(1.0)

        writing = asyncio.create_task(write())
        await asyncio.sleep(5)
        await move_at_last(at.bobby, "~island")
        await writing
        for device in (at.bobby, at.tablet):
            await device.gets(at.alice, "before", *texts)
            await at.lives(device, limit_s=3600)


@pytest.mark.parametrize(
    "step", [HomeStep.PREPARE, HomeStep.PROFILE, HomeStep.PROVE, HomeStep.AWAIT, HomeStep.TELL, HomeStep.SETTLE]
)
@simulated
async def test_a_move_that_a_crash_broke_off_goes_on(tmp_path: Path, step: HomeStep) -> None:
    async with scene(tmp_path) as at:
        dies_at(at.bobby, step)
        await at.bobby.engine.home.move("~island")
        await until(lambda: not at.bobby.is_running, f"the move is at {step}", 60)
        await at.alice.write(at.bobby, "meanwhile")
        await asyncio.sleep(3 * 86_400 if step in (HomeStep.AWAIT, HomeStep.SETTLE) else 60)
        at.bobby.start()
        await at.lives(at.bobby)
        await at.bobby.gets(at.alice, "before", "meanwhile")
        await at.alice.write(at.bobby, "after")
        for device in (at.bobby, at.tablet):
            await device.gets(at.alice, "before", "meanwhile", "after")


@simulated
async def test_the_old_server_may_be_dead_from_the_start(tmp_path: Path) -> None:
    async with scene(tmp_path) as at:
        at.pair.world.machine(at.pair.beach).stop()
        await at.alice.write(at.bobby, "to a dead server")
        offer = await at.bobby.engine.home.offer("~island")
        assert (offer.is_old_there, offer.obstacle) == (False, None)
        await at.bobby.engine.home.move("~island")
        for device in (at.bobby, at.tablet):
            await at.lives(device, limit_s=300)
            await device.gets(at.alice, "before", "to a dead server", limit_s=600)


@simulated
async def test_the_account_is_connected_as_soon_as_it_has_left_a_dead_server(tmp_path: Path) -> None:
    async with scene(tmp_path) as at:
        phone, tablet = (device.engine.conversations for device in (at.bobby, at.tablet))
        at.pair.world.machine(at.pair.beach).stop()
        await until(lambda: phone.status().connection is Connection.OFFLINE, "it notices", 600)
        await at.bobby.engine.home.move("~island")
        for device, conversations in ((at.bobby, phone), (at.tablet, tablet)):
            await at.lives(device, limit_s=300)
            await asyncio.sleep(2)
            status = conversations.status()
            assert (status.server, status.connection, status.detail) == (ISLAND, Connection.CONNECTED, "")


@simulated
async def test_whoever_has_just_written_to_a_server_that_dies_finds_the_new_one_at_once(tmp_path: Path) -> None:
    async with scene(tmp_path) as at:
        await at.bobby.engine.home.move("~island")
        await until(lambda: at.in_directory() == ISLAND, "the directory has been told", 60)
        await at.alice.has_sent(await at.alice.write(at.bobby, "there still"))
        at.pair.world.machine(at.pair.beach).stop()
        await asyncio.sleep(10)
        await at.alice.has_sent(await at.alice.write(at.bobby, "here already"), limit_s=15)
        await at.bobby.gets(at.alice, "before", "there still", "here already")


@simulated
async def test_a_device_that_was_off_for_days_misses_nothing_that_came_meanwhile(tmp_path: Path) -> None:
    async with scene(tmp_path) as at:
        await at.tablet.crash()
        await at.bobby.engine.home.move("~island")
        await at.lives(at.bobby)
        await at.alice.has_sent(await at.alice.write(at.bobby, "one"))
        await at.bobby.gets(at.alice, "before", "one")
        await at.bobby.has_sent(await at.bobby.write(at.alice, "two"))
        await asyncio.sleep(5 * 86_400)
        at.tablet.start()
        await at.lives(at.tablet)
        await at.alice.has_sent(await at.alice.write(at.bobby, "three"))
        await until(lambda: at.tablet.texts(at.alice) == ["before", "one", "two", "three"], "it has it all", 600)
        assert at.tablet.texts(at.alice) == at.bobby.texts(at.alice)


@simulated
async def test_a_move_can_be_undone_until_the_directory_is_told(tmp_path: Path) -> None:
    async with scene(tmp_path) as at:
        await at.bobby.engine.home.move("~island")
        await at.is_at(HomeStep.PROVE)
        assert (await at.bobby.engine.home.undo()) is None
        await asyncio.sleep(60)
        assert (at.in_directory(), at.bobby.engine.account.server) == ("~beach", "~beach")
        assert set(journal.servers(at.bobby.database)) == {"~beach"}
        with pytest.raises(NotFound):
            await at.bobby.engine.home.undo()

        await at.bobby.engine.home.move("~island")
        await at.is_at(HomeStep.AWAIT)
        with pytest.raises(Refused, match="has been told already"):
            await at.bobby.engine.home.undo()
        await at.lives(at.bobby)


@simulated
async def test_moving_back_and_forth_within_an_hour(tmp_path: Path) -> None:
    async with scene(tmp_path) as at:
        texts = ["before"]
        for target in ("~island", "~capes", "~beach", "~island"):
            await at.bobby.engine.home.move(target)
            await at.alice.write(at.bobby, f"during {target}")
            await at.lives(at.bobby, ServerName(target))
            await at.alice.write(at.bobby, f"after {target}")
            texts += [f"during {target}", f"after {target}"]
            await at.bobby.gets(at.alice, *texts)
        await at.lives(at.tablet, limit_s=3700)
        await until(lambda: at.tablet.texts(at.alice) == texts, "the tablet has it all", 900)


@simulated
async def test_of_two_devices_that_move_at_once_one_wins_and_both_go_there(tmp_path: Path) -> None:
    async with scene(tmp_path) as at:
        make_owner(at)
        await at.bobby.engine.home.move("~island")
        await at.tablet.engine.home.move("~capes")
        await until(lambda: at.in_directory() != "~beach", "the account has moved", 60)
        await asyncio.sleep(120)
        winner = at.in_directory()
        for device in (at.bobby, at.tablet):
            await at.lives(device, winner)
        loser = at.tablet if winner == ISLAND else at.bobby
        move = await loser.engine.home.state()
        assert move is not None
        assert move.step is HomeStep.FAILED
        assert f"another device has moved the account to {winner}" in str(move.trouble)
        await at.alice.write(at.bobby, "after")
        for device in (at.bobby, at.tablet):
            await device.gets(at.alice, "before", "after")


@simulated
async def test_a_device_that_does_not_own_the_name_cannot_move_the_account(tmp_path: Path) -> None:
    async with scene(tmp_path) as at:
        offer = await at.tablet.engine.home.offer("~island")
        assert "does not own" in str(offer.obstacle)
        with pytest.raises(Refused, match="does not own"):
            await at.tablet.engine.home.move("~island")
        assert await at.tablet.engine.home.state() is None


@simulated
async def test_a_server_is_named_by_its_name_a_link_or_its_address(tmp_path: Path) -> None:
    async with scene(tmp_path) as at:
        home, link = at.bobby.engine.home, at.pair.world.link
        for target in ("~island", "island", str(msgspec.structs.replace(link, server=ISLAND)), url_of(ISLAND)):
            assert (await home.offer(target)).server == ISLAND
        with pytest.raises(Malformed, match="names no server"):
            await home.offer(str(link))
        other = signing.public_of(builders.signing_secret("another directory"))
        with pytest.raises(Refused, match="another network"):
            await home.offer(str(JoinLink(link.directory_urls, other, ISLAND)))
        with pytest.raises(NotFound):
            await home.offer("~nowhere")
        with pytest.raises(Malformed):
            await home.offer("no server!")


@simulated
async def test_an_address_counts_only_if_the_directory_says_that_it_is_the_servers(tmp_path: Path) -> None:
    async with scene(tmp_path) as at:
        fake = SimHomeServer(ISLAND, at.pair.world.directory, at.pair.world.clock)
        at.pair.world.machines["tcp://elsewhere:1"] = type(at.pair.world.machine(at.island))(fake)
        with pytest.raises(Refused, match="other addresses"):
            await at.bobby.engine.home.offer("tcp://elsewhere:1")


@simulated
async def test_a_server_that_takes_nobody_is_an_obstacle_that_is_told_before(tmp_path: Path) -> None:
    async with scene(tmp_path) as at:
        at.island.registration = "closed"
        assert "takes no new users" in str((await at.bobby.engine.home.offer("~island")).obstacle)
        at.island.registration = "invite"
        assert "by invite" in str((await at.bobby.engine.home.offer("~island")).obstacle)
        invite = AuthToken(bytes(20))
        at.island.invites[invite] = 1
        link = msgspec.structs.replace(at.pair.world.link, server=ISLAND, invite=invite)
        await at.bobby.engine.home.move(str(link))
        await at.lives(at.bobby)


@simulated
async def test_a_server_that_does_not_keep_its_word_changes_nothing(tmp_path: Path) -> None:
    class Fickle(SimHomeServer):
        def _lets_in(self, user: object) -> bool:
            return False

    async with scene(tmp_path, island=Fickle) as at:
        await at.bobby.engine.home.move("~island")
        await at.is_at(HomeStep.FAILED)
        move = await at.bobby.engine.home.state()
        assert move is not None
        assert "does not take" in str(move.trouble)
        assert at.in_directory() == "~beach"
        await at.alice.write(at.bobby, "after")
        await at.bobby.gets(at.alice, "before", "after")


@simulated
async def test_a_server_that_cannot_prepare_is_moved_to_as_well(tmp_path: Path) -> None:
    async with scene(tmp_path, island=ReferenceServer) as at:
        offer = await at.bobby.engine.home.offer("~island")
        assert (offer.can_prepare, offer.registration, offer.obstacle) == (False, None, None)
        await at.bobby.engine.home.move("~island")
        await at.alice.write(at.bobby, "during")
        for device in (at.bobby, at.tablet):
            await at.lives(device, limit_s=300)
        await at.alice.write(at.bobby, "after")
        for device in (at.bobby, at.tablet):
            await until(lambda device=device: at_rest(device, at), "it has it all", 1200)


def at_rest(device: SimDevice, at: Scene) -> bool:
    return device.texts(at.alice, mine=False) == ["before", "during", "after"]


@simulated
async def test_a_move_to_a_server_that_dies_on_the_way_can_give_way_to_another(tmp_path: Path) -> None:
    async with scene(tmp_path) as at:
        await at.bobby.engine.home.move("~island")
        await at.is_at(HomeStep.AWAIT)
        at.pair.world.machine(at.island).stop()
        with pytest.raises(Refused, match="is being finished"):
            await at.bobby.engine.home.move("~capes")
        await until(lambda: at.in_directory() == ISLAND, "the directory has logged it", 60)
        await asyncio.sleep(120)
        await at.bobby.engine.home.move("~capes")
        for device in (at.bobby, at.tablet):
            await at.lives(device, CAPE, limit_s=300)
        await at.alice.write(at.bobby, "after")
        for device in (at.bobby, at.tablet):
            await device.gets(at.alice, "before", "after")


@simulated
async def test_the_profile_and_the_files_come_along(tmp_path: Path) -> None:
    async with scene(tmp_path) as at:
        keys = at.bobby.keys
        profile = UserProfile.signed(keys.secret, "Bob", None, 5)
        at.pair.beach.profiles[keys.username] = profile

        async def pieces() -> AsyncIterator[bytes]:
            for number in range(20):
                yield bytes([number]) * 300_000

        fragments = fragments_of(at.bobby)
        root = await fragments.upload("photo", "image/png", pieces(), 86_400)
        await at.bobby.engine.devices.share_history()  # what it keeps for other devices is none of its files
        assert (await at.bobby.engine.home.offer("~island")).files == 1
        await at.bobby.engine.home.move("~island")
        await at.lives(at.bobby)
        assert at.island.profiles[keys.username] == profile
        await until(lambda: set(at.island.fragments) == set(at.pair.beach.fragments), "all of it is copied", 120)
        expiries = at.island.fragment_expiries_s.values()
        assert max(expiries) <= max(at.pair.beach.fragment_expiries_s.values()) + 1
        at.pair.world.machine(at.pair.beach).stop()
        found = [piece async for piece in fragments.download(root, [ISLAND], most_bytes=10**9)]
        assert sum(map(len, found)) == 6_000_000
        move = await at.bobby.engine.home.state()
        assert move is not None
        assert move.files_left == 0


@simulated
async def test_what_another_device_has_said_of_the_account_comes_along(tmp_path: Path) -> None:
    async with scene(tmp_path) as at:
        await at.tablet.engine.profiles.set_display_name("Bob")
        await at.bobby.engine.home.move("~island")
        await at.lives(at.bobby)
        assert (await at.alice.engine.profiles.profile(at.bobby.name)).display_name == "Bob"
        assert at.island.profiles[at.bobby.name].is_signed_by(at.bobby.keys.chain.this.pk)


@simulated
async def test_what_one_calls_oneself_comes_along_also_from_a_dead_server(tmp_path: Path) -> None:
    async with scene(tmp_path) as at:
        await at.bobby.engine.profiles.set_display_name("Bob")
        at.pair.world.machine(at.pair.beach).stop()
        await at.bobby.engine.home.move("~island")
        await at.lives(at.bobby)
        profile = at.island.profiles[at.bobby.name]
        assert profile.display_name == "Bob"
        assert profile.is_signed_by(at.bobby.keys.chain.this.pk)


@simulated
async def test_what_a_stranger_says_of_the_account_does_not_come_along(tmp_path: Path) -> None:
    async with scene(tmp_path) as at:
        stranger = builders.account("somebody_else")
        at.pair.beach.profiles[at.bobby.name] = UserProfile.signed(stranger.secret, "Mallory", None, 5)
        await at.bobby.engine.home.move("~island")
        await at.lives(at.bobby)
        assert at.bobby.name not in at.island.profiles


@simulated
async def test_the_account_is_not_moved_over_a_changed_identity(tmp_path: Path) -> None:
    async with scene(tmp_path) as at:
        other = builders.account("somebody_else")
        blob = UserDescriptor(ServerName("~beach"), other.hash).blob()
        at.pair.world.directory.set_value(at.bobby.name, at.bobby.keys.secret, blob)
        await at.bobby.engine.home.move("~island")
        await at.is_at(HomeStep.FAILED)
        assert at.in_directory() == "~beach"


@simulated
async def test_a_device_whose_account_was_recovered_elsewhere_says_so_and_asks_nobody_to_compare_with_oneself(
    tmp_path: Path,
) -> None:
    async with scene(tmp_path) as at:
        blob = UserDescriptor(ServerName("~beach"), builders.account("somebody_else").hash).blob()
        at.pair.world.directory.set_value(at.bobby.name, at.bobby.keys.secret, blob)

        def alarms(device: SimDevice) -> list[AlarmRaised]:
            return [event for event in device.events if isinstance(event, AlarmRaised)]

        await until(lambda: alarms(at.bobby), "it is told", 7200)
        (alarm,) = alarms(at.bobby)
        assert "recovered on another device" in alarm.text
        assert alarm.chat is None
        await at.alice.write(at.bobby, "is it you?")
        await until(lambda: alarms(at.alice), "contacts are told, too", 600)
        assert (alarms(at.alice)[0].chat, "Ask them" in alarms(at.alice)[0].text) == (at.bobby.name, True)
