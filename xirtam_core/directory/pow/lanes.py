"""Many 64-bit words in one integer, so that plain Python computes on all of them at once.

The words lie in lanes of 128 bits, of which the upper 64 are zero between operations. A sum or a shift to the left runs into them, and
a shift to the right into those of the lane below: so `& mask` makes good what any one operation does.
"""

import struct
from collections.abc import Iterable

MASK64 = (1 << 64) - 1


class Lanes:
    """The layout of so many lanes."""

    def __init__(self, count: int) -> None:
        self._form = struct.Struct("<" + "Q8x" * count)
        self.ones = self.pack([1] * count)
        """1 in each lane; times a word, that word in each lane."""
        self.mask = MASK64 * self.ones
        self.overflow = self.ones << 64
        """The bit above each word: what a difference may borrow from."""

    def pack(self, words: Iterable[int]) -> int:
        return int.from_bytes(self._form.pack(*words), "little")

    def unpack(self, lanes: int) -> tuple[int, ...]:
        return self._form.unpack(lanes.to_bytes(self._form.size, "little"))
