"""Calls within the process: the same requests and answers as over a network, so the same checks."""

import asyncio

from xirtam_core.errors import Malformed, Unreachable
from xirtam_server.transports.door import Door


class LocalTransport:
    """A client transport that hands requests straight to a door."""

    def __init__(self, door: Door) -> None:
        self._door = door

    async def call(self, request: bytes, call_id: str, *, timeout_s: float) -> bytes:
        """The response to `request`; raises `Unreachable` when it takes too long."""
        try:
            async with asyncio.timeout(timeout_s):
                return await self._door.answer(request)
        except TimeoutError:
            raise Unreachable("the service in this process did not answer in time") from None
        except Malformed as fault:
            raise Unreachable(f"the request is none: {fault}") from fault

    async def close(self) -> None:
        """Nothing to let go of."""
