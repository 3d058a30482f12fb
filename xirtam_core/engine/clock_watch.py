"""Notices that the machine's clock was put forward, by which hours seem to have passed that did not."""

import asyncio
from typing import Final

from xirtam_core.clock import Clock, seconds

_NOTICED_S: Final = 60.0


class ClockWatch:
    """Compares a clock with the loop's own time, which nobody sets. A machine that slept looks the same, and is treated alike."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._ahead_s: float | None = None

    def was_put_forward(self) -> bool:
        """Whether that happened since this was last asked."""
        before, self._ahead_s = self._ahead_s, seconds(self._clock) - asyncio.get_running_loop().time()
        return before is not None and self._ahead_s - before > _NOTICED_S
