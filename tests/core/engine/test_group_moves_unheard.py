"""Groups that move while somebody has not heard, or has not been heard (docs/protocol/group-moves.md)."""

import asyncio
from pathlib import Path

import msgspec

from tests.sim.clock import SimClock
from tests.sim.group_moves import commands_at, is_banned, post, said_by, stored, tell, with_david
from tests.sim.groups import all_are_at, circle, comes_in, is_at, is_invited, makes_admin, members, said, shown
from tests.sim.home_server import Mailbox, ReferenceServer
from tests.sim.virtual_time import simulated, until
from xirtam_core.codec.primitives import Base64Bytes
from xirtam_core.crypto.hashing import token_hash
from xirtam_core.groups import GroupState, Status
from xirtam_core.names import ServerName
from xirtam_core.protocol import group_command
from xirtam_core.protocol.event import Event, recipient_of
from xirtam_core.protocol.group_command import (
    AddAdmin,
    Ban,
    InviteSent,
    MovedHere,
    MoveServer,
    RemoveAdmin,
    SetInfo,
    Unban,
)
from xirtam_core.protocol.group_message import MANAGE
from xirtam_core.protocol.mailbox import MailboxAcl

_HOUR_S, _DAY_S = 3_600, 86_400


# Words of people who do not count any more


@simulated
async def test_who_has_been_banned_since_moves_nobody(tmp_path: Path) -> None:
    """An admin tells of a move that she has not made; makes it a day after her ban, and says that only she is an admin."""
    async with circle(tmp_path) as group:
        for device in (group.bobby, group.carol):
            await makes_admin(group, device)
        known, island = stored(group.alice, group), group.world.server("~island")
        everybody = (group.alice, group.bobby, group.carol)
        tokens = [token_hash(stored(device, group).token) for device in everybody]
        for mailbox in known.mailboxes:
            island.mailboxes[mailbox] = Mailbox()
            island.mailboxes[mailbox].access = {token: MailboxAcl(token, True, True, True) for token in tokens}
        seats = tuple((device.name, "accepted", device is group.carol) for device in everybody)
        move = MovedHere(origin=ServerName("~harbor"), stay=1, after=0, members=seats, is_gone=True)
        event = Event(recipient_of(group.group), 7, MANAGE, Base64Bytes(group_command.render(move)))
        blob, her_token = said_by(group.carol, group, move), stored(group.carol, group).token
        for device in (group.alice, group.bobby):
            await tell(group, group.carol, device, server="~island", snapshot=event.hash())
        await asyncio.sleep(60)
        group.alice.engine.groups.ban(group.group, group.carol.name)
        await until(lambda: shown(group.carol, group.group).state is GroupState.BANNED, "the ban holds", _HOUR_S)
        await asyncio.sleep(_DAY_S)
        await island.mailbox_send(her_token, known.management_mailbox, blob, 0)
        await asyncio.sleep(_HOUR_S)
        for device in (group.alice, group.bobby):
            await is_at(device, group.group, "~harbor")
            assert is_banned(group, device, group.carol)


@simulated
async def test_who_has_left_and_is_told_something_false_can_be_invited_again(tmp_path: Path) -> None:
    async with circle(tmp_path) as group:
        await makes_admin(group, group.bobby)
        group.carol.engine.groups.leave(group.group)
        await until(lambda: shown(group.carol, group.group).state is GroupState.LEFT, "she has left", _HOUR_S)
        group.alice.engine.groups.ban(group.group, group.bobby.name)  # which she cannot know
        await asyncio.sleep(_HOUR_S)
        await tell(group, group.bobby, group.carol, server="~zzzzz", stay=1)
        await asyncio.sleep(_HOUR_S)
        await group.alice.engine.groups.invite(group.group, group.carol.name)
        await is_invited(group.carol, group.group)


