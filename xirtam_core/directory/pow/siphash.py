"""The keyed functions beneath HashX, in plain integers: SipRound, PRF and EXPAND (spec: equix.md, 2 and 3).

The state words are the key itself, without SipHash's constants, length byte or padding. All functions work on many values at once:
see lanes.py.
"""

import hashlib
import struct
from collections.abc import Iterator
from itertools import count
from typing import NamedTuple

from xirtam_core.directory.pow.lanes import Lanes

Words4 = tuple[int, int, int, int]
"""Four 64-bit words: a key, or the state of SipRound."""

# A program takes about 563 values, and rarely more than this.
_BATCH = 576


class Keys(NamedTuple):
    """What a challenge becomes: key A drives the program generator, key B sets up the registers and finishes the hash."""

    a: Words4
    b: Words4


def keys_of(challenge: bytes) -> Keys:
    """The two keys of `challenge`, which may have any length (spec: equix.md, 3)."""
    words = struct.unpack("<8Q", hashlib.blake2b(challenge, digest_size=64, salt=b"HashX v1").digest())
    return Keys(words[:4], words[4:])


def sip_round(a: int, b: int, c: int, d: int, mask: int) -> Words4:
    """One SipRound on each lane of `mask`. A rotation, rotl(x, n), is x << n | x << n >> 64, cut to the lane."""
    a = (a + b) & mask
    b <<= 13
    b = ((b | b >> 64) & mask) ^ a
    a <<= 32
    a = (a | a >> 64) & mask
    c = (c + d) & mask
    d <<= 16
    d = ((d | d >> 64) & mask) ^ c
    a = (a + d) & mask
    d <<= 21
    d = ((d | d >> 64) & mask) ^ a
    c = (c + b) & mask
    b <<= 17
    b = ((b | b >> 64) & mask) ^ c
    c <<= 32
    c = (c | c >> 64) & mask
    return a, b, c, d


_BATCH_LANES = Lanes(_BATCH)
_COUNTERS = _BATCH_LANES.pack(range(_BATCH))


def prf_stream(key: Words4) -> Iterator[int]:
    """PRF(key, 0), PRF(key, 1) and so on without end."""
    ones, mask = _BATCH_LANES.ones, _BATCH_LANES.mask
    a0, b0, c0, d0 = (word * ones for word in key)
    for first in count(0, _BATCH):
        n = _COUNTERS + first * ones
        a, b, c, d = sip_round(a0, b0, c0, d0 ^ n, mask)
        a ^= n
        c ^= 0xFF * ones
        for _ in range(3):
            a, b, c, d = sip_round(a, b, c, d, mask)
        yield from _BATCH_LANES.unpack(a ^ b ^ c ^ d)


def expand(key: Words4, inputs: int, lanes: Lanes) -> list[int]:
    """The eight registers that runs of HashX on these inputs start from; each holds a lane for each input."""
    ones, mask = lanes.ones, lanes.mask
    a, b, c, d = (word * ones for word in key)
    b ^= 0xEE * ones
    d ^= inputs
    for _ in range(2):
        a, b, c, d = sip_round(a, b, c, d, mask)
    a ^= inputs
    c ^= 0xEE * ones
    for _ in range(4):
        a, b, c, d = sip_round(a, b, c, d, mask)
    low = [a, b, c, d]
    b ^= 0xDD * ones
    for _ in range(4):
        a, b, c, d = sip_round(a, b, c, d, mask)
    return [*low, a, b, c, d]
