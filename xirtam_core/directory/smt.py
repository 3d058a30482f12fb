"""The sparse Merkle tree of all names, as pure functions of hashes (spec: directory.md, Sparse Merkle tree).

256 levels, a leaf for every possible key. A key's path is the hash of its name, read most significant bit first: bit 0 chooses below
the root, bit 255 above the leaf. An empty subtree of any height hashes to zero, so a subtree with one leaf is that leaf *lifted*
past empty siblings, level by level. A proof is the siblings along a path; compressed, a bitmap of the zero ones and then the others.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from blake3 import blake3

from xirtam_core.crypto.hashing import hash_bytes
from xirtam_core.errors import Unverified

DEPTH: Final = 256
HASH_SIZE: Final = 32
BITMAP_SIZE: Final = DEPTH // 8
LARGEST_PROOF: Final = BITMAP_SIZE + DEPTH * HASH_SIZE
"""The size in bytes of a compressed proof without one zero sibling."""

EMPTY: Final = bytes(HASH_SIZE)
"""The hash of a subtree without leaves, and of an absent value."""

_LEAF_KEY: Final = bytes(hash_bytes(b"smt_datablock"))
_NODE_KEY: Final = bytes(hash_bytes(b"smt_node"))


class BadProof(Unverified):
    """A proof that is not well-formed, or does not lead from the value to the root."""


def path_of(name: str) -> bytes:
    """Where `name` lies in the tree."""
    return bytes(hash_bytes(name.encode()))


def bit(path: bytes, index: int) -> int:
    """Which way `path` goes `index` levels below the root: 0 is left."""
    return path[index >> 3] >> (7 - (index & 7)) & 1


def shared_bits(one: bytes, other: bytes) -> int:
    """How many levels two paths have in common: 256 where they are the same."""
    difference = int.from_bytes(one) ^ int.from_bytes(other)
    return DEPTH - difference.bit_length()


def leaf(value: bytes) -> bytes:
    """The hash of a leaf; an empty value is an absent one."""
    return blake3(value, key=_LEAF_KEY).digest() if value else EMPTY


def node(left: bytes, right: bytes) -> bytes:
    """The hash of two subtrees side by side."""
    if left == EMPTY and right == EMPTY:
        return EMPTY
    return blake3(left + right, key=_NODE_KEY).digest()


def lift(subtree: bytes, path: bytes, *, depth: int, to: int) -> bytes:
    """The hash at depth `to` of a tree in which only `subtree`, at `depth` on `path`, is not empty."""
    if subtree == EMPTY:
        return EMPTY
    hasher = blake3(key=_NODE_KEY)  # one for all levels: making one takes three times as long as what it does here
    reset, update, digest = hasher.reset, hasher.update, hasher.digest
    for turn in reversed(_turns(path)[to:depth]):
        reset()
        update(subtree + EMPTY if turn == "0" else EMPTY + subtree)
        subtree = digest()
    return subtree


def _turns(path: bytes) -> str:
    """All bits of a path, as digits."""
    return f"{int.from_bytes(path):0256b}"


def compress(siblings: Mapping[int, bytes]) -> bytes:
    """The compressed proof with these siblings (by index, 0 just below the root) and zero ones elsewhere."""
    present = sorted(index for index, sibling in siblings.items() if sibling != EMPTY)
    bitmap = bytearray(b"\xff" * BITMAP_SIZE)
    for index in present:
        bitmap[index >> 3] ^= 0x80 >> (index & 7)
    return bytes(bitmap) + b"".join(siblings[index] for index in present)


def expand(proof: bytes) -> list[bytes]:
    """The 256 siblings of a compressed proof; raises `BadProof` for one of the wrong size, so nothing is missing or left over."""
    bitmap = proof[:BITMAP_SIZE]
    absent = int.from_bytes(bitmap).bit_count()
    if len(bitmap) != BITMAP_SIZE or len(proof) != BITMAP_SIZE + HASH_SIZE * (DEPTH - absent):
        raise BadProof("a proof of another size than its bitmap says")
    siblings: list[bytes] = []
    at = BITMAP_SIZE
    for index in range(DEPTH):
        if bit(bitmap, index):
            siblings.append(EMPTY)
        else:
            siblings.append(proof[at : at + HASH_SIZE])
            at += HASH_SIZE
    return siblings


def root_of(path: bytes, value: bytes, siblings: Sequence[bytes]) -> bytes:
    """The root that a full proof leads to from `value` at `path`."""
    subtree = leaf(value)
    hasher = blake3(key=_NODE_KEY)
    reset, update, digest = hasher.reset, hasher.update, hasher.digest
    for turn, sibling in zip(reversed(_turns(path)), reversed(siblings), strict=True):
        if subtree == EMPTY and sibling == EMPTY:
            continue
        reset()
        update(subtree + sibling if turn == "0" else sibling + subtree)
        subtree = digest()
    return subtree


def check(root: bytes, name: str, value: bytes, proof: bytes) -> None:
    """Raises `BadProof` unless the compressed `proof` shows that the tree with `root` has `value` (empty: nothing) under `name`."""
    if root_of(path_of(name), value, expand(proof)) != root:
        raise BadProof("the proof does not lead to the directory's root")
