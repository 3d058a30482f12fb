"""Groups that move while something goes wrong, or somebody means ill (docs/protocol/group-moves.md, What can go wrong)."""

import asyncio
from pathlib import Path

import msgspec
import pytest

from tests.sim.group_moves import commands_at, is_banned, post, said_by, stored, tell, with_david
from tests.sim.groups import (
    all_are_at,
    circle,
    comes_in,
    holds,
    is_at,
    is_invited,
    makes_admin,
    members,
    said,
    shown,
)
from tests.sim.home_server import ReferenceServer
from tests.sim.virtual_time import simulated, until
from xirtam_core.codec.primitives import AuthToken, Hash
from xirtam_core.crypto.hashing import token_hash
from xirtam_core.errors import Refused
from xirtam_core.groups import GroupState
from xirtam_core.names import ServerName, Username
from xirtam_core.protocol import group_command
from xirtam_core.protocol.group_command import InviteSent, MovedHere, MoveServer
from xirtam_core.protocol.roster import PENDING, Roster
from xirtam_core.storage import journal

_HOUR_S, _DAY_S = 3_600, 86_400


# What is said at the new server before the group has come there


@simulated
async def test_what_a_server_shows_from_before_the_arrival_has_no_effect(tmp_path: Path) -> None:
    async with circle(tmp_path, beach=ReferenceServer) as group:
        await makes_admin(group, group.bobby)
        group.bobby.engine.groups.set_info(group.group, name="Alpinists")
        await group.bobby.engine.groups.move(group.group)
        await all_are_at(group, "~beach")
        box = group.beach.mailboxes[stored(group.alice, group).management_mailbox]
        first = box.entries[0]
        blob = said_by(group.carol, group, InviteSent(Username("@evelyn")))
        box.add(msgspec.structs.replace(first, received_at=first.received_at - 1, message=blob))
        await asyncio.sleep(600)
        for device in (group.alice, group.bobby, group.carol):
            assert set(group.members(device)) == {group.alice.name, group.bobby.name, group.carol.name}
            assert shown(device, group.group).name == "Alpinists"


@simulated
async def test_what_a_member_says_before_the_arrival_survives_no_restart(tmp_path: Path) -> None:
    async with circle(tmp_path, beach=ReferenceServer) as group:
        await makes_admin(group, group.bobby)
        group.bobby.engine.groups.set_info(group.group, name="Alpinists")
        await asyncio.sleep(30)
        await group.bobby.engine.groups.move(group.group)
        await post(group.carol, group, group.beach, InviteSent(Username("@evelyn")))
        await until(lambda: stored(group.alice, group).server == "~beach", "Alice is there", 600)
        await group.alice.crash()
        group.alice.start()
        await asyncio.sleep(600)
        assert group.members(group.alice) == group.members(group.bobby)
        assert shown(group.alice, group.group).name == "Alpinists"


# Words that do not hold


@simulated
async def test_a_false_word_of_an_admin_stops_neither_bans_nor_a_rescue(tmp_path: Path) -> None:
    async with circle(tmp_path) as group:
        for device in (group.bobby, group.carol):
            await makes_admin(group, device)
        for device in (group.alice, group.bobby):
            await tell(group, group.carol, device, server="~aaaaa")
        await asyncio.sleep(600)
        group.alice.engine.groups.ban(group.group, group.carol.name)
        await until(lambda: shown(group.carol, group.group).state is GroupState.BANNED, "the ban holds", _HOUR_S)
        await until(lambda: is_banned(group, group.bobby, group.carol), "Bobby knows it", _HOUR_S)
        await group.bobby.engine.groups.move(group.group, server_is_gone=True)
        for device in (group.alice, group.bobby):
            await is_at(device, group.group, "~beach", 2 * _HOUR_S)


