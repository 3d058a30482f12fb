"""The search for a proof of work, one challenge at a time. Importing it loads numpy: see solver.py for the way in."""

import secrets

import numpy as np

from xirtam_core.directory.pow.hashx import HashX
from xirtam_core.directory.pow.hashx_numpy import Hasher
from xirtam_core.directory.pow.matching import find_solutions
from xirtam_core.directory.pow.solution import NONCES, challenge_of, meets_effort


class Search:
    """Tries nonce after nonce, from a random one on."""

    def __init__(self, seed: bytes, effort: int) -> None:
        self._seed = seed
        self._effort = effort
        self._nonce = secrets.randbelow(NONCES)
        self._hasher = Hasher()

    def try_next(self) -> tuple[int, bytes] | None:
        """A nonce and its solution that meets the effort, if the next challenge has one. Takes about 50 ms."""
        nonce = self._nonce
        self._nonce = (nonce + 1) % NONCES
        hashx = HashX.find_for(challenge_of(self._seed, nonce))
        if hashx is None:
            return None
        for solution in find_solutions(self._hasher.hash_all(hashx)):
            if meets_effort(solution, self._effort):
                return nonce, solution
        return None


def keep_freed_memory() -> None:
    """Makes glibc keep the memory of the arrays that numpy drops, instead of giving it back: a tenth of the time goes there.

    It learns so from a large block that is freed, of just under the 32 MiB that are the most it learns from. It holds for the whole
    process, so it is for one that does nothing else.
    """
    np.empty((32 << 20) - (1 << 16), dtype=np.uint8)
