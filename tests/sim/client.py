"""A client of a simulated device's engine, in the loop that the engine runs in."""

import inspect
from collections.abc import Callable
from typing import Any

from tests.sim.world import SimDevice
from xirtam_core.client import Client, Listener
from xirtam_core.faces.face import Operation


class SimClient(Client):
    """What a bot on that device has; it goes on with the device's next engine when that has crashed."""

    def __init__(self, device: SimDevice) -> None:
        super().__init__(device.name)
        self._device = device

    async def call(self, operation: Operation, arguments: dict[str, Any]) -> Any:
        result = self._device.engine.method(operation)(**arguments)
        return await result if inspect.isawaitable(result) else result

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        return self._device.engine.announcer.subscribe(listener)

    async def close(self) -> None:
        self.is_closed = True
        self._end()
