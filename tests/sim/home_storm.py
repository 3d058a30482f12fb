"""A storm in which people move from server to server while they talk, several of them at once, some with two devices."""

import asyncio
import contextlib
from collections.abc import Coroutine
from pathlib import Path

from tests.sim.faults import Faults
from tests.sim.home_server import ReferenceServer, SimHomeServer
from tests.sim.storm import Storm, storm
from tests.sim.world import SimDevice, World
from xirtam_core.errors import StorageFault, XirtamError
from xirtam_core.storage import home_move

_NAMES = ("~harbor", "~beach", "~island")
_KINDS = (SimHomeServer, SimHomeServer, ReferenceServer)
_CALM_S = 8 * 3600.0


class HomeStorm(Storm):
    """Bad weather in which nobody stays where they are."""

    def __init__(self, world: World, devices: list[SimDevice]) -> None:
        super().__init__(world, devices)
        self._acts += [(2.0, self._move), (0.5, self._undo)]
        self._asked: set[asyncio.Task[None]] = set()

    def _owner(self) -> SimDevice:
        """A device that owns its account's name: the first of each account."""
        return self.world.chance.choice([device for device in self.devices if device.path.stem == device.name.bare])

    def _move(self) -> None:
        device, target = self._owner(), self.world.chance.choice(_NAMES)
        if device.is_running:
            self._ask(_begin(device, target))

    def _undo(self) -> None:
        device = self._owner()
        if device.is_running:
            self._ask(_undone(device))

    def _ask(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work)
        self._asked.add(task)
        task.add_done_callback(self._asked.discard)

    def _is_settled(self) -> bool:
        return (
            all(device.is_running and home_move.under_way(device.database) is None for device in self.devices)
            and all(self._is_at_home(device) for device in self.devices)
            and super()._is_settled()
        )

    def _is_at_home(self, device: SimDevice) -> bool:
        user = self.world.directory.find_user(device.name)
        return user is not None and device.engine.account.server == user.server_name

    def check(self) -> None:
        """As of any storm; what was sealed to those alone that had come to a new home is no fault where it could not be read."""
        for device in self.devices:
            assert not device.has_failed, f"the engine of {device.name} has ended by itself"
            has_another = sum(each.name == device.name for each in self.devices) > 1
            assert has_another or device.engine.conversations.status().rejected == 0
            assert self._is_at_home(device), f"{device.path.stem} is not where its account lives"
        self.talk.check()


async def _begin(device: SimDevice, target: str) -> None:
    with contextlib.suppress(XirtamError, StorageFault):
        await device.engine.home.move(target)


async def _undone(device: SimDevice) -> None:
    with contextlib.suppress(XirtamError, StorageFault):
        await device.engine.home.undo()


async def moving_weather(place: Path, seed: int, steps: int) -> None:
    """One storm from beginning to end."""
    faults = Faults(lost_request=0.08, lost_reply=0.1, busy=0.05, twice=0.05, latency_s=0.4)
    async with storm(place, seed, faults, _KINDS, _NAMES, HomeStorm) as raging:
        await raging.rage(steps)
        await raging.calm(_CALM_S)
        raging.check()