@simulated
async def test_old_words_shown_again_at_the_server_that_was_left_are_not_said_again(tmp_path: Path) -> None:
    async with circle(tmp_path) as group:
        await makes_admin(group, group.bobby)
        alices = group.alice.engine.groups
        for step in (alices.ban, alices.unban, alices.ban):
            step(group.group, group.carol.name)
            await asyncio.sleep(30)
        await group.bobby.engine.groups.move(group.group)
        for device in (group.alice, group.bobby):
            await is_at(device, group.group, "~beach")
        await asyncio.sleep(60)
        known = stored(group.alice, group)
        entries = list(group.harbor.mailboxes[known.management_mailbox].entries)
        again = [entry for entry, said_there in zip(entries, commands_at(group.harbor, known), strict=True)
                 if isinstance(said_there, (Unban, AddAdmin))]  # fmt: skip
        assert again
        for entry in again:
            await group.harbor.mailbox_send(known.token, known.management_mailbox, entry.message, 0)
        await asyncio.sleep(_HOUR_S)
        assert is_banned(group, group.bobby, group.carol)


# Coming in while the group is on its way


@simulated
async def test_a_member_whose_coming_in_the_mover_had_not_read_is_brought_along(tmp_path: Path) -> None:
    async with circle(tmp_path) as group:
        await makes_admin(group, group.bobby)
        group.bobby.end.is_cut = True
        await asyncio.sleep(5)
        david = group.world.device("david", group.world.server("~island"))
        david.start()
        await group.carol.engine.groups.invite(group.group, david.name)
        await comes_in(david, group.group)
        await asyncio.sleep(60)
        group.world.machine(group.harbor).stop()
        group.bobby.end.is_cut = False
        await group.bobby.engine.groups.move(group.group, server_is_gone=True)
        for device in (group.bobby, group.carol):
            await is_at(device, group.group, "~beach")
        await is_at(david, group.group, "~beach", _DAY_S)
        await until(lambda: group.members(group.bobby)[david.name].status is Status.ACCEPTED, "all know it", _DAY_S)
        assert not david.has_failed


@simulated
async def test_who_accepts_on_the_way_an_invitation_that_the_group_has_not_heard_of_stays_in(tmp_path: Path) -> None:
    async with circle(tmp_path) as group:
        await makes_admin(group, group.bobby)
        david = group.world.device("david", group.world.server("~island"))
        david.start()
        await group.carol.engine.groups.invite(group.group, david.name)
        group.carol.end.blocked.append(group.world.machine(group.harbor))  # before she has told the group
        await is_invited(david, group.group)
        known = stored(group.alice, group)
        assert InviteSent(david.name) not in commands_at(group.harbor, known)
        await group.bobby.engine.groups.move(group.group)
        await until(lambda: MoveServer(ServerName("~beach"), 0) in commands_at(group.harbor, known), "it goes", 60)
        group.bobby.end.is_cut = True
        await asyncio.sleep(10)
        david.engine.groups.accept(group.group)
        await asyncio.sleep(30)
        group.bobby.end.is_cut = False
        group.carol.end.blocked.clear()
        await all_are_at(group, "~beach")
        await is_at(david, group.group, "~beach", _DAY_S)
        await until(lambda: david.name in group.members(group.bobby), "they hear of him", _DAY_S)
        await until(lambda: group.members(group.bobby)[david.name].status is Status.ACCEPTED, "he is in", _DAY_S)
        assert stored(david, group).state is GroupState.MEMBER


@simulated
async def test_a_newcomer_misses_nothing_at_a_server_whose_clock_is_behind(tmp_path: Path) -> None:
    async with circle(tmp_path) as group:
        await makes_admin(group, group.bobby)
        clock = SimClock(asyncio.get_running_loop())
        clock.offset_s = -7200
        group.beach.keep_time_by(clock)
        await group.bobby.engine.groups.move(group.group)
        await all_are_at(group, "~beach")
        david = group.world.device("david", group.world.server("~island"))
        david.start()
        await group.carol.engine.groups.invite(group.group, david.name)
        await comes_in(david, group.group)
        await asyncio.sleep(60)
        group.carol.engine.conversations.send_text(group.group, "welcome")
        await until(lambda: said(david, group.group) == ["welcome"], "he is welcomed", 600)


# Two moves at once, without the server that was left


