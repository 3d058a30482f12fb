"""Proofs of the tree of names, against the vectors and a naive tree (spec: directory.md, Sparse Merkle tree)."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xirtam_core.directory import smt

VECTORS = json.loads((Path(__file__).parents[2] / "vectors" / "smt.json").read_text())
PROOFS = [(tree["root"], proof) for tree in VECTORS["trees"] for proof in tree["proofs"]]


@pytest.mark.parametrize(("root", "proof"), PROOFS)
def test_a_proof_gets_the_verdict_of_the_vectors(root: str, proof: dict[str, Any]) -> None:
    def check() -> None:
        smt.check(bytes.fromhex(root), proof["key"], bytes.fromhex(proof["value"]), bytes.fromhex(proof["compressed"]))

    if proof["valid"]:
        check()
    else:
        with pytest.raises(smt.BadProof):
            check()


@pytest.mark.parametrize("proof", [proof for _, proof in PROOFS if proof.get("full")])
def test_a_compressed_proof_stands_for_the_siblings_of_the_vectors(proof: dict[str, Any]) -> None:
    compressed = bytes.fromhex(proof["compressed"])
    siblings = [bytes.fromhex(sibling) for sibling in proof["full"]]
    assert smt.expand(compressed) == siblings
    assert smt.compress(dict(enumerate(siblings))) == compressed


VALID = next((root, proof) for root, proof in PROOFS if proof["valid"] and len(proof["compressed"]) > 64)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda proof: proof + bytes(32),
        lambda proof: proof + b"\x01",
        lambda proof: proof[:-32],
        lambda proof: proof[:-1],
        lambda proof: proof[:31],
        lambda proof: b"",
    ],
    ids=["surplus sibling", "unaligned", "missing sibling", "cut short", "half a bitmap", "nothing"],
)
def test_a_proof_of_another_size_than_its_bitmap_says_is_refused(spoil: Any) -> None:
    root, proof = VALID
    with pytest.raises(smt.BadProof, match="size"):
        smt.check(
            bytes.fromhex(root), proof["key"], bytes.fromhex(proof["value"]), spoil(bytes.fromhex(proof["compressed"]))
        )


def naive_root(leaves: dict[bytes, bytes], depth: int = 0) -> bytes:
    """The root by the definition alone: split the leaves at every level."""
    if not leaves:
        return smt.EMPTY
    if depth == smt.DEPTH:
        (value,) = leaves.values()
        return smt.leaf(value)
    sides: tuple[dict[bytes, bytes], dict[bytes, bytes]] = ({}, {})
    for path, value in leaves.items():
        sides[smt.bit(path, depth)][path] = value
    return smt.node(naive_root(sides[0], depth + 1), naive_root(sides[1], depth + 1))


def naive_proof(leaves: dict[bytes, bytes], path: bytes) -> list[bytes]:
    """The siblings of `path` by the definition alone."""
    siblings: list[bytes] = []
    for depth in range(smt.DEPTH):
        other = {at: value for at, value in leaves.items() if smt.bit(at, depth) != smt.bit(path, depth)}
        siblings.append(naive_root(other, depth + 1))
        leaves = {at: value for at, value in leaves.items() if at not in other}
    return siblings


names = st.text(min_size=1, max_size=8)


@settings(max_examples=8, deadline=None)
@given(values=st.dictionaries(names, st.binary(min_size=1, max_size=20), max_size=6), absent=names)
def test_what_the_naive_tree_proves_checks_and_nothing_else_does(values: dict[str, bytes], absent: str) -> None:
    leaves = {smt.path_of(name): value for name, value in values.items()}
    root = naive_root(leaves)
    for name in {*values, absent}:
        value = values.get(name, b"")
        siblings = naive_proof(leaves, smt.path_of(name))
        proof = smt.compress(dict(enumerate(siblings)))
        smt.check(root, name, value, proof)
        with pytest.raises(smt.BadProof):
            smt.check(root, name, value + b"!", proof)


@given(subtree=st.binary(min_size=32, max_size=32), path=st.binary(min_size=32, max_size=32), depth=st.integers(0, 256))
def test_lifting_in_two_steps_is_lifting_in_one(subtree: bytes, path: bytes, depth: int) -> None:
    top = smt.lift(subtree, path, depth=256, to=0)
    assert smt.lift(smt.lift(subtree, path, depth=256, to=depth), path, depth=depth, to=0) == top


@given(one=st.binary(min_size=32, max_size=32), other=st.binary(min_size=32, max_size=32))
def test_paths_share_their_bits_up_to_the_first_that_differs(one: bytes, other: bytes) -> None:
    shared = smt.shared_bits(one, other)
    assert all(smt.bit(one, index) == smt.bit(other, index) for index in range(shared))
    assert shared == smt.DEPTH or smt.bit(one, shared) != smt.bit(other, shared)
