"""A clock that goes with the loop's virtual time, and can be set wrong."""

import asyncio

from tests.builders import NOW_NS


class SimClock:
    """Wall-clock time; `offset_s` is by how much it is wrong."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self.offset_s = 0.0

    def now_ns(self) -> int:
        """Unix nanoseconds."""
        return NOW_NS + round((self._loop.time() + self.offset_s) * 1e9)