@simulated
async def test_a_move_that_nobody_ends_is_ended_by_going_back(tmp_path: Path) -> None:
    async with circle(tmp_path) as group:
        await makes_admin(group, group.bobby)
        await post(group.bobby, group, group.harbor, MoveServer(ServerName("~zzzzz"), 0))
        await until(lambda: stored(group.alice, group).moves_to == "~zzzzz", "it goes", 600)
        await group.alice.engine.groups.move(group.group, server_is_gone=True)
        await all_are_at(group, "~harbor")
        group.alice.engine.conversations.send_text(group.group, "still here")
        await group.all_get("still here")
        await asyncio.sleep(2 * _HOUR_S)
        arrivals = [
            each for each in commands_at(group.harbor, stored(group.alice, group)) if isinstance(each, MovedHere)
        ]
        assert len(arrivals) == 1


@simulated
async def test_a_move_to_a_server_that_died_meanwhile_is_ended_by_another(tmp_path: Path) -> None:
    """Even where the name of the dead one would win of two that were moved to at once."""
    async with with_david(tmp_path) as (group, david):
        await post(group.bobby, group, group.harbor, MoveServer(ServerName("~beach"), 0))
        group.world.machine(group.beach).stop()
        await asyncio.sleep(60)
        await david.engine.groups.move(group.group, server_is_gone=True)
        for device in (david, group.alice):
            await is_at(device, group.group, "~island", 2 * _DAY_S)


@simulated
async def test_an_old_move_said_once_more_has_no_effect(tmp_path: Path) -> None:
    async with circle(tmp_path) as group:
        await makes_admin(group, group.bobby)
        await group.bobby.engine.groups.move(group.group)
        await all_are_at(group, "~beach")
        await group.alice.engine.groups.move(group.group)
        await all_are_at(group, "~harbor")
        known = stored(group.carol, group)
        entries = list(group.harbor.mailboxes[known.management_mailbox].entries)
        moves = [isinstance(each, MoveServer) for each in commands_at(group.harbor, known)]
        assert any(moves)
        for entry, is_move in zip(entries, moves, strict=True):
            if is_move:
                await group.harbor.mailbox_send(known.token, known.management_mailbox, entry.message, 0)
        await asyncio.sleep(_DAY_S)
        await all_are_at(group, "~harbor")


@simulated
async def test_a_word_of_an_earlier_move_that_comes_late_has_no_effect(tmp_path: Path) -> None:
    async with circle(tmp_path) as group:
        await makes_admin(group, group.bobby)
        await group.bobby.engine.groups.move(group.group)
        await all_are_at(group, "~beach")
        then = stored(group.carol, group).snapshot
        await group.alice.engine.groups.move(group.group)
        await all_are_at(group, "~harbor")
        await tell(group, group.bobby, group.carol, server="~beach", stay=1, snapshot=then)
        await asyncio.sleep(_HOUR_S)
        await all_are_at(group, "~harbor")
        group.carol.engine.conversations.send_text(group.group, "here")
        await group.all_get("here")


@simulated
async def test_words_that_lead_nowhere_leave_few_mailboxes_to_read(tmp_path: Path) -> None:
    async with circle(tmp_path) as group:
        await makes_admin(group, group.bobby)
        for number in range(30):
            await tell(
                group, group.bobby, group.alice, server=f"~srv{30 - number:03}", snapshot=Hash(bytes([number] * 32))
            )
        await asyncio.sleep(600)
        assert len(journal.servers(group.alice.database)) < 12
        await group.bobby.engine.groups.move(group.group)
        await all_are_at(group, "~beach")
        assert not [name for name in journal.servers(group.alice.database) if name.startswith("~srv")]


@simulated
async def test_a_token_counts_only_once_the_group_has_come(tmp_path: Path) -> None:
    async with circle(tmp_path) as group:
        await makes_admin(group, group.bobby)
        await tell(group, group.bobby, group.alice, server="~zzzzz", token=AuthToken(bytes(range(20))).text())
        await asyncio.sleep(60)
        group.alice.engine.conversations.send_text(group.group, "still let in")
        await group.all_get("still let in")


# Moves without the old server: what the mover had not read


