"""Equi-X: verifying a solution of a challenge, and finding all of them (spec: equix.md, 9 to 11).

Verifying is plain Python and takes a few milliseconds; only `solve` needs numpy, and loads it when it is called.
"""

import struct
from collections.abc import Sequence
from enum import Enum, auto
from typing import Final

from xirtam_core.directory.pow.hashx import HashX

SOLUTION_LENGTH: Final = 16
_HALVES = tuple(struct.Struct(form) for form in ("<8H", "<4I", "<2Q"))


class Verdict(Enum):
    """What verifying gives: the first check that fails, or OK (spec: equix.md, 10)."""

    OK = auto()
    ORDER = auto()
    CHALLENGE = auto()
    PARTIAL_SUM = auto()
    FINAL_SUM = auto()


def verify(challenge: bytes, solution: bytes) -> Verdict:
    """Whether `solution` solves `challenge`. The solution must be 16 bytes long, or ValueError is raised."""
    if len(solution) != SOLUTION_LENGTH:
        raise ValueError("an Equi-X solution is 16 bytes long")
    if not _is_ordered(solution):
        return Verdict.ORDER
    hashx = HashX.find_for(challenge)
    if hashx is None:
        return Verdict.CHALLENGE
    hashes = hashx.hashes(_HALVES[0].unpack(solution))
    pairs = [left + right for left, right in zip(hashes[::2], hashes[1::2], strict=True)]
    quads = [left + right for left, right in zip(pairs[::2], pairs[1::2], strict=True)]
    if any(pair % (1 << 15) for pair in pairs) or any(quad % (1 << 30) for quad in quads):
        return Verdict.PARTIAL_SUM
    return Verdict.FINAL_SUM if sum(quads) % (1 << 60) else Verdict.OK


def solve(challenge: bytes) -> list[bytes]:
    """All solutions of `challenge`, about two on average; none if it is unusable. Takes about 50 ms, and needs numpy."""
    # Only here, so that whoever just verifies does not wait for numpy to load.
    from xirtam_core.directory.pow.hashx_numpy import Hasher
    from xirtam_core.directory.pow.matching import find_solutions

    hashx = HashX.find_for(challenge)
    return [] if hashx is None else find_solutions(Hasher().hash_all(hashx))


def arrange(leaves: Sequence[int]) -> bytes:
    """The solution with these eight indices as the leaves of its tree: at each node, the smaller half comes first."""
    nodes, bits = list(leaves), 16
    while len(nodes) > 1:
        halves = zip(nodes[::2], nodes[1::2], strict=True)
        nodes = [min(left, right) | max(left, right) << bits for left, right in halves]
        bits *= 2
    return nodes[0].to_bytes(SOLUTION_LENGTH, "little")


def _is_ordered(solution: bytes) -> bool:
    """Whether no left half is larger than its right half. A half is the little-endian number of its bytes."""
    for form in _HALVES:
        halves = form.unpack(solution)
        if any(left > right for left, right in zip(halves[::2], halves[1::2], strict=True)):
            return False
    return True