@simulated
async def test_a_ban_that_only_one_of_two_movers_knew_holds(tmp_path: Path) -> None:
    async with with_david(tmp_path) as (group, david):
        island = group.world.machine(group.world.home_of(david))
        group.bobby.end.is_cut = True
        await asyncio.sleep(5)
        david.engine.groups.ban(group.group, group.carol.name)
        await until(lambda: shown(group.carol, group.group).state is GroupState.BANNED, "the ban holds", _HOUR_S)
        await asyncio.sleep(60)
        group.world.machine(group.harbor).stop()
        david.end.blocked.append(group.world.machine(group.beach))
        await david.engine.groups.move(group.group, server_is_gone=True)
        await is_at(david, group.group, "~island")
        group.bobby.end.is_cut = False
        group.bobby.end.blocked.append(island)
        await group.bobby.engine.groups.move(group.group, server_is_gone=True)
        await is_at(group.bobby, group.group, "~beach")
        david.end.blocked.clear()
        group.bobby.end.blocked.clear()
        await is_at(david, group.group, "~beach", _DAY_S)
        for device in (group.bobby, david):
            await until(lambda device=device: is_banned(group, device, group.carol), "she stays banned", _DAY_S)


@simulated
async def test_what_was_said_at_the_place_that_was_given_up_reaches_all(tmp_path: Path) -> None:
    async with with_david(tmp_path) as (group, david):
        island = group.world.machine(group.world.home_of(david))
        group.world.machine(group.harbor).stop()
        david.end.blocked.append(group.world.machine(group.beach))
        group.bobby.end.blocked.append(island)
        for device, server in ((group.bobby, "~beach"), (david, "~island")):
            await device.engine.groups.move(group.group, server_is_gone=True)
            await is_at(device, group.group, server)
        david.engine.conversations.send_text(group.group, "from the island")
        await asyncio.sleep(30)
        david.end.blocked.clear()
        group.bobby.end.blocked.clear()
        for device in (group.bobby, group.carol, david):
            await is_at(device, group.group, "~beach", _HOUR_S)
            await until(lambda device=device: said(device, group.group) == ["from the island"], "it is here", _DAY_S)


# A server of another make, which shows entries late


@simulated
async def test_a_ban_that_a_late_move_goes_before_is_said_again(tmp_path: Path) -> None:
    async with circle(tmp_path, harbor=ReferenceServer) as group:
        await makes_admin(group, group.bobby)
        box = group.harbor.mailboxes[stored(group.alice, group).management_mailbox]
        await asyncio.sleep(20)
        group.alice.engine.groups.ban(group.group, group.carol.name)
        await until(lambda: shown(group.carol, group.group).state is GroupState.BANNED, "the ban holds", 60)
        known = stored(group.alice, group)
        await group.bobby.engine.groups.move(group.group)
        await until(lambda: MoveServer(ServerName("~beach"), 0) in commands_at(group.harbor, known), "it goes", 600)
        commands = commands_at(group.harbor, known)
        move = box.entries.pop(commands.index(MoveServer(ServerName("~beach"), 0)))
        ban = box.entries[commands.index(Ban(group.carol.name))]
        box.add(msgspec.structs.replace(move, received_at=ban.received_at - 1))
        for device in (group.alice, group.bobby):
            await is_at(device, group.group, "~beach", _HOUR_S)
            await until(lambda device=device: is_banned(group, device, group.carol), "she stays banned", _DAY_S)


@simulated
async def test_what_was_said_behind_a_move_that_turns_out_not_to_have_been_one_counts_for_all(tmp_path: Path) -> None:
    async with circle(tmp_path, harbor=ReferenceServer) as group:
        await makes_admin(group, group.bobby)
        box = group.harbor.mailboxes[stored(group.alice, group).management_mailbox]
        await group.carol.crash()
        await post(group.bobby, group, group.harbor, MoveServer(ServerName("~zzzzz"), 0))
        await until(lambda: stored(group.bobby, group).moves_to == "~zzzzz", "it goes", 60)
        move = box.entries[-1]
        await asyncio.sleep(1)
        await post(group.alice, group, group.harbor, SetInfo(name="Alpinists"))
        await asyncio.sleep(3)
        reduced = said_by(group.alice, group, RemoveAdmin(group.bobby.name))
        box.add(msgspec.structs.replace(move, received_at=move.received_at - 1, message=reduced))
        await asyncio.sleep(60)
        group.carol.start()
        for device in (group.alice, group.bobby, group.carol):
            await until(lambda device=device: shown(device, group.group).name == "Alpinists", "the name holds", _DAY_S)
            assert stored(device, group).moves_to is None
        assert members(group.carol, group.group) == group.members(group.bobby)