@simulated
async def test_a_ban_that_the_mover_had_not_read_is_said_again(tmp_path: Path) -> None:
    async with circle(tmp_path) as group:
        await makes_admin(group, group.bobby)
        group.bobby.end.is_cut = True
        await asyncio.sleep(5)
        group.alice.engine.groups.ban(group.group, group.carol.name)
        await until(lambda: shown(group.carol, group.group).state is GroupState.BANNED, "the ban holds", _HOUR_S)
        await asyncio.sleep(60)
        harbor = group.world.machine(group.harbor)
        harbor.stop()
        group.bobby.end.is_cut = False
        await group.bobby.engine.groups.move(group.group, server_is_gone=True)
        await is_at(group.bobby, group.group, "~beach")
        harbor.start()
        await is_at(group.alice, group.group, "~beach", _HOUR_S)
        for device in (group.alice, group.bobby):
            await until(lambda device=device: is_banned(group, device, group.carol), "she stays banned", 2 * _HOUR_S)
        group.alice.engine.conversations.send_text(group.group, "without her")
        await group.all_get("without her", among=(group.alice, group.bobby))
        assert "without her" not in said(group.carol, group.group)


@simulated
async def test_who_had_left_before_the_mover_read_it_leaves_again(tmp_path: Path) -> None:
    async with circle(tmp_path) as group:
        await makes_admin(group, group.bobby)
        group.bobby.end.is_cut = True
        await asyncio.sleep(5)
        group.carol.engine.groups.leave(group.group)
        await until(lambda: shown(group.carol, group.group).state is GroupState.LEFT, "she has left", _HOUR_S)
        await asyncio.sleep(60)
        group.world.machine(group.harbor).stop()
        group.bobby.end.is_cut = False
        await group.bobby.engine.groups.move(group.group, server_is_gone=True)
        await is_at(group.bobby, group.group, "~beach")
        await until(lambda: group.carol.name not in group.members(group.bobby), "she is out", 2 * _HOUR_S)
        await until(lambda: shown(group.carol, group.group).state is GroupState.LEFT, "and knows it", 2 * _HOUR_S)


@simulated
async def test_who_was_invited_before_the_old_server_was_gone_comes_in_at_the_new_one(tmp_path: Path) -> None:
    async with circle(tmp_path) as group:
        await makes_admin(group, group.bobby)
        david = group.world.device("david", group.beach)
        david.start()
        await group.carol.engine.groups.invite(group.group, david.name)
        await is_invited(david, group.group)
        await asyncio.sleep(60)
        group.world.machine(group.harbor).stop()
        await group.bobby.engine.groups.move(group.group, server_is_gone=True)
        for device in (group.bobby, group.carol):
            await is_at(device, group.group, "~beach")
        await asyncio.sleep(_HOUR_S)
        david.engine.groups.accept(group.group)
        await until(lambda: shown(david, group.group).state is GroupState.MEMBER, "he is in", 2 * _DAY_S)
        group.carol.engine.conversations.send_text(group.group, "welcome")
        await holds(david, group.group, "welcome")
        assert members(david, group.group) == group.members(group.bobby)


# Who comes in, or gets rights, while the group moves


@simulated
async def test_who_comes_in_while_a_move_waits_to_be_told_is_let_in(tmp_path: Path) -> None:
    async with circle(tmp_path) as group:
        await makes_admin(group, group.bobby)
        await group.bobby.engine.groups.move(group.group)
        group.bobby.end.is_cut = True
        await asyncio.sleep(30)
        david = group.world.device("david", group.harbor)
        david.start()
        await group.alice.engine.groups.invite(group.group, david.name)
        await comes_in(david, group.group)
        await asyncio.sleep(_HOUR_S)
        group.bobby.end.is_cut = False
        await all_are_at(group, "~beach")
        await is_at(david, group.group, "~beach", _DAY_S)
        david.engine.conversations.send_text(group.group, "me too")
        await group.all_get("me too")


