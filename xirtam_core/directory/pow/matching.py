"""Finding Equi-X solutions among 65536 hash values: three rounds of matching, with numpy (spec: equix.md, 11).

Each round pairs up items whose sums cancel in the lowest bits that do not vanish yet. Sums are kept whole, so that no carry is lost.
"""

from itertools import combinations_with_replacement, islice
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from xirtam_core.directory.pow.equix import arrange

Array = NDArray[Any]

# About 66000 are usual. A weak challenge may have many more: dropping the surplus only loses solutions, and bounds time and memory.
_MOST_PAIRS: Final = 1 << 17
_POSITION_BITS: Final = 17
_KEY_BITS: Final = 15
_KEYS: Final = 1 << _KEY_BITS
_LAST_KEYS: Final = 1 << 30
# About 2 are usual, and 10 are rare.
_MOST_SOLUTIONS: Final = 64


class _Pairs(NamedTuple):
    """Items of the round before, paired: their positions there, and the sum of each pair."""

    left: Array
    right: Array
    sums: Array

    def members(self, position: int) -> tuple[int, int]:
        return int(self.left[position]), int(self.right[position])


def find_solutions(hashes: Array) -> list[bytes]:
    """All solutions, as 16 bytes each, for the hash values of the inputs 0 to 65535 (at most 64)."""
    pairs = _match(hashes, 0)
    quads = _match(pairs.sums, _KEY_BITS)
    solutions: dict[bytes, None] = {}
    for halves in _match_last(quads.sums):
        leaves = [index for quad in halves for pair in quads.members(quad) for index in pairs.members(pair)]
        solutions[arrange(leaves)] = None
    return list(solutions)


def _match(sums: Array, shift: int) -> _Pairs:
    """Every unordered pair of items whose sum vanishes in the 15 bits from `shift`, up to a limit."""
    keys = (sums >> np.uint64(shift)).astype(np.uint32) & np.uint32(_KEYS - 1)
    counts = np.bincount(keys, minlength=_KEYS)
    starts = np.zeros(_KEYS + 1, dtype=np.int64)
    np.cumsum(counts, out=starts[1:])
    # Sorting numbers in place is several times faster than asking numpy for the order.
    packed = keys << np.uint32(_POSITION_BITS) | np.arange(len(keys), dtype=np.uint32)
    packed.sort()
    order = (packed & np.uint32((1 << _POSITION_BITS) - 1)).astype(np.intp)

    # Keys below the middle pair with those above it.
    lower = slice(int(starts[1]), int(starts[_KEYS // 2]))
    partner = _KEYS - (packed[lower] >> np.uint32(_POSITION_BITS)).astype(np.intp)
    partners = counts.take(partner)
    ends = np.cumsum(partners)
    kept = int(np.searchsorted(ends, _MOST_PAIRS, side="right"))
    total = int(ends[kept - 1]) if kept else 0
    item = np.repeat(np.arange(kept), partners[:kept])
    left = order[lower].take(item)
    right = order.take((starts.take(partner) - ends + partners).take(item) + np.arange(total))

    # The keys 0 and the middle pair with themselves, an item with itself too.
    own = [_pairs_within(order[starts[key] : starts[key + 1]]) for key in (0, _KEYS // 2)]
    left, right = (
        np.concatenate([side, *[pairs[:, column] for pairs in own]])[:_MOST_PAIRS]
        for column, side in enumerate((left, right))
    )
    return _Pairs(left, right, sums.take(left) + sums.take(right))


def _pairs_within(items: Array) -> Array:
    pairs = list(islice(combinations_with_replacement(items.tolist(), 2), _MOST_PAIRS))
    return np.array(pairs, dtype=np.intp).reshape(-1, 2)


def _match_last(sums: Array) -> list[tuple[int, int]]:
    """Pairs of items whose sum vanishes in the 30 bits from 30. There are few, so equal neighbours are looked at one by one."""
    keys = (sums >> np.uint64(30)).astype(np.uint32) & np.uint32(_LAST_KEYS - 1)
    folded = np.minimum(keys, np.uint32(_LAST_KEYS) - keys)
    ordered = np.sort(folded)
    candidates = set(ordered[1:][ordered[1:] == ordered[:-1]][:_MOST_SOLUTIONS].tolist())
    candidates.update({0, _LAST_KEYS // 2}.intersection(ordered[[0, -1]].tolist() if len(ordered) else []))
    found: list[tuple[int, int]] = []
    for candidate in candidates:
        items = np.flatnonzero(folded == candidate)[:_MOST_SOLUTIONS].tolist()
        found += [
            (a, b)
            for a, b in combinations_with_replacement(items, 2)
            if (int(keys[a]) + int(keys[b])) % _LAST_KEYS == 0
        ]
    return found[:_MOST_SOLUTIONS]
