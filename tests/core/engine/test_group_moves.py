"""Groups that go to another home server (docs/protocol/group-moves.md)."""

import asyncio
from pathlib import Path

import pytest

from tests.sim.clock import SimClock
from tests.sim.groups import (
    all_are_at,
    circle,
    comes_in,
    holds,
    is_at,
    makes_admin,
    members,
    notices,
    said,
    shown,
)
from tests.sim.home_server import ReferenceServer, SimHomeServer
from tests.sim.virtual_time import simulated, until
from tests.sim.world import SimDevice
from xirtam_core.codec.primitives import ANONYMOUS, Base64Bytes, Hash
from xirtam_core.errors import Refused, Unreachable
from xirtam_core.groups import GroupState, Status
from xirtam_core.names import ServerName
from xirtam_core.protocol.blob import CONTROL
from xirtam_core.protocol.control import GROUP_MOVED
from xirtam_core.protocol.direct_message import seal
from xirtam_core.protocol.event import Event, ToUser
from xirtam_core.protocol.group_move import GroupMoved
from xirtam_core.protocol.mailbox import direct_mailbox
from xirtam_core.storage import groups
from xirtam_core.storage.groups import StoredGroup

_DAY_S = 86_400


@simulated
async def test_members_follow_a_group_to_another_server_and_miss_nothing(tmp_path: Path) -> None:
    async with circle(tmp_path) as group:
        await makes_admin(group, group.bobby)
        group.alice.engine.conversations.send_text(group.group, "before")
        await group.all_get("before")
        await group.bobby.engine.groups.move(group.group)
        for number in range(3):
            for device in (group.alice, group.bobby, group.carol):
                device.engine.conversations.send_text(group.group, f"{number} of {device.name}")
            await asyncio.sleep(0.5)
        await all_are_at(group, "~beach")
        await until(lambda: len(said(group.alice, group.group)) == 10, "all of it comes", 3600)
        texts = said(group.alice, group.group)
        await group.all_get(*texts)
        for device in (group.alice, group.bobby, group.carol):
            own = [text for text in texts if text.endswith(str(device.name))]
            assert own == sorted(own), "what one says keeps its order"
            assert notices(device, group.group)[-1] == "@bobby moved the group from ~harbor to ~beach"
        assert group.members(group.alice) == group.members(group.bobby) == group.members(group.carol)

        group.world.machine(group.harbor).stop()
        group.bobby.engine.conversations.send_text(group.group, "without the old one")
        for device in (group.bobby, group.carol):
            await holds(device, group.group, *texts, "without the old one")


@simulated
async def test_a_member_who_was_off_for_days_follows_when_they_are_back(tmp_path: Path) -> None:
    async with circle(tmp_path) as group:
        await makes_admin(group, group.bobby)
        await group.carol.crash()
        group.alice.engine.conversations.send_text(group.group, "at the old one")
        await group.bobby.engine.groups.move(group.group)
        await is_at(group.alice, group.group, "~beach")
        group.alice.engine.conversations.send_text(group.group, "at the new one")
        await group.all_get("at the old one", "at the new one", among=(group.alice, group.bobby))
        await asyncio.sleep(5 * _DAY_S)
        group.carol.start()
        await is_at(group.carol, group.group, "~beach")
        await holds(group.carol, group.group, "at the old one", "at the new one")
        group.carol.engine.conversations.send_text(group.group, "I am back")
        await group.all_get("at the old one", "at the new one", "I am back")


@simulated
async def test_a_group_goes_on_without_its_server_and_its_members_are_told_by_direct_messages(tmp_path: Path) -> None:
    async with circle(tmp_path) as group:
        await makes_admin(group, group.bobby)
        group.bobby.engine.conversations.send_text(group.group, "before")
        await group.all_get("before")
        harbor = group.world.machine(group.harbor)
        harbor.stop()
        with pytest.raises(Unreachable):
            await group.bobby.engine.groups.move(group.group)
        group.carol.engine.conversations.send_text(group.group, "waits for a server")
        await group.bobby.engine.groups.move(group.group, server_is_gone=True)
        for device in (group.bobby, group.carol):
            await is_at(device, group.group, "~beach")
            await holds(device, group.group, "before", "waits for a server")
            assert (
                notices(device, group.group)[-1] == "@bobby moved the group from ~harbor to ~beach, as ~harbor is gone"
            )
        assert group.members(group.bobby) == group.members(group.carol)

        harbor.start()  # it was not gone for ever: Alice, who lives there, is told as well
        await is_at(group.alice, group.group, "~beach", 3600)
        await holds(group.alice, group.group, "before", "waits for a server")
        group.alice.engine.conversations.send_text(group.group, "here I am")
        await group.all_get("before", "waits for a server", "here I am")