@simulated
async def test_who_becomes_an_admin_while_a_move_waits_to_be_told_has_their_rights(tmp_path: Path) -> None:
    async with circle(tmp_path) as group:
        await makes_admin(group, group.bobby)
        await group.bobby.engine.groups.move(group.group)
        group.bobby.end.is_cut = True
        await asyncio.sleep(5)
        await makes_admin(group, group.carol)
        await asyncio.sleep(600)
        group.bobby.end.is_cut = False
        await all_are_at(group, "~beach")
        known = stored(group.carol, group)

        def may_edit() -> bool:
            access = group.beach.mailboxes[known.messages_mailbox].access
            return access is not None and access[token_hash(known.token)].can_edit_acl

        await until(may_edit, "Carol has an admin's rights", 2 * _HOUR_S)


@simulated
async def test_no_newcomer_waits_for_a_key_that_was_made_at_the_old_server(tmp_path: Path) -> None:
    async with circle(tmp_path) as group:
        await makes_admin(group, group.bobby)
        await asyncio.sleep(2 * _HOUR_S)
        await group.alice.crash()
        await group.bobby.engine.groups.move(group.group)
        await is_at(group.carol, group.group, "~beach")
        david = group.world.device("david", group.beach)
        david.start()
        await group.carol.engine.groups.invite(group.group, david.name)
        await comes_in(david, group.group)
        await asyncio.sleep(60)
        group.alice.start()
        await is_at(group.alice, group.group, "~beach")
        await asyncio.sleep(20)
        group.carol.engine.conversations.send_text(group.group, "hi")
        await holds(david, group.group, "hi")


# Back and forth


@simulated
async def test_a_device_that_restarts_just_as_the_group_comes_back_has_all_of_it(tmp_path: Path) -> None:
    async with circle(tmp_path) as group:
        await makes_admin(group, group.bobby)
        await group.bobby.engine.groups.move(group.group)
        await all_are_at(group, "~beach")
        group.bobby.engine.groups.set_info(group.group, name="Alpinists")
        await until(lambda: shown(group.carol, group.group).name == "Alpinists", "named", 600)
        await group.alice.engine.groups.move(group.group)
        await is_at(group.carol, group.group, "~harbor")
        await group.carol.crash()
        group.carol.start()
        await asyncio.sleep(_HOUR_S)
        assert group.members(group.carol) == group.members(group.alice)
        assert shown(group.carol, group.group).name == "Alpinists"


@simulated
async def test_what_was_read_at_a_server_is_not_read_again_when_the_group_comes_back(tmp_path: Path) -> None:
    async with circle(tmp_path) as group:
        await makes_admin(group, group.bobby)
        texts = [f"{number:02}" for number in range(40)]  # an hour apart: the keys of most are gone afterwards
        for text in texts:
            group.alice.engine.conversations.send_text(group.group, text)
            await asyncio.sleep(_HOUR_S)
        await group.bobby.engine.groups.move(group.group)
        await all_are_at(group, "~beach")
        await asyncio.sleep(2 * _DAY_S)
        await group.alice.engine.groups.move(group.group)
        await all_are_at(group, "~harbor")
        await asyncio.sleep(600)
        for device in (group.alice, group.bobby, group.carol):
            assert shown(device, group.group).waiting == 0
            assert said(device, group.group) == texts


# Limits


@simulated
async def test_a_group_too_large_to_be_moved_is_refused_and_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("xirtam_core.engine.group_moves.MOST_TO_MOVE", 100)
    async with circle(tmp_path) as group:
        await makes_admin(group, group.bobby)
        with pytest.raises(Refused, match="too many people"):
            await group.bobby.engine.groups.move(group.group)
        group.bobby.engine.conversations.send_text(group.group, "here still")
        await group.all_get("here still")


def test_ten_thousand_people_fit_into_an_arrival() -> None:
    roster = Roster(Username("@alice"))
    for number in range(10_000):
        roster.members[Username(f"@member{number:09}")] = PENDING
    raw = group_command.render(roster.arrival(ServerName("~harbor"), 5, is_gone=False))
    assert len(raw) < group_command.MOST_TO_MOVE
    assert isinstance(group_command.parse(raw), MovedHere)
