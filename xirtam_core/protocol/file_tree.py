"""Files as trees of fragments (spec: attachments.md): the pieces, their names, and what must add up.

A file is cut into chunks, each of which is sealed as a leaf. Levels of nodes stand above the leaves until few enough children are left
for the root. Any shape is valid whose sizes add up.
"""

from collections.abc import Sequence
from typing import Final

from nacl import bindings

from xirtam_core.codec import bcs
from xirtam_core.codec.primitives import AeadKey, Base64Bytes, Hash
from xirtam_core.crypto import aead
from xirtam_core.crypto.hashing import hash_bytes
from xirtam_core.errors import Malformed, Unverified
from xirtam_core.protocol.attachment import Fragment, Leaf, LeafNonce, Node

CHUNK_BYTES: Final = 128 * 1024
MOST_CHILDREN: Final = 512
MOST_LEVELS: Final = 6
"""How many fragments may stand above each other: with our shape, three are enough for any file."""

Child = tuple[Hash, int]
"""A fragment's name, and the size of the plaintext below it."""


def name_of(fragment: Node | Leaf) -> Hash:
    """What a fragment is found by."""
    return hash_bytes(bcs.encode(fragment, Fragment))


def seal_leaf(key: AeadKey, chunk: bytes) -> Leaf:
    """A chunk of the file as a leaf, under a random nonce."""
    nonce = LeafNonce(bindings.randombytes(LeafNonce.size))
    return Leaf(nonce, Base64Bytes(aead.seal(key, nonce, chunk)))


def open_leaf(key: AeadKey, leaf: Leaf) -> bytes:
    """The chunk in a leaf; raises `Unverified`."""
    return aead.unseal(key, leaf.nonce, leaf.data)


def parents(children: Sequence[Child]) -> list[Node]:
    """The nodes of the next level up, in file order."""
    groups = (children[start : start + MOST_CHILDREN] for start in range(0, len(children), MOST_CHILDREN))
    return [Node(tuple(group)) for group in groups]


def as_child(node: Node) -> Child:
    """How a node stands in the level above it."""
    return name_of(node), size_below(node.children)


def size_below(children: Sequence[Child]) -> int:
    """The plaintext's size below all of `children` together."""
    return sum(size for _, size in children)


def check(fragment: Node | Leaf, child: Child) -> None:
    """Raises `Unverified` unless `fragment` is the one that `child` names, and `Malformed` unless its size is what `child` says."""
    name, size = child
    if name_of(fragment) != name:
        raise Unverified("a server gave another fragment than it was asked for")
    found = len(fragment.data) - aead.TAG_SIZE if isinstance(fragment, Leaf) else size_below(fragment.children)
    if found != size:
        raise Malformed("the sizes in this file do not add up")
