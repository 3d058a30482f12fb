"""The sparse Merkle tree of all names, in SQLite (spec: directory.md, Sparse Merkle tree).

Only the places where paths part are stored, and the leaves: two rows a name. A branch keeps each child's row and the child's hash
lifted to just below the branch, past the empty levels between the two. So a path is some log2(names) rows, a proof reads no others,
and an update writes no others; both ends of an edge are stored, so nothing is computed again after a restart.
"""

import sqlite3
from collections.abc import Iterable, Mapping
from typing import Final

import msgspec

from xirtam_core.directory import smt

SCHEMA: Final = """
CREATE TABLE tree_node (
    id INTEGER PRIMARY KEY,
    depth INTEGER NOT NULL,     -- of the bit by which a branch parts; 256: a leaf
    path BLOB NOT NULL,         -- of some name below it
    left_id INTEGER,
    left_hash BLOB NOT NULL,    -- the left child's, at depth + 1; a leaf's own
    right_id INTEGER,
    right_hash BLOB NOT NULL
);
CREATE TABLE tree_root (
    only INTEGER PRIMARY KEY CHECK (only = 0),
    node_id INTEGER,            -- NULL while there are no names
    hash BLOB NOT NULL
);
INSERT INTO tree_root VALUES (0, NULL, zeroblob(32));
"""


class _Node(msgspec.Struct):
    """A branch, or a leaf, whose `hashes` are then its own hash and nothing."""

    id: int
    depth: int
    path: bytes
    children: list[int | None]
    hashes: list[bytes]

    @property
    def is_leaf(self) -> bool:
        return self.depth == smt.DEPTH

    def hash(self) -> bytes:
        """Its hash at its own depth."""
        return self.hashes[0] if self.is_leaf else smt.node(*self.hashes)


