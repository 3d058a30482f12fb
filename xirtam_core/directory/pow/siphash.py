"""The keyed functions beneath HashX, in plain integers: SipRound, PRF and EXPAND (spec: equix.md, 2 and 3).

The state words are the key itself, without SipHash's constants, length byte or padding. `prf_stream` computes many values at once
without numpy: one big integer holds a whole row of 64-bit lanes, 128 bits apart, so that carries and rotations stay in their lane.
"""

import hashlib
import struct
from collections.abc import Iterator
from itertools import count
from typing import NamedTuple

Words4 = tuple[int, int, int, int]
"""Four 64-bit words: a key, or the state of SipRound."""

MASK64 = (1 << 64) - 1

# A program takes about 563 values, and rarely more than this.
_BATCH = 576
_LANES = struct.Struct("<" + "Q8x" * _BATCH)
_ONES = int.from_bytes(_LANES.pack(*[1] * _BATCH), "little")
_COUNTERS = int.from_bytes(_LANES.pack(*range(_BATCH)), "little")
_LANES_MASK = MASK64 * _ONES


class Keys(NamedTuple):
    """What a challenge becomes: key A drives the program generator, key B sets up the registers and finishes the hash."""

    a: Words4
    b: Words4


def keys_of(challenge: bytes) -> Keys:
    """The two keys of `challenge`, which may have any length (spec: equix.md, 3)."""
    words = struct.unpack("<8Q", hashlib.blake2b(challenge, digest_size=64, salt=b"HashX v1").digest())
    return Keys(words[:4], words[4:])


def sip_round(a: int, b: int, c: int, d: int, mask: int = MASK64) -> Words4:
    """One SipRound. With `mask` of many lanes, one on each lane: rotl(x, n) is (x << n | x << n >> 64), cut to the lane."""
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


def prf_stream(key: Words4) -> Iterator[int]:
    """PRF(key, 0), PRF(key, 1) and so on without end."""
    a0, b0, c0, d0 = (word * _ONES for word in key)
    for first in count(0, _BATCH):
        n = _COUNTERS + first * _ONES
        a, b, c, d = sip_round(a0, b0, c0, d0 ^ n, _LANES_MASK)
        a ^= n
        c ^= 0xFF * _ONES
        for _ in range(3):
            a, b, c, d = sip_round(a, b, c, d, _LANES_MASK)
        yield from _LANES.unpack((a ^ b ^ c ^ d).to_bytes(_LANES.size, "little"))


def expand(key: Words4, n: int) -> list[int]:
    """The eight registers that a run of HashX on the 64-bit input `n` starts from."""
    a, b, c, d = key
    a, b, c, d = sip_round(a, b ^ 0xEE, c, d ^ n)
    a, b, c, d = sip_round(a, b, c, d)
    a ^= n
    c ^= 0xEE
    for _ in range(4):
        a, b, c, d = sip_round(a, b, c, d)
    low = [a, b, c, d]
    b ^= 0xDD
    for _ in range(4):
        a, b, c, d = sip_round(a, b, c, d)
    return [*low, a, b, c, d]
