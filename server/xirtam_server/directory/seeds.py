"""Seeds for proofs of work that the directory need not remember (spec: directory.md, Proof of work).

A seed is its own record: 8 random bytes, when it expires and the effort it asks for (4 bytes each, big-endian), and a 16-byte keyed
hash of those under a secret of the directory. So asking for seeds costs no storage, they survive a restart, and nobody else makes one.
"""

import hmac
import secrets
import struct
from typing import Final

import msgspec
from blake3 import blake3

from xirtam_core.codec.primitives import Hash, SigningSecret
from xirtam_core.crypto.hashing import keyed_hash
from xirtam_core.protocol.directory import EquiX, PowSeed

_RECORD: Final = struct.Struct(">8sII")
_MAC_SIZE: Final = 16
LARGEST_EFFORT: Final = 2**32 - 1


class Terms(msgspec.Struct, frozen=True):
    """What a seed of ours asks for: `effort`, before `use_before` (Unix seconds)."""

    effort: int
    use_before: int


class SeedMint:
    """Makes seeds and knows its own again."""

    def __init__(self, secret: SigningSecret, *, effort: int, valid_s: int) -> None:
        if not 1 <= effort <= LARGEST_EFFORT:
            raise ValueError(f"the effort is from 1 to {LARGEST_EFFORT}")
        self._key = bytes(keyed_hash("xirtam-pow-seed", bytes(secret)))
        self._effort = effort
        self._valid_s = valid_s

    def new(self, now: int) -> PowSeed:
        """A fresh seed, of the effort that is asked for at present."""
        use_before = now + self._valid_s
        record = _RECORD.pack(secrets.token_bytes(8), use_before, self._effort)
        return PowSeed(EquiX(self._effort), Hash(record + self._mac(record)), use_before)

    def find_terms(self, seed: Hash) -> Terms | None:
        """The terms of a seed, expired or not; None for one that was not made here."""
        record, mac = seed[: _RECORD.size], seed[_RECORD.size :]
        if not hmac.compare_digest(self._mac(record), mac):
            return None
        _, use_before, effort = _RECORD.unpack(record)
        return Terms(effort, use_before)

    def _mac(self, record: bytes) -> bytes:
        return blake3(record, key=self._key).digest(_MAC_SIZE)
