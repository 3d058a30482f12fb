"""Two people on two servers, running: what most simulations begin with."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec

from tests.sim.faults import Faults
from tests.sim.home_server import SimHomeServer
from tests.sim.virtual_time import until
from tests.sim.world import SimDevice, World
from xirtam_core.people import Standing
from xirtam_core.storage import people


class Pair(msgspec.Struct, frozen=True):
    """Alice lives on ~harbor, Bobby on ~beach."""

    world: World
    alice: SimDevice
    bobby: SimDevice
    harbor: SimHomeServer
    beach: SimHomeServer


@asynccontextmanager
async def two_people(
    place: Path,
    *,
    seed: int = 0,
    faults: Faults | None = None,
    harbor: type[SimHomeServer] = SimHomeServer,
    beach: type[SimHomeServer] = SimHomeServer,
) -> AsyncGenerator[Pair, None]:
    """Both with their engines running; at the end, no engine may have ended by itself."""
    world = World(place, seed, faults)
    servers = world.server("~harbor", harbor), world.server("~beach", beach)
    alice, bobby = world.device("alice", servers[0]), world.device("bobby", servers[1])
    alice.start()
    bobby.start()
    try:
        yield Pair(world, alice, bobby, *servers)
        for device in (alice, bobby):
            assert not device.has_failed, f"the engine of {device.name} has ended by itself"
    finally:
        await world.close()


def nothing_but_messages(pair: Pair) -> None:
    """Has the two send each other no hello, so that all that lies in a mailbox is messages."""
    for device, other in ((pair.alice, pair.bobby), (pair.bobby, pair.alice)):
        people.store(device.database, people.Person(username=other.name, standing=Standing.CONTACT))
        people.mark_greeted(device.database, other.name)


async def acquaint(pair: Pair) -> None:
    """Has Alice write "hello" to Bobby, and waits until each knows what the other's client understands."""
    await pair.alice.write(pair.bobby, "hello")
    await pair.bobby.gets(pair.alice, "hello")
    await until(lambda: knows(pair.alice, pair.bobby) and knows(pair.bobby, pair.alice), "they have said hello", 60)
    await until(lambda: pair.alice.messages(pair.bobby)[0].received_at is not None, "the own copy is there", 60)


def knows(device: SimDevice, other: SimDevice) -> bool:
    """Whether `device` knows that the other's client understands more than messages."""
    person = people.find(device.database, other.name)
    return person is not None and person.features is not None
