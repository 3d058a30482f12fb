"""Three people in a group, running: what simulations of groups begin with."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec

from tests.sim.faults import Faults
from tests.sim.home_server import SimHomeServer
from tests.sim.virtual_time import until
from tests.sim.world import SimDevice, World
from xirtam_core.groups import Group, GroupMember, GroupState, Status
from xirtam_core.names import Username
from xirtam_core.storage import groups


class Circle(msgspec.Struct, frozen=True):
    """Alice and the group she has made live on ~harbor, Bobby and Carol on ~beach; all of them are in it."""

    world: World
    alice: SimDevice
    bobby: SimDevice
    carol: SimDevice
    harbor: SimHomeServer
    beach: SimHomeServer
    group: str

    def members(self, device: SimDevice) -> dict[Username, GroupMember]:
        """The roster as a device has it."""
        return members(device, self.group)

    def shown(self, device: SimDevice) -> Group:
        """The group as a device shows it."""
        return shown(device, self.group)

    async def all_get(self, *texts: str, among: tuple[SimDevice, ...] = ()) -> None:
        """Waits until everybody's chat holds just these texts, in order."""
        for device in among or (self.alice, self.bobby, self.carol):
            await holds(device, self.group, *texts)


def members(device: SimDevice, group: str) -> dict[Username, GroupMember]:
    """The roster of a group as a device has it."""
    return {each.name: each for each in device.engine.groups.details(group).roster}


def shown(device: SimDevice, group: str) -> Group:
    """A group as a device shows it."""
    return device.engine.groups.details(group).group


def said(device: SimDevice, group: str) -> list[str]:
    """What people have said in a group, oldest first."""
    return [message.text for message in device.messages(group) if message.kind != "notice"]


def notices(device: SimDevice, group: str) -> list[str]:
    """What has happened to a group, oldest first."""
    return [f"{each.sender} {each.text}" for each in device.messages(group) if each.kind == "notice"]


async def holds(device: SimDevice, group: str, *texts: str, limit_s: float = 3600.0) -> None:
    """Waits until a chat holds just these texts, in order."""
    await until(lambda: said(device, group) == list(texts), f"{device.name} has {texts}", limit_s)


async def is_invited(device: SimDevice, group: str, limit_s: float = 600.0) -> None:
    """Waits until a device shows an invitation."""

    def has_it() -> bool:
        return any(each.id == group and each.state is GroupState.INVITED for each in device.engine.groups.groups())

    await until(has_it, f"{device.name} is invited", limit_s)


def is_member(device: SimDevice, group: str) -> bool:
    """Whether a device takes part in a group."""
    return any(each.id == group and each.state is GroupState.MEMBER for each in device.engine.groups.groups())


async def comes_in(device: SimDevice, group: str) -> None:
    """Accepts an invitation, and waits until all of that is done."""
    await is_invited(device, group)
    device.engine.groups.accept(group)

    def is_in() -> bool:
        found = members(device, group).get(device.name)
        return shown(device, group).state is GroupState.MEMBER and found is not None and found.status is Status.ACCEPTED

    await until(is_in, f"{device.name} is in", 600)


async def makes_admin(group: Circle, device: SimDevice, by: SimDevice | None = None) -> None:
    """Has Alice, or whoever else, make somebody an admin, and waits until the servers know it too."""
    (by or group.alice).engine.groups.set_admin(group.group, device.name, True)
    await until(lambda: group.shown(device).is_admin, f"{device.name} is an admin", 600)
    await asyncio.sleep(60)  # for the rights of their token


async def is_at(device: SimDevice, group: str, server: str, limit_s: float = 600.0) -> None:
    """Waits until a device has a group at a server, and not on its way."""

    def is_there() -> bool:
        found = groups.find(device.database, group)
        return found is not None and found.server == server and found.moves_to is None

    await until(is_there, f"{device.name} has the group at {server}", limit_s)


async def all_are_at(group: Circle, server: str) -> None:
    """Waits until everybody has the group at a server."""
    for device in (group.alice, group.bobby, group.carol):
        await is_at(device, group.group, server)


@asynccontextmanager
async def circle(
    place: Path,
    *,
    seed: int = 0,
    faults: Faults | None = None,
    harbor: type[SimHomeServer] = SimHomeServer,
    beach: type[SimHomeServer] = SimHomeServer,
) -> AsyncGenerator[Circle]:
    """All with their engines running; at the end, no engine may have ended by itself."""
    world = World(place, seed, faults)
    servers = world.server("~harbor", harbor), world.server("~beach", beach)
    alice = world.device("alice", servers[0])
    bobby, carol = (world.device(name, servers[1]) for name in ("bobby", "carol"))
    devices = (alice, bobby, carol)
    for device in devices:
        device.start()
    try:
        group = (await alice.engine.groups.create("Climbers")).id
        for device in (bobby, carol):
            await alice.engine.groups.invite(group, device.name)
            await comes_in(device, group)
        found = Circle(world, alice, bobby, carol, *servers, group)
        await until(lambda: len(found.members(alice)) == 3 and len(found.members(bobby)) == 3, "all know of all", 600)
        yield found
        for device in devices:
            assert not device.has_failed, f"the engine of {device.name} has ended by itself"
    finally:
        await world.close()
