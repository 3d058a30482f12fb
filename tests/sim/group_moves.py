"""What simulations of groups that move say and look at beneath the engine."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.sim.groups import Circle, circle, comes_in, makes_admin
from tests.sim.home_server import SimHomeServer
from tests.sim.world import SimDevice
from xirtam_core.codec.primitives import ANONYMOUS, Base64Bytes, Hash
from xirtam_core.groups import Status
from xirtam_core.names import ServerName
from xirtam_core.protocol import group_command, group_message
from xirtam_core.protocol.blob import CONTROL, MESSAGE_CONTENT, Blob
from xirtam_core.protocol.control import GROUP_MOVED
from xirtam_core.protocol.direct_message import seal
from xirtam_core.protocol.event import Event, ToUser, recipient_of
from xirtam_core.protocol.group_command import Command
from xirtam_core.protocol.group_message import MANAGE
from xirtam_core.protocol.group_move import GroupMoved
from xirtam_core.protocol.mailbox import direct_mailbox
from xirtam_core.storage import groups
from xirtam_core.storage.groups import StoredGroup


def stored(device: SimDevice, group: Circle) -> StoredGroup:
    """A group as a device keeps it."""
    found = groups.find(device.database, group.group)
    assert found is not None
    return found


def said_by(device: SimDevice, group: Circle, command: Command) -> Blob:
    """A management message by a device, as the wire has it."""
    known, keys = stored(device, group), device.keys
    event = Event(recipient_of(group.group), 7, MANAGE, Base64Bytes(group_command.render(command)))
    return group_message.seal(
        MESSAGE_CONTENT, event, keys.username, keys.secret, keys.chain, known.descriptor.management_key
    )


async def post(device: SimDevice, group: Circle, server: SimHomeServer, command: Command) -> None:
    """Puts a management message by a device into the group's mailbox at a server."""
    known = stored(device, group)
    await server.mailbox_send(known.token, known.management_mailbox, said_by(device, group, command), 0)


async def tell(
    group: Circle,
    sender: SimDevice,
    receiver: SimDevice,
    *,
    server: str,
    stay: int = 1,
    snapshot: Hash | None = None,
    token: str | None = None,
) -> None:
    """Has `sender` tell `receiver` by a direct message that the group is at `server`."""
    known, home = stored(receiver, group), group.world.home_of(receiver)
    word = GroupMoved(known.id, ServerName(server), snapshot or Hash(bytes(Hash.size)), stay, token)
    event = Event(ToUser(receiver.name), 5, GROUP_MOVED, Base64Bytes(word.render()))
    who, key = sender.keys, home.devices[receiver.keys.hash].key
    assert key is not None
    blob = seal(CONTROL, event, who.username, who.secret, who.chain, [key.medium_pk])
    await home.mailbox_send(ANONYMOUS, direct_mailbox(receiver.name), blob, 0)


def commands_at(server: SimHomeServer, known: StoredGroup) -> list[Command]:
    """What the management mailbox of a group holds."""
    opened = [
        group_message.unseal(entry.message, [known.descriptor.management_key]).signed
        for entry in server.mailboxes[known.management_mailbox].entries
    ]
    return [group_command.parse(group_message.open_signed(signed, known.id).event.body) for signed in opened]


@asynccontextmanager
async def with_david(place: Path, *, admins: bool = True) -> AsyncGenerator[tuple[Circle, SimDevice]]:
    """A circle in which David, of ~island, is too; he and Bobby are admins."""
    async with circle(place) as group:
        david = group.world.device("david", group.world.server("~island"))
        david.start()
        await group.alice.engine.groups.invite(group.group, david.name)
        await comes_in(david, group.group)
        for device in (group.bobby, david) if admins else ():
            await makes_admin(group, device)
        yield group, david
        assert not david.has_failed


def is_banned(group: Circle, by: SimDevice, who: SimDevice) -> bool:
    """Whether somebody is banned as a device has it."""
    return group.members(by)[who.name].status is Status.BANNED