@simulated
async def test_who_is_invited_after_a_move_comes_in_at_the_new_server(tmp_path: Path) -> None:
    async with circle(tmp_path) as group:
        await makes_admin(group, group.bobby)
        await group.bobby.engine.groups.move(group.group)
        await all_are_at(group, "~beach")
        group.world.machine(group.harbor).stop()
        david = group.world.device("david", group.beach)
        david.start()
        await group.carol.engine.groups.invite(group.group, david.name)
        await comes_in(david, group.group)
        assert members(david, group.group) == group.members(group.bobby)
        assert shown(david, group.group).name == "Climbers"
        group.carol.engine.conversations.send_text(group.group, "welcome")
        await holds(david, group.group, "welcome")
        david.engine.conversations.send_text(group.group, "thanks")
        await holds(group.carol, group.group, "welcome", "thanks")
        assert not david.has_failed


@simulated
async def test_what_is_said_about_a_group_after_it_has_moved_on_is_said_again(tmp_path: Path) -> None:
    async with circle(tmp_path) as group:
        await makes_admin(group, group.bobby)
        group.alice.end.is_cut = True
        await group.bobby.engine.groups.move(group.group)
        await is_at(group.bobby, group.group, "~beach")
        group.alice.engine.groups.set_info(group.group, name="Alpinists")
        group.alice.engine.groups.ban(group.group, group.carol.name)
        group.alice.end.is_cut = False
        await until(lambda: shown(group.bobby, group.group).name == "Alpinists", "the name holds", 3600)
        await until(lambda: shown(group.carol, group.group).state is GroupState.BANNED, "the ban holds", 3600)
        assert group.members(group.alice) == group.members(group.bobby)
        assert group.members(group.alice)[group.carol.name].status is Status.BANNED


@simulated
async def test_of_two_moves_at_once_the_first_counts(tmp_path: Path) -> None:
    async with circle(tmp_path) as group:
        island = group.world.server("~island")
        david = group.world.device("david", island)
        david.start()
        await group.alice.engine.groups.invite(group.group, david.name)
        await comes_in(david, group.group)
        for device in (group.bobby, david):
            await makes_admin(group, device)
        await asyncio.gather(*(device.engine.groups.move(group.group) for device in (group.bobby, david)))
        found: list[StoredGroup | None] = []
        for device in (group.alice, group.bobby, group.carol, david):
            await until(lambda device=device: _has_settled(device, group.group), "it has gone somewhere", 1200)
            found.append(groups.find(device.database, group.group))
        assert len({each.server for each in found if each is not None}) == 1
        david.engine.conversations.send_text(group.group, "where are we?")
        await group.all_get("where are we?")
        assert members(david, group.group) == group.members(group.alice)
        assert not david.has_failed


def _has_settled(device: SimDevice, group: str) -> bool:
    found = groups.find(device.database, group)
    return found is not None and found.server != "~harbor" and found.moves_to is None


@simulated
async def test_two_who_move_a_group_whose_server_is_gone_come_to_the_same(tmp_path: Path) -> None:
    async with circle(tmp_path) as group:
        island = group.world.server("~island")
        david = group.world.device("david", island)
        david.start()
        await group.alice.engine.groups.invite(group.group, david.name)
        await comes_in(david, group.group)
        for device in (group.bobby, david):
            await makes_admin(group, device)
        group.world.machine(group.harbor).stop()
        david.end.blocked.append(
            group.world.machine(group.beach)
        )  # neither hears of the other before both have moved it
        group.bobby.end.blocked.append(group.world.machine(island))
        for device, server in ((group.bobby, "~beach"), (david, "~island")):
            await device.engine.groups.move(group.group, server_is_gone=True)
            await is_at(device, group.group, server)
        david.end.blocked.clear()
        group.bobby.end.blocked.clear()
        for device in (group.bobby, group.carol, david):
            await is_at(device, group.group, "~beach", 3600)
        for device in (group.bobby, group.carol, david):
            device.engine.conversations.send_text(group.group, f"{device.name} is here")
            await asyncio.sleep(10)
        texts = [f"{device.name} is here" for device in (group.bobby, group.carol, david)]
        for device in (group.bobby, group.carol, david):
            await holds(device, group.group, *texts)
        assert members(david, group.group) == group.members(group.carol)
        assert not david.has_failed


