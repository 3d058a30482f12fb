"""The stored tree gives the roots and proofs of the vectors, whatever came and went before (spec: directory.md)."""

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xirtam_core.directory import smt
from xirtam_server.directory import tree
from xirtam_server.directory.tree import Tree

VECTORS = json.loads((Path(__file__).parents[2] / "vectors" / "smt.json").read_text())


def new_tree() -> tuple[sqlite3.Connection, Tree]:
    connection = sqlite3.connect(":memory:")
    connection.executescript(tree.SCHEMA)
    return connection, Tree(connection)


@pytest.fixture
def stored() -> Iterator[Tree]:
    connection, found = new_tree()
    yield found
    connection.close()


def leaves_of(values: dict[str, bytes]) -> dict[bytes, bytes]:
    return {smt.path_of(name): smt.leaf(value) for name, value in values.items()}


@pytest.mark.parametrize("case", VECTORS["trees"], ids=lambda case: f"{len(case['items'])} names")
def test_roots_and_proofs_are_those_of_the_vectors(stored: Tree, case: dict[str, Any]) -> None:
    stored.put(leaves_of({name: bytes.fromhex(value) for name, value in case["items"]}))
    assert stored.root().hex() == case["root"]
    valid = [proof for proof in case["proofs"] if proof["valid"]]
    assert valid
    for proof in valid:
        assert stored.prove(smt.path_of(proof["key"])).hex() == proof["compressed"]


def test_the_root_follows_each_step_of_the_vectors_and_a_removal(stored: Tree) -> None:
    for step in VECTORS["sequence"]:
        root = stored.put(leaves_of({step["set"]: bytes.fromhex(step["value"])}))
        assert root.hex() == stored.root().hex() == step["root_after"]


# Names whose paths part early and late: most share many bits with another.
near = st.integers(0, 255).flatmap(lambda shift: st.integers(0, 7).map(lambda number: (number << shift) % 2**256))
steps = st.lists(st.tuples(near, st.binary(max_size=2)), max_size=24)


@settings(max_examples=30, deadline=None)
@given(changes=steps, cuts=st.sets(st.integers(0, 24)))
def test_any_order_of_changes_gives_the_tree_of_what_is_left(changes: list[tuple[int, bytes]], cuts: set[int]) -> None:
    connection, stored = new_tree()
    batch: dict[bytes, bytes] = {}
    left: dict[bytes, bytes] = {}
    for number, (place, value) in enumerate(changes):
        path = place.to_bytes(32)
        batch[path] = left[path] = smt.leaf(value)
        if number in cuts:
            stored.put(batch)
            batch = {}
    stored.put(batch)

    other_connection, fresh = new_tree()
    present = {path: leaf for path, leaf in left.items() if leaf != smt.EMPTY}
    fresh.put(present)
    assert stored.root() == fresh.root()
    for path, leaf in left.items():
        proof = stored.prove(path)
        assert proof == fresh.prove(path)
        subtree = leaf
        for index, sibling in reversed(list(enumerate(smt.expand(proof)))):
            subtree = smt.node(sibling, subtree) if smt.bit(path, index) else smt.node(subtree, sibling)
        assert subtree == stored.root()
    (rows,) = connection.execute("SELECT count(*) FROM tree_node").fetchone()
    assert rows == max(0, 2 * len(present) - 1)
    connection.close()
    other_connection.close()


def test_a_proof_reads_a_path_and_not_the_tree() -> None:
    connection, stored = new_tree()
    stored.put(leaves_of({f"@name_{number}": b"value" for number in range(600)}))
    statements: list[str] = []
    connection.set_trace_callback(statements.append)
    stored.prove(smt.path_of("@name_500"))
    read = len(statements)
    statements.clear()
    stored.put(leaves_of({"@name_500": b"another"}))
    assert read < 30
    assert len(statements) < 60
    connection.close()


def test_a_tree_that_was_written_before_leaves_were_lifted_to_a_crest_grows_on(stored: Tree) -> None:
    names = {f"@name_{number}": b"x" for number in range(60)}
    early, late = dict(list(names.items())[:30]), dict(list(names.items())[30:])
    stored.put(leaves_of(early))
    stored._connection.execute("UPDATE tree_node SET right_hash = x'' WHERE depth = 256")
    root = stored.put(leaves_of(late))
    connection, whole = new_tree()
    assert whole.put(leaves_of(names)) == root
    assert all(whole.prove(smt.path_of(name)) == stored.prove(smt.path_of(name)) for name in names)
    connection.close()
