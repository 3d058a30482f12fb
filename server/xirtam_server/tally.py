"""What a process counts while it works: plain integers, which cost next to nothing, for `metrics` to make sense of when it is asked.

Each tally is written by one thread, so nothing is locked; who reads one may see a call that is half counted, which does not matter.
"""

from bisect import bisect_left
from collections import Counter
from time import perf_counter
from typing import Final

CALL_EDGES_S: Final = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 60.0, 600.0)
COMMIT_EDGES_S: Final = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
COMMIT_EDGES: Final = (1, 2, 4, 8, 16, 32, 64, 128, 256)


class Histogram:
    """How many values were at most each of `edges` and above the one before; the last of `counts` is for those above all."""

    __slots__ = ("counts", "edges", "total")

    def __init__(self, edges: tuple[float, ...]) -> None:
        self.edges = edges
        self.counts = [0] * (len(edges) + 1)
        self.total = 0.0

    def add(self, value: float) -> None:
        """Counts a value."""
        self.counts[bisect_left(self.edges, value)] += 1
        self.total += value


class CallTally:
    """The calls of one method: how long they took, and how they failed, by the kind of the exception."""

    __slots__ = ("faults", "seconds")

    def __init__(self) -> None:
        self.seconds = Histogram(CALL_EDGES_S)
        self.faults: Counter[type[Exception]] = Counter()

    def __call__(self, began: float, fault: Exception | None) -> None:
        """Counts a call that began at `began` by `perf_counter` and ends now, with `fault` if it failed."""
        self.seconds.add(perf_counter() - began)
        if fault is not None:
            self.faults[type(fault)] += 1


class CommitTally:
    """The commits of a store: how many changes each held, and how long it took."""

    __slots__ = ("changes", "seconds")

    def __init__(self) -> None:
        self.changes = Histogram(COMMIT_EDGES)
        self.seconds = Histogram(COMMIT_EDGES_S)

    def add(self, changes: int, took_s: float) -> None:
        """Counts a commit."""
        self.changes.add(changes)
        self.seconds.add(took_s)
