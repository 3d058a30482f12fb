"""Bobby moves: an account with two devices, and servers that it may move to."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec

from tests.sim.faults import ROUGH
from tests.sim.home_server import SimHomeServer
from tests.sim.people import Pair, two_people
from tests.sim.virtual_time import until
from tests.sim.world import SimDevice
from xirtam_core.crypto import signing
from xirtam_core.engine.fragments import Fragments
from xirtam_core.errors import RetryLater, Unreachable
from xirtam_core.events import Event, HomeMoveChanged
from xirtam_core.home_move import HomeStep
from xirtam_core.names import ServerName
from xirtam_core.protocol.directory import AddOwner, sign_update
from xirtam_core.storage import home_move

ISLAND = ServerName("~island")
CAPE = ServerName("~capes")


class Scene(msgspec.Struct, frozen=True):
    """Bobby lives on ~beach with two devices, and may move to ~island or ~capes."""

    pair: Pair
    tablet: SimDevice
    island: SimHomeServer
    cape: SimHomeServer

    @property
    def alice(self) -> SimDevice:
        return self.pair.alice

    @property
    def bobby(self) -> SimDevice:
        return self.pair.bobby

    async def lives(self, device: SimDevice, server: ServerName = ISLAND, limit_s: float = 120) -> None:
        await until(lambda: device.engine.account.server == server, f"{device.path.stem} lives on {server}", limit_s)

    def in_directory(self) -> ServerName:
        user = self.pair.world.directory.find_user(self.bobby.name)
        assert user is not None
        return user.server_name

    async def is_at(self, *steps: HomeStep, device: SimDevice | None = None, limit_s: float = 60) -> None:
        """Waits until the move of Bobby's phone is at one of these steps."""
        who = device or self.bobby
        await until(lambda: step_of(who) in steps, f"the move is at {steps}", limit_s)


async def move_at_last(device: SimDevice, target: str) -> None:
    """Begins a move where calls get lost."""
    while True:
        try:
            await device.engine.home.move(target)
        except (Unreachable, RetryLater):
            await asyncio.sleep(1)
        else:
            return


def dies_at(device: SimDevice, step: HomeStep) -> None:
    """Ends the device's engine as soon as its move has come to `step`."""

    def end(event: Event) -> None:
        if isinstance(event, HomeMoveChanged) and event.move is not None and event.move.step is step:
            asyncio.get_running_loop().call_soon(device.lose_power)

    device.engine.announcer.subscribe(end)


def step_of(device: SimDevice) -> HomeStep | None:
    """What the latest move of a device is at."""
    move = home_move.find(device.database)
    return None if move is None else move.step


@asynccontextmanager
async def scene(
    place: Path,
    *,
    seed: int = 0,
    rough: bool = False,
    beach: type[SimHomeServer] = SimHomeServer,
    island: type[SimHomeServer] = SimHomeServer,
) -> AsyncGenerator[Scene]:
    async with two_people(place, seed=seed, faults=ROUGH if rough else None, beach=beach) as pair:
        tablet = pair.world.another_device(pair.bobby, "tablet")
        tablet.start()
        at = Scene(pair, tablet, pair.world.server(str(ISLAND), island), pair.world.server(str(CAPE)))
        await asyncio.sleep(90)  # the tablet's key is known by then
        await at.alice.write(at.bobby, "before")
        for device in (at.bobby, tablet):
            await device.gets(at.alice, "before")
        yield at
        assert not tablet.has_failed


def make_owner(at: Scene) -> None:
    """The tablet owns the account's name as well."""
    directory, keys = at.pair.world.directory, at.bobby.keys
    update = sign_update(
        keys.secret, directory.state(keys.username).last_hash, AddOwner(signing.public_of(at.tablet.keys.secret))
    )
    directory.put(keys.username, (update,))


def fragments_of(device: SimDevice) -> Fragments:
    """What a device uploads by."""
    engine = device.engine
    return Fragments(device.database, engine._session, engine._network, device.clock)  # pyright: ignore[reportPrivateUsage]
