"""The time, behind an interface that a test can hold still."""

import time
from typing import Protocol


class Clock(Protocol):
    """Wall-clock time. Waiting is the event loop's, which a simulation replaces as a whole."""

    def now_ns(self) -> int:
        """Unix nanoseconds."""
        ...


class SystemClock:
    """This machine's clock."""

    def now_ns(self) -> int:
        return time.time_ns()


def seconds(clock: Clock) -> int:
    """Unix seconds by `clock`."""
    return clock.now_ns() // 1_000_000_000
