"""Invitations into groups that are declined, on all of an account's devices (spec: extensions.md, Own devices)."""

import asyncio
from pathlib import Path

from tests import builders
from tests.sim.groups import circle, is_invited
from tests.sim.virtual_time import simulated, until
from tests.sim.world import SimDevice
from xirtam_core.codec.primitives import Base64Bytes
from xirtam_core.crypto.hashing import token_hash
from xirtam_core.protocol.account_events import InvitationDeclined
from xirtam_core.protocol.blob import CONTROL
from xirtam_core.protocol.control import DEVICE
from xirtam_core.protocol.event import Event, ToUser
from xirtam_core.protocol.group_invite import INVITE, GroupInvite
from xirtam_core.storage import messages


def _groups(device: SimDevice) -> list[str]:
    return [each.id for each in device.engine.groups.groups()]


@simulated
async def test_an_invitation_that_one_device_declines_is_shown_by_none(tmp_path: Path) -> None:
    async with circle(tmp_path) as group:
        tablet = group.world.another_device(group.bobby, "tablet")
        tablet.start()
        await asyncio.sleep(60)
        second = (await group.alice.engine.groups.create("Second")).id
        await group.alice.engine.groups.invite(second, group.bobby.name)
        await is_invited(tablet, second)
        await is_invited(group.bobby, second)
        group.bobby.engine.groups.decline(second)
        await until(lambda: second not in _groups(tablet), "the tablet shows it no more", 60)
        assert second not in [chat.id for chat in tablet.engine.conversations.chats()]


@simulated
async def test_a_new_invitation_after_one_that_was_declined_is_shown(tmp_path: Path) -> None:
    async with circle(tmp_path) as group:
        second = (await group.alice.engine.groups.create("Second")).id
        await group.alice.engine.groups.invite(second, group.bobby.name)
        await is_invited(group.bobby, second)
        group.bobby.engine.groups.decline(second)
        await asyncio.sleep(60)
        await group.alice.engine.groups.invite(second, group.bobby.name)
        await is_invited(group.bobby, second)


@simulated
async def test_that_an_invitation_was_declined_may_be_heard_before_it_comes(tmp_path: Path) -> None:
    async with circle(tmp_path) as group:
        second = (await group.alice.engine.groups.create("Second")).id
        await group.bobby.crash()
        await group.alice.engine.groups.invite(second, group.bobby.name)
        await asyncio.sleep(60)
        (invite,) = [
            GroupInvite.parse(message.body)
            for message in messages.of_type(group.alice.database, group.bobby.name, INVITE)
            if GroupInvite.parse(message.body).descriptor.id().hex() == second
        ]
        body = InvitationDeclined(invite.descriptor.id(), token_hash(invite.token)).render()
        event = Event(ToUser(group.bobby.name), group.world.clock.now_ns(), DEVICE, Base64Bytes(body))
        mailbox = group.beach.mailbox(group.bobby.name)
        (entry,) = mailbox.entries[-1:]
        mailbox.entries.remove(entry)
        await group.world.post(
            group.bobby, builders.sealed_message(group.bobby.keys, event, [group.bobby.keys], CONTROL)
        )
        group.bobby.start()
        await asyncio.sleep(60)
        await group.world.post(group.bobby, entry.message)
        await until(lambda: any(each.group == second for each in group.bobby.messages(group.alice)), "it has come", 60)
        assert second not in _groups(group.bobby)
