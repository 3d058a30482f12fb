"""Attachments: encrypted files as trees of content-addressed fragments (spec: attachments.md)."""

from xirtam_core.codec.integers import U64
from xirtam_core.codec.primitives import AeadKey, Base64Bytes, FixedBytes, Hash
from xirtam_core.codec.wire import Variant, Wire


class LeafNonce(FixedBytes):
    """The nonce of a leaf; with its length in BCS, unlike that of a group message."""

    __slots__ = ()
    size = 24


class Node(Variant):
    """An inner fragment: its children in file order, each with the plaintext size below it."""

    variant = "node"
    children: tuple[tuple[Hash, U64], ...]


class Leaf(Variant):
    """A piece of the file, encrypted; 16 bytes longer than the plaintext."""

    variant = "leaf"
    nonce: LeafNonce
    data: Base64Bytes


Fragment = Node | Leaf
"""Named by its BCS hash, index byte included."""


class Attachment(Wire):
    """The root of a file's tree, and the key that opens its leaves."""

    filename: str
    mime: str
    children: tuple[tuple[Hash, U64], ...]
    content_key: AeadKey
