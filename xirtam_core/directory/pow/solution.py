"""Proof of work as the directory asks for it: Equi-X with a seed, a nonce and an effort (spec: directory.md, Proof of work)."""

from enum import StrEnum
from typing import Final

from blake3 import blake3

from xirtam_core.directory.pow.equix import SOLUTION_LENGTH, Verdict, verify

NONCES: Final = 1 << 64
"""How many nonces there are; a search goes on at 0 after the last."""

SOLUTIONS_PER_CHALLENGE: Final = 2.01
"""On average, over all challenges."""


class Flaw(StrEnum):
    """Why a solution is refused, in the directory's words."""

    LENGTH = "invalid solution length"
    EQUIX = "invalid equix solution"
    EFFORT = "insufficient effort"


def challenge_of(seed: bytes, nonce: int) -> bytes:
    """The 32-byte Equi-X challenge of a 64-bit `nonce`."""
    return blake3(nonce.to_bytes(8, "big"), key=blake3(seed).digest()).digest()


def value_of(solution: bytes) -> int:
    """The 64-bit number that decides which efforts a solution meets: the lower, the more."""
    return int.from_bytes(blake3(solution).digest(8), "big")


def meets_effort(solution: bytes, effort: int) -> bool:
    """Whether the value of `solution` is low enough, which one solution in `effort` is."""
    return value_of(solution) * effort < 1 << 64


def find_flaw(seed: bytes, nonce: int, solution: bytes, effort: int) -> Flaw | None:
    """What is wrong with a solution of `seed` at a 64-bit `nonce`, if anything. Takes a few milliseconds at most."""
    if len(solution) != SOLUTION_LENGTH:
        return Flaw.LENGTH
    if verify(challenge_of(seed, nonce), solution) is not Verdict.OK:
        return Flaw.EQUIX
    if not meets_effort(solution, effort):
        return Flaw.EFFORT
    return None


def meets(seed: bytes, nonce: int, solution: bytes, effort: int) -> bool:
    """Whether `solution` is valid for `seed` and `nonce`, and meets `effort`."""
    return find_flaw(seed, nonce, solution, effort) is None
