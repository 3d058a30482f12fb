"""Attachments and their fragments, as the reference makes them (spec: attachments.md)."""

from typing import Any

import pytest

from tests.vectors_of import each, vectors
from xirtam_core.codec import bcs
from xirtam_core.codec.primitives import AeadKey, Base64Bytes, Hash
from xirtam_core.codec.schema import codec_of
from xirtam_core.crypto.hashing import bcs_hash
from xirtam_core.errors import Malformed, Unverified
from xirtam_core.protocol import file_tree
from xirtam_core.protocol.attachment import Attachment, Fragment, Leaf, Node

_VECTORS = vectors("attachments")
_FILE = _VECTORS["file"]
_FRAGMENTS = _VECTORS["fragments"] + _FILE["fragments"]
_KEY = AeadKey(bytes(range(32)))


def _fragment(case: dict[str, Any]) -> Node | Leaf:
    return codec_of(Fragment).from_json(case["json"])  # type: ignore[arg-type]


@each("case", _FRAGMENTS, "bcs_hash")
def test_a_recorded_fragment_has_the_name_that_the_reference_gives_it(case: dict[str, Any]) -> None:
    fragment = _fragment(case)
    assert bcs.encode(fragment, Fragment).hex() == case["bcs"]
    assert file_tree.name_of(fragment).hex() == case["bcs_hash"]
    assert codec_of(Fragment).to_json(fragment) == case["json"]


@each("case", [_FILE["root"], _VECTORS["empty_file"]], "bcs_hash")
def test_a_recorded_root_is_read_and_written_as_the_reference_does(case: dict[str, Any]) -> None:
    root: Attachment = codec_of(Attachment).from_json(case["json"])
    assert bcs.encode(root).hex() == case["bcs"]
    assert bcs_hash(root).hex() == case["bcs_hash"]
    assert codec_of(Attachment).to_json(root) == case["json"]


def test_the_recorded_file_is_read_from_its_tree() -> None:
    root: Attachment = codec_of(Attachment).from_json(_FILE["root"]["json"])
    store = {Hash.from_text(case["bcs_hash"]): _fragment(case) for case in _FILE["fragments"]}

    def read(children: tuple[file_tree.Child, ...]) -> bytes:
        content = b""
        for child in children:
            fragment = store[child[0]]
            file_tree.check(fragment, child)
            is_leaf = isinstance(fragment, Leaf)
            content += file_tree.open_leaf(root.content_key, fragment) if is_leaf else read(fragment.children)
        return content

    assert read(root.children).hex() == _FILE["plaintext"]


def test_each_leaf_has_a_nonce_of_its_own() -> None:
    first, second = file_tree.seal_leaf(_KEY, b"the same"), file_tree.seal_leaf(_KEY, b"the same")
    assert first != second
    assert file_tree.open_leaf(_KEY, first) == file_tree.open_leaf(_KEY, second) == b"the same"


def test_a_leaf_that_was_touched_does_not_open() -> None:
    leaf = file_tree.seal_leaf(_KEY, b"as it was")
    with pytest.raises(Unverified):
        file_tree.open_leaf(_KEY, Leaf(leaf.nonce, Base64Bytes(b"x" + leaf.data[1:])))


def test_a_leaf_shorter_than_its_tag_is_not_of_any_size() -> None:
    leaf = Leaf(file_tree.seal_leaf(_KEY, b"").nonce, Base64Bytes(b"short"))
    with pytest.raises(Malformed):
        file_tree.check(leaf, (file_tree.name_of(leaf), 0))


def test_nodes_stand_over_their_children_in_order() -> None:
    children = [(Hash(number.to_bytes(32, "big")), number) for number in range(1100)]
    nodes = file_tree.parents(children)
    assert [len(node.children) for node in nodes] == [512, 512, 76]
    assert [child for node in nodes for child in node.children] == children
    assert sum(file_tree.as_child(node)[1] for node in nodes) == sum(range(1100))