class Tree:
    """The tree in the database behind `connection`; changes belong to whatever transaction is open there."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def root(self) -> bytes:
        """The root hash; zero for a tree without names."""
        return self._root()[1]

    def prove(self, path: bytes) -> bytes:
        """The compressed proof of what is at `path`, or that nothing is."""
        found = _Walk(self._connection, {}, self._root()[0], path)
        siblings = {branch.depth: branch.hashes[1 - smt.bit(path, branch.depth)] for branch in found.trail}
        if (end := found.end) is not None and end.path != path:
            parting = smt.shared_bits(end.path, path)
            siblings[parting] = smt.lift(end.hash(), end.path, depth=end.depth, to=parting + 1)
        return smt.compress(siblings)

    def put(self, values: Mapping[bytes, bytes]) -> bytes:
        """Puts leaf hashes at paths, removes those whose hash is zero, and gives the new root."""
        root_id, root_hash = self._root()
        edit = _Edit(self._connection, root_id, root_hash)
        for path, leaf in values.items():
            edit.put(path, leaf)
        edit.write()
        return edit.root_hash

    def _root(self) -> tuple[int | None, bytes]:
        return self._connection.execute("SELECT node_id, hash FROM tree_root").fetchone()


class _Walk:
    """The way from the root along a path: `trail`, the branches on it, and `end`, the node where it stops.

    The end is the leaf at the path, or the first node whose own path parts from it above that node; None in an empty tree.
    """

    def __init__(
        self, connection: sqlite3.Connection, loaded: dict[int, _Node], root_id: int | None, path: bytes
    ) -> None:
        self.trail: list[_Node] = []
        self.end = None if root_id is None else _load(connection, loaded, root_id)
        while self.end is not None and not self.end.is_leaf and smt.shared_bits(self.end.path, path) >= self.end.depth:
            self.trail.append(self.end)
            child = self.end.children[smt.bit(path, self.end.depth)]
            assert child is not None, "a branch has two children"
            self.end = _load(connection, loaded, child)


def _load(connection: sqlite3.Connection, loaded: dict[int, _Node], node_id: int) -> _Node:
    found = loaded.get(node_id)
    if found is None:
        columns = "depth, path, left_id, left_hash, right_id, right_hash"
        row = connection.execute(f"SELECT {columns} FROM tree_node WHERE id = ?", (node_id,)).fetchone()  # noqa: S608
        depth, path, left_id, left_hash, right_id, right_hash = row
        found = loaded[node_id] = _Node(node_id, depth, path, [left_id, right_id], [left_hash, right_hash])
    return found


class _Edit:
    """Changes to the tree that are written together, so that what they share is read and written once."""

    def __init__(self, connection: sqlite3.Connection, root_id: int | None, root_hash: bytes) -> None:
        self._connection = connection
        self._root_id = root_id
        self.root_hash = root_hash
        self._loaded: dict[int, _Node] = {}
        self._changed: set[int] = set()
        self._removed: set[int] = set()
        self._last_id: int = connection.execute("SELECT coalesce(max(id), 0) FROM tree_node").fetchone()[0]

    def put(self, path: bytes, leaf: bytes) -> None:
        """Makes `leaf` the hash at `path`; zero removes it."""
        walk = _Walk(self._connection, self._loaded, self._root_id, path)
        end = walk.end
        if end is None or end.path != path:
            if leaf != smt.EMPTY:
                self._insert(walk.trail, end, path, leaf)
        elif leaf == smt.EMPTY:
            self._remove(walk.trail, end)
        else:
            end.hashes[0] = leaf
            self._changed.add(end.id)
            self._join(walk.trail, end, leaf, smt.DEPTH)

    def _insert(self, trail: list[_Node], beside: _Node | None, path: bytes, leaf: bytes) -> None:
        added = self._new(smt.DEPTH, path, [None, None], [leaf, b""])
        if beside is None:
            self._join(trail, added, leaf, smt.DEPTH)
            return
        parting = smt.shared_bits(beside.path, path)
        pair = [added, beside]
        if smt.bit(path, parting):
            pair.reverse()
        hashes = [smt.lift(child.hash(), child.path, depth=child.depth, to=parting + 1) for child in pair]
        branch = self._new(parting, path, [child.id for child in pair], hashes)
        self._join(trail, branch, branch.hash(), parting)

    def _remove(self, trail: list[_Node], leaf: _Node) -> None:
        self._removed.add(leaf.id)
        if not trail:
            self._root_id, self.root_hash = None, smt.EMPTY
            return
        *above, branch = trail
        self._removed.add(branch.id)
        side = 1 - smt.bit(leaf.path, branch.depth)
        other = branch.children[side]
        assert other is not None, "a branch has two children"
        self._join(above, _load(self._connection, self._loaded, other), branch.hashes[side], branch.depth + 1)

    def _join(self, trail: list[_Node], child: _Node, subtree: bytes, depth: int) -> None:
        """Hangs `child`, whose hash is `subtree` at `depth`, below the last branch of `trail`, and follows the change to the root."""
        for branch in reversed(trail):
            side = smt.bit(child.path, branch.depth)
            branch.children[side] = child.id
            branch.hashes[side] = smt.lift(subtree, child.path, depth=depth, to=branch.depth + 1)
            branch.path = child.path  # its old one may have been that of a leaf which is gone
            self._changed.add(branch.id)
            child, subtree, depth = branch, branch.hash(), branch.depth
        self._root_id = child.id
        self.root_hash = smt.lift(subtree, child.path, depth=depth, to=0)

    def _new(self, depth: int, path: bytes, children: list[int | None], hashes: list[bytes]) -> _Node:
        self._last_id += 1
        added = self._loaded[self._last_id] = _Node(self._last_id, depth, path, children, hashes)
        self._changed.add(added.id)
        return added

    def write(self) -> None:
        """Writes what changed."""
        self._connection.executemany("DELETE FROM tree_node WHERE id = ?", [(node_id,) for node_id in self._removed])
        self._connection.executemany("REPLACE INTO tree_node VALUES (?, ?, ?, ?, ?, ?, ?)", self._rows())
        self._connection.execute("UPDATE tree_root SET node_id = ?, hash = ?", (self._root_id, self.root_hash))

    def _rows(self) -> Iterable[tuple[int, int, bytes, int | None, bytes, int | None, bytes]]:
        for node_id in sorted(self._changed - self._removed):
            found = self._loaded[node_id]
            yield (
                node_id, found.depth, found.path, found.children[0], found.hashes[0], found.children[1], found.hashes[1]
            )  # fmt: skip
