"""Calls within the process: to a service whose dispatcher is at hand."""

import asyncio

from xirtam_core.errors import Malformed, Unreachable
from xirtam_core.rpc import envelope
from xirtam_core.rpc.service import Dispatcher


class LocalTransport:
    """A transport to `dispatcher`. What goes wrong inside it, beyond its methods' own errors, is raised to the caller."""

    def __init__(self, dispatcher: Dispatcher) -> None:
        self._dispatcher = dispatcher

    async def call(self, request: bytes, call_id: str, *, timeout_s: float) -> bytes:
        """See `Transport`."""
        try:
            parsed = envelope.parse_request(request)
        except Malformed as fault:
            raise Unreachable(f"not a request: {fault}") from fault
        limit = asyncio.timeout(timeout_s)
        try:
            async with limit:
                return await self._dispatcher.answer(parsed)
        except TimeoutError:
            if not limit.expired():
                raise
            raise Unreachable(f"no answer within {timeout_s:g} s") from None

    async def close(self) -> None:
        """There is nothing to let go of."""
