"""Rosters of groups, as management entries reach them in whatever way they come (spec: groups.md, Roster; rpc.md, Receiving)."""

import asyncio
from pathlib import Path

import pytest

from tests import builders
from tests.sim.groups import Circle, circle, comes_in, members, notices
from tests.sim.home_server import ReferenceServer
from tests.sim.virtual_time import simulated, until
from tests.sim.world import SimDevice
from xirtam_core.codec.primitives import Base64Bytes
from xirtam_core.crypto.hashing import token_hash
from xirtam_core.groups import Status
from xirtam_core.names import Username
from xirtam_core.protocol import group_command, group_message
from xirtam_core.protocol.blob import MESSAGE_CONTENT, Blob
from xirtam_core.protocol.event import Event, ToGroup
from xirtam_core.protocol.group_command import Command, RemoveAdmin, SetInfo
from xirtam_core.protocol.group_message import MANAGE
from xirtam_core.protocol.mailbox import MailboxEntry
from xirtam_core.protocol.roster import ACCEPTED
from xirtam_core.storage import group_members, groups
from xirtam_core.storage.database import Row
from xirtam_core.storage.groups import StoredGroup


def _stored(group: Circle) -> StoredGroup:
    found = groups.find(group.alice.database, group.group)
    assert found is not None
    return found


def _managing(group: Circle, sender: builders.Device, command: Command) -> Blob:
    """What `sender` says of the group, as anybody could post it who has been in it."""
    known = _stored(group)
    body = Base64Bytes(group_command.render(command))
    event = Event(ToGroup(known.id), group.world.clock.now_ns(), MANAGE, body)
    return group_message.seal(
        MESSAGE_CONTENT, event, sender.username, sender.secret, sender.chain, known.descriptor.management_key
    )


async def _turns_up_late(group: Circle, blob: Blob, received_at: int) -> None:
    """A server that is not ours shows an entry behind others that have been read."""
    known = _stored(group)
    entry = MailboxEntry(blob, received_at, token_hash(known.token))
    group.harbor.mailboxes[known.management_mailbox].add(entry)


@simulated
async def test_an_entry_that_turns_up_late_counts_where_it_stands(tmp_path: Path) -> None:
    """Bobby was an admin no more when he named the group and banned Davey, but the server shows that last."""
    async with circle(tmp_path, harbor=ReferenceServer) as group:
        group.alice.engine.groups.set_admin(group.group, group.bobby.name, True)
        await until(lambda: group.shown(group.bobby).is_admin, "Bobby is an admin", 600)
        davey = group.world.device("davey", group.beach)
        davey.start()
        await group.alice.engine.groups.invite(group.group, davey.name)
        await comes_in(davey, group.group)
        await asyncio.sleep(60)
        demoted_ns = group.world.clock.now_ns()
        demotion = _managing(group, group.alice.keys, RemoveAdmin(group.bobby.name))
        await asyncio.sleep(1)
        group.bobby.engine.groups.set_info(group.group, name="Bobby's")
        group.bobby.engine.groups.ban(group.group, davey.name)
        await until(lambda: group.members(group.carol)[davey.name].status is Status.BANNED, "it is read", 8)
        assert group.shown(group.carol).name == "Bobby's"
        await _turns_up_late(group, demotion, demoted_ns)
        newcomer = group.world.device("ellen", group.beach)
        newcomer.start()
        await group.alice.engine.groups.invite(group.group, newcomer.name)
        await comes_in(newcomer, group.group)
        for device in (group.alice, group.bobby, group.carol):
            await until(
                lambda device=device: group.members(device) == members(newcomer, group.group), "all know the same", 60
            )
            assert (group.shown(device).name, group.shown(device).members) == ("Climbers", 5)
            assert not any("Bobby's" in words or "banned" in words for words in notices(device, group.group))
            assert "@alice made @bobby an admin no more" in notices(device, group.group)


@simulated
async def test_what_waited_for_an_entry_goes_on_as_soon_as_that_is_given_up(tmp_path: Path) -> None:
    async with circle(tmp_path) as group:
        known = _stored(group)
        nobody = _managing(group, builders.account("zelda"), SetInfo(name="Nobody's"))
        await group.harbor.mailbox_send(known.token, known.management_mailbox, nobody, 0)
        await asyncio.sleep(14)  # her entry will be looked at again only 20 s after the other has been given up
        group.alice.engine.groups.set_info(group.group, name="Walkers")
        await until(lambda: group.carol.engine.conversations.status().rejected == 1, "it is given up", 600)
        await until(lambda: group.shown(group.carol).name == "Walkers", "what was behind it goes on", 3)


class _CountingRows:
    """Counts the rows that are read from a device's database."""

    def __init__(self, device: SimDevice, monkeypatch: pytest.MonkeyPatch) -> None:
        self.count = 0
        read = device.database.rows

        def rows(sql: str, *values: object) -> list[Row]:
            found = read(sql, *values)
            self.count += len(found)
            return found

        monkeypatch.setattr(device.database, "rows", rows)


@simulated
async def test_a_message_costs_no_more_in_a_large_group(tmp_path: Path) -> None:
    async with circle(tmp_path) as group:
        for device in (group.alice, group.carol):
            more = [(Username(f"@member{number}"), ACCEPTED) for number in range(2000)]
            group_members.store(device.database, group.group, more)
        with pytest.MonkeyPatch.context() as patch:
            counts = [_CountingRows(device, patch) for device in (group.alice, group.carol)]
            group.alice.engine.conversations.send_text(group.group, "hello, all of you")
            await group.all_get("hello, all of you", among=(group.alice, group.carol))
        assert all(0 < each.count < 1000 for each in counts)
