"""A storm: everybody talks with everybody while everything that can break does, all of it drawn from one seed.

Devices lose power at any await and at any commit, and come back; networks part and heal; requests and answers get lost, come late or
twice; servers and the directory go down; clocks are hours off; now and then hours pass. Then the sky clears. What must hold then is
said in `Storm.check`.
"""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TypeVar

from tests.sim.faults import Faults
from tests.sim.home_server import ReferenceServer, SimHomeServer
from tests.sim.power import PowerLost
from tests.sim.talk import Talk
from tests.sim.virtual_time import until
from tests.sim.world import SimDevice, World

_NAMES = ("~harbor", "~beach")
_KINDS = (SimHomeServer, ReferenceServer)
_CALM_LIMIT_S = 4 * 3600.0
_COMMITS_OF_A_START = 20


class Storm:
    """One world in bad weather."""

    def __init__(self, world: World, devices: list[SimDevice]) -> None:
        self.world = world
        self.devices = devices
        self.talk = Talk(world, devices)
        self._acts: list[tuple[float, Callable[[], None]]] = [
            *self.talk.acts,
            (1.0, self._crash),
            (1.0, self._burn_a_fuse),
            (1.0, self._cut),
            (0.7, self._toggle_server),
            (0.4, self._toggle_directory),
            (0.3, self._set_a_clock),
        ]

    async def rage(self, steps: int) -> None:
        """Does `steps` things at random, with time in between."""
        acts, weights = [act for _, act in self._acts], [weight for weight, _ in self._acts]
        for _ in range(steps):
            self._bring_back(0.4)
            with contextlib.suppress(PowerLost):
                self.world.chance.choices(acts, weights)[0]()
            await self._let_time_pass()

    async def _let_time_pass(self) -> None:
        chance = self.world.chance
        await asyncio.sleep(3700 if chance.random() < 0.03 else chance.uniform(0, 8))
        for _ in range(chance.randrange(12)):  # not only where a timer ends, but some steps after it
            await asyncio.sleep(0)

    def _bring_back(self, probability: float) -> None:
        for device in self.devices:
            if not device.is_running and self.world.chance.random() < probability:
                device.bring_back()

    # What happens

    def _some_device(self) -> SimDevice:
        return self.world.chance.choice(self.devices)

    def _crash(self) -> None:
        self._some_device().lose_power()

    def _burn_a_fuse(self) -> None:
        fuse = self._some_device().fuse
        fuse.commits, fuse.is_after = self.world.chance.randrange(8), self.world.chance.random() < 0.5

    def _cut(self) -> None:
        device, url = self._some_device(), self.world.chance.choice(list(self.world.machines))
        device.end.out_of_reach ^= {url}
        if self.world.chance.random() < 0.2:
            device.end.is_cut = not device.end.is_cut

    def _toggle_server(self) -> None:
        machine = self.world.chance.choice(list(self.world.machines.values()))
        machine.start() if machine.is_down else machine.stop()

    def _toggle_directory(self) -> None:
        self.world.directory.is_down = not self.world.directory.is_down

    def _set_a_clock(self) -> None:
        self._some_device().clock.offset_s = self.world.chance.uniform(-3 * 3600, 3 * 3600)

    # Afterwards

    async def black_out(self, times: int) -> None:
        """Has somebody read what came while they were off, and their power go at each of the commits that this takes, in turn."""
        for number in range(times):
            victim = self._some_device()
            victim.lose_power()
            for _ in range(3):
                self.talk.write()
            await asyncio.sleep(5)
            victim.fuse.commits, victim.fuse.is_after = number % _COMMITS_OF_A_START, True
            self._bring_back(1.0)
            await asyncio.sleep(2)
            victim.fuse.commits = None
            self._bring_back(1.0)

    async def calm(self, limit_s: float = _CALM_LIMIT_S) -> None:
        """Heals everything, and waits until nothing is left to do."""
        faults = self.world.faults
        faults.lost_request = faults.lost_reply = faults.busy = faults.twice = 0.0
        self.world.directory.is_down = False
        for machine in self.world.machines.values():
            machine.start()
        for device in self.devices:
            device.fuse.commits = None
            device.end.is_cut = False
            device.end.out_of_reach.clear()
        self._bring_back(1.0)
        await asyncio.sleep(120)  # what was let out of the sky before comes down
        self._bring_back(1.0)
        try:
            await until(self._is_settled, "everything is sent and understood", limit_s)
        except AssertionError:
            self.check()  # which says more
            raise

    def _is_settled(self) -> bool:
        if not all(device.is_at_rest() for device in self.devices):
            return False
        self.talk.look_at_what_came_late()
        return (
            all(device.is_at_rest() for device in self.devices)
            and not self.talk.missing()
            and not self.talk.disagreements()
        )

    def check(self) -> None:
        """Nothing is lost, doubled, out of order, or another thing here than there (`Talk.check`), and nobody was let down."""
        for device in self.devices:
            assert not device.has_failed, f"the engine of {device.name} has ended by itself"
            assert device.engine.conversations.status().rejected == 0
        self.talk.check()


Raging = TypeVar("Raging", bound=Storm)


@asynccontextmanager
async def storm(
    place: Path,
    seed: int,
    faults: Faults,
    kinds: Sequence[type[SimHomeServer]] = _KINDS,
    names: Sequence[str] = _NAMES,
    weather: Callable[[World, list[SimDevice]], Raging] = Storm,
) -> AsyncGenerator[Raging, None]:
    """Three people on servers of these names and kinds, some with two devices, all contacts of each other."""
    world = World(place, seed, faults)
    try:
        servers = [world.server(name, world.chance.choice(kinds)) for name in names]
        devices = [world.device(name, world.chance.choice(servers)) for name in ("alice", "bobby", "carol")]
        for first in list(devices):
            if world.chance.random() < 0.4:
                devices.append(world.another_device(first, f"another of {first.name}"))
        raging = weather(world, devices)
        for device in devices:
            device.start()
            for peer in raging.talk.names:
                if peer != device.name:
                    await device.engine.conversations.start_chat(peer, unseen=True)
        yield raging
    finally:
        await world.close()


async def weather(place: Path, seed: int, steps: int, calm_s: float = _CALM_LIMIT_S) -> None:
    """One storm from beginning to end; `calm_s` is how long it may take until all is well again."""
    faults = Faults(lost_request=0.08, lost_reply=0.1, busy=0.05, twice=0.05, latency_s=0.4)
    async with storm(place, seed, faults) as raging:
        await raging.rage(steps)
        await raging.calm(calm_s)
        raging.check()


async def blackouts(place: Path, seed: int, times: int) -> None:
    """A storm of nothing but power cuts, between servers that show an entry once: what a device has lost, it gets from nowhere.

    Fails where something is.
    """
    async with storm(place, seed, Faults(), [SimHomeServer]) as raging:
        await raging.black_out(times)
        await raging.calm(limit_s=5)
        raging.check()