@simulated
async def test_a_group_moves_away_and_back(tmp_path: Path) -> None:
    async with circle(tmp_path) as group:
        await makes_admin(group, group.bobby)
        await group.carol.crash()
        texts: list[str] = []
        for mover, server in ((group.bobby, "~beach"), (group.alice, "~harbor"), (group.bobby, "~beach")):
            await mover.engine.groups.move(group.group)
            for device in (group.alice, group.bobby):
                await is_at(device, group.group, server)
            texts.append(f"now at {server}")
            mover.engine.conversations.send_text(group.group, texts[-1])
            await group.all_get(*texts, among=(group.alice, group.bobby))
        group.carol.start()
        await is_at(group.carol, group.group, "~beach", 3600)
        await group.all_get(*texts)
        assert group.members(group.carol) == group.members(group.alice)


@simulated
async def test_what_is_said_at_a_server_whose_clock_is_behind_comes_after_what_was_said_before(tmp_path: Path) -> None:
    async with circle(tmp_path) as group:
        await makes_admin(group, group.bobby)
        group.alice.engine.conversations.send_text(group.group, "first")
        await group.all_get("first")
        clock = SimClock(asyncio.get_running_loop())
        clock.offset_s = -7200
        group.beach.keep_time_by(clock)
        await group.bobby.engine.groups.move(group.group)
        await all_are_at(group, "~beach")
        for text in ("second", "third"):
            group.carol.engine.conversations.send_text(group.group, text)
            await asyncio.sleep(5)
        await group.all_get("first", "second", "third")
        group.bobby.engine.groups.ban(group.group, group.carol.name)
        await until(lambda: shown(group.carol, group.group).state is GroupState.BANNED, "the ban holds", 3600)
        assert said(group.alice, group.group) == ["first", "second", "third"], "what was said before the ban stays"


@simulated
async def test_a_server_that_does_not_say_whom_it_lets_in_can_be_left_as_well(tmp_path: Path) -> None:
    async with circle(tmp_path, harbor=ReferenceServer) as group:
        await makes_admin(group, group.bobby)
        group.alice.engine.conversations.send_text(group.group, "before")
        await group.all_get("before")
        await group.bobby.engine.groups.move(group.group)
        await all_are_at(group, "~beach")
        group.carol.engine.conversations.send_text(group.group, "after")
        await group.all_get("before", "after")


@simulated
async def test_only_admins_move_a_group_and_nobody_else_is_believed(tmp_path: Path) -> None:
    async with circle(tmp_path) as group:
        with pytest.raises(Refused):
            await group.carol.engine.groups.move(group.group)
        world: SimHomeServer = group.beach
        said_where = GroupMoved(Hash.from_text(group.group), ServerName(world.name), Hash(bytes(32)), 1)
        event = Event(ToUser(group.bobby.name), 5, GROUP_MOVED, Base64Bytes(said_where.render()))
        carol, key = group.carol.keys, group.beach.devices[group.bobby.keys.hash].key
        assert key is not None
        blob = seal(CONTROL, event, carol.username, carol.secret, carol.chain, [key.medium_pk])
        await group.beach.mailbox_send(ANONYMOUS, direct_mailbox(group.bobby.name), blob, 0)
        await asyncio.sleep(600)
        found = groups.find(group.bobby.database, group.group)
        assert found is not None
        assert (found.server, found.moves_to) == ("~harbor", None)


@simulated
async def test_a_second_device_of_the_mover_and_one_that_is_paired_later_are_with_the_group(tmp_path: Path) -> None:
    async with circle(tmp_path) as group:
        await makes_admin(group, group.bobby)
        tablet = group.world.another_device(group.bobby, "tablet")
        tablet.start()
        await asyncio.sleep(60)
        await group.bobby.engine.groups.move(group.group)
        await all_are_at(group, "~beach")
        group.alice.engine.conversations.send_text(group.group, "all here?")
        await group.all_get("all here?")
        assert not tablet.has_failed
