"""How long to wait before the next attempt: doubling, with jitter, so that many clients do not come back at once."""

import random


class Backoff:
    """Waits between attempts at one thing, in seconds."""

    def __init__(self, first_s: float, longest_s: float) -> None:
        self._first_s = first_s
        self._longest_s = longest_s
        self._failures = 0

    def next_s(self) -> float:
        """The wait after one more failure."""
        wait_s = min(self._first_s * 2 ** min(self._failures, 30), self._longest_s)
        self._failures += 1
        return wait_s * random.uniform(0.7, 1.3)  # noqa: S311 # nothing depends on it being unguessable

    def reset(self) -> None:
        """The thing worked."""
        self._failures = 0
